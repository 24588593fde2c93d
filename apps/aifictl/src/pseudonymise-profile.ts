/**
 * The profile of the pseudonymise commands: what a product's contract keeps, and what the hospital
 * has decided for all of them.
 * Decides which documents are understood: a contract, a product's manifest, or a contract beside
 * the blocks that a gateway's configuration has for this, so that the command gives the verdicts of
 * that gateway. Invariant: what is not understood is refused, never passed over.
 * Source: pseudonymisation specification 1.3, 1.5, 1.6.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { deidentificationContractSchema, modelManifestSchema } from '@aifi/contracts-manifests';
import { siteDeidentificationSchema } from '@aifi/dicom-deidentification';
import { UsageError } from './command-line.js';

const manufacturersSchema = z.array(z.string().min(1).max(64)).max(100).default([]);
export const profileSchema = z.strictObject({
  /** Of the product. */
  contract: deidentificationContractSchema.prefault({}),
  /** As in the configuration of a gateway. */
  deidentification: siteDeidentificationSchema.prefault({}),
  /** As there. */
  pixelGate: z.strictObject({ manufacturers: manufacturersSchema }).prefault({}),
});
export type Profile = z.output<typeof profileSchema>;

/** Reads JSON or YAML; without a file everything is as strict as it is by default. */
export async function readProfile(path: string | undefined): Promise<Profile> {
  if (path === undefined) return profileSchema.parse({});
  const { parse } = await import('yaml');
  let document: unknown;
  try {
    document = parse(await readFile(path, 'utf8'));
  } catch {
    throw new UsageError('the file of --profile cannot be read');
  }
  const profile = profileOf(document);
  if (!profile) {
    throw new UsageError(
      'the file of --profile holds no contract, no manifest of a product and no profile',
    );
  }
  return profile;
}

function profileOf(document: unknown): Profile | undefined {
  const manifest = modelManifestSchema.safeParse(document);
  if (manifest.success) {
    return profileSchema.parse({ contract: manifest.data.deidentification ?? {} });
  }
  const contract = deidentificationContractSchema.safeParse(document);
  if (contract.success) return profileSchema.parse({ contract: contract.data });
  return profileSchema.safeParse(document).data;
}

/**
 * Site keys: the secrets of one hospital from which all pseudonyms, seals and result UIDs derive.
 * Decides where they live (one JSON file, mode 0600, never in the database) and when the gateway
 * refuses to use them. Invariant: made once from the system's random source, never overwritten.
 * Source: pseudonymisation specification 1.3; reliability specification C4, H12.
 */
import { randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { AifiError, writeDurableFile } from '@aifi/shared-kernel';

/** What each key is for; one key is never used for two purposes. */
export const KEY_NAMES = [
  ...(['uid', 'pid', 'date', 'seal', 'identity', 'result'] as const),
  ...(['vault', 'index'] as const),
] as const;
export type KeyName = (typeof KEY_NAMES)[number];

/**
 * 256-bit keys: UIDs, patient pseudonyms, dates, envelope seal, identity HMACs, result UIDs; row
 * keys of the vault, and its blind index.
 */
export type SiteKeys = Readonly<Record<KeyName, Buffer>> & {
  /** Rises when keys are replaced; every linkage row and envelope names its epoch. */
  readonly epoch: number;
};

const keySchema = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .transform((hex) => Buffer.from(hex, 'hex'));
const siteKeysSchema = z.strictObject({
  epoch: z.int().positive(),
  uid: keySchema,
  pid: keySchema,
  date: keySchema,
  seal: keySchema,
  identity: keySchema,
  result: keySchema,
  vault: keySchema,
  index: keySchema,
});
const PERMISSIONS_OF_OTHERS = 0o077;

/** Reads the key file, or makes it. CONFIG_INVALID when others may read it or it does not parse. */
export async function loadOrCreateSiteKeys(path: string): Promise<SiteKeys> {
  const mode = await modeOf(path);
  if (mode === undefined) {
    await createSiteKeys(path);
  } else if ((mode & PERMISSIONS_OF_OTHERS) !== 0) {
    throw new AifiError('CONFIG_INVALID', 'the key file may be read by others: chmod 600');
  }
  const parsed = siteKeysSchema.safeParse(parsedJson(await readFile(path, 'utf8')));
  if (!parsed.success) throw new AifiError('CONFIG_INVALID', 'the key file is damaged');
  return parsed.data;
}

async function modeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new AifiError('CONFIG_INVALID', 'the key file cannot be read', { cause: error });
  }
}

async function createSiteKeys(path: string): Promise<void> {
  const keys = Object.fromEntries(KEY_NAMES.map((name) => [name, randomBytes(32).toString('hex')]));
  await writeDurableFile(path, Buffer.from(JSON.stringify({ epoch: 1, ...keys })));
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Model package: a folder with manifest.yaml and the artefact that it names by digest.
 * Decides when a package may be used: the manifest fits its schema, input steps, shape and output
 * fit each other, and the artefact's bytes have the stated SHA-256. Hub and worker read the same
 * way, so that what is routed is what runs.
 * Source: governance specification 4.1; reliability specification F16.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AifiError, sha256Hex } from '@aifi/shared-kernel';
import { modelManifestSchema, type ModelManifest } from './model-manifest.js';

const MANIFEST_FILE = 'manifest.yaml';
/** A manifest is a page of text. @unit bytes */
const MANIFEST_BYTES_MAX = 256 * 1024;

export interface ModelPackage {
  readonly manifest: ModelManifest;
  readonly folder: string;
}

/**
 * Reads and verifies one package. Throws NOT_FOUND without a manifest, INVALID_ARGUMENT for a
 * manifest that does not fit, DIGEST_MISMATCH for an artefact with other bytes or none.
 */
export async function readModelPackage(folder: string): Promise<ModelPackage> {
  const manifest = await readManifest(join(folder, MANIFEST_FILE));
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(artefactPath(folder, manifest))) {
      hash.update(chunk as Buffer);
    }
  } catch (error) {
    throw new AifiError('DIGEST_MISMATCH', 'model artefact does not read', { cause: error });
  }
  assertDigest(hash.digest('hex'), manifest);
  return { manifest, folder };
}

/**
 * All packages in the sub-folders of `modelsFolder`; two of one product and version are refused.
 */
export async function readModelPackages(modelsFolder: string): Promise<readonly ModelPackage[]> {
  const entries = await readdir(modelsFolder, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const packages: ModelPackage[] = [];
  const seen = new Set<string>();
  for (const name of folders.sort()) {
    const found = await readModelPackage(join(modelsFolder, name));
    const key = `${found.manifest.product}@${found.manifest.version}`;
    if (seen.has(key)) throw new AifiError('INVALID_ARGUMENT', 'a model version is there twice');
    seen.add(key);
    packages.push(found);
  }
  return packages;
}

/** The artefact's bytes, verified once more: what is hashed is what the caller loads. */
export async function readArtefact({ folder, manifest }: ModelPackage): Promise<Buffer> {
  const bytes = await readFile(artefactPath(folder, manifest));
  assertDigest(sha256Hex(bytes), manifest);
  return bytes;
}

function artefactPath(folder: string, manifest: ModelManifest): string {
  return join(folder, manifest.artefact.file);
}

function assertDigest(found: string, { artefact }: ModelManifest): void {
  if (found !== artefact.sha256) {
    throw new AifiError(
      'DIGEST_MISMATCH',
      'model artefact does not have the digest of its manifest',
    );
  }
}

async function readManifest(path: string): Promise<ModelManifest> {
  let document: unknown;
  try {
    const { size } = await stat(path);
    if (size > MANIFEST_BYTES_MAX) throw new AifiError('LIMIT_EXCEEDED', 'manifest is too long');
    // Loaded when it is needed: who wants a schema only does not wait for it.
    const { parse } = await import('yaml');
    document = parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof AifiError) throw error;
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const code = isMissing ? 'NOT_FOUND' : 'INVALID_ARGUMENT';
    throw new AifiError(code, 'model manifest does not read', { cause: error });
  }
  const parsed = modelManifestSchema.safeParse(document);
  if (!parsed.success) {
    const paths = parsed.error.issues.map((issue) => issue.path.join('.') || '(root)').slice(0, 5);
    throw new AifiError('INVALID_ARGUMENT', `model manifest refused: ${paths.join(', ')}`);
  }
  assertCoherent(parsed.data);
  return parsed.data;
}

/** What a schema does not say: input and output belong together. */
function assertCoherent({ input, output }: ModelManifest): void {
  if (output.classes.some(({ value }, channel) => value !== channel)) {
    throw new AifiError('INVALID_ARGUMENT', 'classes are not the output channels in order');
  }
  const [first, ...rest] = input.steps;
  const expected = output.kind === 'segmentation' ? 'conform' : 'radiograph';
  if (first?.kind !== expected || rest.some(({ kind }) => kind !== 'divide')) {
    throw new AifiError('INVALID_ARGUMENT', 'input steps do not fit the kind of output');
  }
  const size = first.kind === 'radiograph' ? [first.height, first.width] : [256, 256, 256];
  if (input.shape.join() !== [1, 1, ...size].join()) {
    throw new AifiError('INVALID_ARGUMENT', 'input shape is not what its steps give');
  }
}

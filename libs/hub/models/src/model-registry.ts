/**
 * Model registry: the model versions that this hub can deploy.
 * Decides nothing about who may use them; it only says what exists, verified at start.
 * Invariant: every entry's artefact had the digest of its manifest when it was loaded.
 * Source: governance specification 4.1.
 */
import { readModelPackages, type ModelManifest } from '@aifi/contracts-manifests';

export interface ModelRegistry {
  /** The manifest of one version; undefined when it is not there. */
  get(product: string, version: string): ModelManifest | undefined;
  readonly all: readonly ModelManifest[];
}

/** Reads `<folder>/<product>/manifest.yaml` for each sub-folder; faults as `readModelPackages`. */
export async function loadModels(folder: string): Promise<ModelRegistry> {
  const all = (await readModelPackages(folder)).map(({ manifest }) => manifest);
  return {
    get: (product, version) => all.find((m) => m.product === product && m.version === version),
    all,
  };
}

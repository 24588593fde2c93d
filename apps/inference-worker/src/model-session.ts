/**
 * Model session: one run of one model on one study, inside the child.
 * Decides the order: verify the artefact, then the run that the manifest's kind of output asks for.
 * The model is loaded from the verified bytes, never from a path, so that it cannot pull in other
 * files (external data).
 * Source: worker contract; reliability specification C6, F16.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readArtefact, readModelPackage } from '@aifi/contracts-manifests';
import { AifiError, type Result } from '@aifi/shared-kernel';
import { runDetection } from './detection-run.js';
import type { RunOrder, RunSuccess } from './run-protocol.js';
import { runSegmentation } from './segmentation-run.js';

/**
 * Runs the order and writes the output files; refusals and faults as in `readSeriesVolume` and
 * `readRadiograph`.
 */
export async function runModel(order: RunOrder): Promise<Result<RunSuccess>> {
  const found = await readModelPackage(order.packageFolder);
  const { manifest } = found;
  if (manifest.artefact.sha256 !== order.modelDigest) {
    throw new AifiError('DIGEST_MISMATCH', 'the model is not the one that was asked for');
  }
  const work = {
    manifest,
    artefact: await readArtefact(found),
    objectPaths: order.objectPaths,
    write: (name: string, bytes: Uint8Array): Promise<void> =>
      writeFile(join(order.outputFolder, name), bytes, { mode: 0o600 }),
  };
  const { output } = manifest;
  return output.kind === 'segmentation'
    ? runSegmentation(work, output)
    : runDetection(work, output);
}

/**
 * Model output: what the results stage reads of a worker's answer, by the kind of product.
 * Decides that every instance that the model names is one of the manifest, and reads from the
 * source images the headers that its results need, one after the other.
 * Invariant: what is not as the product's manifest says is INVALID_ARGUMENT.
 * Source: reliability specification P4 (output schema valid); architecture 2 (results).
 */
import type { DicomDataset } from '@aifi/dicom-core';
import type { ManifestObject, ModelManifest, StudyManifest } from '@aifi/contracts-manifests';
import { readDetectionOutput, type DetectionResult } from './detection-output.js';
import { invalid, SealedAnswer } from './sealed-answer.js';
import { readSegmentationOutput, type SegmentationResult } from './segmentation-output.js';

export type ModelOutput = SegmentationResult | DetectionResult;

/** What is known of the job beside the answer. */
export interface OutputContext {
  readonly manifest: StudyManifest;
  readonly model: ModelManifest;
  /** Header of one object of the manifest. */
  readonly headerOf: (object: ManifestObject) => Promise<DicomDataset>;
}

/** Reads the sealed answer; INVALID_ARGUMENT when it does not fit manifest or product. */
export async function readModelOutput(
  path: string,
  headerSizeBytes: number,
  context: OutputContext,
): Promise<ModelOutput> {
  const { model, manifest, headerOf } = context;
  return SealedAnswer.read(path, headerSizeBytes, async (answer) => {
    const instances = instancesOf(answer, manifest);
    return model.output.kind === 'segmentation'
      ? readSegmentationOutput(answer, { instances, output: model.output, headerOf })
      : readDetectionOutput(answer, { instances, headerOf });
  });
}

/** The instances that the model read, in the order of the model; none comes twice. */
function instancesOf(answer: SealedAnswer, manifest: StudyManifest): ManifestObject[] {
  const known = new Map<unknown, ManifestObject>(
    manifest.objects.map((object) => [object.sopInstanceUid, object]),
  );
  const instances = answer.data('series_instances').map((uid) => {
    const object = known.get(uid);
    if (!object) throw invalid('an instance that was not sent');
    return object;
  });
  if (instances.length === 0) throw invalid('no instances');
  if (new Set(instances).size !== instances.length) throw invalid('an instance twice');
  return instances;
}

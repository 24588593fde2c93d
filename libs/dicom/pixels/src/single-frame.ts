/**
 * Single frame: the one image of an object that is in memory.
 * Decides how readers for models take pixels from the frame reader: what it does not read is an
 * input that a model cannot take, and a broken file is a fault here.
 * Invariant: the samples are of exactly these bytes, whose digest the caller takes (guard C6).
 * Source: reliability specification C6; docs/adr/0005-result-and-exceptions.md.
 */
import type { DicomDataset } from '@aifi/dicom-core';
import { AifiError, ok, refuse, type Result } from '@aifi/shared-kernel';
import { part10InMemory } from './dataset-bytes.js';
import { imageOf } from './frame-reader.js';
import type { FrameSamples } from './frame-samples.js';

export interface SingleFrame {
  readonly dataset: DicomDataset;
  /** [y, x, sample] as stored. */
  readonly samples: FrameSamples;
}

/** Refuses with INPUT_INCOMPLETE, throws DICOM_MALFORMED; sizes were judged by the caller. */
export async function singleFrameOf(
  bytes: Uint8Array,
  datasetBytesMax: number,
): Promise<Result<SingleFrame>> {
  const opened = part10InMemory(bytes, datasetBytesMax);
  const image = await imageOf(opened);
  if (image.ok) {
    return ok({ dataset: image.value.dataset, samples: await image.value.reader.frame(0) });
  }
  const { code, detail = 'an image that is not read' } = image.refusal;
  if (code === 'MALFORMED') throw new AifiError('DICOM_MALFORMED', detail);
  return refuse('INPUT_INCOMPLETE', detail);
}

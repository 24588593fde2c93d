/**
 * Voxels of a binary segmentation, counted without any library of ours that wrote it.
 * Decides how frames become segments: bits in order, least significant first, frames back to back;
 * the segment of a frame is named in its per-frame functional group.
 * Source: PS3.5 8.1.1 and D (single-bit pixel data); PS3.3 C.8.20 and C.7.6.16.2.
 */
import { decodePart10 } from '@aifi/dicom-core';

/** Set bits by segment number. */
export function countSegments(part10: Buffer): Map<number, number> {
  const { dataset, datasetOffset, pixelData } = decodePart10(part10);
  if (dataset.number('BitsAllocated') !== 1 || !pixelData) throw new Error('no binary pixels');
  const frameBits = (dataset.number('Rows') ?? 0) * (dataset.number('Columns') ?? 0);
  const pixels = part10.subarray(datasetOffset + pixelData.valueOffset);
  const counts = new Map<number, number>();
  for (const [frame, groups] of dataset.items('PerFrameFunctionalGroupsSequence').entries()) {
    const [identification] = groups.items('SegmentIdentificationSequence');
    const segment = identification?.number('ReferencedSegmentNumber') ?? 0;
    let voxels = 0;
    for (let bit = frame * frameBits; bit < (frame + 1) * frameBits; bit += 1) {
      voxels += (pixels[bit >> 3]! >> (bit & 7)) & 1;
    }
    counts.set(segment, (counts.get(segment) ?? 0) + voxels);
  }
  return counts;
}

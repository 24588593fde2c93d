/**
 * The walk over an object: every element at every depth, beside the element it was made of.
 * Decides how the two sides are matched: by tag, sequence items by their number. Invariant: items
 * are matched only when both sides have as many. Source: PS3.5 7.5.
 */
import type { DicomDataset, DicomElement } from '@aifi/dicom-core';
import { tagText } from './finding.js';

export interface Place {
  readonly element: DicomElement;
  readonly dataset: DicomDataset;
  readonly path: string;
  /** 0 at the top level. */
  readonly depth: number;
  /** The dataset of the original that corresponds to `dataset`. */
  readonly original: DicomDataset | undefined;
}

export function* placesOf(
  dataset: DicomDataset,
  original?: DicomDataset,
  around: { readonly path: string; readonly depth: number } = { path: '', depth: 0 },
): Generator<Place> {
  for (const element of dataset) {
    const path = around.path + tagText(element.tag);
    yield { element, dataset, path, depth: around.depth, original };
    if (element.value instanceof Uint8Array) continue;
    const items = original?.items(element.tag) ?? [];
    const isMatched = items.length === element.value.length;
    for (const [index, item] of element.value.entries()) {
      const inside = { path: `${path}[${index}].`, depth: around.depth + 1 };
      yield* placesOf(item, isMatched ? items[index] : undefined, inside);
    }
  }
}
/** The value that the original has at the same place, if any. */
export function originalOf({ element, original }: Place): DicomElement | undefined {
  return original?.get(element.tag);
}

/**
 * A negative of a job that was started while its study still arrived.
 * Decides that it is not released unless the product needs no more than was there: silence about
 * images that are still to come would read as an all-clear. A positive always is.
 * Invariant: only a product that looks for something has a negative; a segmentation has none.
 * Source: features specification 6; docs/adr/0026-revisions.md.
 */
import { EARLY_NEGATIVE_DETAIL, type StudyManifest } from '@aifi/contracts-manifests';
import type { ModelOutput } from './model-output.js';

/** Why the result is not released; undefined: it is. */
export function withheldEarly(
  { early }: Pick<StudyManifest, 'early'>,
  output: ModelOutput,
): { readonly code: 'INPUT_INCOMPLETE'; readonly detail: string } | undefined {
  const isNegative = output.kind === 'detection' && output.detections.length === 0;
  if (!early || early.negativeAllowed || !isNegative) return undefined;
  return { code: 'INPUT_INCOMPLETE', detail: EARLY_NEGATIVE_DETAIL };
}

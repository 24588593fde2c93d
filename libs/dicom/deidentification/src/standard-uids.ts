/**
 * UIDs of the standard: which may stand in an output as they are.
 * Decides by what an attribute says: the UID of an object, series, study or event is always of a
 * patient, wherever its root is registered, and is remapped; a SOP class is kept in the form that
 * the registry has, so that no number hides behind the root of the standard.
 * Invariant: a UID that this does not know is not of the standard.
 * Source: PS3.6 Tables A-1 (UID values), A-2 (well-known frames of reference); PS3.4 B.5.
 */
import { tagOf } from '@aifi/dicom-core';

const FRAME_OF_REFERENCE = tagOf('FrameOfReferenceUID');
const REFERENCED_INSTANCE = tagOf('ReferencedSOPInstanceUID');
const SOP_CLASSES: ReadonlySet<number> = new Set(
  ['SOPClassUID', 'ReferencedSOPClassUID'].map(tagOf),
);

const ROOT = '1.2.840.10008.';
/** Small arcs only: a storage class has one of at most three digits and two of at most two. */
const STORAGE_CLASS = /^5\.1\.4\.1\.1\.[1-9]\d{0,2}(\.[1-9]\d?){0,2}$/;
const ATLAS = /^1\.4\.[1-4]\.([1-9]|1\d)$/;
const PALETTE = /^1\.5\.[1-8]$/;

/** Whether this attribute may hold this UID as it is. */
export function isOfStandard(tag: number, uid: string): boolean {
  if (!uid.startsWith(ROOT)) return false;
  const arcs = uid.slice(ROOT.length);
  if (SOP_CLASSES.has(tag)) return STORAGE_CLASS.test(arcs);
  if (tag === FRAME_OF_REFERENCE) return ATLAS.test(arcs);
  return tag === REFERENCED_INSTANCE && PALETTE.test(arcs);
}

/**
 * Structure: what may not be in a pseudonymised object, whatever it holds.
 * Decides on groups, attributes and value representations. Invariant: what a reader cannot name
 * (private, unknown, of unknown representation, a date declared as text) is never in an output.
 * Source: PS3.15 E.1.1; PS3.5 7.6, 7.8; pseudonymisation specification 1.2 (4), 1.4.
 */
import { keywordOf, vrOf, type DicomElement } from '@aifi/dicom-core';
import { failed, type ObjectFinding } from './finding.js';
import type { Place } from './object-walk.js';

/** Icon, original attributes, signatures, padding, structured content, documents, graphics. */
const FORBIDDEN = new Set([
  ...[0x00880200, 0x04000561, 0x04000550, 0x04000500, 0xfffafffa, 0xfffcfffc],
  ...[0x0040a730, 0x00420011, 0x00700001],
]);

export function structureFinding({ element, path }: Place): ObjectFinding | undefined {
  const { tag } = element;
  const group = tag >>> 16;
  if ((group & 1) === 1) return failed('structure.private', path);
  const repeating = group >>> 8;
  if (repeating === 0x50 || repeating === 0x60 || repeating === 0x7f) {
    // Pixel data at the top level is never an element in memory; elsewhere it has no place.
    return failed('structure.repeating-group', path);
  }
  if (FORBIDDEN.has(tag) || (tag & 0xffff) === 0) return failed('structure.forbidden', path);
  if (keywordOf(tag).startsWith('(')) return failed('structure.unknown', path);
  return isStandardVr(element) ? undefined : failed('structure.representation', path);
}

/** The VR of PS3.6, or one of those that it leaves open. */
function isStandardVr({ tag, vr }: DicomElement): boolean {
  const standard = vrOf(tag);
  if (vr === standard) return vr !== 'UN';
  if (standard === 'US') return vr === 'SS' || vr === 'OW';
  return standard === 'OW' && (vr === 'US' || vr === 'OB' || vr === 'SS');
}

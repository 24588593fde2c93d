/**
 * Data dictionary: tag → VR and keyword, from the dcmjs copy of PS3.6.
 * Decides the VR of elements that carry none (Implicit VR) and the tags behind keywords.
 * Invariant: an unknown tag has VR UN. Source: PS3.6 6, PS3.5 A.1.
 */
import dcmjs from 'dcmjs';
import { AifiError } from '@aifi/shared-kernel';

interface DictionaryRow {
  readonly tag: string;
  readonly vr: string;
  readonly name: string;
}

// Its `dictionary` is a proxy without enumerable keys; the name map lists every row.
const rows = Object.values(dcmjs.data.DicomMetaDictionary.nameMap as Record<string, DictionaryRow>);
const vrByTag = new Map<number, string>();
const tagByKeyword = new Map<string, number>();
const keywordByTag = new Map<number, string>();
for (const row of rows) {
  const match = /^\(([0-9A-Fa-f]{4}),([0-9A-Fa-f]{4})\)$/.exec(row.tag);
  if (!match) continue;
  const tag = Number.parseInt(`${match[1]}${match[2]}`, 16);
  vrByTag.set(tag, settledVr(row.vr));
  tagByKeyword.set(row.name, tag);
  keywordByTag.set(tag, row.name);
}

// PS3.6 leaves some VRs open ("US or SS", "OB or OW", "US or OW"): the bytes are the same.
function settledVr(vr: string): string {
  if (vr === 'xs') return 'US';
  if (vr === 'ox' || vr === 'lt') return 'OW';
  return /^[A-Z]{2}$/.test(vr) ? vr : 'UN';
}

/** The VR of a tag by PS3.6; group lengths are UL, private creators LO, everything else UN. */
export function vrOf(tag: number): string {
  const known = vrByTag.get(tag);
  if (known) return known;
  if ((tag & 0xffff) === 0) return 'UL';
  const isPrivate = ((tag >>> 16) & 1) === 1;
  return isPrivate && (tag & 0xffff) >= 0x10 && (tag & 0xffff) <= 0xff ? 'LO' : 'UN';
}

/** The tag of a PS3.6 keyword; an unknown keyword is a defect of ours. */
export function tagOf(keyword: string): number {
  const tag = tagByKeyword.get(keyword);
  if (tag === undefined) throw new AifiError('INTERNAL', `unknown DICOM keyword ${keyword}`);
  return tag;
}

/** The keyword of a tag, or its number as `(gggg,eeee)`. */
export function keywordOf(tag: number): string {
  const hex = tag.toString(16).padStart(8, '0').toUpperCase();
  return keywordByTag.get(tag) ?? `(${hex.slice(0, 4)},${hex.slice(4)})`;
}

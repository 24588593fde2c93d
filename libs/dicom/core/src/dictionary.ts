/**
 * Data dictionary: tag → VR and keyword, by PS3.6.
 * Decides the VR of elements that carry none (Implicit VR) and the tags behind keywords.
 * Invariant: an unknown tag has VR UN. Source: PS3.6 6, PS3.5 A.1.
 */
import { AifiError } from '@aifi/shared-kernel';
import { DICTIONARY } from './dictionary.table.js';

const vrByTag = new Map<number, string>();
const tagByKeyword = new Map<string, number>();
const keywordByTag = new Map<number, string>();
for (const line of DICTIONARY.trim().split('\n')) {
  const tag = Number.parseInt(line.slice(0, 8), 16);
  const keyword = line.slice(12);
  vrByTag.set(tag, line.slice(9, 11));
  tagByKeyword.set(keyword, tag);
  keywordByTag.set(tag, keyword);
}

/** The VR of a tag by PS3.6; group lengths are UL, private creators LO, everything else UN. */
export function vrOf(tag: number): string {
  const known = vrByTag.get(tag);
  if (known) return known;
  if ((tag & 0xffff) === 0) return 'UL';
  const isPrivate = ((tag >>> 16) & 1) === 1;
  return isPrivate && (tag & 0xffff) >= 0x10 && (tag & 0xffff) <= 0xff ? 'LO' : 'UN';
}

/** Every standard attribute of a VR. */
export function tagsOf(vr: string): number[] {
  return [...vrByTag].flatMap(([tag, of]) => (of === vr ? [tag] : []));
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

/**
 * The form of UIDs in an output: ours, or of the standard.
 * Decides that everything else is a UID that somebody else made. A UID under 2.25 counts as ours
 * only as a UUID of version 8, which no modality makes. Source: PS3.5 B.2, PS3.6 annex A; RFC 9562
 * 5.8.
 */

/** Arcs of PS3.6 annex A with at most six more digits, as all of its rows have. */
const STANDARD = /^1\.2\.840\.10008(\.\d{1,4}){1,9}$/;

export function isStandardUid(uid: string): boolean {
  return STANDARD.test(uid) && uid.length <= 36;
}
export function isPseudonymousUid(uid: string): boolean {
  if (!/^2\.25\.[1-9]\d{0,38}$/.test(uid)) return false;
  const value = BigInt(uid.slice(5));
  if (value >> 128n !== 0n) return false;
  return ((value >> 76n) & 0xfn) === 8n && ((value >> 62n) & 3n) === 2n;
}
export const isForeignUid = (uid: string): boolean =>
  uid !== '' && !isStandardUid(uid) && !isPseudonymousUid(uid);

/**
 * Rows of the confidentiality profile by tag.
 * Decides which row speaks of an attribute: its own, that of its repeating group, or that of all
 * private attributes. Invariant: an attribute without a row has no code, which is no permission.
 * Source: PS3.15 Table E.1-1; PS3.5 7.6 (repeating groups), 7.8 (private attributes).
 */
import { CONFIDENTIALITY_PROFILE, type ProfileRow } from './confidentiality-profile.table.js';

const rowByTag = new Map<string, ProfileRow>(
  CONFIDENTIALITY_PROFILE.map((row) => [row[0].toUpperCase(), row]),
);

const hexOf = (tag: number): string => tag.toString(16).toUpperCase().padStart(8, '0');

export function profileRowOf(tag: number): ProfileRow | undefined {
  const group = tag >>> 16;
  if ((group & 1) === 1 && group < 0xfff0) return rowByTag.get('ODD GROUP');
  const hex = hexOf(tag);
  const own = rowByTag.get(hex);
  if (own) return own;
  // 5000-501E and 6000-601E.
  if ((group & 0xffe1) === 0x5000) return rowByTag.get('50XXXXXX');
  if ((group & 0xffe1) === 0x6000) return rowByTag.get(`60XX${hex.slice(4)}`);
  return undefined;
}

/** Code of the Basic Profile ('X/Z' …); '' for an attribute that is not in the table. */
export function profileCodeOf(tag: number): string {
  return profileRowOf(tag)?.[2] ?? '';
}

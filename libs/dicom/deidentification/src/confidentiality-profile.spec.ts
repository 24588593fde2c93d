/**
 * Goal: no row of Table E.1-1 is unhandled, and nothing that a keep-list does weakens the profile.
 * Method: every row, expanded to tags, against every keep-list under every kind of contract; what
 * differs must be one listed deviation with a reason and a clause.
 */
import { describe, expect, it } from '@jest/globals';
import { keywordOf, tagOf, vrOf } from '@aifi/dicom-core';
import type { DeidentificationContract } from '@aifi/contracts-manifests';
import { CONFIDENTIALITY_PROFILE } from './confidentiality-profile.table.js';
import { DEFAULT_CONTRACT } from './deidentification-context.js';
import { CHARACTERISTICS, CLASS_FAMILIES, keepListOf, type Action } from './keep-list.js';
import { PROFILE_DEVIATIONS } from './profile-deviations.table.js';
import { profileRowOf } from './profile-row.js';

const CONTRACTS: readonly DeidentificationContract[] = [
  DEFAULT_CONTRACT,
  { ...DEFAULT_CONTRACT, retain: ['age', 'sex', 'size', 'weight', 'pregnancy'] },
  { ...DEFAULT_CONTRACT, retain: [], dates: 'remove' },
];
const WORD_OF = new Map(CHARACTERISTICS.map(([word, tag]) => [tag, word]));

/** Tags that a row speaks of; of a repeating group its first and its last. */
function tagsOf(row: string): number[] {
  if (row === 'odd group') return [0x00091001, 0x00290010, 0x7fdf1010];
  if (row === '50xxxxxx') return [0x50000005, 0x501e3000];
  return ['00', '1E'].map((group) => Number.parseInt(row.replace('xx', group), 16));
}

/** What the profile and the claimed options let us do, by code; 'X' always. */
function isAsAsked(tag: number, action: Action | undefined, contract: DeidentificationContract) {
  const [, , code, options] = profileRowOf(tag)!;
  const codes = new Set(code.replace('*', '').split('/'));
  if (action === undefined) return codes.has('X');
  if (action === 'Z') return codes.has('Z');
  // Ours, not that of the object: what stands there says nothing of the patient.
  if (action === 'D') return codes.has('D') || isRetained(tag, options, contract);
  if (action === 'U') return codes.has('U');
  if (action === 'C') return options.includes('descriptors=C');
  const vr = vrOf(tag);
  // Of a sequence of references the UIDs inside are remapped.
  if (vr === 'UI' || vr === 'SQ') return codes.has('U');
  if (vr === 'DA' || vr === 'DT') {
    return options.includes('modifiedDates=C') && contract.dates === 'shift';
  }
  return isRetained(tag, options, contract);
}
function isRetained(tag: number, options: string, { retain }: DeidentificationContract): boolean {
  const word = WORD_OF.get(tag) as (typeof retain)[number] | undefined;
  return options.includes('patient=K') && word !== undefined && retain.includes(word);
}

interface Found {
  readonly keyword: string;
  readonly action: Action | undefined;
}
function deviations(): Found[] {
  const found: Found[] = [];
  for (const [row] of CONFIDENTIALITY_PROFILE) {
    for (const tag of tagsOf(row)) {
      for (const family of CLASS_FAMILIES) {
        for (const contract of CONTRACTS) {
          const action = keepListOf(family, contract).get(tag);
          if (!isAsAsked(tag, action, contract)) found.push({ keyword: keywordOf(tag), action });
        }
      }
    }
  }
  return found;
}
const isListed = ({ keyword, action }: Found): boolean =>
  PROFILE_DEVIATIONS.some(({ attributes, done }) =>
    action === undefined
      ? attributes === 'not listed'
      : attributes.split(' ').includes(keyword) && done !== 'removed',
  );

describe('confidentiality profile', () => {
  it('is the edition with 621 rows, each of known tags and codes', () => {
    expect(CONFIDENTIALITY_PROFILE).toHaveLength(621);
    expect(new Set(CONFIDENTIALITY_PROFILE.map(([tag]) => tag)).size).toBe(621);
    for (const [tag, name, code] of CONFIDENTIALITY_PROFILE) {
      expect(tag).toMatch(/^([0-9A-F]{8}|50xxxxxx|60xx[0-9A-F]{4}|odd group)$/);
      expect(name).not.toBe('');
      expect(code).toMatch(/^(X|Z|D|U)(\/(X|Z|D|U\*))*$/);
      for (const one of tagsOf(tag)) expect(profileRowOf(one)?.[0]).toBe(tag);
    }
  });

  it('has no row that a keep-list weakens without a listed reason', () => {
    expect(deviations().filter((found) => !isListed(found))).toEqual([]);
  });

  it('has no listed deviation that is none, and none without reason and clause', () => {
    const found = deviations();
    for (const { attributes, reason, clause } of PROFILE_DEVIATIONS) {
      expect(reason.length).toBeGreaterThan(20);
      expect(clause).toMatch(/^PS3\.15 E\./);
      for (const keyword of attributes === 'not listed' ? [] : attributes.split(' ')) {
        expect(found.map((one) => one.keyword)).toContain(keyword);
      }
    }
    expect(found.some(({ action }) => action === undefined)).toBe(true);
  });

  it('keeps nothing of repeating groups, private groups, icons, signatures or content', () => {
    const never = [0x50003000, 0x60003000, 0x60004000, 0x60000022, 0x00880200, 0x04000561];
    never.push(0x04000550, 0xfffafffa, 0xfffcfffc, 0x0040a730, 0x00420011, 0x00700001, 0x00291010);
    for (const { list } of CLASS_FAMILIES) {
      for (const tag of never) expect(list.has(tag)).toBe(false);
      for (const tag of list.keys()) {
        expect((tag >>> 16) % 2).toBe(0);
        expect(tag & 0xffff).not.toBe(0);
      }
    }
  });

  it('keeps no attribute that names a person, and no address, by VR', () => {
    for (const { list } of CLASS_FAMILIES) {
      for (const [tag, action] of list) {
        if (vrOf(tag) === 'PN') expect(['Z', 'D']).toContain(action);
        expect(['AE', 'UR', 'UN']).not.toContain(vrOf(tag));
      }
    }
  });

  it('empties dates or puts a dummy where the contract wants none', () => {
    for (const family of CLASS_FAMILIES) {
      for (const [tag, action] of keepListOf(family, CONTRACTS[2]!)) {
        if (['DA', 'DT', 'TM'].includes(vrOf(tag))) expect(['Z', 'D']).toContain(action);
      }
    }
    expect(keepListOf(CLASS_FAMILIES[0]!, CONTRACTS[2]!).has(tagOf('PatientAge'))).toBe(false);
    expect(keepListOf(CLASS_FAMILIES[0]!, CONTRACTS[2]!).get(tagOf('PatientSex'))).toBe('Z');
  });
});

/**
 * Goal: what the specification promises for every input: the same again, one to one, nothing in
 * common between hospitals, intervals kept, no token of the patient in the output.
 * Method: properties over generated patients, UIDs and dates (fast-check), and a million UIDs.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type DicomDataset, encodeDataset, vrOf } from '@aifi/dicom-core';
import { isUid } from '@aifi/shared-kernel';
import * as derive from './derivations.js';
import { DEFAULT_CONTRACT, pseudonymiseHeader, type DeidentificationContext } from './index.js';
import { KNOWN_WORDS } from './known-words.table.js';
import { tokensOf } from './normalised-text.js';
import { aHeaderOf, HEADER_NAMES } from './test-headers.js';
import { DESCRIPTION_WORDS } from './vocabulary.table.js';

const siteOf = (seed: number): DeidentificationContext => ({
  siteCode: 'SITE',
  keys: {
    uid: Buffer.alloc(32, seed),
    pid: Buffer.alloc(32, seed + 1),
    date: Buffer.alloc(32, seed + 2),
  },
  contract: { ...DEFAULT_CONTRACT, recognisableVisualFeatures: 'allow' },
});
const [site, other] = [siteOf(1), siteOf(11)];
const EXPLICIT = { explicitVr: true, littleEndian: true };
function pseudonymised(header: DicomDataset, by = site): DicomDataset {
  const result = pseudonymiseHeader(header, by, { isExamined: true });
  if (!result.ok) throw new Error(result.refusal.detail);
  return result.value.dataset;
}
const bytesOf = (dataset: DicomDataset): Buffer => encodeDataset(dataset, EXPLICIT);
const name = fc.constantFrom(...HEADER_NAMES);
const uid = fc.stringMatching(/^1\.3(\.[1-9][0-9]{0,8}){3,5}$/);
const day = fc
  .date({ min: new Date('1930-01-01'), max: new Date('2035-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10).replaceAll('-', ''));
const dayNumber = (da: string): number =>
  Date.UTC(Number(da.slice(0, 4)), Number(da.slice(4, 6)) - 1, Number(da.slice(6, 8))) / 86_400_000;

describe('every header', () => {
  it('gives the same bytes again, whatever was read before', () => {
    fc.assert(
      fc.property(name, uid, day, (family, instance, studyDate) => {
        const header = (): DicomDataset =>
          aHeaderOf(family, { SOPInstanceUID: instance, StudyDate: studyDate });
        const first = bytesOf(pseudonymised(header()));
        pseudonymised(aHeaderOf('MR'), other);
        expect(bytesOf(pseudonymised(header())).equals(first)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('has UIDs, names and numbers within their lengths, with the longest site code', () => {
    const longest = { ...site, siteCode: 'A'.repeat(32) };
    const limits: Record<string, number> = { UI: 64, LO: 64, PN: 64, SH: 16, CS: 16, AS: 4 };
    for (const family of HEADER_NAMES) {
      const walk = (dataset: DicomDataset): void => {
        for (const { tag, vr, value } of dataset) {
          if (!(value instanceof Uint8Array)) value.forEach(walk);
          else if (limits[vr]) {
            for (const text of dataset.strings(tag)) {
              expect(text.length).toBeLessThanOrEqual(limits[vr]);
              if (vr === 'UI') expect(isUid(text)).toBe(true);
            }
          }
        }
      };
      walk(pseudonymised(aHeaderOf(family), longest));
    }
  });

  it('keeps every interval between dates of one patient, also across studies', () => {
    fc.assert(
      fc.property(day, day, day, (a, b, c) => {
        const first = pseudonymised(aHeaderOf('CT', { StudyDate: a, ContentDate: b }));
        const later = pseudonymised(
          aHeaderOf('MR', { StudyDate: c, StudyInstanceUID: '1.2.3.4.99' }),
        );
        const shifts = [
          dayNumber(first.string('StudyDate')!) - dayNumber(a),
          dayNumber(first.string('ContentDate')!) - dayNumber(b),
          dayNumber(later.string('StudyDate')!) - dayNumber(c),
        ];
        expect(new Set(shifts).size).toBe(1);
        expect(shifts[0]).toBeLessThanOrEqual(-1);
        expect(shifts[0]).toBeGreaterThanOrEqual(-3650);
      }),
    );
  });

  it('keeps the precision of a date and time, and the interval within it', () => {
    const offset = derive.dateOffsetDays('|X', site);
    const precision = fc.constantFrom(4, 6, 8, 10, 12, 14);
    fc.assert(
      fc.property(day, precision, (date, length) => {
        const text = `${date}101530`.slice(0, length);
        const shifted = derive.shiftDateTime(text, offset)!;
        expect(shifted).toHaveLength(length);
        expect(shifted.slice(8)).toBe(text.slice(8));
        // The first day that the value may mean moves to a day that the result may mean.
        const first = text.length < 6 ? `${text}0101` : text.length < 8 ? `${text}01` : date;
        const moved = derive.shiftDate(first, offset)!;
        expect(moved.slice(0, Math.min(length, 8))).toBe(shifted.slice(0, 8));
      }),
    );
  });
});

describe('two hospitals', () => {
  it('share no UID, no pseudonym and no study number, and their offsets are independent', () => {
    fc.assert(
      fc.property(uid, fc.string({ minLength: 1, maxLength: 20 }), (instance, id) => {
        expect(derive.pseudonymousUidOf(instance, site)).not.toBe(
          derive.pseudonymousUidOf(instance, other),
        );
        expect(derive.patientPseudonym(id, site)).not.toBe(derive.patientPseudonym(id, other));
        expect(derive.studyIdPseudonym(instance, site)).not.toBe(
          derive.studyIdPseudonym(instance, other),
        );
      }),
    );
    const ids = Array.from({ length: 4_000 }, (_, i) => `|P${i}`);
    const pairs = ids.map((id) => [
      derive.dateOffsetDays(id, site),
      derive.dateOffsetDays(id, other),
    ]);
    const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    const [a, b] = [mean(pairs.map(([x]) => x!)), mean(pairs.map(([, y]) => y!))];
    const covariance = mean(pairs.map(([x, y]) => (x! - a) * (y! - b)));
    const spread = Math.sqrt(mean(pairs.map(([x]) => (x! - a) ** 2)));
    expect(Math.abs(covariance / spread ** 2)).toBeLessThan(0.06);
  });

  it('share no value of an output but those that the profile keeps', () => {
    for (const family of HEADER_NAMES) {
      const [ours, theirs] = [site, other].map((by) => pseudonymised(aHeaderOf(family), by));
      for (const keyword of ['PatientID', 'PatientName', 'StudyID', 'SOPInstanceUID']) {
        expect(ours!.string(keyword)).not.toBe(theirs!.string(keyword));
      }
    }
  });
});

describe('a million UIDs', () => {
  it('map one to one to valid UIDs, and share none with another hospital', () => {
    const count = 1_000_000;
    // The last 15 digits, exact as a number: when these differ, the UIDs do.
    const seen = new Set<number>();
    const tailOf = (mapped: string): number => Number(mapped.slice(-15));
    let valid = 0;
    for (let i = 0; i < count; i += 1) {
      const mapped = derive.pseudonymousUidOf(`1.3.6.1.4.1.9.${i}`, site);
      if (mapped.length <= 44 && mapped.startsWith('2.25.') && mapped[5] !== '0') valid += 1;
      seen.add(tailOf(mapped));
    }
    expect(valid).toBe(count);
    expect(seen.size).toBe(count);
    let shared = 0;
    for (let i = 0; i < 20_000; i += 1) {
      const theirs = derive.pseudonymousUidOf(`1.3.6.1.4.1.9.${i}`, other);
      if (seen.has(tailOf(theirs))) shared += 1;
    }
    expect(shared).toBe(0);
  }, 240_000);
});

describe('tokens of the input', () => {
  const ALLOWED = new Set(
    `${KNOWN_WORDS} ${DESCRIPTION_WORDS}`
      .trim()
      .split(/\s+/)
      .map((word) => word.toLowerCase()),
  );
  const token = fc
    .stringMatching(/^[B-DF-HJ-NP-TV-Z]{2}[a-z]{3,8}$/)
    .filter((text) => !ALLOWED.has(text.toLowerCase()));

  it('of four characters or more, of any name or text, are in no output byte', () => {
    fc.assert(
      fc.property(name, fc.uniqueArray(token, { minLength: 8, maxLength: 8 }), (family, tokens) => {
        const header = aHeaderOf(family);
        const baseline = bytesOf(pseudonymised(header)).toString('latin1').toLowerCase();
        const [a, b, c, d, e, f, g, h] = tokens as [string, string, string, string, ...string[]];
        header
          .setString('PatientName', `${a}^${b}^${c}`)
          .setString('PatientID', `${d}${e}`)
          .setString('OtherPatientNames', f!)
          .setString('PatientComments', `${g} ${h}`)
          .setString('InstitutionName', `${g} ${a}`)
          .setString('StudyDescription', `CT ${a} thorax ${b}, ${h}`)
          .setString('SeriesDescription', tokens.join('_'))
          .setString('ProtocolName', `${c}-${d}`)
          .setString('ContrastBolusAgent', `${e} 300`)
          .setString('AdditionalPatientHistory', tokens.join(' '))
          .setString('RequestingService', f!)
          .setString('AccessionNumber', g!)
          .setString('StudyID', h!)
          .setString(0x00291001, tokens.join(' '), 'UN');
        const output = bytesOf(pseudonymised(header)).toString('latin1').toLowerCase();
        for (const one of tokens) {
          if (!baseline.includes(one.toLowerCase())) {
            expect(output.includes(one.toLowerCase())).toBe(false);
          }
        }
      }),
      { numRuns: 80 },
    );
  });

  it('of the generated patient are in no output of any family', () => {
    const kept = new Set(['Manufacturer', 'ManufacturerModelName', 'SoftwareVersions']);
    for (const family of HEADER_NAMES) {
      const header = aHeaderOf(family);
      const output = bytesOf(pseudonymised(header)).toString('latin1').toLowerCase();
      const secrets = [...header].flatMap(({ tag }) =>
        ['PN', 'LO', 'SH', 'LT', 'ST'].includes(vrOf(tag)) ? header.strings(tag) : [],
      );
      const retained = [...kept].flatMap((keyword) => header.strings(keyword));
      const words = secrets
        .filter((text) => !retained.includes(text))
        .flatMap(tokensOf)
        .filter((word) => word.length >= 4 && !ALLOWED.has(word.toLowerCase()))
        .filter((word) => !CODES.test(word));
      expect(words).toContain('BERGSMA');
      for (const word of words) expect(output).not.toContain(word.toLowerCase());
    }
  });
  /** Kept as they are: kernels, filters, sequences and filters of the generated headers. */
  const CODES = /^(BR40|T1TFE|WEDGE)$/;
});

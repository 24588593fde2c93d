/**
 * Suite: what was decided of the header before never shows in the next one. Method: headers that
 * differ in one attribute, one after the other with one context, against each alone with its own.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeDataset, type DicomDataset } from '@aifi/dicom-core';
import type { ReportedAction } from './action-report.js';
import { pseudonymiseHeader, type DeidentificationContext, type PixelClearance } from './index.js';
import { aHeaderOf, HEADER_NAMES, type Attributes } from './test-headers.js';

const EXPLICIT = { explicitVr: true, littleEndian: true };
const keys = { uid: Buffer.alloc(32, 1), pid: Buffer.alloc(32, 2), date: Buffer.alloc(32, 3) };
const newContext = (): DeidentificationContext => ({ siteCode: 'SITE-A', keys });

/** The output as bytes, the refusal, and what was reported. */
function outcome(
  header: DicomDataset,
  context: DeidentificationContext,
  clearance?: PixelClearance,
): unknown {
  const reported: [number, ReportedAction][] = [];
  const report = (tag: number, path: readonly number[], action: ReportedAction): void => {
    if (path.length === 0) reported.push([tag, action]);
  };
  const result = pseudonymiseHeader(header, context, clearance, report);
  const said = result.ok
    ? [encodeDataset(result.value.dataset, EXPLICIT).toString('hex'), [...result.value.uids]]
    : result.refusal;
  return { said, reported: result.ok ? reported : [] };
}

/** What is decided by more than its own bytes: a number, a code, text beyond ASCII. */
const CONDITIONAL = {
  ...{ InstanceNumber: '12345678', BurnedInAnnotation: 'NO', Manufacturer: 'Société' },
};
/** From one header to the next. */
const CHANGES: readonly Attributes[] = [
  CONDITIONAL,
  { ...CONDITIONAL, PatientID: '12345678' },
  { ...CONDITIONAL, AccessionNumber: '12345678' },
  { ...CONDITIONAL, SpecificCharacterSet: 'ISO_IR 192' },
  { ...CONDITIONAL, SpecificCharacterSet: 'ISO_IR 101' },
  { ...CONDITIONAL, IssuerOfPatientID: 'ELSEWHERE' },
  { InstanceNumber: '17' },
  { SeriesDescription: 'thorax axiaal' },
  { StudyDate: '20240102' },
  { PatientID: '99999999' },
  { PatientName: 'Zwanenburg^Pietertje' },
  { PatientBirthDate: '19500505' },
  { PatientSex: 'O' },
  { SpecificCharacterSet: 'ISO_IR 192' },
  { Manufacturer: 'Zwanenburg' },
  { SoftwareVersions: '123456782' },
  { BodyPartExamined: 'CHEST' },
  { ContentDate: 'no date' },
  { SOPInstanceUID: '1.2.3.4.5.6.7.8.9' },
];
const header = fc.record({
  family: fc.constantFrom(...HEADER_NAMES),
  attributes: fc.constantFrom(...CHANGES),
});
/** Most headers of a job are of one family. */
const headers = fc.oneof(
  fc.array(header, { minLength: 2, maxLength: 8 }),
  fc
    .tuple(header, fc.array(fc.constantFrom(...CHANGES), { minLength: 1, maxLength: 8 }))
    .map(([first, more]) => [first, ...more.map((attributes) => ({ ...first, attributes }))]),
);

describe('headers of one job', () => {
  it('are decided as each of them alone', () => {
    fc.assert(
      fc.property(headers, (all) => {
        const shared = newContext();
        for (const { family, attributes } of all) {
          const alone = outcome(aHeaderOf(family, attributes), newContext());
          expect(outcome(aHeaderOf(family, attributes), shared)).toEqual(alone);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('are decided anew when their pixels were examined and those before were not', () => {
    const shared = newContext();
    for (const isExamined of [false, true, false]) {
      const alone = outcome(aHeaderOf('CT', CONDITIONAL), newContext(), { isExamined });
      expect(outcome(aHeaderOf('CT', CONDITIONAL), shared, { isExamined })).toEqual(alone);
    }
  });

  it('are decided by their own list and their own people', () => {
    const known = { ...CONDITIONAL, AccessionNumber: '12345678' };
    const inOrder = [
      ['CT', CONDITIONAL],
      ['CT', known],
      ['Enhanced CT', known],
    ] as const;
    const shared = newContext();
    for (const [family, attributes] of inOrder) {
      const alone = outcome(aHeaderOf(family, attributes), newContext());
      expect(outcome(aHeaderOf(family, attributes), shared)).toEqual(alone);
    }
  });

  it('hold for the name of the next patient what passed for the one before', () => {
    const shared = newContext();
    const maker = { Manufacturer: 'Zwanenburg' };
    expect(outcome(aHeaderOf('CT', maker), shared)).not.toMatchObject({ reported: [] });
    const named = aHeaderOf('CT', { ...maker, PatientName: 'Zwanenburg^Pietertje' });
    expect(outcome(named, shared)).toMatchObject({ said: { code: 'QUARANTINED_IDENTIFIER' } });
  });
});

/**
 * Goal: what a hospital decides holds for every product, and nothing is relaxed by silence.
 * Method: the engine with each setting, against a contract that says otherwise.
 */
import { describe, expect, it } from '@jest/globals';
import type { DicomDataset } from '@aifi/dicom-core';
import {
  DEFAULT_CONTRACT,
  pseudonymiseHeader,
  siteDeidentificationSchema,
  type DeidentificationContext,
} from './index.js';
import { aHeaderOf, type Attributes } from './test-headers.js';

const CONTRACT = { ...DEFAULT_CONTRACT, recognisableVisualFeatures: 'allow' } as const;
const run = (
  attributes: Attributes,
  site: object,
  contract: DeidentificationContext['contract'] = CONTRACT,
) => {
  const keys = { uid: Buffer.alloc(32, 1), pid: Buffer.alloc(32, 2), date: Buffer.alloc(32, 3) };
  const context = { siteCode: 'SITE-A', keys, contract, ...siteDeidentificationSchema.parse(site) };
  return pseudonymiseHeader(aHeaderOf('CT', attributes), context, { isExamined: true });
};
const passed = (...given: Parameters<typeof run>): DicomDataset => {
  const result = run(...given);
  if (!result.ok) throw new Error(result.refusal.detail);
  return result.value.dataset;
};

describe('settings of a site', () => {
  it('are strict when nothing is said, and hold no unknown key', () => {
    expect(siteDeidentificationSchema.parse({})).toEqual({
      ...{ placeholderBirthDates: [], identityRemovedElsewhere: 'refuse', dates: 'by-contract' },
    });
    for (const wrong of [{ date: 'remove' }, { placeholderBirthDates: ['1970-01-01'] }]) {
      expect(siteDeidentificationSchema.safeParse(wrong).success).toBe(false);
    }
  });

  it('placeholderBirthDates: no age is made of them, and they are no identifier', () => {
    const header = {
      ...{ PatientBirthDate: '19700101', PatientAge: '054Y' },
      ManufacturerModelName: 'Build 19700101',
    };
    const site = { placeholderBirthDates: ['19700101'] };
    expect(passed(header, site).string('PatientAge')).toBeUndefined();
    expect(run(header, {}).ok).toBe(false);
    expect(passed({ ...header, ManufacturerModelName: 'X' }, {}).string('PatientAge')).toBe('054Y');
  });

  it.each(['YES', 'yes'])('identityRemovedElsewhere: "%s" is refused unless allowed', (said) => {
    const header = { PatientIdentityRemoved: said, DeidentificationMethod: 'somebody else' };
    expect(run(header, {})).toMatchObject({
      refusal: {
        ...{ code: 'QUARANTINED_IDENTIFIER', detail: 'the identity was removed elsewhere already' },
      },
    });
    const output = passed(header, { identityRemovedElsewhere: 'allow' });
    expect(output.string('PatientIdentityRemoved')).toBe('YES');
    expect(output.strings('DeidentificationMethod')).not.toContain('somebody else');
    // What was removed elsewhere is removed here all the same.
    expect(output.has('InstitutionName')).toBe(false);
  });

  it('dates: removal wins over every contract, and the object says so', () => {
    const removed = passed({}, { dates: 'remove' });
    const byContract = passed({}, {}, { ...CONTRACT, dates: 'remove' });
    expect([...removed]).toEqual([...byContract]);
    for (const keyword of ['StudyDate', 'StudyTime', 'ContentDate']) {
      expect(removed.string(keyword)).toBeUndefined();
    }
    expect(removed.string('LongitudinalTemporalInformationModified')).toBe('REMOVED');
    const codes = (dataset: DicomDataset): string[] =>
      dataset
        .items('DeidentificationMethodCodeSequence')
        .map((item) => item.string('CodeValue') ?? '');
    expect(codes(removed)).not.toContain('113107');
    expect(codes(passed({}, {}))).toContain('113107');
    expect([...passed({}, {}, { ...CONTRACT, dates: 'remove' })]).toEqual([...byContract]);
  });
});

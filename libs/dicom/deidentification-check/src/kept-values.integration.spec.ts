/**
 * Goal: in the place of a value that ultrasound, angiography and fluoroscopy keep, no text leaves;
 * nor does the name of the patient, in a form that the attribute may have.
 * Method: one object for each row of the keep-lists that is no row of PS3.15 Table E.1-1, with the
 * text at the top and in the kept sequences; then a raw search of what was written, if anything.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keywordOf, tagOf, vrOf, type DicomDataset } from '@aifi/dicom-core';
import {
  DEFAULT_CONTRACT,
  KEEP_LISTS,
  writePseudonymisedInstance,
  type DeidentificationContext,
} from '@aifi/dicom-deidentification';
import { temporaryFolder } from '@aifi/shared-testing';
import { loopPhantom, type LoopKind } from '../test/loop-phantom.js';
import { markersIn } from './index.js';
import { padded } from './planted-values.js';
import { putInItem } from './planter.js';
import { PROFILE } from './profile-oracle.js';

const folder = temporaryFolder('kept-values');
afterAll(() => folder.remove());
const context: DeidentificationContext = {
  siteCode: 'SITE-A',
  keys: { uid: Buffer.alloc(32, 1), pid: Buffer.alloc(32, 2), date: Buffer.alloc(32, 3) },
  contract: DEFAULT_CONTRACT,
};
const CLASSES = { 'US loop': '3.1', XA: '12.1' } as const;
const SEQUENCES: Readonly<Record<keyof typeof CLASSES, readonly string[]>> = {
  'US loop': ['SequenceOfUltrasoundRegions'],
  XA: ['MaskSubtractionSequence', 'ReferencedImageSequence'],
};
/** What makes the object one of its class, and its text readable. */
const OF_THE_OBJECT = ['SOPClassUID', 'SpecificCharacterSet'].map(tagOf);

function rowsOf(kind: keyof typeof CLASSES): number[] {
  const list = KEEP_LISTS.get(`1.2.840.10008.5.1.4.1.1.${CLASSES[kind]}`)!;
  return [...list.keys()].filter(
    (tag) => !PROFILE.has(tag) && vrOf(tag) !== 'SQ' && !OF_THE_OBJECT.includes(tag),
  );
}

const NAME = 'QJXVISSERKZ';
/** No code, no number, and too long to be one value of any binary representation. */
const SENTENCE = `dr. ${NAME.toLowerCase()} 3-4-1961`;
/** Each with what is searched for; undefined where an attribute cannot have that form. */
const FORMS: Readonly<Record<string, (vr: string) => readonly [string, Buffer] | undefined>> = {
  'a sentence': (vr) => (isText(vr) ? undefined : [SENTENCE, Buffer.from(SENTENCE)]),
  'the name as a code or a text': (vr) =>
    isText(vr) || vr === 'CS' ? [NAME, Buffer.from(NAME)] : undefined,
  'characters of one integer': (vr) =>
    /^(AT|SL|UL)$/.test(vr) ? [NAME.slice(0, 4), Buffer.from(NAME.slice(0, 4))] : undefined,
  'characters of measures': (vr) =>
    /^(FD|FL)$/.test(vr) ? ['JANSEN B', Buffer.from('JANSEN B')] : undefined,
};
/** Free text of devices: what is not known to be of the patient stays (PS3.15 Table E.1-1). */
function isText(vr: string): boolean {
  return /^(LO|SH|LT|ST|UT)$/.test(vr);
}

let serial = 0;
/** What is found of `marker` in the output; a refusal is in fixed words. */
async function leftOf(
  kind: LoopKind & keyof typeof CLASSES,
  tag: number,
  [marker, bytes]: readonly [string, Buffer],
): Promise<string[]> {
  const vr = vrOf(tag);
  const element = { tag, vr, value: padded(bytes, vr) };
  const change = (dataset: DicomDataset): void => {
    dataset.setString('PatientName', `${NAME}^FENNA`).put(element);
    for (const keyword of SEQUENCES[kind]) putInItem(dataset, tagOf(keyword), element);
  };
  serial += 1;
  const sourcePath = join(folder.path, `${serial}.dcm`);
  writeFileSync(sourcePath, loopPhantom(kind, { instance: serial % 250, change }));
  expect(markersIn(readFileSync(sourcePath), [marker])).toEqual([marker]);
  const clearance = { isExamined: true };
  const output = join(folder.path, 'out');
  mkdirSync(output, { recursive: true });
  const result = await writePseudonymisedInstance({
    ...{ sourcePath, folder: output, context, clearance },
  });
  const told = result.ok ? readFileSync(result.value.path) : JSON.stringify(result.refusal);
  if (result.ok) written += 1;
  return markersIn(Buffer.from(told), [marker]);
}
/** Outputs of one test: a refusal proves less. */
let written = 0;

/** Forms, rows that can have them, and objects that are written without. */
const CASES = [
  ['US loop', 'a sentence', 130, 115],
  ['US loop', 'the name as a code or a text', 25, 3],
  ['US loop', 'characters of one integer', 20, 20],
  ['US loop', 'characters of measures', 10, 10],
  ['XA', 'a sentence', 130, 110],
  ['XA', 'the name as a code or a text', 40, 3],
  ['XA', 'characters of one integer', 1, 1],
  ['XA', 'characters of measures', 2, 2],
] as const;

describe('a kept value', () => {
  it.each(CASES)('of %s does not leave as %s', async (kind, form, rowsMin, writtenMin) => {
    const leaking: string[] = [];
    let tried = 0;
    written = 0;
    for (const tag of rowsOf(kind)) {
      const value = FORMS[form]!(vrOf(tag));
      if (!value) continue;
      tried += 1;
      const left = await leftOf(kind, tag, value);
      if (left.length > 0) leaking.push(`${keywordOf(tag)} ${vrOf(tag)}`);
    }
    expect(leaking).toEqual([]);
    expect(tried).toBeGreaterThanOrEqual(rowsMin);
    expect(written).toBeGreaterThanOrEqual(writtenMin);
  });
});

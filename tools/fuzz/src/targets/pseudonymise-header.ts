/**
 * Target: the pseudonymisation engine. The first byte chooses the SOP class, the rest is a dataset;
 * the identity of a made-up patient is planted into it, into private groups and nested items too.
 * Properties: never throws; twice the same bytes; no planted word is left in any encoding; the
 * output reads again, holds no private or overlay group, and no UID but remapped ones and those of
 * the standard.
 * Source: PS3.15 E.1.1; reliability specification H11 (T-PHI).
 */
import { deepStrictEqual, strictEqual } from 'node:assert';
import {
  DicomDataset,
  ElementWalker,
  encodeDataset,
  encodingOf,
  EXPLICIT_VR_LITTLE_ENDIAN,
} from '@aifi/dicom-core';
import { DEFAULT_CONTRACT, KEEP_LISTS, pseudonymiseHeader } from '@aifi/dicom-deidentification';
import { fakeSiteKeys } from '@aifi/shared-testing';
import { DATASET_TOKENS } from '../dicom-tokens.js';
import { outcomeOf, type FuzzTarget } from '../fuzz-target.js';
import { seedDatasets } from './seed-datasets.js';

const EXPLICIT = encodingOf(EXPLICIT_VR_LITTLE_ENDIAN);
const SOP_CLASSES = [...KEEP_LISTS.keys()];
// What refuses least lets the most be seen of what is kept.
const contract = { ...DEFAULT_CONTRACT, recognisableVisualFeatures: 'allow' } as const;
const CONTEXT = { siteCode: 'FUZZ', keys: fakeSiteKeys('fuzz'), contract };
const CLEARANCE = { isExamined: true };
const UIDS = ['1.2.826.0.1.99.1', '1.2.826.0.1.99.2', '1.2.826.0.1.99.3'] as const;
/** No word of any vocabulary holds these. */
const WORDS = ['QZXNAAM', 'QZX0012345', 'QZXACC77', 'QZXPRIVE', '1.2.826.0.1.99.'];
const PRIVATE_GROUP = 0x00290000;

/** Elements of the input with a patient who can be recognised. */
function planted(input: Uint8Array): DicomDataset | undefined {
  const walker = new ElementWalker(EXPLICIT, { lowestGroup: 0x0004 });
  const walked = outcomeOf(() => {
    walker.push(input.subarray(1));
    return walker.end().dataset;
  });
  if (!walked.accepted) return undefined;
  const dataset = walked.value;
  plantIdentity(dataset);
  for (const { value } of dataset) {
    if (!(value instanceof Uint8Array)) value.forEach(plantIdentity);
  }
  return dataset
    .setString('SpecificCharacterSet', 'ISO_IR 192')
    .setString('SOPClassUID', SOP_CLASSES[input[0]! % SOP_CLASSES.length]!)
    .setString('SOPInstanceUID', UIDS[0])
    .setString('SeriesInstanceUID', UIDS[1])
    .setString('StudyInstanceUID', UIDS[2]);
}

/** Every kind of value that the engine looks into. */
function describedImage(): DicomDataset {
  const code = new DicomDataset()
    .setString('CodeValue', '72696002')
    .setString('CodingSchemeDesignator', 'SCT')
    .setString('CodeMeaning', 'Knee');
  return new DicomDataset()
    .setStrings('ImageType', ['ORIGINAL', 'PRIMARY', 'AXIAL'])
    .setString('StudyDate', '20240229')
    .setString('AcquisitionDateTime', '20240229101530.5+0100')
    .setString('StudyTime', '101530')
    .setString('Modality', 'CT')
    .setString('StudyDescription', 'CT knee dr. Visser 3-4-1961')
    .setString('SeriesDescription', 'Hand-Schueller-Christian AX 1.0')
    .setString('PatientBirthDate', '19610403')
    .setString('PatientAge', '062Y')
    .setString('PatientSex', 'O')
    .setString('PatientSize', '1.81')
    .setString('BodyPartExamined', 'KNEE')
    .setString('SoftwareVersions', '123456782')
    .setItems('AnatomicRegionSequence', [code])
    .setString('KVP', '120')
    .setNumbers('Rows', [2])
    .setNumbers('Columns', [2])
    .setNumbers('RedPaletteColorLookupTableDescriptor', [2, 0, 16], 'US')
    .setBytes('RedPaletteColorLookupTableData', Buffer.alloc(4), 'OW');
}

function plantIdentity(dataset: DicomDataset): void {
  dataset
    .setString('PatientName', 'QZXNAAM^Jan')
    .setString('PatientID', 'QZX0012345')
    .setString('AccessionNumber', 'QZXACC77')
    .setString('PatientComments', 'QZXPRIVE')
    .setString(PRIVATE_GROUP + 0x10, 'QZXPRIVE', 'LO')
    .setBytes(PRIVATE_GROUP + 0x1001, Buffer.from('QZXPRIVE', 'utf16le'), 'OB');
}

function check(output: DicomDataset): void {
  for (const { tag, vr, value } of output) {
    strictEqual((tag >>> 16) % 2, 0, 'a private element leaves');
    const group = tag >>> 24;
    strictEqual(group === 0x50 || group === 0x60, false, 'a curve or overlay leaves');
    if (!(value instanceof Uint8Array)) value.forEach(check);
    else if (vr === 'UI') {
      const areOurs = output.strings(tag).every((uid) => /^(2\.25\.|1\.2\.840\.10008\.)/.test(uid));
      strictEqual(areOurs, true, 'a UID leaves as it came');
    }
  }
}

function run(input: Uint8Array): void {
  if (input.length === 0) return;
  const dataset = planted(input);
  if (!dataset) return;
  const result = pseudonymiseHeader(dataset, CONTEXT, CLEARANCE);
  if (!result.ok) return;
  const bytes = encodeDataset(result.value.dataset, EXPLICIT);
  const again = pseudonymiseHeader(dataset, CONTEXT, CLEARANCE);
  deepStrictEqual(again.ok && encodeDataset(again.value.dataset, EXPLICIT), bytes);
  const text = bytes.toString('latin1').toUpperCase();
  for (const word of WORDS) {
    const wide = Buffer.from(word, 'utf16le').toString('latin1').toUpperCase();
    strictEqual(text.includes(word) || text.includes(wide), false, 'an identifier leaves');
  }
  check(result.value.dataset);
  const walker = new ElementWalker(EXPLICIT);
  walker.push(bytes);
  strictEqual(walker.end().sizeBytes, bytes.length, 'the output does not read again');
}

export const pseudonymiseHeaderTarget: FuzzTarget = {
  name: 'pseudonymise-header',
  covers: ['libs/dicom/deidentification/src'],
  maxBytes: 64 * 1024,
  tokens: DATASET_TOKENS,
  run,
  *seeds() {
    for (const bytes of seedDatasets([EXPLICIT_VR_LITTLE_ENDIAN])) {
      yield Buffer.concat([Buffer.from([0]), bytes]);
    }
    const rich = encodeDataset(describedImage(), EXPLICIT);
    for (const [index] of SOP_CLASSES.entries()) yield Buffer.concat([Buffer.from([index]), rich]);
  },
};

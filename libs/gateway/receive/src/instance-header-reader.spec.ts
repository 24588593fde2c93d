/**
 * Goal: a header has what rules read, the patient's words go beside it, own objects are known.
 * Method: hand-made datasets, encoded and walked as the listener does; a status of our own maker.
 */
import { describe, expect, it } from '@jest/globals';
import { DicomDataset, ElementWalker, encodeDataset } from '@aifi/dicom-core';
import { buildStatusReport } from '@aifi/dicom-evidence';
import {
  INSTANCE_HEADER_TAGS,
  isOwnObject,
  readInstanceHeader,
  readPatientWords,
} from './instance-header-reader.js';

const EXPLICIT = { explicitVr: true, littleEndian: true };
/** What the listener holds of a dataset. */
function walked(dataset: DicomDataset): DicomDataset {
  const walker = new ElementWalker(EXPLICIT, { keep: new Set(INSTANCE_HEADER_TAGS) });
  walker.push(encodeDataset(dataset, EXPLICIT));
  return walker.end().dataset;
}
const code = (scheme: string, value: string, keyword = 'CodeValue'): DicomDataset =>
  new DicomDataset().setString('CodingSchemeDesignator', scheme).setString(keyword, value);

function image(): DicomDataset {
  return new DicomDataset()
    .setString('SpecificCharacterSet', 'ISO_IR 192')
    .setString('StudyDate', '20260301')
    .setString('StudyTime', '101500')
    .setString('AccessionNumber', 'CANARY-ACC')
    .setString('Modality', 'DX')
    .setString('PatientName', 'Canary^Yellow')
    .setString('PatientID', 'CANARY-ID')
    .setString('IssuerOfPatientID', 'CANARY-ISSUER')
    .setString('PatientBirthDate', '19470118')
    .setString('PatientSex', 'F')
    .setString('PatientAge', '079Y')
    .setString('Laterality', 'R')
    .setString('ImageLaterality', 'L')
    .setString('ViewPosition', 'PA')
    .setString('Manufacturer', 'Maker')
    .setString('ManufacturerModelName', 'Model 3')
    .setStrings('ConvolutionKernel', ['B30f', '2'])
    .setString('ContrastBolusAgent', 'agent')
    .setString('PatientPosition', 'HFS')
    .setString('ImagesInAcquisition', '12')
    .setItems('ProcedureCodeSequence', [code('99LOCAL', 'DONE'), code('99LOCAL', 'WANTED')])
    .setItems('RequestAttributesSequence', [
      new DicomDataset().setItems('RequestedProcedureCodeSequence', [
        code('99LOCAL', 'WANTED'),
        code('LN', 'a-long-code-of-more-than-16', 'LongCodeValue'),
      ]),
    ]);
}

describe(readInstanceHeader.name, () => {
  it('reads what rules ask for, what was requested before what was done', () => {
    const header = readInstanceHeader(walked(image()));
    expect(header).toMatchObject({
      ...{ laterality: 'L', viewPosition: 'PA', manufacturer: 'Maker', sex: 'F' },
      ...{ manufacturerModelName: 'Model 3', convolutionKernel: ['B30f', '2'] },
      ...{ contrastBolusAgent: 'agent', patientPosition: 'HFS', imagesInAcquisition: 12 },
      procedureCodes: ['99LOCAL:WANTED', 'LN:a-long-code-of-more-than-16', '99LOCAL:DONE'],
    });
    expect(JSON.stringify(header)).not.toMatch(/canary|1947/i);
  });
  it('takes the side of the series where the image has none, and no sex that is none', () => {
    const dataset = image().setString('PatientSex', 'UNKNOWN');
    dataset.delete('ImageLaterality');
    const header = readInstanceHeader(walked(dataset));
    expect(header.laterality).toBe('R');
    expect(header).not.toHaveProperty('sex');
  });
});

describe(readPatientWords.name, () => {
  it('hands over what the parent has to know', () => {
    expect(readPatientWords(walked(image()))).toEqual({
      ...{ patientId: 'CANARY-ID', issuer: 'CANARY-ISSUER', accessionNumber: 'CANARY-ACC' },
      ...{ birthDate: '19470118', patientAge: '079Y', date: '20260301', time: '101500' },
    });
  });
  it('goes to the series, then to the acquisition, for a date with a time', () => {
    const dataset = image()
      .setString('StudyTime', '')
      .setString('SeriesDate', '20260302')
      .setString('AcquisitionDate', '20260303')
      .setString('AcquisitionTime', '0800');
    expect(readPatientWords(walked(dataset))).toMatchObject({ date: '20260303', time: '0800' });
    dataset.setString('AcquisitionTime', '');
    const words = readPatientWords(walked(dataset));
    expect(words.date).toBe('20260301');
    expect(words).not.toHaveProperty('time');
  });
  it('names nobody by a number that was cut', () => {
    const dataset = image().setString('PatientID', '7'.repeat(300));
    expect(readPatientWords(walked(dataset))).not.toHaveProperty('patientId');
  });
});

describe(isOwnObject.name, () => {
  it('knows what this platform made, whatever study and hospital it is of', () => {
    expect(isOwnObject(walked(ownStatus()))).toBe(true);
  });
  it('leaves everything else alone, also what another device contributed to', () => {
    expect(isOwnObject(walked(image()))).toBe(false);
    const contributed = image().setItems('ContributingEquipmentSequence', [
      new DicomDataset()
        .setString('Manufacturer', 'AIFI')
        .setString('ManufacturerModelName', 'AIFI gateway'),
      new DicomDataset()
        .setString('Manufacturer', 'Maker')
        .setString('ContributionDescription', 'AIFI was not here'),
    ]);
    expect(isOwnObject(walked(contributed))).toBe(false);
  });
});

function ownStatus(): DicomDataset {
  const identity = image().setString('StudyInstanceUID', '1.2.3');
  for (const { tag } of [...identity]) {
    if (tag > 0x00100040 && tag !== 0x0020000d) identity.delete(tag);
  }
  const one = { sopClassUid: '1.2.840.10008.5.1.4.1.1.1.1', sopInstanceUid: '1.2.3.4' };
  return buildStatusReport(
    {
      ...{ identity, modality: 'DX', images: [{ ...one, seriesInstanceUid: '1.2.5' }], issue: 0 },
      ...{ seriesInstanceUid: '2.25.1', sopInstanceUid: '2.25.2', utcOffsetMinutes: 60 },
      ...{ device: { uid: '2.25.3', serialNumber: 'site-a' }, platformVersion: '0.1.0' },
      producedAt: new Date('2026-03-05T22:30:15Z'),
    },
    {
      products: [
        {
          ...{ product: 'lung', name: 'Lung', version: '2.0.0', label: '', resultReferences: [] },
          state: 'IN_PROGRESS',
        },
      ],
      language: 'nl-NL',
    },
  );
}

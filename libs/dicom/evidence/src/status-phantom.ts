/**
 * Status phantom: a study at a hospital for the suites of the status object; not exported.
 * Decides values that a test can recognise: a name in ISO_IR 100 that must stay byte for byte, two
 * series of which the second was not analysed, one product of every kind of end.
 */
import { DicomDataset } from '@aifi/dicom-core';
import type { StatusContext } from './status-modules.js';
import type { StatusProduct } from './status-report.js';
import { MR_IMAGE_STORAGE, phantomInstances } from './test-phantom.js';

export const STUDY_UID = '2.25.1000';
/** Dutch and Latin-1: 0xEB is e with diaeresis, no UTF-8. */
export const LATIN_NAME = Buffer.from('Noël^Renée', 'latin1');

export function statusContext(overrides: Partial<StatusContext> = {}): StatusContext {
  const identity = new DicomDataset()
    .setString('SpecificCharacterSet', 'ISO_IR 100')
    .setString('StudyDate', '20260305')
    .setString('StudyInstanceUID', STUDY_UID)
    .setString('PatientID', 'P-0001')
    .setBytes('PatientName', LATIN_NAME)
    .setString('AccessionNumber', 'A-7');
  return {
    identity,
    modality: 'MR',
    images: phantomInstances(3),
    seriesInstanceUid: '2.25.9001',
    sopInstanceUid: '2.25.9002',
    issue: 0,
    device: { uid: '2.25.9003', serialNumber: 'site-a' },
    platformVersion: '0.1.0',
    producedAt: new Date('2026-03-05T22:30:15Z'),
    utcOffsetMinutes: 60,
    ...overrides,
  };
}

const fracture = { value: '125605004', scheme: 'SCT', meaning: 'Fracture of bone' };

/** One product for each way to end, in the order of display. */
export function statusProducts(): readonly [StatusProduct, StatusProduct, StatusProduct] {
  const object = (sopClassUid: string, index: number) => ({
    sopClassUid,
    seriesInstanceUid: `2.25.310${index}`,
    sopInstanceUid: `2.25.311${index}`,
  });
  return [
    {
      product: 'fracture-stand-in',
      name: 'Fracture stand-in',
      version: '1.0.0',
      label: 'STAND-IN, NOT FOR CLINICAL USE',
      state: 'RESULT_IN_PACS',
      resultReferences: [object('1.2.840.10008.5.1.4.1.1.88.34', 1)],
      negativeScope: {
        lookedFor: [fracture],
        images: [
          {
            sopClassUid: MR_IMAGE_STORAGE,
            seriesInstanceUid: '2.25.1002',
            sopInstanceUid: '2.25.4',
          },
        ],
      },
    },
    {
      product: 'lung',
      name: 'Lung',
      version: '2.0.0',
      label: '',
      state: 'NOT_ANALYSED_NOTIFIED',
      code: 'COVERAGE_INSUFFICIENT',
      detail: 'COVERAGE_INSUFFICIENT: coverage',
      resultReferences: [],
    },
    {
      product: 'meshnet-tissue',
      name: 'MeshNet tissue segmentation',
      version: '1.0.0',
      label: 'RESEARCH MODEL, NOT FOR CLINICAL USE',
      state: 'RESULT_IN_PACS',
      resultReferences: [
        object('1.2.840.10008.5.1.4.1.1.88.34', 2),
        object('1.2.840.10008.5.1.4.1.1.7', 3),
        object('1.2.840.10008.5.1.4.1.1.66.4', 4),
      ],
    },
  ];
}

/** A product that has not ended yet. */
export function unfinishedProduct(): StatusProduct {
  return {
    ...{ product: 'lung', name: 'Lung', version: '2.0.0', label: '' },
    state: 'IN_PROGRESS',
    resultReferences: [],
  };
}

/**
 * mr-slab: 50 real T1 slices of 0.667 mm, 33 mm from the neck to the lower cerebellum.
 * Decides what the MR image IOD needs and the source (a NIfTI import) left out; the description
 * stays that of the source, "anat-T1w", which says what the series is.
 * The tissue product asks for T1 series but not for a slab: the gateway says so, nothing leaves.
 * Source: PS3.3 C.8.3.1; Hanke et al. 2014, Scientific Data 1:140003 (3D turbo field echo).
 */
import type { DicomDataset } from '@aifi/dicom-core';
import type { DemoStudy, StudyOptions } from './demo-study.js';
import { sourceStudy } from './source-study.js';

/** Type 2: required, and the source does not know them. */
const UNKNOWN = [
  'ScanOptions',
  'RepetitionTime',
  'EchoTime',
  'EchoTrainLength',
  'PositionReferenceIndicator',
  'Laterality',
];

function adjust(dataset: DicomDataset): void {
  // Retired; an age of another identity; an orientation that contradicts the direction cosines.
  const stale = [0x00101000, 'PatientAge', 'PatientOrientation'];
  for (const key of stale) dataset.delete(key);
  for (const keyword of UNKNOWN) dataset.setString(keyword, '');
  dataset
    .setStrings('ImageType', ['DERIVED', 'SECONDARY', 'OTHER'])
    .setString('ScanningSequence', 'GR')
    .setString('SequenceVariant', 'MP')
    .setString('MRAcquisitionType', '3D')
    .setString('PatientPosition', 'HFS');
}

/** @param dataFolder `deploy/demo/data` */
export function mrSlab(dataFolder: string, options: StudyOptions): DemoStudy {
  return sourceStudy(dataFolder, options, {
    name: 'mr-slab',
    modality: 'MR',
    expected: [
      {
        product: 'meshnet-tissue',
        terminalState: 'NOT_ANALYSED_NOTIFIED',
        code: 'COVERAGE_INSUFFICIENT',
      },
      {
        product: 'fracture-stand-in',
        terminalState: 'NOT_ELIGIBLE_LOGGED',
        code: 'OUT_OF_INTENDED_USE',
      },
    ],
    adjust,
  });
}

/**
 * ct-head: the 28 real CT slices of deploy/demo/data under a planted identity.
 * Decides nothing but one private value whose VR the scanner got wrong.
 * No product asks for this study: nothing of it may leave the hospital.
 */
import type { DicomDataset } from '@aifi/dicom-core';
import type { DemoStudy, StudyOptions } from './demo-study.js';
import { sourceStudy } from './source-study.js';

/** GE's dictionary (GEMS_PARM_01) has US Area Size as US; this scanner wrote a DS. */
const GE_US_AREA_SIZE = 0x0043106d;

function adjust(dataset: DicomDataset): void {
  if (dataset.get(GE_US_AREA_SIZE)?.vr === 'DS') {
    dataset.setNumbers(GE_US_AREA_SIZE, dataset.numbers(GE_US_AREA_SIZE), 'US');
  }
  dataset.setString('SeriesDescription', 'CT schedel');
}

/** @param dataFolder `deploy/demo/data` */
export function ctHead(dataFolder: string, options: StudyOptions): DemoStudy {
  const [terminalState, code] = ['NOT_ELIGIBLE_LOGGED', 'OUT_OF_INTENDED_USE'] as const;
  return sourceStudy(dataFolder, options, {
    name: 'ct-head',
    modality: 'CT',
    expected: ['meshnet-tissue', 'fracture-stand-in'].map((product) => ({
      product,
      terminalState,
      code,
    })),
    adjust,
  });
}

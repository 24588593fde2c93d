/**
 * cr-tibia: a real radiograph of a distal tibia, MONOCHROME1, in lossless JPEG 2000.
 * Decides only its series description: the codestream goes to the hospital, the gateway and the
 * worker as it is, and whoever wants pixels decodes it.
 */
import type { DicomDataset } from '@aifi/dicom-core';
import type { DemoStudy, StudyOptions } from './demo-study.js';
import { sourceStudy } from './source-study.js';

function adjust(dataset: DicomDataset): void {
  dataset.setString('SeriesDescription', 'Onderbeen AP');
}

/** @param dataFolder `deploy/demo/data` */
export function crTibia(dataFolder: string, options: StudyOptions): DemoStudy {
  return sourceStudy(dataFolder, options, {
    name: 'cr-tibia',
    modality: 'CR',
    expected: [
      {
        product: 'meshnet-tissue',
        terminalState: 'NOT_ELIGIBLE_LOGGED',
        code: 'OUT_OF_INTENDED_USE',
      },
      { product: 'fracture-stand-in', terminalState: 'RESULT_IN_PACS', code: null },
    ],
    adjust,
  });
}

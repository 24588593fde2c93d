/**
 * CodedStudy: a small radiograph study whose pixels say which study it is.
 * Decides what a study of a run looks like: the header of the demonstration's radiograph under a
 * planted identity, coded pixels in its place. Two sites that get the same number hold equal Study,
 * Series and SOP Instance UIDs under two patients (T-MIS-3).
 * Invariant: an image made twice is the same, byte by byte.
 */
import { createHash } from 'node:crypto';
import { decodePart10, encodePart10, type DicomDataset } from '@aifi/dicom-core';
import { DEMO_DATA_FOLDER, demoStudies } from '@aifi/demo';
import { uidFromBytes } from '@aifi/shared-kernel';
import type { SentStudy, StudyKind } from './history.js';
import { productOf, type Lane } from './oracle-models.js';
import { codedPicture, PICTURE_SIDE } from './pixel-code.js';

const PIXEL_DATA = 0x7fe00010;
const DIGITAL_X_RAY_FOR_PRESENTATION = '1.2.840.10008.5.1.4.1.1.1.1';

export interface StudyOrder {
  readonly runId: string;
  readonly site: string;
  readonly siteIndex: number;
  readonly study: number;
  readonly kind: StudyKind;
  readonly lane: Lane;
  /** Wall clock of the run's start: the study's date. @unit ms */
  readonly nowMs: number;
}

export class CodedStudy {
  readonly sent: SentStudy;
  readonly #bytes: Buffer;

  constructor(private readonly order: StudyOrder) {
    const { runId, site, study, kind, lane, nowMs } = order;
    const uidsOf = `${runId}/${study}`;
    const made = demoStudies(DEMO_DATA_FOLDER, {
      ...{ runId: `${uidsOf}/${site}`, uidsOf, nowMs, products: [] },
    }).find(({ modality }) => modality === 'CR')!;
    const [bytes] = [...made.instances()];
    this.#bytes = bytes!;
    this.sent = {
      ...{ site, study, studyKind: kind, studyUid: made.studyInstanceUid },
      patientId: made.identity.attributes['PatientID']!,
      issuer: made.identity.attributes['IssuerOfPatientID']!,
      product: productOf(lane),
    };
  }

  /** Part 10 bytes of one image. @param patientName another name of the same patient */
  image(image: number, patientName?: string): Buffer {
    const { dataset } = decodePart10(this.#bytes);
    const { siteIndex: site, study, lane, kind } = this.order;
    describePicture(dataset);
    dataset.setBytes(PIXEL_DATA, codedPicture({ site, study, image }), 'OW');
    dataset.setString('SOPInstanceUID', this.sopInstanceUid(image));
    dataset.setNumbers('InstanceNumber', [image + 1]);
    if (lane === 'routine') {
      dataset.setString('Modality', 'DX');
      dataset.setString('SOPClassUID', DIGITAL_X_RAY_FOR_PRESENTATION);
    }
    if (kind === 'held') dataset.setString('BurnedInAnnotation', 'YES');
    if (patientName) dataset.setString('PatientName', patientName);
    return encodePart10(dataset);
  }
  /** The same at every site. */
  sopInstanceUid(image: number): string {
    const text = `${this.sent.studyUid}/image/${image}`;
    return uidFromBytes(createHash('sha256').update(text).digest());
  }
}

/** Image Pixel Module of a coded picture, in place of the radiograph's (PS3.3 C.7.6.3). */
function describePicture(dataset: DicomDataset): void {
  const numbers = {
    ...{ SamplesPerPixel: 1, Rows: PICTURE_SIDE, Columns: PICTURE_SIDE },
    ...{ BitsAllocated: 8, BitsStored: 8, HighBit: 7, PixelRepresentation: 0 },
  };
  for (const [keyword, value] of Object.entries(numbers)) dataset.setNumbers(keyword, [value]);
  dataset.setString('PhotometricInterpretation', 'MONOCHROME2');
  const others = ['PixelPaddingValue', 'PixelPaddingRangeLimit', 'PresentationLUTShape'];
  const levels = [
    'WindowCenter',
    'WindowWidth',
    'SmallestImagePixelValue',
    'LargestImagePixelValue',
  ];
  for (const keyword of [...others, ...levels]) dataset.delete(keyword);
}

/**
 * Capture page: what every Secondary Capture of ours has, whatever it shows.
 * Decides the frame of the page (product, version, label and warning on top, the job below) and the
 * attributes of the object. Invariants: nothing of the patient is drawn, so Burned In Annotation is
 * NO unless a source that is shown says YES; the same input gives the same bytes.
 * Source: results specification 4.1, 4.3 (SC); PS3.3 A.8.1, C.8.6.1, C.7.6.1, C.7.6.3.
 */
import type { DicomDataset } from '@aifi/dicom-core';
import { sopReference } from './content-item.js';
import type { EvidenceContext } from './evidence-context.js';
import { ascii, earlyStart, notVerified, warnings } from './own-text.js';
import { copySourceImageFacts, resultDataset } from './result-modules.js';
import { RgbCanvas, type Colour } from './rgb-canvas.js';

export const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';

const KIND = {
  sopClassUid: SECONDARY_CAPTURE,
  modality: 'OT',
  role: 'sc',
  seriesNumberOffset: 1,
  finding: 'capture',
} as const;

/** A page for small displays too. @unit px */
export const PAGE_WIDTH = 1024;
export const MARGIN = 12;
export const LINE = 24;
/** Name, label, warning: one line each, since name and label may fill a line (64 characters). */
export const HEADER = 3 * LINE + MARGIN;
export const WHITE: Colour = [240, 240, 240];
export const DIM: Colour = [150, 150, 150];
export const AMBER: Colour = [255, 190, 60];
const BACKGROUND: Colour = [16, 16, 20];

/** A page with its header, and its footer below `contentHeight` pixels for the caller to fill. */
export function emptyPage(context: EvidenceContext, contentHeight: number): RgbCanvas {
  const { product, language, jobId, modelDigest, early } = context;
  const footerTop = HEADER + contentHeight;
  const canvas = new RgbCanvas(PAGE_WIDTH, footerTop + LINE);
  canvas.fill({ x: 0, y: 0, width: PAGE_WIDTH, height: canvas.height }, BACKGROUND);
  const name = ascii(`${product.name} ${product.version}`);
  canvas.text(name, MARGIN, MARGIN, { colour: WHITE });
  canvas.text(ascii(product.label), MARGIN, MARGIN + LINE, { colour: AMBER });
  const warning = [notVerified(language), ...(early ? [earlyStart(early, language)] : [])];
  canvas.text(warning.join('. '), MARGIN, MARGIN + 2 * LINE, { colour: AMBER });
  const trace = `AIFI job ${jobId}  model ${modelDigest.slice(0, 16)}`;
  canvas.text(trace, MARGIN, footerTop, { colour: DIM });
  return canvas;
}

export interface Captured {
  readonly canvas: RgbCanvas;
  /** How the picture came to be, one sentence. */
  readonly derivation: string;
  /** Headers of the images that are shown. */
  readonly sources: readonly DicomDataset[];
}

/** The capture as a dataset for `encodePart10`. Mints `sc` and `sc-series`. */
export function captureDataset(
  context: EvidenceContext,
  { canvas, derivation, sources }: Captured,
): DicomDataset {
  const isAnnotated = sources.some((source) => source.string('BurnedInAnnotation') === 'YES');
  const dataset = resultDataset(context, KIND)
    .setString('ConversionType', 'WSD')
    .setStrings('ImageType', ['DERIVED', 'SECONDARY'])
    .setString('PatientOrientation', '')
    .setString('BurnedInAnnotation', isAnnotated ? 'YES' : 'NO')
    .setString('DerivationDescription', ascii(derivation))
    .setString('ImageComments', warnings(context))
    .setItems('SourceImageSequence', context.source.instances.map(sopReference))
    .setNumbers('SamplesPerPixel', [3])
    .setString('PhotometricInterpretation', 'RGB')
    .setNumbers('PlanarConfiguration', [0])
    .setNumbers('Rows', [canvas.height])
    .setNumbers('Columns', [canvas.width])
    .setNumbers('BitsAllocated', [8])
    .setNumbers('BitsStored', [8])
    .setNumbers('HighBit', [7])
    .setNumbers('PixelRepresentation', [0])
    .setBytes('PixelData', canvas.pixels, 'OB');
  return copySourceImageFacts(sources, dataset);
}

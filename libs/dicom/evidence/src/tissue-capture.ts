/**
 * Tissue capture: one picture of a segmentation that any viewer can show.
 * Decides what the page shows: three orthogonal slices with the classes in colour, and a legend
 * with volumes. Invariant: nothing of the patient is drawn.
 * Source: results specification 4.3 (SC).
 */
import type { DicomDataset } from '@aifi/dicom-core';
import {
  captureDataset,
  emptyPage,
  HEADER,
  LINE,
  MARGIN,
  PAGE_WIDTH,
  WHITE,
} from './capture-page.js';
import {
  assertSources,
  millilitres,
  type EvidenceContext,
  type ManifestClass,
} from './evidence-context.js';
import { GRID, orthogonalSlices, type ConformedVolume } from './orthogonal-slices.js';
import { ascii } from './own-text.js';
import type { RgbCanvas } from './rgb-canvas.js';

/** Three panels of 336 with gaps of 4 fill the page. @unit px */
const PANEL = 336;
const GAP = 4;
const LEGEND_COLUMNS = 2;
/** Half a page holds 39 characters behind the colour box; 11 of them are for the volume. */
const LEGEND_LABEL_MAX = 28;

export interface TissueCaptureInput extends ConformedVolume {
  /** Classes of the product; those with a colour are drawn and listed. */
  readonly classes: readonly ManifestClass[];
  /** Class value → volume; a class without one is listed without. @unit mL */
  readonly volumesMl: ReadonlyMap<number, number>;
}

/** The capture as a dataset for `encodePart10`. Mints `sc` and `sc-series`. */
export function buildTissueCapture(
  context: EvidenceContext,
  input: TissueCaptureInput,
): DicomDataset {
  assertSources(context);
  const { product, modelDigest } = context;
  const made = `Three orthogonal slices with output classes of ${product.product}`;
  return captureDataset(context, {
    canvas: drawPage(context, input),
    derivation: `${made} ${product.version} in colour, model sha256 ${modelDigest}`,
    sources: [context.source.dataset],
  });
}

function drawPage(context: EvidenceContext, input: TissueCaptureInput): RgbCanvas {
  const shown = input.classes.filter((candidate) => candidate.colour !== undefined);
  const colours = new Map(shown.map((candidate) => [candidate.value, candidate.colour!]));
  const legendTop = HEADER + PANEL + MARGIN;
  const legendRows = Math.ceil(shown.length / LEGEND_COLUMNS);
  const canvas = emptyPage(context, PANEL + MARGIN + legendRows * LINE);
  orthogonalSlices(input, colours).forEach((slice, index) => {
    const [x, y] = [GAP + index * (PANEL + GAP), HEADER];
    const picture = { pixels: slice.pixels, width: GRID, height: GRID };
    canvas.image(picture, { x, y, width: PANEL, height: PANEL });
    drawEdges(canvas, slice.edges, { x, y });
  });
  shown.forEach((candidate, index) => {
    const x = MARGIN + (index % LEGEND_COLUMNS) * Math.floor(PAGE_WIDTH / LEGEND_COLUMNS);
    const y = legendTop + Math.floor(index / LEGEND_COLUMNS) * LINE;
    drawLegendEntry(canvas, candidate, { x, y, volumeMl: input.volumesMl.get(candidate.value) });
  });
  return canvas;
}

function drawEdges(
  canvas: RgbCanvas,
  edges: { left: string; right: string; top: string; bottom: string },
  { x, y }: { readonly x: number; readonly y: number },
): void {
  const [middle, inset, glyph] = [PANEL / 2 - 7, 6, 14];
  const style = { colour: WHITE };
  canvas.text(edges.left, x + inset, y + middle, style);
  canvas.text(edges.right, x + PANEL - inset - 10, y + middle, style);
  canvas.text(edges.top, x + middle, y + inset, style);
  canvas.text(edges.bottom, x + middle, y + PANEL - inset - glyph, style);
}

function drawLegendEntry(
  canvas: RgbCanvas,
  { label, colour }: ManifestClass,
  at: { readonly x: number; readonly y: number; readonly volumeMl: number | undefined },
): void {
  if (colour) canvas.fill({ x: at.x, y: at.y, width: 14, height: 14 }, colour);
  const volume = at.volumeMl === undefined ? '' : ` ${millilitres(at.volumeMl)} mL`;
  canvas.text(`${ascii(label, LEGEND_LABEL_MAX)}${volume}`, at.x + 22, at.y, { colour: WHITE });
}

/**
 * Boxes capture: the radiographs of a detection product with its boxes, for any viewer.
 * Decides the page: up to four pictures, those with boxes first, each box with its number in the
 * report and its score, and a legend. Pictures are display-ready 8-bit grey; boxes are in pixels of
 * the stored image and scaled to the picture. Invariants: no identity is drawn; what the page has
 * no room for is said on it. Source: results specification 4.3 (SC of the fracture column).
 */
import type { DicomDataset } from '@aifi/dicom-core';
import { AifiError } from '@aifi/shared-kernel';
import {
  AMBER,
  captureDataset,
  emptyPage,
  HEADER,
  LINE,
  MARGIN,
  PAGE_WIDTH,
  WHITE,
} from './capture-page.js';
import { assertDetections, percentage } from './detection-report.js';
import {
  assertSources,
  detectionOutput,
  type Detection,
  type EvidenceContext,
  type SourceInstance,
} from './evidence-context.js';
import { ascii, notShown, searchScope } from './own-text.js';
import type { Colour, Rectangle, RgbCanvas } from './rgb-canvas.js';

/** One radiograph as it is shown. */
export interface BoxesPicture {
  readonly instance: SourceInstance;
  /** Header of the image. */
  readonly dataset: DicomDataset;
  /** [rows, columns] uint8, MONOCHROME2, display-ready. */
  readonly pixels: Uint8Array;
  readonly rows: number;
  readonly columns: number;
  /** Size of the stored image, the frame of its boxes. @unit px */
  readonly imageRows: number;
  readonly imageColumns: number;
}

/** Pictures of one page. */
export const PICTURES_MAX = 4;
/** One picture fills the page; more stand in two columns. @unit px */
const LARGE_CELL = 1000;
const SMALL_CELL = 498;
const GAP = 4;
const BOX_COLOUR: Colour = [255, 90, 200];
const BOX_THICKNESS = 3;
const LEGEND_ROWS_MAX = 6;
const LEGEND_COLUMNS = 2;
/** Height of a line of text at scale 2. */
const GLYPH_HEIGHT = 14;
const CHARACTER_WIDTH = 12;
const LINE_CHARACTERS_MAX = Math.floor((PAGE_WIDTH - 2 * MARGIN) / CHARACTER_WIDTH);

/** Which instances the page shows, as positions in the list: those with boxes first. */
export function shownInstances(
  instances: readonly SourceInstance[],
  detections: readonly Detection[],
): readonly number[] {
  const hit = new Set(detections.map(({ instance }) => instance.sopInstanceUid));
  const isHit = (index: number): boolean => hit.has(instances[index]!.sopInstanceUid);
  const all = [...instances.keys()];
  const ordered = [...all.filter(isHit), ...all.filter((index) => !isHit(index))];
  return ordered.slice(0, PICTURES_MAX).sort((a, b) => a - b);
}

/**
 * The capture as a dataset for `encodePart10`. `pictures` are those of `shownInstances`;
 * INVALID_ARGUMENT when there is none, when there are too many, when pixels and size differ or a
 * box lies outside its image. Mints `sc` and `sc-series`.
 */
export function buildBoxesCapture(
  context: EvidenceContext,
  pictures: readonly BoxesPicture[],
  detections: readonly Detection[],
): DicomDataset {
  assertSources(context);
  assertDetections(context, detections);
  if (pictures.length === 0 || pictures.length > PICTURES_MAX || !pictures.every(isWhole)) {
    throw new AifiError('INVALID_ARGUMENT', 'pictures do not fit the page or their size');
  }
  const { product, modelDigest } = context;
  const made = `Source images with boxes of ${product.product} ${product.version}`;
  return captureDataset(context, {
    canvas: drawPage(context, pictures, detections),
    derivation: `${made}, scaled for display, model sha256 ${modelDigest}`,
    sources: pictures.map(({ dataset }) => dataset),
  });
}

function isWhole({ pixels, rows, columns, imageRows, imageColumns }: BoxesPicture): boolean {
  const isSized = rows > 0 && columns > 0 && imageRows > 0 && imageColumns > 0;
  return isSized && pixels.length === rows * columns;
}

function drawPage(
  context: EvidenceContext,
  pictures: readonly BoxesPicture[],
  detections: readonly Detection[],
): RgbCanvas {
  const cell = pictures.length === 1 ? LARGE_CELL : SMALL_CELL;
  const columns = pictures.length === 1 ? 1 : 2;
  const areas = pictures.map((picture) => fitted(picture, cell));
  const rowHeights = Array.from({ length: Math.ceil(pictures.length / columns) }, (_, row) =>
    Math.max(...areas.slice(row * columns, (row + 1) * columns).map(({ height }) => height)),
  );
  const legend = legendLines(context, pictures, detections);
  const legendRows = Math.ceil(legend.entries.length / LEGEND_COLUMNS) + legend.remarks.length;
  const picturesHeight = rowHeights.reduce((sum, height) => sum + height + GAP, 0);
  const canvas = emptyPage(context, picturesHeight + MARGIN + legendRows * LINE);
  let top = HEADER;
  pictures.forEach((picture, index) => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    if (column === 0 && row > 0) top += rowHeights[row - 1]! + GAP;
    const { width, height } = areas[index]!;
    const left = MARGIN + column * (cell + GAP) + Math.floor((cell - width) / 2);
    drawPicture(canvas, picture, { x: left, y: top, width, height });
    drawBoxes(canvas, { picture, area: { x: left, y: top, width, height }, detections });
  });
  drawLegend(canvas, legend, HEADER + picturesHeight + MARGIN);
  return canvas;
}

/** Size of the picture in its cell, aspect of the stored image kept. */
function fitted(
  { imageRows, imageColumns }: BoxesPicture,
  cell: number,
): { readonly width: number; readonly height: number } {
  const scale = cell / Math.max(imageRows, imageColumns);
  const size = (length: number): number => Math.max(1, Math.round(length * scale));
  return { width: size(imageColumns), height: size(imageRows) };
}

function drawPicture(
  canvas: RgbCanvas,
  { pixels, rows, columns }: BoxesPicture,
  area: Rectangle,
): void {
  const rgb = new Uint8Array(pixels.length * 3);
  for (let at = 0; at < pixels.length; at += 1) rgb.fill(pixels[at]!, at * 3, at * 3 + 3);
  canvas.image({ pixels: rgb, width: columns, height: rows }, area);
}

interface Overlay {
  readonly picture: BoxesPicture;
  readonly area: Rectangle;
  readonly detections: readonly Detection[];
}

function drawBoxes(canvas: RgbCanvas, { picture, area, detections }: Overlay): void {
  const { instance, imageColumns, imageRows } = picture;
  detections.forEach(({ instance: on, box, score }, index) => {
    if (on.sopInstanceUid !== instance.sopInstanceUid) return;
    if (box.x2 > imageColumns || box.y2 > imageRows) {
      throw new AifiError('INVALID_ARGUMENT', 'a box lies outside its image');
    }
    const [scaleX, scaleY] = [area.width / imageColumns, area.height / imageRows];
    const [left, top] = [Math.floor(box.x1 * scaleX), Math.floor(box.y1 * scaleY)];
    const [x, y] = [area.x + left, area.y + top];
    const width = Math.max(2 * BOX_THICKNESS, Math.ceil(box.x2 * scaleX) - left);
    const height = Math.max(2 * BOX_THICKNESS, Math.ceil(box.y2 * scaleY) - top);
    canvas.outline({ x, y, width, height }, BOX_THICKNESS, BOX_COLOUR);
    const text = `${index + 1}: ${percentage(score)}%`;
    const textWidth = text.length * CHARACTER_WIDTH;
    // Above the box, or below its top edge where the picture ends; never across the right edge.
    const above = y - GLYPH_HEIGHT - 4;
    const textX = Math.max(area.x, Math.min(x, area.x + area.width - textWidth));
    const textY = above >= area.y ? above : y + BOX_THICKNESS + 3;
    const plate = { x: textX - 2, y: textY - 2, width: textWidth, height: GLYPH_HEIGHT + 4 };
    canvas.fill(plate, [0, 0, 0]);
    canvas.text(text, textX, textY, { colour: BOX_COLOUR });
  });
}

interface Legend {
  readonly entries: readonly string[];
  readonly remarks: readonly string[];
}

function legendLines(
  context: EvidenceContext,
  pictures: readonly BoxesPicture[],
  detections: readonly Detection[],
): Legend {
  const { label, operatingPoint } = detectionOutput(context);
  const { instances } = context.source;
  const listed = detections.slice(0, LEGEND_ROWS_MAX * LEGEND_COLUMNS);
  const entries = listed.map(
    ({ score }, index) => `${index + 1}: ${ascii(label, 24)} ${percentage(score)}%`,
  );
  const found = detections.length;
  const scope = { label, images: instances.length, threshold: operatingPoint.threshold, found };
  const rest = notShown(
    { images: instances.length - pictures.length, regions: found - listed.length },
    context.language,
  );
  const remarks = [searchScope(scope, context.language), rest].flatMap(wrapped);
  return { entries, remarks };
}

/** Lines of whole words that fit the page; none for an empty text. */
function wrapped(text: string): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ').filter((candidate) => candidate !== '')) {
    const last = lines.at(-1);
    const isRoom = last !== undefined && last.length + 1 + word.length <= LINE_CHARACTERS_MAX;
    if (isRoom) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function drawLegend(canvas: RgbCanvas, { entries, remarks }: Legend, top: number): void {
  entries.forEach((entry, index) => {
    const x = MARGIN + (index % LEGEND_COLUMNS) * Math.floor(canvas.width / LEGEND_COLUMNS);
    const y = top + Math.floor(index / LEGEND_COLUMNS) * LINE;
    canvas.outline({ x, y, width: GLYPH_HEIGHT, height: GLYPH_HEIGHT }, 2, BOX_COLOUR);
    canvas.text(entry, x + 22, y, { colour: WHITE });
  });
  const below = top + Math.ceil(entries.length / LEGEND_COLUMNS) * LINE;
  remarks.forEach((remark, index) => {
    canvas.text(remark, MARGIN, below + index * LINE, { colour: AMBER });
  });
}

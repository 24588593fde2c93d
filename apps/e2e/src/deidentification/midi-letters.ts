/**
 * Letters in pixels: a name drawn into an image, for the cases that have to stay behind
 * or to be blacked out.
 * Decides size and contrast: letters of 42 pixels in white on black, which no gate may miss; how
 * small and faint text may get is the pixel gate's own measurement.
 * Invariant: five by seven points per letter, drawn for this suite.
 */
import type { DicomDataset } from '@aifi/dicom-core';

const LETTERS: Readonly<Record<string, string>> = {
  B: '11110 10001 10001 11110 10001 10001 11110',
  E: '11111 10000 10000 11110 10000 10000 11111',
  G: '01110 10001 10000 10111 10001 10001 01110',
  J: '00111 00010 00010 00010 00010 10010 01100',
  A: '01110 10001 10001 11111 10001 10001 10001',
  N: '10001 11001 10101 10101 10011 10001 10001',
  R: '11110 10001 10001 11110 10100 10010 10001',
  '1': '00100 01100 00100 00100 00100 00100 01110',
  '6': '00110 01000 10000 11110 10001 10001 01110',
  '9': '01110 10001 10001 01111 00001 00010 01100',
};
/** Rows and columns of the image. */
const SIZE = 512;
const SCALE = 6;
const WHITE = 4095;

interface Canvas {
  readonly pixels: Uint8Array | Uint16Array;
  readonly columns: number;
  readonly white: number;
}

/** Replaces the pixels by a dark image that bears a name and a year. */
export function drawName(dataset: DicomDataset): void {
  const canvas = { pixels: new Uint16Array(SIZE * SIZE), columns: SIZE, white: WHITE };
  drawLine(canvas, 'JAN BERG', 40);
  drawLine(canvas, '1961', 110);
  dataset.setNumbers('Rows', [SIZE]).setNumbers('Columns', [SIZE]);
  dataset.setBytes('PixelData', bytesOf(canvas), 'OW');
}

/** Rows and columns of an ultrasound picture, and the bar at its top that bears the name. */
export const ULTRASOUND = { rows: 600, columns: 800, bar: 55 } as const;

/**
 * Replaces the pixels by a fan of even greys, 8 bits each, below a bar with a name. `number` makes
 * it another picture.
 */
export function drawUltrasound(dataset: DicomDataset, number: number): void {
  const { rows, columns } = ULTRASOUND;
  const canvas = { pixels: new Uint8Array(rows * columns), columns, white: 255 };
  drawFan(canvas, number);
  drawLine(canvas, 'JAN BERG 1961', 6);
  dataset
    .setNumbers('Rows', [rows])
    .setNumbers('Columns', [columns])
    .setNumbers('BitsAllocated', [8])
    .setNumbers('BitsStored', [8])
    .setNumbers('HighBit', [7])
    .setBytes('PixelData', bytesOf(canvas), 'OW');
}

/** Greys that change slowly, from a point above the picture. */
function drawFan({ pixels, columns }: Canvas, number: number): void {
  for (let at = 0; at < pixels.length; at += 1) {
    const [across, down] = [(at % columns) - columns / 2, Math.floor(at / columns)];
    const far = Math.hypot(across, down);
    const isInside = far > 110 && far < 500 && Math.abs(across) < down * 0.8;
    if (isInside) pixels[at] = 60 + number + Math.round(40 * Math.cos(far / 90));
  }
}

function bytesOf({ pixels }: Canvas): Buffer {
  return Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength);
}

function drawLine(canvas: Canvas, text: string, top: number): void {
  for (const [index, character] of [...text].entries()) {
    const left = 30 + index * 7 * SCALE;
    for (const [row, points] of (LETTERS[character] ?? '').split(' ').entries()) {
      for (const [column, point] of [...points].entries()) {
        if (point === '1') drawPoint(canvas, left + column * SCALE, top + row * SCALE);
      }
    }
  }
}
function drawPoint({ pixels, columns, white }: Canvas, x: number, y: number): void {
  for (let down = 0; down < SCALE; down += 1) {
    pixels.fill(white, (y + down) * columns + x, (y + down) * columns + x + SCALE);
  }
}

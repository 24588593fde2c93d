/**
 * Letters in pixels: a name drawn into an image, for the cases that have to stay behind.
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

/** Replaces the pixels by a dark image that bears a name and a year. */
export function drawName(dataset: DicomDataset): void {
  const pixels = new Uint16Array(SIZE * SIZE);
  drawLine(pixels, 'JAN BERG', 40);
  drawLine(pixels, '1961', 110);
  const bytes = Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength);
  dataset.setNumbers('Rows', [SIZE]).setNumbers('Columns', [SIZE]);
  dataset.setBytes('PixelData', bytes, 'OW');
}

function drawLine(pixels: Uint16Array, text: string, top: number): void {
  for (const [index, character] of [...text].entries()) {
    const left = 30 + index * 7 * SCALE;
    for (const [row, points] of (LETTERS[character] ?? '').split(' ').entries()) {
      for (const [column, point] of [...points].entries()) {
        if (point === '1') drawPoint(pixels, left + column * SCALE, top + row * SCALE);
      }
    }
  }
}
function drawPoint(pixels: Uint16Array, x: number, y: number): void {
  for (let down = 0; down < SCALE; down += 1) {
    pixels.fill(WHITE, (y + down) * SIZE + x, (y + down) * SIZE + x + SCALE);
  }
}

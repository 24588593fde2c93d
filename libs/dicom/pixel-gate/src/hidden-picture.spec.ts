/**
 * Goal: a name in the bits above the stored ones leaves neither by an examination nor by a release,
 * unless it is gone; and nothing else is taken for one.
 * Method: small native objects of 12 bits, with a name as a plane of one bit or without.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DicomDataset, encodePart10, readPart10 } from '@aifi/dicom-core';
import { openFrames } from '@aifi/dicom-pixels';
import { AifiError } from '@aifi/shared-kernel';
import { FakeClock, temporaryFolder } from '@aifi/shared-testing';
import { clearanceOf } from './clearance.js';
import { createPixelGate } from './create-pixel-gate.js';
import type { PixelDecision, PixelGate } from './pixel-gate.js';
import type { TextDetector } from './text-detector.js';
import { inkOf } from './planted-text.js';

const folder = temporaryFolder('hidden-picture');
afterAll(() => folder.remove());
let files = 0;

const CT = { SOPClassUID: '1.2.840.10008.5.1.4.1.1.2', Modality: 'CT' };
const DX = { SOPClassUID: '1.2.840.10008.5.1.4.1.1.1.1', Modality: 'DX' };
const SC = { SOPClassUID: '1.2.840.10008.5.1.4.1.1.7', Modality: 'OT' };
/** An ultrasound device of the region library: its banner is blacked out. */
const US = {
  ...{ SOPClassUID: '1.2.840.10008.5.1.4.1.1.3.1', Modality: 'US' },
  ...{ Manufacturer: 'Zonare', ManufacturerModelName: 'ZS3' },
};
const SIZE = { rows: 600, columns: 800 } as const;
const GREY = 700;

/** One even frame; the letters of a name set one bit of it. */
function frameOf(bit: number | undefined): Uint16Array {
  const pixels = new Uint16Array(SIZE.rows * SIZE.columns).fill(GREY);
  if (bit === undefined) return pixels;
  const name = inkOf('VISSER FENNA', { face: 'sans', capRows: 20, edges: 'hard' });
  for (let y = 0; y < name.rows; y += 1) {
    for (let x = 0; x < name.columns; x += 1) {
      const isInk = name.ink[y * name.columns + x]! > 0.5;
      if (isInk) pixels[(y + 300) * SIZE.columns + x + 200]! |= 1 << bit;
    }
  }
  return pixels;
}

interface Asked {
  readonly kind: Readonly<Record<string, string>>;
  /** Of the plane on the last of two frames; undefined for none. */
  readonly bit: number | undefined;
  readonly isReleased?: boolean;
  readonly detector?: TextDetector;
  readonly bitsStored?: number;
}
const QUIET: TextDetector = { read: () => Promise.resolve([]), close: () => Promise.resolve() };
const DEAD: TextDetector = {
  ...QUIET,
  read: () => Promise.reject(new AifiError('PEER_UNAVAILABLE', 'gone')),
};

function fileOf({ kind, bit, bitsStored = 12 }: Asked): string {
  const dataset = new DicomDataset()
    .setString('SOPInstanceUID', '1.2.3.4.5')
    .setString('Manufacturer', 'Tester Imaging')
    .setStrings('ImageType', ['ORIGINAL', 'PRIMARY', 'AXIAL'], 'CS')
    .setNumbers('SamplesPerPixel', [1])
    .setString('PhotometricInterpretation', 'MONOCHROME2')
    .setNumbers('NumberOfFrames', [2])
    .setNumbers('Rows', [SIZE.rows])
    .setNumbers('Columns', [SIZE.columns])
    .setNumbers('BitsAllocated', [16])
    .setNumbers('BitsStored', [bitsStored])
    .setNumbers('HighBit', [bitsStored - 1])
    .setNumbers('PixelRepresentation', [0])
    .setNumbers('WindowCenter', [2048])
    .setNumbers('WindowWidth', [4096]);
  for (const [keyword, value] of Object.entries(kind)) dataset.setString(keyword, value);
  const frames = [frameOf(undefined), frameOf(bit)].map(({ buffer }) => new Uint8Array(buffer));
  dataset.setBytes('PixelData', Buffer.concat(frames), 'OW');
  const path = join(folder.path, `${(files += 1)}.dcm`);
  writeFileSync(path, encodePart10(dataset));
  return path;
}
async function withGate<T>(detector: TextDetector, ask: (gate: PixelGate) => Promise<T>) {
  const gate = createPixelGate({ clock: new FakeClock(), detector, manufacturers: ['TESTER'] });
  const answer = await ask(gate);
  await gate.close();
  return answer;
}
async function judge(asked: Asked): Promise<PixelDecision> {
  const path = fileOf(asked);
  const { dataset: header } = await readPart10(path);
  const question = { path, header, isReleased: asked.isReleased ?? false };
  return withGate(asked.detector ?? QUIET, (gate) => gate.judge(question));
}
const REFUSED = { kind: 'refuse', reason: 'a picture in bits that are not stored' };
const PLANES = [12, 13, 14, 15];

describe('a picture in bits that are not stored', () => {
  it.each(PLANES)('is refused in a CT slice: bit %i of 16, of which 12 are stored', async (bit) => {
    expect(await judge({ kind: CT, bit })).toEqual(REFUSED);
  });
  it('is refused instead of held, because nobody would see it', async () => {
    expect(await judge({ kind: SC, bit: 12 })).toEqual(REFUSED);
    expect((await judge({ kind: SC, bit: undefined })).kind).toBe('hold');
  });
  it('is refused of a radiograph', async () => {
    expect(await judge({ kind: DX, bit: 15 })).toEqual(REFUSED);
    expect((await judge({ kind: DX, bit: undefined })).kind).toBe('clear');
  });
  it('is refused after a release, also where no examination came so far', async () => {
    const asked = { kind: DX, bit: 12, detector: DEAD };
    expect((await judge(asked)).kind).toBe('hold');
    expect(await judge({ ...asked, isReleased: true })).toEqual(REFUSED);
    const clean = { kind: DX, bit: undefined, isReleased: true };
    expect(await judge(clean)).toEqual({ kind: 'clear', by: 'person' });
  });
  it('is not seen in bits that are stored: there the examination looks', async () => {
    const decision = await judge({ kind: CT, bit: 12, bitsStored: 16 });
    expect(decision).toEqual({ kind: 'clear', by: 'border' });
  });
  it('does not leave with an image of which regions are blacked out', async () => {
    const path = fileOf({ kind: US, bit: 12 });
    const { dataset: header } = await readPart10(path);
    const question = { path, header, isReleased: false };
    const outcome = await withGate(QUIET, (gate) => clearanceOf(gate, question));
    if (outcome.kind !== 'clearance') throw new Error(outcome.kind);
    const chunks: Uint8Array[] = [];
    for await (const chunk of outcome.clearance.cleaned!.chunks()) chunks.push(chunk);
    const written = Buffer.concat(chunks);
    const words = new Uint16Array(new Uint8Array(written).buffer);
    expect(words).toHaveLength(2 * SIZE.rows * SIZE.columns);
    expect([...new Set(words)].sort((a, b) => a - b)).toEqual([0, GREY]);
  });
  it('is what the frames of the test hold, and their samples do not', async () => {
    const opened = await openFrames(fileOf({ kind: CT, bit: 12 }));
    if (!opened.ok) throw new Error(opened.refusal.code);
    expect([...new Set(await opened.value.frame(1))]).toEqual([GREY]);
    expect(opened.value.hasHiddenBits()).toBe(true);
    await opened.value.close();
  });
});

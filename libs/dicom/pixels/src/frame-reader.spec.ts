/**
 * Goal: frames are found by their tables or not at all; what is not read or is damaged is refused
 * or told, before anything is made room for.
 * Method: phantoms by hand, RLE frames of our own encoder, codestreams of shared files cut short.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { decodePart10, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, encodePart10 } from '@aifi/dicom-core';
import { temporaryFolder } from '@aifi/shared-testing';
import { deflateRawSync } from 'node:zlib';
import {
  encapsulatedFile,
  headerOf,
  nativeFile,
  offsetTable,
  type Phantom,
} from '../test/phantom-image.js';
import { openFrames as sut } from './frame-reader.js';
import { encodeRle } from './rle.js';

const folder = temporaryFolder('frame-reader');
afterAll(() => folder.remove());
let files = 0;
const next = (): string => join(folder.path, `${(files += 1)}.dcm`);

async function framesOf(path: string): Promise<number[][]> {
  const opened = await sut(path);
  if (!opened.ok) throw new Error(`${opened.refusal.code} ${opened.refusal.detail}`);
  const frames: number[][] = [];
  try {
    for (let i = 0; i < opened.value.frames; i += 1)
      frames.push([...(await opened.value.frame(i))]);
  } finally {
    await opened.value.close();
  }
  return frames;
}
const refusalOf = async (path: string): Promise<unknown> => {
  const opened = await sut(path);
  if (!opened.ok) return opened.refusal;
  await opened.value.close();
  return undefined;
};

const RLE = '1.2.840.10008.1.2.5';
const JPEG = '1.2.840.10008.1.2.4.70';
const two: Phantom = { rows: 1, columns: 4, frames: 2 };
const rle = (...values: number[]): Uint8Array =>
  encodeRle(Uint8Array.from(values), { ...two, samplesPerPixel: 1, bytesPerSample: 1 });

describe('openFrames: native pixels', () => {
  it('reads 1-bit frames that begin within a byte', async () => {
    const phantom = { ...two, bits: 1, columns: 5 };
    const path = nativeFile(next(), phantom, [0b1011_0110, 0b0000_0010]);
    expect(await framesOf(path)).toEqual([
      [0, 1, 1, 0, 1],
      [1, 0, 1, 0, 1],
    ]);
  });
  it('reads frames of deflated files in any order', async () => {
    const phantom = { ...two, transferSyntaxUid: DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN };
    const dataset = headerOf(phantom).setBytes(
      'PixelData',
      Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
      'OB',
    );
    const plain = encodePart10(dataset, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN);
    const { datasetOffset } = decodePart10(encodePart10(dataset));
    const start = plain.indexOf(Buffer.from([8, 0, 0x16, 0]));
    expect(start).toBeGreaterThanOrEqual(datasetOffset);
    const path = next();
    writeFileSync(
      path,
      Buffer.concat([plain.subarray(0, start), deflateRawSync(plain.subarray(start))]),
    );
    const opened = await sut(path);
    if (!opened.ok) throw new Error(opened.refusal.detail);
    expect([...(await opened.value.frame(1))]).toEqual([5, 6, 7, 8]);
    expect([...(await opened.value.frame(0))]).toEqual([1, 2, 3, 4]);
    await opened.value.close();
  });
  it('throws INVALID_ARGUMENT for a frame that there is not', async () => {
    const opened = await sut(nativeFile(next(), { rows: 1, columns: 2 }, [1, 2]));
    if (!opened.ok) throw new Error(opened.refusal.detail);
    await expect(opened.value.frame(1)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await opened.value.close();
  });
  it.each<[string, Phantom]>([
    ['four samples', { rows: 1, columns: 1, samples: 4, photometric: 'CMYK' }],
    ['a partial colour space', { rows: 1, columns: 2, samples: 3, photometric: 'YBR_PARTIAL_422' }],
    ['64 bits', { rows: 1, columns: 1, bits: 64 }],
    ['a frame beyond all use', { rows: 60_000, columns: 60_000 }],
    ['no rows', { rows: 0, columns: 4 }],
  ])('refuses %s as QUARANTINED_PIXELS', async (_, phantom) => {
    const path = next();
    const encapsulated = { ...phantom, transferSyntaxUid: RLE };
    encapsulatedFile(path, encapsulated, new Uint8Array(0), [rle(1, 2, 3, 4)]);
    expect(await refusalOf(path)).toMatchObject({ code: 'QUARANTINED_PIXELS' });
  });
  it.each<[string, () => string]>([
    [
      'no file of DICOM',
      () => (writeFileSync(join(folder.path, 'no.dcm'), 'x'), join(folder.path, 'no.dcm')),
    ],
    [
      'rows that are no number',
      () => {
        const change: Phantom['change'] = (dataset) => dataset.setString('NumberOfFrames', 'two');
        return nativeFile(next(), { rows: 1, columns: 2, change }, [1, 2]);
      },
    ],
    [
      'encapsulated pixels in a native transfer syntax',
      () =>
        encapsulatedFile(
          next(),
          { ...two, transferSyntaxUid: '1.2.840.10008.1.2.1' },
          new Uint8Array(0),
          [rle(1, 2, 3, 4)],
        ),
    ],
  ])('refuses %s as MALFORMED', async (_, path) => {
    expect(await refusalOf(path())).toMatchObject({ code: 'MALFORMED' });
  });
});

/** Whether anything was hidden: before the first frame, and after each. */
async function hiddenIn(path: string): Promise<boolean[]> {
  const opened = await sut(path);
  if (!opened.ok) throw new Error(`${opened.refusal.code} ${opened.refusal.detail}`);
  const told = [opened.value.hasHiddenBits()];
  try {
    for (let i = 0; i < opened.value.frames; i += 1) {
      await opened.value.frame(i);
      told.push(opened.value.hasHiddenBits());
    }
  } finally {
    await opened.value.close();
  }
  return told;
}

describe('openFrames: bits that are not stored', () => {
  const twelve: Phantom = { rows: 1, columns: 2, bits: 16, stored: 12, frames: 3 };
  const CLEAN = [1, 2, 3, 4, 5, 6];
  /** In the second frame; in the third, bits that say nothing. */
  const PLANE = [1, 2, 0x1003, 4, 0x2005, 0x2006];
  it.each<[string, Partial<Phantom>]>([
    ['unsigned', {}],
    ['signed', { signed: true }],
    ['in big endian', { transferSyntaxUid: '1.2.840.10008.1.2.2' }],
  ])('are told of the frame that has them and from then on: %s', async (_, part) => {
    const phantom = { ...twelve, ...part };
    expect(await hiddenIn(nativeFile(next(), phantom, CLEAN))).not.toContain(true);
    const told = await hiddenIn(nativeFile(next(), phantom, PLANE));
    expect(told).toEqual([false, false, true, true]);
  });
  it.each<[string, Partial<Phantom>, number[]]>([
    ['are all of them stored', { stored: 16 }, PLANE],
    ['are the padding', {}, [1, 2, 0xf003, 3, 5, 6]],
    ['are the sign', { signed: true }, [1, 2, 0xf803, 3, 5, 6]],
  ])('are no picture where they %s', async (_, part, pixels) => {
    const change: Phantom['change'] = (dataset) =>
      dataset.setNumbers('PixelPaddingValue', [0xf003], 'US');
    const path = nativeFile(next(), { ...twelve, ...part, change }, pixels);
    expect(await hiddenIn(path)).not.toContain(true);
  });
  it('are a picture where the padding is not a number', async () => {
    const change: Phantom['change'] = (dataset) =>
      dataset.setString('PixelPaddingValue', 'none', 'DS');
    const path = nativeFile(next(), { ...twelve, change }, [1, 2, 0xf003, 3, 5, 6]);
    expect(await hiddenIn(path)).toContain(true);
  });
  it.each([
    [CLEAN, false],
    [PLANE, true],
  ])('are told of RLE frames: %j', async (pixels, expected) => {
    const layout = { rows: 1, columns: 2, samplesPerPixel: 1, bytesPerSample: 2 };
    const frames = [0, 2, 4].map((at) =>
      encodeRle(new Uint8Array(Uint16Array.from(pixels.slice(at, at + 2)).buffer), layout),
    );
    const phantom = { ...twelve, transferSyntaxUid: RLE };
    const path = encapsulatedFile(next(), phantom, new Uint8Array(0), frames);
    expect((await hiddenIn(path)).at(-1)).toBe(expected);
  });
});

describe('openFrames: fragments', () => {
  const phantom = { ...two, transferSyntaxUid: RLE };
  it('takes one fragment a frame, with or without offset table', async () => {
    const frames = [rle(1, 2, 3, 4), rle(5, 5, 5, 5)];
    for (const table of [new Uint8Array(0), offsetTable(0, 8 + frames[0]!.length)]) {
      expect(await framesOf(encapsulatedFile(next(), phantom, table, frames))).toEqual([
        [1, 2, 3, 4],
        [5, 5, 5, 5],
      ]);
    }
  });
  it.each([1, 3])('refuses %i fragments for two RLE frames', async (count) => {
    const frames = Array.from({ length: count }, () => rle(1, 2, 3, 4));
    const path = encapsulatedFile(next(), phantom, new Uint8Array(0), frames);
    expect(await refusalOf(path)).toMatchObject({ code: 'MALFORMED' });
  });
  it('refuses a transfer syntax whose pixels are not read', async () => {
    const video = { ...two, transferSyntaxUid: '1.2.840.10008.1.2.4.102' };
    const path = encapsulatedFile(next(), video, new Uint8Array(0), [
      rle(1, 2, 3, 4),
      rle(1, 2, 3, 4),
    ]);
    expect(await refusalOf(path)).toEqual({
      code: 'QUARANTINED_PIXELS',
      detail: 'a transfer syntax whose pixels are not read',
    });
  });
});

const shared = resolve(import.meta.dirname, '../../../../../shared/data/dicom/transfer-syntaxes');
const lossless = join(shared, `CTImage.dcm_JPEGProcess14SV1TransferSyntax_${JPEG}.dcm`);
const suite = existsSync(lossless) ? describe : describe.skip;

suite('openFrames: codestreams (skipped where the shared files are absent)', () => {
  const codestreamOf = (name: string): Buffer => {
    const bytes = readFileSync(join(shared, name));
    const { datasetOffset, pixelData } = decodePart10(bytes);
    const { offset, length } = pixelData!.fragments[1]!;
    return bytes.subarray(datasetOffset + offset, datasetOffset + offset + length);
  };
  const image = { rows: 512, columns: 512, bits: 16, signed: true, transferSyntaxUid: JPEG };
  const whole = existsSync(lossless)
    ? codestreamOf(lossless.slice(shared.length + 1))
    : Buffer.alloc(0);
  const half = (whole.length >> 2) << 1;
  const none = new Uint8Array(0);
  const parts = [
    whole.subarray(0, half),
    whole.subarray(half),
    whole.subarray(0, half),
    whole.subarray(half),
  ];
  const second = 16 + whole.length + (whole.length % 2);

  it.each([
    ['by the basic offset table', offsetTable(0, second), undefined],
    ['by the extended offset table', none, BigUint64Array.of(0n, BigInt(second))],
    ['by the start of codestreams', none, undefined],
  ])('puts fragments of a frame together %s', async (_, table, extended) => {
    const change: Phantom['change'] = (dataset) =>
      extended && dataset.setBytes(0x7fe00001, new Uint8Array(extended.buffer), 'OV');
    const path = encapsulatedFile(next(), { ...image, frames: 2, change }, table, parts);
    const [first, last] = await framesOf(path);
    const [single] = await framesOf(lossless);
    expect(first).toEqual(single);
    expect(last).toEqual(single);
  });
  it('refuses an offset table that names no fragment', async () => {
    const path = encapsulatedFile(next(), { ...image, frames: 2 }, offsetTable(0, 77), parts);
    expect(await refusalOf(path)).toMatchObject({ code: 'MALFORMED' });
  });

  const families = [
    ['JPEG lossless', `JPEGProcess14SV1TransferSyntax_${JPEG}`],
    ['JPEG baseline', 'JPEGProcess1TransferSyntax_1.2.840.10008.1.2.4.50'],
    ['JPEG of 12 bits', 'JPEGProcess2_4TransferSyntax_1.2.840.10008.1.2.4.51'],
    ['JPEG-LS', 'JPEGLSLosslessTransferSyntax_1.2.840.10008.1.2.4.80'],
    ['JPEG 2000', 'JPEG2000LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90'],
    ['RLE', `RLELosslessTransferSyntax_${RLE}`],
  ] as const;
  it.each(families)('throws DICOM_MALFORMED for %s that is cut, and reads on', async (_, name) => {
    const file = `CTImage.dcm_${name}.dcm`;
    const transferSyntaxUid = name.slice(name.lastIndexOf('_') + 1);
    const bits = name.startsWith('JPEGProcess1T') ? 8 : 16;
    const stored = name.startsWith('JPEGProcess2') ? 12 : bits;
    const codestream = codestreamOf(file);
    const cut = codestream.subarray(0, codestream.length >> 1);
    const attributes = { rows: 512, columns: 512, bits, stored, transferSyntaxUid };
    await expect(framesOf(encapsulatedFile(next(), attributes, none, [cut]))).rejects.toMatchObject(
      {
        code: 'DICOM_MALFORMED',
      },
    );
    expect((await framesOf(join(shared, file)))[0]).toHaveLength(512 * 512);
  });
  it.each(families.slice(0, 5))('judges the header of %s before it decodes', async (_, name) => {
    const codestream = codestreamOf(`CTImage.dcm_${name}.dcm`);
    const transferSyntaxUid = name.slice(name.lastIndexOf('_') + 1);
    const other = { rows: 511, columns: 512, bits: 16, transferSyntaxUid };
    await expect(framesOf(encapsulatedFile(next(), other, none, [codestream]))).rejects.toThrow(
      'a codestream holds another image than its attributes say',
    );
  });
  it('tells what is in the bits of a codestream that are not stored', async () => {
    const told = [16, 8].map(async (stored) => {
      const attributes = { ...image, signed: false, stored };
      return (await hiddenIn(encapsulatedFile(next(), attributes, none, [whole]))).at(-1);
    });
    expect(await Promise.all(told)).toEqual([false, true]);
  });
  it('takes no samples that the attributes have no room for', async () => {
    const path = encapsulatedFile(next(), { ...image, bits: 8 }, none, [whole]);
    await expect(framesOf(path)).rejects.toMatchObject({ code: 'DICOM_MALFORMED' });
  });
  it('takes no codestream of another process', async () => {
    const ls = { ...image, transferSyntaxUid: '1.2.840.10008.1.2.4.80' };
    await expect(framesOf(encapsulatedFile(next(), ls, none, [whole]))).rejects.toMatchObject({
      code: 'DICOM_MALFORMED',
    });
  });
});

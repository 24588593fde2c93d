/**
 * Goal: files are read in full or refused, disk faults are told from malformed files, and what was
 * opened is closed. Method: phantom files, plain and deflated, in a temporary folder.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { readdirSync, readlinkSync, existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { temporaryFolder } from '@aifi/shared-testing';
import {
  decodeFileMeta,
  decodePart10,
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
  DicomDataset,
  encodeDataset,
  encodeFileMeta,
  encodePart10,
  EXPLICIT_VR_LITTLE_ENDIAN,
  readDatasetRange,
  readPart10,
  readPart10Header,
} from './index.js';

const folder = temporaryFolder('part10');
afterAll(() => folder.remove());
const SOP_CLASS = '1.2.840.10008.5.1.4.1.1.4';
// More than one chunk of a file stream, and not compressible to nothing.
const pixels = Buffer.from(Array.from({ length: 512 * 512 }, (_, i) => (i * i * 31) & 0xff));

const aDataset = (): DicomDataset =>
  new DicomDataset()
    .setString('SOPClassUID', SOP_CLASS)
    .setString('SOPInstanceUID', '1.2.3')
    .setNumbers('Rows', [512])
    .setNumbers('Columns', [512])
    .setNumbers('BitsAllocated', [8])
    .setBytes('PixelData', pixels, 'OB');
function aDeflated(): Buffer {
  const body = encodeDataset(aDataset(), { explicitVr: true, littleEndian: true });
  const transferSyntaxUid = DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN;
  const meta = { sopClassUid: SOP_CLASS, sopInstanceUid: '1.2.3', transferSyntaxUid };
  return Buffer.concat([encodeFileMeta(meta), deflateRawSync(body)]);
}
async function file(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder.path, name);
  await writeFile(path, bytes);
  return path;
}
async function pixelsOf(path: string): Promise<Buffer> {
  const { pixelData, ...head } = await readPart10(path);
  const { valueOffset: offset, valueLength: length } = pixelData!;
  const chunks: Uint8Array[] = [];
  for await (const chunk of readDatasetRange(path, head, { offset, length })) chunks.push(chunk);
  return Buffer.concat(chunks);
}
const malformed = { code: 'DICOM_MALFORMED' };

describe('Part 10 files', () => {
  it.each([
    ['plain', encodePart10(aDataset())],
    ['deflated', aDeflated()],
  ])('read back what was written, %s', async (name, bytes) => {
    const path = await file(name, bytes);
    expect((await pixelsOf(path)).equals(pixels)).toBe(true);
    const head = await readPart10Header(path);
    expect(head.dataset.string('SOPInstanceUID')).toBe('1.2.3');
    expect(head.dataset.has('PixelData')).toBe(false);
  });

  it('begin with a zero preamble and a file meta that names the instance', () => {
    const bytes = encodePart10(aDataset());
    expect(bytes.subarray(0, 128).equals(Buffer.alloc(128))).toBe(true);
    expect(decodeFileMeta(bytes).meta).toEqual({
      ...{ sopClassUid: SOP_CLASS, sopInstanceUid: '1.2.3' },
      transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
    });
  });

  it('are refused at every place where the file meta or the header is cut', () => {
    const bytes = encodePart10(aDataset());
    const headerEnd = bytes.length - pixels.length;
    for (let length = 0; length < decodeFileMeta(bytes).datasetOffset; length += 1) {
      expect(() => decodePart10(bytes.subarray(0, length))).toThrow(
        expect.objectContaining(malformed),
      );
    }
    for (const length of [headerEnd - 1, headerEnd, headerEnd + 1, bytes.length - 1]) {
      expect(() => decodePart10(bytes.subarray(0, length))).toThrow(
        expect.objectContaining(malformed),
      );
    }
  });

  it('are malformed when the deflated stream is damaged or cut short', async () => {
    const whole = aDeflated();
    const damaged = Buffer.from(whole).fill(0xff, decodeFileMeta(whole).datasetOffset);
    for (const bytes of [whole.subarray(0, -100), damaged]) {
      const path = await file('bad.dcm', bytes);
      await expect(readPart10(path)).rejects.toMatchObject(malformed);
    }
    const path = await file('bad.dcm', damaged);
    await expect(readPart10Header(path)).rejects.toMatchObject(malformed);
  });

  it('that end inside the pixel data do not stream to the end', async () => {
    const path = await file('whole.dcm', encodePart10(aDataset()));
    const { pixelData, ...head } = await readPart10(path);
    const range = { offset: pixelData!.valueOffset, length: pixelData!.valueLength + 1 };
    const drain = async (): Promise<void> => {
      for await (const chunk of readDatasetRange(path, head, range)) expect(chunk).toBeDefined();
    };
    await expect(drain()).rejects.toMatchObject(malformed);
  });

  it('that the disk does not give are a fault, not a malformed file', async () => {
    const path = await file('gone.dcm', encodePart10(aDataset()));
    const head = await readPart10Header(path);
    const range = { offset: 0, length: 4 };
    const gone = readDatasetRange(join(folder.path, 'absent.dcm'), head, range);
    await expect(gone.next()).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  (existsSync('/proc/self/fd') ? it : it.skip)(
    'are closed when only the header was read',
    async () => {
      const path = await file('deflated-open.dcm', aDeflated());
      for (let i = 0; i < 5; i += 1) await readPart10Header(path);
      const isOpen = readdirSync('/proc/self/fd').some((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`) === path;
        } catch {
          return false;
        }
      });
      expect(isOpen).toBe(false);
    },
  );
});

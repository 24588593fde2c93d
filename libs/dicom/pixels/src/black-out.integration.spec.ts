/**
 * Goal: cleaned pixels are black inside of the regions and untouched outside, in every transfer
 * syntax, for every reader.
 * Method: phantoms, and all images of the shared test data where that folder is, are cleaned and
 * written; what DCMTK, GDCM and pydicom decode of the output is compared with our decoded input
 * (which is proven for the frame reader) with the regions blacked by the test.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { readPart10Header } from '@aifi/dicom-core';
import { temporaryFolder } from '@aifi/shared-testing';
import { encodedPhantoms } from '../test/encoded-phantoms.js';
import {
  bytesOf,
  digestOf,
  hasDecoders,
  peerAnswers,
  shared,
  sharedImages,
  writeCleaned,
  type PeerAnswers,
} from '../test/peer-decoders.js';
import { blackOut as sut } from './black-out.js';
import { openFrames, type FrameReader } from './frame-reader.js';

const folder = temporaryFolder('black-out');
afterAll(() => folder.remove());
const TIMEOUT_MS = 600_000;
/**
 * GDCM mixes up the bytes of 16 and 32 bits in RLE colour, whoever wrote them, and stops at an
 * assertion of its own for RLE with 7 of 8 bits stored.
 */
const GDCM_AT_FAULT = /SC_rgb_rle_(16|32)bit|JLSL_08_07/;
/** The shared series are one image many times over: their first shows it. */
const isRepeated = (path: string): boolean =>
  /^(ct-series-head-28|mr-brain-series-50)\/(?!01\.|N2D_0100)/.test(path);
const paths = (await sharedImages()).filter((path) => !isRepeated(path));
const suite = hasDecoders(process.env['CI'] === 'true') ? describe : describe.skip;
const LOSSY =
  /JPEGProcess(1T|2_4|6_8|10_12)|NearLossless|JPEGLSLossy|JPEG2000Transfer|(8|12)-7-dcmcjpeg/;

interface Cleaned {
  readonly out: string;
  /** Digests of the frames that were expected, and what is black. */
  readonly frames: readonly string[];
  readonly black: readonly number[];
  readonly wasEncapsulated: boolean;
}

async function cleanedOf(path: string, out: string): Promise<Cleaned | undefined> {
  const opened = await openFrames(shared(path));
  if (!opened.ok) return undefined;
  const before = opened.value;
  const { rows, columns } = before;
  const region = { x: columns >> 2, y: rows >> 2, width: (columns >> 1) + 1, height: 2 };
  const cleaned = await sut(shared(path), [region]);
  if (!cleaned.ok) {
    await before.close();
    return undefined;
  }
  await writeCleaned(shared(path), cleaned.value, out);
  const after = await openFrames(out);
  if (!after.ok) throw new Error(`${path}: ${after.refusal.detail}`);
  const { samplesPerPixel } = before;
  const at = (region.y * columns + region.x) * samplesPerPixel;
  const black = [...(await after.value.frame(0)).subarray(at, at + samplesPerPixel)];
  const frames = await blackedDigests(before, region, black);
  await Promise.all([before.close(), after.value.close()]);
  const { meta } = await readPart10Header(shared(path));
  const wasEncapsulated = /\.1\.2\.(4\.\d+|5)$/.test(meta.transferSyntaxUid);
  return { out, frames, black, wasEncapsulated };
}

async function blackedDigests(
  reader: FrameReader,
  region: { x: number; y: number; width: number; height: number },
  black: readonly number[],
): Promise<string[]> {
  const digests: string[] = [];
  for (let index = 0; index < reader.frames; index += 1) {
    const samples = await reader.frame(index);
    for (let y = region.y; y < Math.min(reader.rows, region.y + region.height); y += 1) {
      for (let x = region.x; x < Math.min(reader.columns, region.x + region.width); x += 1) {
        samples.set(black, (y * reader.columns + x) * reader.samplesPerPixel);
      }
    }
    digests.push(digestOf(samples));
  }
  return digests;
}

suite('blackOut on phantoms and on the shared test data', () => {
  const cleaned = new Map<string, Cleaned>();
  let answers: Map<string, PeerAnswers>;
  beforeAll(async () => {
    const phantoms = await encodedPhantoms(folder.path);
    for (const [index, path] of [...paths, ...phantoms].entries()) {
      const one = await cleanedOf(path, join(folder.path, `${index}.dcm`));
      if (one) cleaned.set(path, one);
    }
    const told = await peerAnswers(
      [...cleaned.values()].map(({ out }) => out),
      folder.path,
    );
    answers = new Map([...cleaned].map(([path, { out }]) => [path, told.get(out)!]));
  }, TIMEOUT_MS);

  it('is read by every peer as the input with black regions', () => {
    const wrong = [...answers].flatMap(([path, peers]) =>
      (['pydicom', 'dcmtk', 'gdcm'] as const)
        .filter((peer) => !(peer === 'gdcm' && GDCM_AT_FAULT.test(path)))
        .filter((peer) => peers[peer]?.frames?.join() !== cleaned.get(path)!.frames.join())
        .map((peer) => `${path} ${peer} ${peers[peer]?.error ?? ''}`),
    );
    expect(wrong).toEqual([]);
    expect(answers.size).toBeGreaterThan(30);
  });

  it('keeps native input native and writes compressed input as RLE', async () => {
    for (const { out, wasEncapsulated } of cleaned.values()) {
      const { meta } = await readPart10Header(out);
      const expected = wasEncapsulated ? '1.2.840.10008.1.2.5' : '1.2.840.10008.1.2.1';
      expect(meta.transferSyntaxUid).toBe(expected);
    }
    const encapsulated = [...cleaned.values()].filter((one) => one.wasEncapsulated);
    expect(encapsulated.length).toBeGreaterThan(20);
  });

  it('says for ever that an image was compressed with loss', async () => {
    const lossy = [...cleaned].filter(([path]) => LOSSY.test(path));
    expect(lossy.length).toBeGreaterThanOrEqual(2);
    for (const [path, { out }] of lossy) {
      const { dataset } = await readPart10Header(out);
      const { dataset: input } = await readPart10Header(shared(path));
      const told = input.string('LossyImageCompression');
      // JPEG-LS may have lost nothing: there a sender's word counts.
      expect([path, dataset.string('LossyImageCompression')]).toEqual([path, told ?? '01']);
      expect([path, dataset.number('LossyImageCompressionRatio')]).not.toEqual([path, undefined]);
    }
  });

  it('gives the same bytes for the same file and regions', async () => {
    const again = join(folder.path, 'again.dcm');
    const some = [...cleaned.keys()].filter((path) => /-dcmcjpeg|image_dfl/.test(path));
    expect(some.length).toBeGreaterThan(5);
    for (const path of some) {
      await cleanedOf(path, again);
      expect(bytesOf(again).equals(bytesOf(cleaned.get(path)!.out))).toBe(true);
    }
  });
});

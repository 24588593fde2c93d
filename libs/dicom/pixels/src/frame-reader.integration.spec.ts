/**
 * Goal: every sample of every frame is what others decode, in every transfer syntax.
 * Method: phantoms that DCMTK and GDCM have compressed, all images of the shared test data where
 * that folder is, and codestreams published with their samples; DCMTK, GDCM and pydicom decode the
 * same files (`test/peer-decoders.ts`). An image counts when at least one of them agrees on all
 * frames and none disagrees, apart from the faults of theirs named here.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { temporaryFolder } from '@aifi/shared-testing';
import { encodedPhantoms } from '../test/encoded-phantoms.js';
import {
  digestOf,
  hasDecoders,
  peerAnswers,
  shared,
  sharedImages,
  type PeerAnswers,
} from '../test/peer-decoders.js';
import { openFrames as sut } from './frame-reader.js';

const folder = temporaryFolder('frame-reader');
afterAll(() => folder.remove());
const TIMEOUT_MS = 600_000;

/** Images that are not read, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  'charsets/chrJapMulti.dcm': 'QUARANTINED_PIXELS an object without an image',
  'charsets/chrJapMultiExplicitIR6.dcm': 'QUARANTINED_PIXELS an object without an image',
  'charsets/chrKoreanMulti.dcm': 'QUARANTINED_PIXELS an object without an image',
  'enhanced/emri_small_jpeg_2k_lossless_too_short.dcm': 'MALFORMED the file does not parse',
  // A JP2 file around the codestream, which PS3.5 A.4.4 does not allow.
  'small/GDCMJ2K_TextGBR.dcm': 'pixel data is no codestream of its transfer syntax',
  'small/JPEG2000-embedded-sequence-delimiter.dcm':
    'a codestream holds another image than its attributes say',
  'small/MR_small_padded.dcm': 'MALFORMED the file does not parse',
  'small/MR_truncated.dcm': 'MALFORMED the file does not parse',
  'small/badVR.dcm': 'MALFORMED the file does not parse',
};
/**
 * Peers that are wrong: GDCM mixes up the bytes of 16 and 32 bits in RLE colour. DCMTK and GDCM
 * read 32 bits in big endian OW by words; the same doses in little endian show that these are whole
 * numbers.
 */
const PEERS_AT_FAULT: Readonly<Record<string, readonly string[]>> = {
  'small/SC_rgb_rle_16bit.dcm': ['gdcm'],
  'small/SC_rgb_rle_32bit.dcm': ['gdcm'],
  'small/rtdose_expb.dcm': ['dcmtk', 'gdcm'],
  'small/rtdose_expb_1frame.dcm': ['dcmtk', 'gdcm'],
};

async function ownAnswer(path: string): Promise<{ frames?: string[]; error?: string }> {
  const opened = await sut(path);
  if (!opened.ok) return { error: `${opened.refusal.code} ${opened.refusal.detail}` };
  const reader = opened.value;
  try {
    const frames: string[] = [];
    for (let i = 0; i < reader.frames; i += 1) frames.push(digestOf(await reader.frame(i)));
    return { frames };
  } catch (error) {
    return { error: (error as Error).message };
  } finally {
    await reader.close();
  }
}

const paths = await sharedImages();
/** What is said of files that are here. */
function there<T>(table: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(table).filter(([path]) => paths.includes(path)));
}
const suite = hasDecoders(process.env['CI'] === 'true') ? describe : describe.skip;

suite('openFrames on phantoms and on the shared test data', () => {
  let answers: Map<string, PeerAnswers>;
  const own = new Map<string, { frames?: string[]; error?: string }>();
  beforeAll(async () => {
    const all = [...paths, ...(await encodedPhantoms(folder.path))];
    for (const path of all) own.set(path, await ownAnswer(shared(path)));
    const decoded = all.filter((path) => own.get(path)!.frames);
    const told = await peerAnswers(decoded.map(shared), folder.path);
    answers = new Map(decoded.map((path) => [path, told.get(shared(path))!]));
  }, TIMEOUT_MS);

  it('reads every image but those that are named, and these with fixed words', () => {
    const refused = [...own].filter(([, { error }]) => error !== undefined);
    expect(Object.fromEntries(refused.map(([path, { error }]) => [path, error]))).toEqual(
      there(REFUSED),
    );
    expect(own.size).toBeGreaterThan(refused.length * 10 + 30);
  });

  it('decodes every sample of every frame as at least one peer does', () => {
    const alone = [...answers].filter(
      ([path, peers]) =>
        !Object.values(peers).some((peer) => isSame(peer.frames, own.get(path)!.frames!)),
    );
    expect(alone.map(([path]) => path)).toEqual([]);
  });

  it('is contradicted by no peer that decodes the image, but for the faults that are named', () => {
    const contradictions = [...answers].flatMap(([path, peers]) => {
      const against = Object.entries(peers).filter(
        ([, { frames }]) => frames !== undefined && !isSame(frames, own.get(path)!.frames!),
      );
      return against.length === 0 ? [] : [[path, against.map(([peer]) => peer)] as const];
    });
    // GDCM gives files that pydicom does not open for the two-frame ones: no answer, no fault.
    expect(Object.fromEntries(contradictions)).toEqual(there(PEERS_AT_FAULT));
  });

  it('is confirmed by two peers for every family of transfer syntaxes', () => {
    const agreed = (pattern: RegExp): Set<string> =>
      new Set(
        [...answers]
          .filter(([path]) => pattern.test(path))
          .flatMap(([path, peers]) =>
            Object.entries(peers)
              .filter(([, { frames }]) => isSame(frames, own.get(path)!.frames!))
              .map(([peer]) => peer),
          ),
      );
    const encoders = ['dcmcjpeg', 'dcmcjpls', 'dcmcrle', 'gdcmconv', 'dcmconv'];
    const families = encoders.map((encoder) => new RegExp(`-${encoder}.dcm$`));
    for (const family of families) expect(agreed(family).size).toBeGreaterThanOrEqual(2);
  });
});

function isSame(a: readonly string[] | undefined, b: readonly string[]): boolean {
  return a !== undefined && a.length === b.length && a.every((digest, i) => digest === b[i]);
}

const codestreams = resolve(import.meta.dirname, '../../../../../shared/data/codestreams');
const published = ['CT1', 'MR1'].filter((name) => existsSync(join(codestreams, `${name}.j2c`)));

(published.length > 0 ? describe : describe.skip)('High-Throughput JPEG 2000', () => {
  it.each(published)('decodes %s to the samples that were published with it', async (name) => {
    const codestream = readFileSync(join(codestreams, `${name}.j2c`));
    const raw = readFileSync(join(codestreams, `${name}.RAW`));
    const signed = codestream[42]! > 0x7f;
    const path = join(folder.path, `${name}.dcm`);
    writeFileSync(path, fileAround(codestream, signed));
    const opened = await sut(path);
    if (!opened.ok) throw new Error(opened.refusal.detail);
    const samples = await opened.value.frame(0);
    await opened.value.close();
    const expected = signed ? new Int16Array(512 * 512) : new Uint16Array(512 * 512);
    for (let i = 0; i < expected.length; i += 1) {
      expected[i] = signed ? raw.readInt16LE(i * 2) : raw.readUInt16LE(i * 2);
    }
    expect(Buffer.compare(Buffer.from(samples.buffer), Buffer.from(expected.buffer))).toBe(0);
  });
});

function fileAround(codestream: Buffer, signed: boolean): Buffer {
  const header = new DicomDataset()
    .setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.2')
    .setString('SOPInstanceUID', '1.2.3')
    .setNumbers('SamplesPerPixel', [1])
    .setString('PhotometricInterpretation', 'MONOCHROME2')
    .setNumbers('Rows', [512])
    .setNumbers('Columns', [512])
    .setNumbers('BitsAllocated', [16])
    .setNumbers('BitsStored', [16])
    .setNumbers('HighBit', [15])
    .setNumbers('PixelRepresentation', [signed ? 1 : 0]);
  const item = Buffer.from('feff00e000000000', 'hex');
  const length = codestream.length + (codestream.length % 2);
  item.writeUInt32LE(length, 4);
  return Buffer.concat([
    encodePart10(header, '1.2.840.10008.1.2.4.201'),
    Buffer.from('e07f10004f420000fffffffffeff00e000000000', 'hex'),
    ...[item, codestream, Buffer.alloc(length - codestream.length)],
    Buffer.from('feffdde000000000', 'hex'),
  ]);
}

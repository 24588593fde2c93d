/**
 * Goal: one pass over a file leaves either a whole pseudonymised file or nothing at all.
 * Method: phantoms in every layout, with what must not leave behind their pixel data, damaged in
 * their last bytes, larger than one read, or other than what was received.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import {
  decodePart10,
  DicomDataset,
  encodeDataset,
  encodeFileMeta,
  encodingOf,
} from '@aifi/dicom-core';
import type { CleanedPixels } from '@aifi/dicom-pixels';
import { AifiError, refuse, sha256Hex } from '@aifi/shared-kernel';
import { temporaryFolder } from '@aifi/shared-testing';
import {
  PseudonymisedFolder,
  type DeidentificationContext,
  type InstanceRequest,
} from './index.js';

const temporary = temporaryFolder('pseudonymised-folder');
afterAll(() => temporary.remove());
const context: DeidentificationContext = {
  siteCode: 'SITE-A',
  keys: { uid: Buffer.alloc(32, 1), pid: Buffer.alloc(32, 2), date: Buffer.alloc(32, 3) },
};
const EXPLICIT = '1.2.840.10008.1.2.1';
const DEFLATED = '1.2.840.10008.1.2.1.99';
const MR = '1.2.840.10008.5.1.4.1.1.4';
let made = 0;

interface Form {
  readonly syntax?: string;
  readonly side?: number;
  readonly pixels?: Uint8Array | null;
  /** Behind the pixel data; its bytes follow those of the dataset. */
  readonly tail?: Uint8Array;
}
/** An MR image; `side` x `side` pixels of 16 bits. */
function aPhantom({ syntax = EXPLICIT, side = 4, pixels, tail }: Form = {}): Buffer {
  const dataset = new DicomDataset()
    .setString('SOPClassUID', MR)
    .setString('SOPInstanceUID', '1.2.3.4.1')
    .setString('StudyInstanceUID', '1.2.3.4.2')
    .setString('SeriesInstanceUID', '1.2.3.4.3')
    .setString('PatientName', 'Berg^Jan')
    .setString('PatientID', '0012345')
    .setString('BodyPartExamined', 'KNEE')
    .setNumbers('SamplesPerPixel', [1])
    .setNumbers('Rows', [side])
    .setNumbers('Columns', [side])
    .setNumbers('BitsAllocated', [16]);
  const bytes = pixels === undefined ? Buffer.alloc(side * side * 2, 7) : pixels;
  if (bytes) dataset.setBytes('PixelData', bytes, 'OW');
  const meta = { sopClassUid: MR, sopInstanceUid: '1.2.3.4.1', transferSyntaxUid: syntax };
  const body = Buffer.concat([encodeDataset(dataset, encodingOf(syntax)), tail ?? Buffer.of()]);
  return Buffer.concat([encodeFileMeta(meta), syntax === DEFLATED ? deflateRawSync(body) : body]);
}
const element = (tag: string, vr: string, value: Buffer): Buffer => {
  const head = Buffer.alloc(12);
  head.write(tag, 'hex');
  head.write(vr, 4, 'latin1');
  head.writeUInt32LE(value.length, 8);
  return Buffer.concat([head, value]);
};
const signatures = Buffer.concat([element('fcfffcff', 'OB', Buffer.from('Berg^Jan'))]);

async function write(bytes: Buffer, extra: Partial<InstanceRequest> = {}) {
  made += 1;
  const path = join(temporary.path, `out-${made}`);
  const sourcePath = join(temporary.path, `${made}.source`);
  await writeFile(sourcePath, bytes);
  const sut = await PseudonymisedFolder.open(path);
  const result = await sut.write({ sourcePath, context, ...extra });
  const files = () => readdirSync(path);
  return { path, sut, result, files };
}
async function written(bytes: Buffer, extra: Partial<InstanceRequest> = {}) {
  const { result, sut } = await write(bytes, extra);
  if (!result.ok) throw new Error(`${result.refusal.code}: ${result.refusal.detail}`);
  const [instance] = await sut.seal([result.value]);
  return { instance: instance!, bytes: readFileSync(instance!.path) };
}

describe(PseudonymisedFolder.name, () => {
  it('gives files of one read and of many the same treatment', async () => {
    // More than two reads, the last one not full; bytes in pairs, so that their order is no matter.
    const pixels = Uint8Array.from({ length: 1_200 * 1_200 * 2 }, (_, i) => (i >> 1) * 31);
    for (const syntax of [EXPLICIT, '1.2.840.10008.1.2', '1.2.840.10008.1.2.2', DEFLATED]) {
      const { bytes, instance } = await written(aPhantom({ syntax, side: 1_200, pixels }));
      expect(Buffer.compare(bytes.subarray(-pixels.length), pixels)).toBe(0);
      expect(sha256Hex(bytes)).toBe(instance.sha256);
      expect(bytes.length).toBe(instance.sizeBytes);
    }
  });

  it.each([
    ['native', EXPLICIT],
    ['deflated', DEFLATED],
  ])('lets nothing leave that follows %s pixel data', async (_, syntax) => {
    const { bytes } = await written(aPhantom({ syntax, tail: signatures }));
    expect(bytes.toString('latin1')).not.toContain('Berg');
    expect(bytes.subarray(-32)).toEqual(Buffer.alloc(32, 7));
  });

  it('keeps pixel data that is empty, and none where there is none', async () => {
    const empty = await written(aPhantom({ side: 0, pixels: Buffer.of() }));
    expect(empty.bytes.subarray(-12).toString('hex')).toBe('e07f10004f57000000000000');
    const none = await written(aPhantom({ pixels: null }));
    expect(decodePart10(none.bytes).pixelData).toBeUndefined();
  });

  it('refuses float pixel data, which no keep-list knows', async () => {
    // The length that the attributes say: only its kind is wrong.
    const tail = element('e07f0800', 'OF', Buffer.alloc(4 * 4 * 2));
    const { result, files } = await write(aPhantom({ pixels: null, tail }));
    expect(result).toMatchObject({ refusal: { code: 'QUARANTINED_PIXELS' } });
    expect(files()).toEqual([]);
  });

  const whole = aPhantom({ tail: signatures });
  const twice = Buffer.concat([whole, signatures]);
  const early = aPhantom({ tail: element('10001000', 'UN', Buffer.from('Berg')) });
  const large = aPhantom({ side: 1_200 });
  const deflated = aPhantom({ syntax: DEFLATED, side: 1_200 });
  it.each([
    ['ends inside what follows the pixel data', whole.subarray(0, -3)],
    ['has an element twice behind its pixel data', twice],
    ['has a header element behind its pixel data', early],
    ['ends inside its pixel data, reads later', large.subarray(0, -1)],
    ['does not inflate to its end', deflated.subarray(0, -9)],
    ['is no DICOM file', Buffer.from('not dicom')],
    ['is empty', Buffer.of()],
  ])('leaves nothing of a file that %s', async (_, bytes) => {
    const told: unknown[] = [];
    const { result, files } = await write(bytes, { onUids: (uids) => told.push(uids) });
    expect(result).toMatchObject({ ok: false, refusal: { code: 'MALFORMED' } });
    expect(files()).toEqual([]);
    expect(told).toEqual([]);
  });

  it.each([
    ['plain', EXPLICIT],
    ['deflated', DEFLATED],
  ])('takes a %s file only with the bytes that were received', async (_, syntax) => {
    const bytes = aPhantom({ syntax, side: 1_200, tail: signatures });
    await written(bytes, { expectedSha256: sha256Hex(bytes) });
    const { result, files } = await write(bytes, { expectedSha256: sha256Hex('other') });
    expect(result).toMatchObject({ ok: false, refusal: { code: 'MALFORMED' } });
    expect(files()).toEqual([]);
  });

  it('counts what lies behind a deflated dataset among the bytes that were received', async () => {
    const bytes = Buffer.concat([aPhantom({ syntax: DEFLATED }), Buffer.from('behind the end')]);
    const { bytes: output } = await written(bytes, { expectedSha256: sha256Hex(bytes) });
    expect(output.toString('latin1')).not.toContain('behind');
  });

  it('says of a file that is not whole nothing else, whatever its pixels show', async () => {
    const clear = () => Promise.resolve(refuse('QUARANTINED_PIXELS', 'no'));
    const { result } = await write(whole.subarray(0, -3), { clear });
    expect(result).toMatchObject({ refusal: { code: 'MALFORMED' } });
  });

  it('asks for the pixels with the header as received, and writes nothing on a refusal', async () => {
    const asked: (string | undefined)[] = [];
    const { result, files } = await write(aPhantom(), {
      clear: (header) => {
        asked.push(header.string('PatientName'));
        return Promise.resolve(refuse('QUARANTINED_PIXELS', 'no'));
      },
    });
    expect(asked).toEqual(['Berg^Jan']);
    expect(result).toEqual({ ok: false, refusal: { code: 'QUARANTINED_PIXELS', detail: 'no' } });
    expect(files()).toEqual([]);
  });

  const cleaned = (extra: Partial<CleanedPixels> = {}): CleanedPixels => ({
    transferSyntaxUid: '1.2.840.10008.1.2.4.80',
    attributes: new DicomDataset().setString('PhotometricInterpretation', 'MONOCHROME2'),
    vr: 'OB',
    length: undefined,
    chunks: async function* () {
      await Promise.resolve();
      yield Buffer.from('feff00e000000000', 'hex');
      yield Buffer.from('feff00e002000000ffd8feffdde000000000', 'hex');
    },
    regionsSha256: sha256Hex('regions'),
    ...extra,
  });

  it('writes cleaned pixel data in place of the received ones, as another instance', async () => {
    const untouched = await written(aPhantom());
    const clearance = { isExamined: true, cleaned: cleaned() };
    const { bytes, instance } = await written(aPhantom({ tail: signatures }), { clearance });
    const { dataset, meta, pixelData } = decodePart10(bytes);
    expect(meta.transferSyntaxUid).toBe('1.2.840.10008.1.2.4.80');
    expect(meta.sopInstanceUid).toBe(dataset.string('SOPInstanceUID'));
    expect(instance.sopInstanceUid).not.toBe(untouched.instance.sopInstanceUid);
    expect(instance.seriesInstanceUid).toBe(untouched.instance.seriesInstanceUid);
    expect(dataset.string('PhotometricInterpretation')).toBe('MONOCHROME2');
    expect(pixelData).toMatchObject({ encapsulated: true, vr: 'OB' });
    expect(bytes.includes(Buffer.alloc(32, 7))).toBe(false);
    expect(bytes.toString('latin1')).not.toContain('Berg');
  });

  it('does not clean a file that is not whole, nor one whose frames do not decode', async () => {
    const clearance = { isExamined: true, cleaned: cleaned() };
    const cut = await write(whole.subarray(0, -3), { clearance });
    expect(cut.result).toMatchObject({ refusal: { code: 'MALFORMED' } });
    const chunks = async function* (): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(Buffer.alloc(8));
      throw new AifiError('DICOM_MALFORMED', 'a frame');
    };
    const broken = await write(whole, {
      clearance: { isExamined: true, cleaned: cleaned({ chunks }) },
    });
    expect(broken.result).toMatchObject({ refusal: { code: 'QUARANTINED_PIXELS' } });
    expect([...cut.files(), ...broken.files()]).toEqual([]);
  });

  it('writes several files side by side with the same bytes as one by one', async () => {
    const images = Array.from({ length: 8 }, (_, i) =>
      aPhantom({ side: 600, pixels: Buffer.alloc(600 * 600 * 2, i) }),
    );
    const alone: string[] = [];
    for (const image of images) alone.push((await written(image)).instance.sha256);
    const sut = await PseudonymisedFolder.open(join(temporary.path, 'together'));
    const together = await Promise.all(
      images.map(async (image, i) => {
        const sourcePath = join(temporary.path, `together-${i}.source`);
        await writeFile(sourcePath, image);
        const result = await sut.write({ sourcePath, context });
        return result.ok ? result.value.sha256 : result.refusal.code;
      }),
    );
    expect(together).toEqual(alone);
  });

  it('removes what an earlier run did not finish, and nothing else', async () => {
    const path = join(temporary.path, 'remains');
    mkdirSync(path);
    await writeFile(join(path, `.${'0'.repeat(36)}.part`), 'half');
    await writeFile(join(path, 'kept.dcm'), 'whole');
    await PseudonymisedFolder.open(path);
    expect(readdirSync(path)).toEqual(['kept.dcm']);
  });
});

describe('PseudonymisedFolder with names of its own', () => {
  const path = join(temporary.path, 'named');
  const open = () =>
    PseudonymisedFolder.open(path, {
      pathOf: (of) => join(path, of.studyInstanceUid, `${of.sopInstanceUid}.dcm`),
    });
  const put = async (bytes: Buffer) => {
    const sourcePath = join(temporary.path, 'named.source');
    await writeFile(sourcePath, bytes);
    return (await open()).write({ sourcePath, context });
  };

  it('puts a file where the caller says, and takes the same bytes again', async () => {
    const first = await put(aPhantom());
    const second = await put(aPhantom());
    expect(first.ok && first.value.path).toMatch(/named\/2\.25\.\d+\/2\.25\.\d+\.dcm$/);
    expect(second).toEqual(first);
  });

  it('gives names in the order that the caller asks for', async () => {
    const sources = [1, 2].map((n) => join(temporary.path, `turn-${n}.source`));
    await writeFile(sources[0]!, aPhantom({ side: 1_200 }));
    await writeFile(sources[1]!, aPhantom());
    const turns = join(temporary.path, 'turns');
    const sut = await PseudonymisedFolder.open(turns, { pathOf: () => join(turns, 'same.dcm') });
    const large = sut.write({ sourcePath: sources[0]!, context });
    const small = sut.write({ sourcePath: sources[1]!, context, after: large });
    expect((await large).ok).toBe(true);
    expect(await small).toMatchObject({ refusal: { code: 'CONFLICTING_INSTANCE' } });
  });

  it('never replaces a file by another one', async () => {
    const first = await put(aPhantom());
    if (!first.ok) throw new Error(first.refusal.code);
    const before = readFileSync(first.value.path);
    const other = await put(aPhantom({ pixels: Buffer.alloc(32, 9) }));
    expect(other).toMatchObject({ refusal: { code: 'CONFLICTING_INSTANCE' } });
    expect(readFileSync(first.value.path)).toEqual(before);
    expect(readdirSync(path).filter((name) => name.endsWith('.part'))).toEqual([]);
  });
});

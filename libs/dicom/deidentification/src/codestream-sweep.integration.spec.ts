/**
 * Goal: comments of real codestreams: what real encoders write passes, what is planted is found.
 * Method: every file of the shared corpus with compressed frames; the same file with a comment of
 * its own patient put behind the start of its last frame. Where the folder is absent, a phantom.
 */
import { afterAll, expect, it } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  decodePart10,
  type DicomDataset,
  elementHeader,
  encodeDataset,
  encodeFileMeta,
  encodingOf,
  UNDEFINED_LENGTH,
  type Part10File,
} from '@aifi/dicom-core';
import { AifiError } from '@aifi/shared-kernel';
import { temporaryFolder } from '@aifi/shared-testing';
import { commentsOf } from './codestream-comments.js';
import { codestreamSweepOf } from './codestream-sweep.js';
import { DEFAULT_CONTRACT } from './deidentification-context.js';
import { writePseudonymisedInstance } from './pseudonymised-instance.js';
import { aHeaderOf } from './test-headers.js';

const shared = join(import.meta.dirname, '../../../../../shared/data/dicom');
const FOLDERS = ['transfer-syntaxes', 'small', 'enhanced', 'cr-dx', 'mg', 'us-burned-in'];

interface Compressed {
  readonly name: string;
  readonly dataset: DicomDataset;
  readonly syntax: string;
  /** Items of the pixel data. */
  readonly value: Buffer;
  /** Where the last fragment begins in them. */
  readonly last: number;
}
const named = (dataset: DicomDataset): DicomDataset =>
  dataset.setString('PatientName', 'Bergsma^Janneke').setString('PatientID', 'ZKH-77881');

function compressed(name: string): Compressed | undefined {
  let file: Part10File;
  const bytes = readFileSync(join(shared, name));
  try {
    file = decodePart10(bytes);
  } catch (error) {
    if (AifiError.from(error).code !== 'DICOM_MALFORMED') throw error;
    return undefined;
  }
  const { pixelData, dataset } = file;
  if (!pixelData?.encapsulated || !codestreamSweepOf(file, {})) return undefined;
  // Files of these collections name nobody, or everybody alike.
  const from = file.datasetOffset + pixelData.valueOffset;
  const value = bytes.subarray(from, from + pixelData.valueLength);
  const last = pixelData.fragments.at(-1)!.offset - pixelData.valueOffset;
  return { name, dataset: named(dataset), syntax: file.meta.transferSyntaxUid, value, last };
}

function isFound(dataset: DicomDataset, value: Buffer): boolean {
  const meta = { transferSyntaxUid: '1.2.840.10008.1.2.4.50' };
  const sweep = codestreamSweepOf({ meta, dataset, pixelData: { encapsulated: true } }, {})!;
  for (let at = 0; at < value.length; at += 4_099) sweep.push(value.subarray(at, at + 4_099));
  return sweep.end();
}

/** The last frame with a COM segment behind its first one, in items of its own. */
function planted(frame: Buffer, text: string): Buffer {
  const isJpeg = frame.readUInt16BE(0) === 0xffd8;
  const content = Buffer.from(isJpeg ? text : `\0\x01${text}`, 'latin1');
  const segment = Buffer.concat([Buffer.of(0xff, isJpeg ? 0xfe : 0x64, 0, 0), content]);
  segment.writeUInt16BE(content.length + 2, 2);
  // SIZ comes first in a JPEG 2000 main header.
  const at = isJpeg ? 2 : 4 + frame.readUInt16BE(4);
  return Buffer.concat([frame.subarray(0, at), segment, frame.subarray(at)]);
}
const item = (bytes: Buffer): Buffer => {
  const header = Buffer.from('feff00e000000000', 'hex');
  header.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
};

const PHANTOM: Compressed = {
  ...{ name: 'phantom', dataset: named(aHeaderOf('CT')), last: 16 },
  syntax: '1.2.840.10008.1.2.4.50',
  value: Buffer.concat([
    item(Buffer.alloc(0)),
    item(Buffer.from('ffd8fffe000674657374ffda0008010100003f001234ffd9', 'hex')),
    Buffer.from('feffdde000000000', 'hex'),
  ]),
};
const files = existsSync(shared)
  ? FOLDERS.flatMap((folder) =>
      readdirSync(join(shared, folder))
        .filter((name) => name.endsWith('.dcm'))
        .map((name) => compressed(`${folder}/${name}`)),
    ).filter((one) => one !== undefined)
  : [PHANTOM];

it('what encoders write into the frames of the corpus is nobody’s name', () => {
  const held = files.filter(({ dataset, value }) => isFound(dataset, value));
  expect(held.map(({ name }) => name)).toEqual([]);
});

it('a comment that names the patient is found in every one of them', () => {
  const missed: string[] = [];
  let planting = 0;
  for (const { name, dataset, value, last } of [PHANTOM, ...files]) {
    const frame = value.subarray(last, last + value.readUInt32LE(last - 4));
    if (![0xffd8, 0xff4f].includes(frame.readUInt16BE(0))) continue;
    planting += 1;
    const telling = planted(frame, 'patient JANNEKE 77881');
    const others = value.subarray(0, last - 8);
    if (!isFound(dataset, Buffer.concat([others, item(telling)]))) missed.push(name);
    const comments = commentsOf(telling).map((comment) => comment.toString('latin1'));
    expect(comments.some((comment) => comment.includes('JANNEKE'))).toBe(true);
  }
  expect(missed).toEqual([]);
  if (existsSync(shared)) expect(planting).toBeGreaterThan(25);
});

const folder = temporaryFolder('codestream-sweep');
afterAll(() => folder.remove());

/** A received file of these items. */
async function written({ dataset, syntax, value }: Compressed, name: string) {
  const meta = {
    ...{ transferSyntaxUid: syntax, sopClassUid: dataset.string('SOPClassUID')! },
    sopInstanceUid: dataset.string('SOPInstanceUID')!,
  };
  const encoding = encodingOf(syntax);
  const sourcePath = join(folder.path, name);
  await writeFile(
    sourcePath,
    Buffer.concat([
      ...[encodeFileMeta(meta), encodeDataset(dataset, encoding)],
      ...[elementHeader(0x7fe00010, 'OB', UNDEFINED_LENGTH, encoding), value],
    ]),
  );
  const keys = { uid: Buffer.alloc(32, 1), pid: Buffer.alloc(32, 2), date: Buffer.alloc(32, 3) };
  const contract = { ...DEFAULT_CONTRACT, recognisableVisualFeatures: 'allow' } as const;
  return writePseudonymisedInstance({
    ...{ sourcePath, folder: join(folder.path, 'out'), clearance: { isExamined: true } },
    context: { siteCode: 'SITE-A', keys, contract },
  });
}

it('a file with such a comment does not leave, and leaves nothing behind', async () => {
  const kinds = new Map<string, Compressed>();
  for (const one of files)
    if (/CTImage.*(4\.50|4\.80|4\.90)\.dcm$/.test(one.name)) kinds.set(one.syntax, one);
  if (existsSync(shared)) expect(kinds.size).toBe(3);
  for (const one of kinds.size > 0 ? kinds.values() : [PHANTOM]) {
    const clean = await written(one, 'clean.dcm');
    expect([one.name, clean.ok]).toEqual([one.name, true]);
    const frame = one.value.subarray(one.last, one.last + one.value.readUInt32LE(one.last - 4));
    const delimiter = Buffer.from('feffdde000000000', 'hex');
    const parts = [
      one.value.subarray(0, one.last - 8),
      item(planted(frame, 'patient JANNEKE 77881 ')),
      delimiter,
    ];
    const held = await written({ ...one, value: Buffer.concat(parts) }, 'planted.dcm');
    expect(held).toMatchObject({ refusal: { code: 'QUARANTINED_IDENTIFIER' } });
  }
  const left = readdirSync(join(folder.path, 'out'));
  expect(left.every((name) => /^[0-9a-f]{64}\.dcm$/.test(name))).toBe(true);
  expect(left.length).toBe(Math.max(1, kinds.size));
});

/**
 * Goal: files are rewritten whole: new header and file meta, the same pixel bytes.
 * Method: phantoms in every native layout, and the shared real files where they are present.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import {
  decodePart10,
  DicomDataset,
  encodeDataset,
  encodeFileMeta,
  encodingOf,
  readDatasetRange,
  readPart10,
} from '@aifi/dicom-core';
import { sha256Hex } from '@aifi/shared-kernel';
import { temporaryFolder } from '@aifi/shared-testing';
import { writePseudonymisedInstance, type DeidentificationContext } from './index.js';

const folder = temporaryFolder('deidentification');
afterAll(() => folder.remove());
const context: DeidentificationContext = {
  siteCode: 'SITE-A',
  keys: { uid: Buffer.alloc(32, 1), pid: Buffer.alloc(32, 2), date: Buffer.alloc(32, 3) },
};
const pixels = Uint8Array.from({ length: 4 * 4 * 2 }, (_, i) => i * 7);

function aPhantom(transferSyntaxUid: string): Buffer {
  const dataset = new DicomDataset()
    .setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.4')
    .setString('SOPInstanceUID', '1.2.3.4.1')
    .setString('StudyInstanceUID', '1.2.3.4.2')
    .setString('SeriesInstanceUID', '1.2.3.4.3')
    .setString('PatientName', 'Berg^Jan')
    .setString('PatientID', '0012345')
    .setString('BodyPartExamined', 'KNEE')
    .setNumbers('SamplesPerPixel', [1])
    .setNumbers('Rows', [4])
    .setNumbers('Columns', [4])
    .setNumbers('BitsAllocated', [16])
    .setBytes('PixelData', pixels, 'OW')
    .setBytes(0xfffcfffc, Buffer.from('Berg^Jan'), 'OB');
  const body = encodeDataset(dataset, encodingOf(transferSyntaxUid));
  const [sopClassUid, sopInstanceUid] = ['1.2.840.10008.5.1.4.1.1.4', '1.2.3.4.1'];
  return Buffer.concat([
    encodeFileMeta({ sopClassUid, sopInstanceUid, transferSyntaxUid }),
    transferSyntaxUid.endsWith('.99') ? deflateRawSync(body) : body,
  ]);
}

async function rangeBytes(path: string): Promise<Buffer> {
  const file = await readPart10(path);
  const { valueOffset: offset, valueLength: length } = file.pixelData!;
  const chunks: Uint8Array[] = [];
  for await (const chunk of readDatasetRange(path, file, { offset, length })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function written(sourcePath: string) {
  const result = await writePseudonymisedInstance({ sourcePath, folder: folder.path, context });
  if (!result.ok) throw new Error(result.refusal.code);
  return result.value;
}

describe(writePseudonymisedInstance.name, () => {
  it.each([
    ['implicit', '1.2.840.10008.1.2'],
    ['explicit', '1.2.840.10008.1.2.1'],
    ['big endian', '1.2.840.10008.1.2.2'],
    ['deflated', '1.2.840.10008.1.2.1.99'],
  ])('keeps the pixel bytes of %s files and names the file by its digest', async (name, syntax) => {
    const sourcePath = join(folder.path, `${name}.source`);
    const source = aPhantom(syntax);
    source.write('MZ Berg^Jan', 0, 'latin1');
    await writeFile(sourcePath, source);
    const sut = await written(sourcePath);
    expect(await rangeBytes(sut.path)).toEqual(await rangeBytes(sourcePath));
    const bytes = readFileSync(sut.path);
    expect(bytes.length).toBe(sut.sizeBytes);
    expect(sha256Hex(bytes)).toBe(sut.sha256);
    expect(sut.path.endsWith(`/${sut.sha256}.dcm`)).toBe(true);
    expect(bytes.toString('latin1')).not.toContain('Berg');
    expect(decodePart10(bytes).meta).toEqual({
      sopClassUid: sut.sopClassUid,
      sopInstanceUid: sut.sopInstanceUid,
      transferSyntaxUid: sut.transferSyntaxUid,
    });
    expect((await written(sourcePath)).sha256).toBe(sut.sha256);
  });

  it('keeps the fragments of encapsulated pixel data, offset table and delimiter included', async () => {
    const head = aPhantom('1.2.840.10008.1.2.4.70');
    const start = head.indexOf(Buffer.from('e07f1000', 'hex'));
    const fragments = Buffer.concat([
      Buffer.from('e07f10004f420000ffffffff', 'hex'),
      Buffer.from('feff00e00400000000000000', 'hex'),
      Buffer.from('feff00e006000000ffd8feffdde0', 'hex'),
      Buffer.from('feff00e002000000ffd9', 'hex'),
      Buffer.from('feffdde000000000', 'hex'),
    ]);
    const padding = Buffer.from('fcfffcff4f42000008000000', 'hex');
    const sourcePath = join(folder.path, 'encapsulated.source');
    const tail = [fragments, padding, Buffer.from('Berg^Jan')];
    await writeFile(sourcePath, Buffer.concat([head.subarray(0, start), ...tail]));
    const sut = await written(sourcePath);
    const bytes = readFileSync(sut.path);
    expect(bytes.subarray(-fragments.length)).toEqual(fragments);
    expect(sut.transferSyntaxUid).toBe('1.2.840.10008.1.2.4.70');
    expect((await readPart10(sut.path)).pixelData?.fragments).toHaveLength(3);
  });

  it('keeps references whole between the instances of a study', async () => {
    const outputs = [];
    for (const n of [1, 2]) {
      const source = aPhantom('1.2.840.10008.1.2.1');
      for (
        let at = source.indexOf('1.2.3.4.1');
        at >= 0;
        at = source.indexOf('1.2.3.4.1', at + 1)
      ) {
        source.write(`1.2.3.4.${n + 4}`, at, 'latin1');
      }
      const sourcePath = join(folder.path, `reference-${n}.source`);
      await writeFile(sourcePath, source);
      outputs.push(await written(sourcePath));
    }
    const [a, b] = outputs;
    expect(a!.sopInstanceUid).not.toBe(b!.sopInstanceUid);
    expect(a!.studyInstanceUid).toBe(b!.studyInstanceUid);
    expect(a!.seriesInstanceUid).toBe(b!.seriesInstanceUid);
  });

  it('tells every remapped UID, and nothing when it refuses', async () => {
    const sourcePath = join(folder.path, 'told.source');
    await writeFile(sourcePath, aPhantom('1.2.840.10008.1.2.1'));
    const told: string[] = [];
    const request = {
      ...{ sourcePath, folder: folder.path, context },
      onUids: (uids: ReadonlyMap<string, string>) => void told.push(...uids.values()),
    };
    await writePseudonymisedInstance(request);
    expect(told.sort()).toEqual(['1.2.3.4.1', '1.2.3.4.2', '1.2.3.4.3']);
    await writeFile(sourcePath, Buffer.from('not dicom'));
    expect(await writePseudonymisedInstance(request)).toMatchObject({ ok: false });
    expect(told).toHaveLength(3);
  });

  it('refuses what is cut short, and a file meta that names another instance', async () => {
    const sourcePath = join(folder.path, 'bad.source');
    const request = { sourcePath, folder: folder.path, context };
    const whole = aPhantom('1.2.840.10008.1.2.1');
    await writeFile(sourcePath, whole.subarray(0, whole.length - 30));
    expect(await writePseudonymisedInstance(request)).toMatchObject({
      refusal: { code: 'MALFORMED' },
    });
    const at = whole.indexOf('1.2.3.4.1');
    whole.write('1.2.3.4.9', at, 'latin1');
    await writeFile(sourcePath, whole);
    expect(await writePseudonymisedInstance(request)).toMatchObject({
      refusal: { code: 'QUARANTINED_IDENTIFIER' },
    });
  });
});

const shared = join(import.meta.dirname, '../../../../../shared/data/dicom');
const files = ['small', 'transfer-syntaxes', 'cr-dx', 'charsets', 'mg', 'enhanced']
  .map((name) => join(shared, name))
  .filter((path) => existsSync(path))
  .flatMap((path) => readdirSync(path, { withFileTypes: true }).map((e) => ({ e, path })))
  .filter(({ e }) => e.isFile())
  .map(({ e, path }) => join(path, e.name));

describe('real files', () => {
  it('are rewritten with equal pixels and without their patient, or refused with a code', async () => {
    let rewritten = 0;
    for (const sourcePath of files) {
      const result = await writePseudonymisedInstance({
        sourcePath,
        folder: folder.path,
        context,
      }).catch((error: unknown) => {
        throw new Error(`fault for ${sourcePath}`, { cause: error });
      });
      if (!result.ok) continue;
      rewritten += 1;
      const source = await readPart10(sourcePath);
      if (source.pixelData) {
        expect(sha256Hex(await rangeBytes(result.value.path))).toBe(
          sha256Hex(await rangeBytes(sourcePath)),
        );
      }
      const output = (await readPart10(result.value.path)).dataset;
      expect(output.string('PatientID')).not.toBe(source.dataset.string('PatientID'));
    }
    if (files.length > 0) expect(rewritten).toBeGreaterThan(20);
  });
});

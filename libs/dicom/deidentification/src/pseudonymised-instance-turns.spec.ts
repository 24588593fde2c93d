/**
 * Goal: few files are in memory at one time, and what is told of them is the file itself.
 * Method: more files than turns, looked through by a test that lets none of them go on.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodePart10, DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { ok, refuse } from '@aifi/shared-kernel';
import { temporaryFolder } from '@aifi/shared-testing';
import {
  NOT_EXAMINED,
  PseudonymisedFolder,
  type DeidentificationContext,
  type ReceivedInstance,
} from './index.js';

const temporary = temporaryFolder('pseudonymised-turns');
afterAll(() => temporary.remove());
const context: DeidentificationContext = {
  siteCode: 'SITE-A',
  keys: { uid: Buffer.alloc(32, 1), pid: Buffer.alloc(32, 2), date: Buffer.alloc(32, 3) },
};
let made = 0;

function source(side = 4): { readonly path: string; readonly bytes: Buffer } {
  made += 1;
  const dataset = new DicomDataset()
    .setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.4')
    .setString('SOPInstanceUID', `1.2.3.4.1.${made}`)
    .setString('StudyInstanceUID', '1.2.3.4.2')
    .setString('SeriesInstanceUID', '1.2.3.4.3')
    .setString('PatientName', 'Berg^Jan')
    .setString('PatientID', '0012345')
    .setString('BodyPartExamined', 'KNEE')
    .setNumbers('SamplesPerPixel', [1])
    .setNumbers('Rows', [side])
    .setNumbers('Columns', [side])
    .setNumbers('BitsAllocated', [16])
    .setBytes('PixelData', Buffer.alloc(side * side * 2, made), 'OW');
  const [path, bytes] = [join(temporary.path, `${made}.source`), encodePart10(dataset)];
  writeFileSync(path, bytes);
  return { path, bytes };
}

describe(PseudonymisedFolder.name, () => {
  it('looks through two files at a time, the others in their turn, refused ones too', async () => {
    const sut = await PseudonymisedFolder.open(join(temporary.path, 'out'));
    const entered: (() => void)[] = [];
    let [inside, most] = [0, 0];
    const results = Array.from({ length: 7 }, (_, at) =>
      sut.write({
        ...{ sourcePath: source().path, context },
        clear: async () => {
          inside += 1;
          most = Math.max(most, inside);
          await new Promise<void>((resolve) => entered.push(resolve));
          inside -= 1;
          return at % 3 === 0 ? refuse('QUARANTINED_PIXELS', 'test') : ok(NOT_EXAMINED);
        },
      }),
    );
    results.push(sut.write({ sourcePath: source().path, context }));
    let done = 0;
    for (const result of results) void result.then(() => (done += 1));
    while (done < results.length) {
      await new Promise((resolve) => setImmediate(resolve));
      if (inside === 2 || done >= 6) entered.shift()?.();
    }
    expect(most).toBe(2);
    expect((await Promise.all(results)).map(({ ok: isOk }) => isOk)).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7].map((at) => at === 7 || at % 3 !== 0),
    );
  });

  it('gives the turn back when a file cannot be opened', async () => {
    const sut = await PseudonymisedFolder.open(join(temporary.path, 'out'));
    for (let at = 0; at < 3; at += 1) {
      const missing = sut.write({ sourcePath: join(temporary.path, 'none'), context });
      await expect(missing).rejects.toMatchObject({ name: 'AifiError' });
    }
    expect((await sut.write({ sourcePath: source().path, context })).ok).toBe(true);
  });

  it('tells the whole file when it came with the header, and only then', async () => {
    const sut = await PseudonymisedFolder.open(join(temporary.path, 'out'));
    const seen = async (sourcePath: string): Promise<unknown> => {
      let told: unknown;
      await sut.write({
        ...{ sourcePath, context },
        clear: (_, { whole, metaDataset }: ReceivedInstance) => {
          const version = metaDataset.string(0x00020013);
          told = whole
            ? { version, pixelData: whole.file.pixelData, bytes: Buffer.from(whole.dataset) }
            : version;
          return Promise.resolve(ok(NOT_EXAMINED));
        },
      });
      return told;
    };
    const { path, bytes } = source();
    const { pixelData, datasetOffset } = decodePart10(bytes);
    expect(await seen(path)).toEqual({
      ...{ version: 'AIFI_1', pixelData, bytes: bytes.subarray(datasetOffset) },
    });
    // Longer than one reading, and cut short: the gate reads these by itself.
    expect(await seen(source(1_200).path)).toBe('AIFI_1');
    const cut = source();
    writeFileSync(cut.path, cut.bytes.subarray(0, -2));
    expect(await seen(cut.path)).toBe('AIFI_1');
  });
});

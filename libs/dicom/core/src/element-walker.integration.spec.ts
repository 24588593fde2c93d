/**
 * Goal: nothing that DCMTK rejects is accepted, and what both read is the same.
 * Method: dcmdump over every shared file that our parser accepts, over cuts of small files, and
 * over phantoms of our own encoder. Being stricter than dcmdump is our right; being laxer is a
 * defect.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasPeers, temporaryFolder } from '@aifi/shared-testing';
import { DicomDataset, encodeDataset, encodeFileMeta, encodingOf, readPart10 } from './index.js';

const folder = temporaryFolder('dcmdump');
afterAll(() => folder.remove());
const shared = join(import.meta.dirname, '../../../../../shared/data/dicom');
const files = (existsSync(shared) ? readdirSync(shared, { recursive: true, encoding: 'utf8' }) : [])
  .map((name) => join(shared, name))
  .filter((path) => statSync(path).isFile());
const KEYS: readonly (readonly [string, string])[] = [
  ['0008,0018', 'SOPInstanceUID'],
  ['0020,000d', 'StudyInstanceUID'],
  ['0010,0020', 'PatientID'],
  ['0028,0010', 'Rows'],
];

interface Dump {
  readonly isAccepted: boolean;
  /** Top-level values of KEYS by tag, as dcmdump prints them, without padding. */
  readonly values: ReadonlyMap<string, string>;
}
function dumped(path: string): Promise<Dump> {
  const searches = KEYS.flatMap(([tag]) => ['+P', tag]);
  const parameters = ['-q', '+p', '+L', ...searches, path];
  return new Promise((resolve) => {
    execFile('dcmdump', parameters, { encoding: 'latin1' }, (error, output) => {
      const lines = output.matchAll(/^\((\w{4},\w{4})\) \w\w (?:\[(.*?)\]|(\d+)) /gm);
      const values = [...lines].map(([, tag, text, number]): [string, string] => [
        tag!,
        (text ?? number ?? '').trim(),
      ]);
      resolve({ isAccepted: error === null, values: new Map(values) });
    });
  });
}
const readOrUndefined = (path: string) => readPart10(path).catch(() => undefined);

/** Runs `work` for all, two at a time: the machines of developers have two cores. */
async function forAll<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all([worker(), worker()]);
}

(hasPeers('dcmdump') ? describe : describe.skip)('beside dcmdump', () => {
  it('accepts no shared file that dcmdump rejects, and reads the same values', async () => {
    let compared = 0;
    await forAll(files, async (path) => {
      const ours = await readOrUndefined(path);
      if (!ours) return;
      const theirs = await dumped(path);
      expect([path, theirs.isAccepted]).toEqual([path, true]);
      for (const [tag, keyword] of KEYS) {
        const bytes = ours.dataset.bytes(keyword);
        // An empty value prints as "(no value available)".
        if (!bytes || bytes.length === 0 || !theirs.values.has(tag)) continue;
        const text = Buffer.from(bytes).toString('latin1').replace(/\0+$/, '').trim();
        const value = keyword === 'Rows' ? String(ours.dataset.number(keyword)) : text;
        expect([path, keyword, value]).toEqual([path, keyword, theirs.values.get(tag)]);
        compared += 1;
      }
    });
    if (files.length > 0) expect(compared).toBeGreaterThan(100);
  }, 60_000);

  it('accepts no cut file that dcmdump rejects', async () => {
    const names = ['MR_small.dcm', 'MR_small_implicit.dcm', 'MR_small_bigendian.dcm', 'rtplan.dcm'];
    const sources = names.map((name) => join(shared, 'small', name)).filter((p) => existsSync(p));
    for (const source of sources) {
      const bytes = readFileSync(source);
      const lengths = Array.from({ length: 12 }, (_, i) => Math.floor((bytes.length * i) / 12) + i);
      await forAll(lengths, async (length) => {
        const path = join(folder.path, `cut-${length}.dcm`);
        await writeFile(path, bytes.subarray(0, length));
        if (await readOrUndefined(path)) {
          expect([path, (await dumped(path)).isAccepted]).toEqual([path, true]);
        }
      });
    }
  }, 60_000);

  it.each(['1.2.840.10008.1.2', '1.2.840.10008.1.2.1', '1.2.840.10008.1.2.2'])(
    'writes %s as dcmdump reads it',
    async (transferSyntaxUid) => {
      const item = new DicomDataset().setString('CodeValue', '1').setNumbers('Rows', [258]);
      const dataset = new DicomDataset()
        .setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.4')
        .setString('SOPInstanceUID', '1.2.3')
        .setString('PatientID', '0012345')
        .setItems('ContributingEquipmentSequence', [item, new DicomDataset()])
        .setNumbers('Rows', [513]);
      const meta = { sopClassUid: '1.2.840.10008.5.1.4.1.1.4', sopInstanceUid: '1.2.3' };
      const path = join(folder.path, 'own.dcm');
      const head = encodeFileMeta({ ...meta, transferSyntaxUid });
      const body = encodeDataset(dataset, encodingOf(transferSyntaxUid));
      await writeFile(path, Buffer.concat([head, body]));
      const { isAccepted, values } = await dumped(path);
      expect(isAccepted).toBe(true);
      expect([...values.values()].sort()).toEqual(['0012345', '1.2.3', '513']);
    },
  );
});

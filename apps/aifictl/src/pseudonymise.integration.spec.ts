/**
 * Goal: a folder is pseudonymised offline as a gateway would do it, nothing else is touched, and
 * neither output nor report names a patient or a file.
 * Method: phantoms and, where they are, files of the shared test data; a real key file, the real
 * engine and pixel gate; links, a directory of a medium and a text file among the images.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodePart10, DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { sha256Hex } from '@aifi/shared-kernel';
import { loadKeyRing } from '@aifi/shared-site-keys';
import { temporaryFolder } from '@aifi/shared-testing';
import { UsageError } from './command-line.js';
import { pseudonymise } from './pseudonymise-command.js';
import { pseudonymiseReportSchema, type PseudonymiseReport } from './pseudonymise-report.js';
import { runAifictl } from './run.js';
import type { Terminal } from './terminal.js';

const folder = temporaryFolder('aifictl-pseudonymise');
const key = join(folder.path, 'site-keys.json');
beforeAll(() => loadKeyRing({ path: key, mayCreate: true }));
afterAll(() => folder.remove());

const SR = '1.2.840.10008.5.1.4.1.1.88.11';
const IDENTITY = /Berg|0012345|19610403|Elders|1\.2\.3\.4/;
let run = 0;
let input = '';
const place = (name: string): string => join(folder.path, String(run), name);
beforeEach(() => {
  run += 1;
  input = place('in');
  mkdirSync(input, { recursive: true });
});

function anImage(n: number, change: (dataset: DicomDataset) => unknown = () => 0): Buffer {
  const dataset = new DicomDataset()
    .setStrings('ImageType', ['ORIGINAL', 'PRIMARY', 'AXIAL'])
    .setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.2')
    .setString('SOPInstanceUID', `1.2.3.4.1.${n}`)
    .setString('StudyInstanceUID', '1.2.3.4.2')
    .setString('SeriesInstanceUID', '1.2.3.4.3')
    .setString('PatientName', 'Berg^Jan')
    .setString('PatientID', '0012345')
    .setString('PatientBirthDate', '19610403')
    .setString('InstitutionName', 'St. Elders')
    .setString('StudyDate', '20240229')
    .setString('Modality', 'CT')
    .setString('Manufacturer', 'SIEMENS')
    .setString('BodyPartExamined', 'CHEST')
    .setNumbers('InstanceNumber', [n])
    .setNumbers('SamplesPerPixel', [1])
    .setString('PhotometricInterpretation', 'MONOCHROME2')
    .setNumbers('Rows', [64])
    .setNumbers('Columns', [64])
    .setNumbers('BitsAllocated', [16])
    .setNumbers('BitsStored', [12])
    .setNumbers('HighBit', [11])
    .setNumbers('PixelRepresentation', [0])
    .setBytes('PixelData', Buffer.alloc(64 * 64 * 2, n), 'OW');
  change(dataset);
  return encodePart10(dataset);
}
const put = (name: string, bytes: Buffer | string): void => {
  mkdirSync(join(input, name, '..'), { recursive: true });
  writeFileSync(join(input, name), bytes);
};

const options = (extra: object = {}) => ({
  ...{ in: input, out: place('out'), key, report: place('report.json'), ...extra },
});
const commandOf = (extra: object) =>
  ({ name: 'pseudonymise', id: '', options: options(extra) }) as unknown as Parameters<
    typeof pseudonymise
  >[0];
async function report(extra: object = {}): Promise<PseudonymiseReport> {
  await pseudonymise(commandOf(extra));
  return pseudonymiseReportSchema.parse(JSON.parse(readFileSync(place('report.json'), 'utf8')));
}
function outputs(): string[] {
  return readdirSync(place('out'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

describe(pseudonymise.name, () => {
  it('names files by their pseudonyms, in folders of study and series', async () => {
    put('Berg/1.dcm', anImage(1));
    put('Berg/deeper/2.dcm', anImage(2));
    const { files, totals } = await report();
    expect(totals).toMatchObject({ files: 2, passed: 2, quarantined: 0, staysBehind: 0 });
    expect(outputs().sort()).toEqual(
      files
        .map(({ study, series, instance }) => place(`out/${study}/${series}/${instance}.dcm`))
        .sort(),
    );
    for (const [at, { sha256 }] of files.entries()) {
      const path = outputs().find((one) => one.endsWith(`/${files[at]!.instance}.dcm`))!;
      const bytes = readFileSync(path);
      expect(sha256Hex(bytes)).toBe(sha256);
      expect(bytes.toString('latin1')).not.toMatch(IDENTITY);
      expect(decodePart10(bytes).dataset.string('PatientIdentityRemoved')).toBe('YES');
    }
  });

  it('tells what was done with every attribute, and no value and no file name', async () => {
    put('Berg^Jan.dcm', anImage(1));
    const { attributes, options: claimed } = await report();
    const text = readFileSync(place('report.json'), 'utf8');
    expect(text).not.toMatch(IDENTITY);
    expect(text).not.toContain(input);
    expect(attributes).toContainEqual({
      ...{ tag: '(0008,0080)', keyword: 'InstitutionName', within: [] },
      ...{ action: 'removed', count: 1 },
    });
    expect(claimed.map(({ code }) => code)).toContain('113100');
  });

  it('gives the same bytes again for the same key', async () => {
    put('1.dcm', anImage(1));
    const first = await report();
    const second = await report({ out: place('again'), report: place('again.json') }).catch(
      () => 0,
    );
    const again = JSON.parse(readFileSync(place('again.json'), 'utf8')) as PseudonymiseReport;
    expect(second).not.toBe(0);
    expect(again.files).toEqual(first.files);
  });

  it('works with the key file of an older release, and leaves it as it is', async () => {
    put('1.dcm', anImage(1));
    const wanted = await report();
    const file = JSON.parse(readFileSync(key, 'utf8')) as { epochs: [{ keys: object }] };
    const old = { epoch: 1, ...file.epochs[0].keys, vault: undefined, index: undefined };
    const text = JSON.stringify(old);
    const oldKey = place('old-keys.json');
    writeFileSync(oldKey, text, { mode: 0o600 });
    const again = { key: oldKey, out: place('again'), report: place('again.json') };
    await pseudonymise(commandOf(again));
    const { files } = pseudonymiseReportSchema.parse(
      JSON.parse(readFileSync(place('again.json'), 'utf8')),
    );
    expect(files).toEqual(wanted.files);
    expect(readFileSync(oldKey, 'utf8')).toBe(text);
    expect(existsSync(`${oldKey}.v1`)).toBe(false);
  });

  it('leaves behind what no product asks for, and quarantines what may not leave', async () => {
    put('a-note.txt', 'Berg^Jan');
    put(
      'b-report.dcm',
      anImage(1, (d) => d.setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.88.11')),
    );
    put('c-cut.dcm', anImage(2).subarray(0, -7));
    put(
      'd-nobody.dcm',
      anImage(3, (d) => d.delete('PatientID')),
    );
    put(
      'e-burned.dcm',
      anImage(4, (d) => d.setString('BurnedInAnnotation', 'YES')),
    );
    put(
      'f-face.dcm',
      anImage(5, (d) => d.setString('BodyPartExamined', 'HEAD')),
    );
    const { files, totals } = await report();
    expect(files.map(({ verdict, code }) => code ?? verdict)).toEqual([
      ...['stays behind', 'stays behind', 'MALFORMED'],
      ...['QUARANTINED_IDENTIFIER', 'QUARANTINED_PIXELS', 'QUARANTINED_PIXELS'],
    ]);
    expect(totals).toMatchObject({ files: 6, passed: 0, quarantined: 4, staysBehind: 2 });
    expect(outputs()).toEqual([]);
  });

  it('does what the contract of the profile says, or that of a manifest', async () => {
    put(
      '1.dcm',
      anImage(1, (d) => d.setString('BodyPartExamined', 'HEAD')),
    );
    writeFileSync(place('profile.yaml'), 'recognisableVisualFeatures: allow\nretain: [sex]\n');
    const { files, contract } = await report({ profile: place('profile.yaml') });
    expect(contract).toMatchObject({ recognisableVisualFeatures: 'allow', retain: ['sex'] });
    expect(files[0]!.verdict).toBe('passed');
  });

  it('follows no link', async () => {
    writeFileSync(place('outside.dcm'), anImage(1));
    symlinkSync(place('outside.dcm'), join(input, 'link.dcm'));
    symlinkSync(folder.path, join(input, 'everything'));
    expect((await report()).totals).toMatchObject({ files: 0, passedOver: 2 });
  });

  it('withdraws a study that names two patients', async () => {
    put('1.dcm', anImage(1));
    put(
      '2.dcm',
      anImage(2, (d) => d.setString('PatientID', '0099999')),
    );
    const { totals, withdrawn, files } = await report();
    expect(withdrawn).toEqual([{ study: files[0]!.study, files: 2 }]);
    expect(totals).toMatchObject({ passed: 0, quarantined: 2, bytesWritten: 0 });
    expect(outputs()).toEqual([]);
  });

  const refused: [string, (dataset: DicomDataset) => unknown][] = [
    ['held for its pixels', (d) => d.setString('BurnedInAnnotation', 'YES')],
    ['of a class that nobody asks for', (d) => d.setString('SOPClassUID', SR)],
    ['that names no patient', (d) => d.delete('PatientID')],
    [
      'with other content of the same instance',
      (d) => d.setString('SOPInstanceUID', '1.2.3.4.1.1'),
    ],
  ];
  it.each(refused)(
    'withdraws it also when the second patient is in a file %s',
    async (_, change) => {
      put('1.dcm', anImage(1));
      put(
        '2.dcm',
        anImage(2, (d) => change(d.setString('PatientID', '0099999'))),
      );
      const { totals, withdrawn, files } = await report();
      expect(files.map(({ verdict }) => verdict === 'passed')).toEqual([true, false]);
      expect(withdrawn).toEqual([{ study: files[0]!.study, files: 1 }]);
      expect(totals).toMatchObject({ passed: 0, bytesWritten: 0 });
      expect(outputs()).toEqual([]);
    },
  );

  it('withdraws it when the refused file came first, and reports no study without output', async () => {
    const other = (n: number, study: string) =>
      anImage(n, (d) =>
        d
          .setString('StudyInstanceUID', study)
          .setString('PatientID', `009999${n}`)
          .setString('BurnedInAnnotation', 'YES'),
      );
    put('1.dcm', other(1, '1.2.3.4.2'));
    put('2.dcm', anImage(2));
    put('3.dcm', other(3, '1.2.3.4.9'));
    put('4.dcm', other(4, '1.2.3.4.9'));
    const { withdrawn, files } = await report();
    expect(withdrawn).toEqual([{ study: files[1]!.study, files: 1 }]);
    expect(outputs()).toEqual([]);
  });

  it('takes two spellings of one patient number for one patient, as the engine does', async () => {
    for (const [n, id] of ['a123456', 'A123456', ' A123456 '].entries()) {
      put(
        `${n}.dcm`,
        anImage(n + 1, (d) => d.setString('PatientID', id)),
      );
    }
    const { totals, withdrawn } = await report();
    expect(withdrawn).toEqual([]);
    expect(totals).toMatchObject({ passed: 3, quarantined: 0 });
  });

  it('takes an instance twice only when it is the same', async () => {
    put('1.dcm', anImage(1));
    put('2.dcm', anImage(1));
    put(
      '3.dcm',
      anImage(1, (d) => d.setBytes('PixelData', Buffer.alloc(64 * 64 * 2, 9), 'OW')),
    );
    const { files } = await report();
    expect(files.map(({ verdict, code }) => code ?? verdict).sort()).toEqual([
      ...['CONFLICTING_INSTANCE', 'passed', 'passed'],
    ]);
    expect(outputs()).toHaveLength(1);
  });

  it.each([
    ['no key file', { key: '/absent/keys.json' }],
    ['no input', { in: '/absent/folder' }],
    ['output inside of the input', { out: 'IN/out' }],
    ['a profile that is none', { profile: 'PROFILE' }],
    ['a site that is none', { site: 'site a' }],
  ])('refuses %s, and writes nothing', async (_, change) => {
    put('1.dcm', anImage(1));
    writeFileSync(place('profile.json'), '{"everything":"allow"}');
    const settled = Object.fromEntries(
      Object.entries(change as Record<string, string>).map(([name, value]) => [
        name,
        value.replace('IN', input).replace('PROFILE', place('profile.json')),
      ]),
    );
    await expect(pseudonymise(commandOf(settled))).rejects.toThrow(UsageError);
    expect(existsSync(place('report.json'))).toBe(false);
    expect(existsSync('/absent')).toBe(false);
  });

  it('writes over nothing: neither files of the output nor a report', async () => {
    put('1.dcm', anImage(1));
    mkdirSync(place('out'));
    writeFileSync(place('out/there'), 'x');
    await expect(report()).rejects.toThrow('not empty');
    writeFileSync(place('taken.json'), 'x');
    const extra = { out: place('fresh'), report: place('taken.json') };
    await expect(report(extra)).rejects.toThrow('is there');
    expect(readFileSync(place('taken.json'), 'utf8')).toBe('x');
  });

  it('tells by its exit code whether everything passed', async () => {
    put('1.dcm', anImage(1));
    const told: string[] = [];
    const terminal = {
      environment: {},
      out: (text: string) => void told.push(text),
      error: () => undefined,
    } as unknown as Terminal;
    const args = ['pseudonymise', '--in', input, '--key', key, '--json', place('report.json')];
    expect(await runAifictl([...args, '--out', place('out')], terminal)).toBe(0);
    expect(told.join('')).toContain('1 file: 1 passed, 0 quarantined, 0 stay behind');
    put(
      '2.dcm',
      anImage(2, (d) => d.delete('PatientID')),
    );
    const again = args.with(-1, place('second.json'));
    expect(await runAifictl([...again, '--out', place('second')], terminal)).toBe(1);
    expect(await runAifictl(args.slice(0, 3), terminal)).toBe(2);
    expect(await runAifictl(['pseudonymise', 'verify', place('out')], terminal)).toBe(0);
  });
});

const corpus = join(import.meta.dirname, '../../../../shared/data/dicom/ct-single');
(existsSync(corpus) ? describe : describe.skip)('a folder of real files', () => {
  it('has one verdict for each file, and the patients of none in its output', async () => {
    cpSync(corpus, input, { recursive: true });
    const { files, totals } = await report();
    expect(files.length).toBe(totals.files);
    expect(totals.passed + totals.quarantined + totals.staysBehind).toBe(totals.files);
    expect(outputs()).toHaveLength(totals.passed);
  }, 120_000);
});

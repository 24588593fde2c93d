/**
 * Goal: the verification of a folder knows what the profile keeps, compares with the originals when
 * it is given them, and says which checks it did not make; a profile takes the blocks of a
 * gateway's configuration, so that the command gives the verdicts of that gateway.
 * Method: phantoms of a maker that no gate knows by itself; the whole program, with a real key
 * file, engine and pixel gate.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodePart10, type DicomDataset } from '@aifi/dicom-core';
import { phantomFile } from '@aifi/dicom-deidentification-check';
import { loadKeyRing } from '@aifi/shared-site-keys';
import { hasPeers, temporaryFolder } from '@aifi/shared-testing';
import { pseudonymiseReportSchema, type PseudonymiseReport } from './pseudonymise-report.js';
import type { VerifyDocument } from './pseudonymise-verify.js';
import { runAifictl } from './run.js';
import type { Terminal } from './terminal.js';

const folder = temporaryFolder('aifictl-verify');
const key = join(folder.path, 'site-keys.json');
beforeAll(() => loadKeyRing({ path: key, mayCreate: true }));
afterAll(() => folder.remove());

let run = 0;
const place = (name: string): string => join(folder.path, String(run), name);
beforeEach(() => {
  run += 1;
  mkdirSync(place('in'), { recursive: true });
});

async function aifictl(...args: string[]): Promise<{ code: number; text: string }> {
  const told: string[] = [];
  const out = (text: string): void => void told.push(text);
  const terminal = { environment: {}, out, error: out } as unknown as Terminal;
  const code = await runAifictl(args, terminal);
  return { code, text: told.join('') };
}
const put = (change: (dataset: DicomDataset) => unknown = () => 0): void =>
  writeFileSync(
    place('in/1.dcm'),
    phantomFile('CT', { change: (dataset) => void change(dataset) }),
  );
const profile = (document: object): string[] => {
  writeFileSync(place('profile.json'), JSON.stringify(document));
  return ['--profile', place('profile.json')];
};
/** The phantoms' maker counts as a scanner of this site. */
const OWN = { pixelGate: { manufacturers: ['ACME'] } };

async function pseudonymise(words: readonly string[]): Promise<PseudonymiseReport> {
  const args = ['--in', place('in'), '--out', place('out'), '--key', key];
  await aifictl('pseudonymise', ...args, '--json', place('report.json'), ...words);
  return pseudonymiseReportSchema.parse(JSON.parse(readFileSync(place('report.json'), 'utf8')));
}
async function verify(...words: string[]): Promise<VerifyDocument & { readonly code: number }> {
  const args = ['pseudonymise', 'verify', place('out'), ...words];
  const { code, text } = await aifictl(...args, '--json');
  return { ...(JSON.parse(text) as VerifyDocument), code };
}
function outputPath(): string {
  const found = readdirSync(place('out'), { recursive: true, withFileTypes: true });
  const file = found.find((entry) => entry.isFile())!;
  return join(file.parentPath, file.name);
}
const output = (): DicomDataset => decodePart10(readFileSync(outputPath())).dataset;

describe('a profile with blocks of a gateway', () => {
  it('names the scanners of the site, without which a person would look', async () => {
    put();
    const held = await pseudonymise([]);
    expect(held.files[0]).toMatchObject({ verdict: 'quarantined', code: 'QUARANTINED_PIXELS' });
    run += 1;
    mkdirSync(place('in'), { recursive: true });
    put();
    const passed = await pseudonymise(profile(OWN));
    expect(passed.files[0]).toMatchObject({ verdict: 'passed' });
    expect(passed).toMatchObject(OWN);
  });

  it('lets images through whose identity was removed elsewhere only where the site does', async () => {
    put((dataset) => dataset.setString('PatientIdentityRemoved', 'YES'));
    const refused = await pseudonymise(profile(OWN));
    expect(refused.files[0]).toMatchObject({ code: 'QUARANTINED_IDENTIFIER' });
    const deidentification = { identityRemovedElsewhere: 'allow' };
    run += 1;
    mkdirSync(place('in'), { recursive: true });
    put((dataset) => dataset.setString('PatientIdentityRemoved', 'YES'));
    const allowed = await pseudonymise(profile({ ...OWN, deidentification }));
    expect(allowed.files[0]).toMatchObject({ verdict: 'passed' });
  });

  it('removes all dates where the site says so, whatever the contract says', async () => {
    put();
    const words = profile({
      ...{ ...OWN, contract: { dates: 'shift' }, deidentification: { dates: 'remove' } },
    });
    const { contract, options } = await pseudonymise(words);
    expect(contract.dates).toBe('remove');
    expect(options.map(({ code }) => code)).not.toContain('113107');
    expect(output().string('StudyDate')).toBeUndefined();
    expect(await verify(...words)).toMatchObject({ code: 0, passed: true, findings: [] });
  });

  it('knows the birth dates that the site writes when it knows none', async () => {
    const unknown = (dataset: DicomDataset): void => {
      dataset.setString('PatientBirthDate', '19510203').delete('PatientAge');
    };
    put(unknown);
    await pseudonymise(profile(OWN));
    expect(output().string('PatientAge')).toBe('068Y');
    run += 1;
    mkdirSync(place('in'), { recursive: true });
    put(unknown);
    const deidentification = { placeholderBirthDates: ['19510203'] };
    await pseudonymise(profile({ ...OWN, deidentification }));
    expect(output().string('PatientAge')).toBeUndefined();
  });

  it.each([
    { deidentification: { dates: 'keep' } },
    { pixelGate: { manufacturers: ['ACME'], tier: 'none' } },
    { contract: { retain: ['name'] } },
  ])('is refused when a word of it is not known: %j', async (document) => {
    put();
    const args = ['--in', place('in'), '--out', place('out'), '--key', key, '--json', place('r')];
    const { code, text } = await aifictl('pseudonymise', ...args, ...profile(document));
    expect([code, text]).toEqual([2, expect.stringContaining('--profile holds no contract')]);
  });
});

describe('pseudonymise verify', () => {
  it('knows from the profile what is kept of the patient', async () => {
    put((dataset) => dataset.setNumbers('PatientSize', [1.75]).setNumbers('PatientWeight', [70.5]));
    const words = profile({ ...OWN, contract: { retain: ['age', 'sex', 'size', 'weight'] } });
    await pseudonymise(words);
    expect(output().numbers('PatientWeight')).toEqual([70.5]);
    const blind = await verify();
    expect(blind).toMatchObject({ code: 1, passed: false });
    expect(blind.findings.map(({ path }) => path)).toEqual(['(0010,1020)', '(0010,1030)']);
    expect(await verify(...words)).toMatchObject({ code: 0, passed: true, findings: [] });
    const beside = await verify(...words, '--originals', place('in'));
    expect(beside).toMatchObject({ code: 0, passed: true, findings: [] });
  });

  it('sees other pixels beside the originals only, and says so', async () => {
    put();
    await pseudonymise(profile(OWN));
    const bytes = readFileSync(outputPath());
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(outputPath(), bytes);
    const blind = await verify();
    expect(blind).toMatchObject({ code: 0, passed: true });
    expect(blind.notRun.flatMap(({ checks }) => checks)).toContain('pixels.changed');
    const beside = await verify('--originals', place('in'));
    expect(beside).toMatchObject({ code: 1, passed: false });
    expect(beside.findings.map(({ check }) => check)).toEqual(['pixels.changed']);
    expect(beside.notRun.flatMap(({ checks }) => checks)).not.toContain('pixels.changed');
  });

  it('says on the terminal what was not checked, and why', async () => {
    put();
    await pseudonymise(profile(OWN));
    const { code, text } = await aifictl('pseudonymise', 'verify', place('out'));
    expect(code).toBe(0);
    expect(text).toContain('1 file: passed, 0 findings\n');
    expect(text).toContain(
      '  not checked  text.known, uid.mapping, date.interval, pixels.changed, set.original: ' +
        'without the originals nothing is compared with what was received\n',
    );
    expect(text).toContain('  not checked  validator.object: ');
    const beside = await verify('--originals', place('in'));
    const validators = hasPeers('dciodvfy', 'dcentvfy')
      ? []
      : ['validator.object', 'validator.set'];
    expect(beside.notRun.flatMap(({ checks }) => checks)).toEqual(['marker.found', ...validators]);
  });

  it('takes no folder that is not there', async () => {
    const { code, text } = await aifictl('pseudonymise', 'verify', place('absent'));
    expect([code, text]).toEqual([2, expect.stringContaining('the folder is not there')]);
    const words = ['--originals', place('absent')];
    const other = await aifictl('pseudonymise', 'verify', place('in'), ...words);
    expect([other.code, other.text]).toEqual([2, expect.stringContaining('--originals')]);
  });
});

/**
 * Goal: the last look sends under the patient whom the PACS shows, or not at all (C7).
 * Method: a fake PACS that shows other identities, an explainer that knows some of them and writes
 * real files; a real database in a temporary folder.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { decodePart10, encodePart10 } from '@aifi/dicom-core';
import type { StudyMatch } from '@aifi/dicom-dimse';
import { writeDurableFile } from '@aifi/shared-kernel';
import { MATCH } from './fake-pacs.js';
import { LastLook, type RewrittenObject, type WaitingObject } from './last-look.js';
import { compareIdentity } from './pacs-identity.js';
import { instanceOf, studyOf, TestDeliveries } from './test-deliveries.js';

const MERGED: StudyMatch = { ...MATCH, patientId: 'P-2', patientBirthDate: '' };
const result: StudyMatch = { ...MATCH, patientName: 'Berg^Jan', accessionNumber: 'A1' };

describe(LastLook.name, () => {
  let test: TestDeliveries;
  let asked: StudyMatch[];
  let known: Set<string>;
  beforeEach(async () => {
    test = new TestDeliveries();
    asked = [];
    known = new Set(['P-1', 'P-2']);
    test.explainer = { explain: rewrite };
    test.sut = test.makeSut();
    await test.queue(0);
  });
  afterEach(() => test.close());

  /** Knows some patients, and writes the object anew with the one that is shown. */
  async function rewrite(
    { path }: WaitingObject,
    shown: StudyMatch,
  ): Promise<RewrittenObject | undefined> {
    asked.push(shown);
    const id = shown.patientId.trim();
    if (!known.has(id)) return undefined;
    const { dataset } = decodePart10(await readFile(path));
    const bytes = encodePart10(dataset.setString('PatientID', id).setString('PatientName', 'New'));
    return writeDurableFile(path.replace(/dcm$/, `${asked.length}.dcm`), bytes);
  }
  const row = () =>
    test.database.read((sql) =>
      sql.get<{ path: string; state: string; sha256: string }>(
        'SELECT path, state, sha256 FROM delivery',
      )!,
    );

  it('sends the object with the identity that the PACS shows, when that is explained', async () => {
    const before = row();
    test.pacs.matches = [MERGED];
    await test.work(1);
    expect(test.job()).toMatchObject({ state: 'RESULT_IN_PACS' });
    const after = row();
    expect(after.sha256).not.toBe(before.sha256);
    expect(existsSync(before.path)).toBe(false);
    const { dataset } = decodePart10(readFileSync(after.path));
    expect(dataset.string('PatientID')).toBe('P-2');
    expect(dataset.string('SOPInstanceUID')).toBe(instanceOf(0, 0));
    expect([...test.pacs.listed.keys()]).toEqual([instanceOf(0, 0)]);
    expect(test.events()).toContain('rewritten');
  });

  it('holds what is not explained, without another file', async () => {
    const before = row();
    test.pacs.matches = [{ ...MATCH, patientId: 'P-3' }];
    await test.work(2);
    expect(test.job()).toEqual({ state: 'HELD', code: 'IDENTITY_UNEXPLAINED' });
    expect(row()).toEqual(before);
    expect(test.pacs.stored).toEqual([]);
  });

  it('looks again at what it held, once more was said of the patient, and only then', async () => {
    let version = 1;
    test.explainer!.identityVersion = () => version;
    test.pacs.matches = [{ ...MATCH, patientId: 'P-3' }];
    await test.work(1);
    expect(test.job()).toMatchObject({ state: 'HELD' });
    expect(await test.sut.resumeExplained()).toBe(0);
    version += 1;
    expect(await test.sut.resumeExplained()).toBe(1);
    expect(test.job()).toEqual({ state: 'REIDENTIFIED', code: null });
    // Still unexplained: it is held again, and stays so.
    await test.work(1);
    expect(test.job()).toEqual({ state: 'HELD', code: 'IDENTITY_UNEXPLAINED' });
    expect(await test.sut.resumeExplained()).toBe(0);
    known.add('P-3');
    version += 1;
    expect(await test.sut.resumeExplained()).toBe(1);
    await test.work(2);
    expect(test.job()).toMatchObject({ state: 'RESULT_IN_PACS' });
    expect(test.pacs.stored).toHaveLength(1);
    expect(test.events()).toEqual(expect.arrayContaining(['held', 'resumed', 'rewritten']));
  });

  it('looks again when the clock was set back after it held', async () => {
    let version = 1;
    test.explainer!.identityVersion = () => version;
    test.pacs.matches = [{ ...MATCH, patientId: 'P-3' }];
    await test.work(1);
    test.clock.advance(-3_600_000);
    known.add('P-3');
    version += 1;
    expect(await test.sut.resumeExplained()).toBe(1);
    test.clock.advance(3_600_000);
    await test.work(2);
    expect(test.job()).toMatchObject({ state: 'RESULT_IN_PACS' });
  });

  it('looks again when the hospital spoke while it looked', async () => {
    let version = 1;
    const { explain } = test.explainer!;
    test.explainer!.identityVersion = () => version;
    test.explainer!.explain = async (object, shown) => {
      const file = await explain(object, shown);
      version += 1;
      return file;
    };
    test.pacs.matches = [{ ...MATCH, patientId: 'P-3' }];
    await test.work(1);
    expect(test.job()).toMatchObject({ state: 'HELD' });
    expect(await test.sut.resumeExplained()).toBe(1);
  });

  it('asks for no explanation when the study is under two patients', async () => {
    test.pacs.matches = [MATCH, MERGED];
    await test.work(2);
    expect(test.job()).toMatchObject({ state: 'HELD' });
    expect(asked).toEqual([]);
  });

  it('holds when the rewritten object still names another patient', async () => {
    const { explain } = test.explainer!;
    test.explainer = { explain: (object) => explain(object, MATCH) };
    test.sut = test.makeSut();
    test.pacs.matches = [{ ...MATCH, patientId: 'P-3' }];
    await test.work(2);
    expect(test.job()).toMatchObject({ state: 'HELD' });
    expect(test.pacs.stored).toEqual([]);
  });

  it('waits for a PACS that shows yet another patient at every look', async () => {
    let looks = 0;
    const show = test.pacs.findStudy.bind(test.pacs);
    test.pacs.findStudy = (study) => {
      looks += 1;
      test.pacs.matches = [{ ...MATCH, patientId: `P-${looks + 10}` }];
      known.add(`P-${looks + 10}`);
      return show(study);
    };
    await test.drain();
    expect(row()).toMatchObject({ state: 'QUEUED' });
    expect(test.job()).toMatchObject({ state: 'REIDENTIFIED' });
    test.pacs.findStudy = show;
    await test.work(2);
    expect(test.job()).toMatchObject({ state: 'RESULT_IN_PACS' });
    expect(test.pacs.stored).toHaveLength(1);
  });

  it('delivers to the same patient under another name as it is, when that is unexplained', async () => {
    known.clear();
    await test.database.write((sql) => sql.run('DELETE FROM journal'));
    const named = await rewriteName('Berg^Jan');
    test.pacs.matches = [{ ...MATCH, patientName: 'Vries^Anna' }];
    await test.work(1);
    expect(asked).toHaveLength(1);
    expect(test.job()).toMatchObject({ state: 'RESULT_IN_PACS' });
    expect(row().sha256).toBe(named);
  });
  async function rewriteName(name: string): Promise<string> {
    const { path } = row();
    const { dataset } = decodePart10(readFileSync(path));
    const file = await writeDurableFile(path, encodePart10(dataset.setString('PatientName', name)));
    await test.database.write((sql) => sql.run('UPDATE delivery SET sha256 = ?', file.sha256));
    return file.sha256;
  }

  it('never rewrites an object that is stored, whoever the patient is by then', async () => {
    test.pacs.isIndexing = false;
    await test.work(1);
    const stored = row();
    expect(stored.state).toBe('STORED');
    test.pacs.matches = [MERGED];
    test.pacs.isIndexing = true;
    await test.work(3);
    expect(row()).toEqual({ ...stored, state: 'VERIFIED' });
    expect(asked).toEqual([]);
  });

  it('asks whether an object is there before it makes another of it', async () => {
    test.pacs.answers = ['silent'];
    await test.drain();
    test.pacs.matches = [MERGED];
    await test.work(3);
    expect(asked).toEqual([]);
    expect(test.pacs.stored).toHaveLength(1);
    expect(test.job()).toMatchObject({ state: 'RESULT_IN_PACS' });
  });

  it('sends nothing whose bytes are not those on record', async () => {
    const { path } = row();
    const bytes = readFileSync(path);
    bytes[bytes.length - 2] = bytes[bytes.length - 2]! ^ 1;
    await writeDurableFile(path, bytes);
    await test.work(1);
    expect(test.job()).toEqual({ state: 'QUARANTINED', code: 'OUTPUT_INVALID' });
    expect(test.pacs.stored).toEqual([]);
  });
});

describe(compareIdentity.name, () => {
  const cases: [string, Partial<StudyMatch>[], ReturnType<typeof compareIdentity>][] = [
    ['nothing', [], 'absent'],
    ['another study', [{ studyInstanceUid: studyOf(9) }], 'absent'],
    ['the same', [{}], 'same'],
    ['no optional value', [{ patientBirthDate: '', accessionNumber: '', patientName: '' }], 'same'],
    ['the name in capitals', [{ patientName: 'BERG^JAN^^' }], 'same'],
    ['the name with other groups', [{ patientName: 'Berg^Jan=x=y' }], 'same'],
    ['another name', [{ patientName: 'Vries^Anna' }], 'renamed'],
    ['one of several accession numbers', [{ accessionNumber: 'A0\\A1' }], 'same'],
    ['another accession number', [{ accessionNumber: 'A2' }], 'different'],
    ['another birth date', [{ patientBirthDate: '19700103' }], 'different'],
    ['another number', [{ patientId: 'P-2' }], 'different'],
    ['the same twice', [{}, {}], 'same'],
    ['two patients', [{}, { patientId: 'P-2' }], 'mixed'],
    ['two issuers', [{ issuerOfPatientId: 'A' }, { issuerOfPatientId: 'B' }], 'mixed'],
  ];
  it.each(cases)('of %s', (_, shown, verdict) => {
    const matches = shown.map((over) => ({ ...result, ...over }));
    expect(compareIdentity({ ...result, issuerOfPatientId: '' }, matches)).toBe(verdict);
  });
});

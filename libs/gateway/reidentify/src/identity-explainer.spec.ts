/**
 * Goal: another identity in the PACS is taken over when the hospital has spoken of it, in the
 * words of the PACS, and never otherwise; for one identity the bytes are always the same.
 * Method: a real vault and event log, an object on disk, answers of a PACS as deliver hands them.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodePart10, DicomDataset, encodePart10 } from '@aifi/dicom-core';
import type { StudyMatch } from '@aifi/dicom-dimse';
import { applyIdentityEvent, IdentityEventLog, identityOf, Vault } from '@aifi/gateway-vault';
import { jobId, originalUid, pseudonymousUid, writeDurableFile } from '@aifi/shared-kernel';
import { keyRingOf } from '@aifi/shared-site-keys';
import {
  FakeClock,
  fakeSiteKeys,
  temporaryFolder,
  type TemporaryFolder,
} from '@aifi/shared-testing';
import { IdentityExplainer } from './identity-explainer.js';

const STUDY = originalUid('1.2.3.1');
const ring = keyRingOf(fakeSiteKeys());
const received = new DicomDataset()
  .setString('SpecificCharacterSet', 'ISO_IR 100')
  .setString('PatientName', 'Berg^Jan')
  .setString('PatientID', 'P1')
  .setString('IssuerOfPatientID', 'ZKH')
  .setString('PatientBirthDate', '19610403')
  .setString('AccessionNumber', 'A1')
  .setString('StudyInstanceUID', STUDY);
const SHOWN: StudyMatch = {
  ...{ studyInstanceUid: STUDY, patientId: 'P1', issuerOfPatientId: 'ZKH', patientSex: '' },
  ...{ patientName: '', patientBirthDate: '', accessionNumber: '' },
};

describe(IdentityExplainer.name, () => {
  let folder: TemporaryFolder;
  let vault: Vault;
  let events: IdentityEventLog;
  let sut: IdentityExplainer;
  let path: string;
  beforeEach(async () => {
    folder = temporaryFolder('explainer');
    vault = Vault.open(join(folder.path, 'vault.db'), ring);
    events = IdentityEventLog.open(join(folder.path, 'identity-events.db'), ring);
    sut = new IdentityExplainer({ vault, events, clock: new FakeClock() });
    const uids = { studyUid: STUDY, seriesUid: originalUid('1.2.3.1.1') };
    const linkage = { ...uids, pseudonymousStudyUid: pseudonymousUid('2.25.1'), epoch: 1 };
    const asSent = identityOf(received);
    await vault.recordLinkage({ jobId: jobId('1'.repeat(32)), ...linkage, asSent }, new Map(), 1);
    const object = new DicomDataset()
      .setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.7')
      .setString('Modality', 'OT')
      .setString('SOPInstanceUID', '2.25.9')
      .setString('SeriesInstanceUID', '2.25.8');
    for (const element of received) object.put(element);
    path = (await writeDurableFile(join(folder.path, '0-0.dcm'), encodePart10(object))).path;
    await merge('P1', 'P2', 1_000);
  });
  afterEach(() => {
    events.close();
    vault.close();
    folder.remove();
  });
  const merge = (from: string, into: string, happenedMs: number) =>
    applyIdentityEvent(
      { vault, events },
      {
        ...{ eventId: `${from}-${into}`, trigger: 'A40' as const, happenedMs },
        ...{ from: { id: from, issuer: 'ZKH' }, into: { id: into, issuer: 'ZKH' } },
        demographics: { name: 'Vries^Anna', birthDate: '19700102', sex: 'F' as const },
      },
      2_000,
    );
  const explained = async (over: Partial<StudyMatch>): Promise<DicomDataset | undefined> => {
    const file = await sut.explain({ studyUid: STUDY, path }, { ...SHOWN, ...over });
    return file && decodePart10(readFileSync(file.path)).dataset;
  };

  it('takes over an older and a newer identity of the history', async () => {
    const newer = await explained({ patientId: 'P2' });
    expect(newer?.string('PatientName')).toBe('Vries^Anna');
    expect(newer?.string('PatientBirthDate')).toBe('19700102');
    const older = await explained({ patientId: 'P1' });
    expect(older?.string('PatientName')).toBe('Berg^Jan');
    expect(older?.string('SOPInstanceUID')).toBe('2.25.9');
  });

  it('takes the values that the PACS shows, also in another character set', async () => {
    const shown = { patientId: 'P2', patientName: 'Vries-Żak^Anna', patientSex: 'O' };
    const dataset = await explained(shown);
    expect(dataset?.string('PatientName')).toBe('Vries-Żak^Anna');
    expect(dataset?.string('PatientSex')).toBe('O');
    expect(dataset?.string('SpecificCharacterSet')).toBe('ISO_IR 192');
    const last = vault.identityHistory(STUDY).at(-1)!;
    expect([last.source, last.identity.fields.PatientName]).toEqual(['pacs', 'Vries-Żak^Anna']);
    await explained(shown);
    expect(vault.identityHistory(STUDY).at(-1)!.sequence).toBe(last.sequence);
  });

  const strangers: [string, Partial<StudyMatch>][] = [
    ['a number that nobody spoke of', { patientId: 'P3' }],
    ['a number in another case', { patientId: 'p2' }],
    ['another issuer', { patientId: 'P2', issuerOfPatientId: 'ELDERS' }],
    ['a birth date that is not of this number', { patientId: 'P2', patientBirthDate: '19610403' }],
    ['another accession number', { patientId: 'P2', accessionNumber: 'A9' }],
  ];
  it.each(strangers)('does not explain %s', async (_, shown) => {
    const before = vault.identityHistory(STUDY).length;
    expect(await explained(shown)).toBeUndefined();
    expect(vault.identityHistory(STUDY)).toHaveLength(before);
  });

  it('explains a patient that a later message has spoken of, from then on', async () => {
    expect(await explained({ patientId: 'P4' })).toBeUndefined();
    await merge('P2', 'P4', 3_000);
    expect((await explained({ patientId: 'P4' }))?.string('PatientID')).toBe('P4');
  });

  it('gives the same bytes for an identity each time, and leaves the old file', async () => {
    const object = { studyUid: STUDY, path };
    const before = readFileSync(path);
    const first = await sut.explain(object, { ...SHOWN, patientId: 'P2' });
    const other = await sut.explain({ ...object, path: first!.path }, SHOWN);
    const again = await sut.explain(
      { ...object, path: other!.path },
      { ...SHOWN, patientId: 'P2' },
    );
    expect(again).toEqual(first);
    expect(readFileSync(path)).toEqual(before);
  });
});

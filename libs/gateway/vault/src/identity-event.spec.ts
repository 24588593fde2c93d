/**
 * Goal: whatever the order in which identity events arrive, the history of a study ends with the
 * patient that the hospital means, and no value is lost by its character set.
 * Method: a real vault and event log in a temporary folder; property tests over orders of arrival.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { DicomDataset } from '@aifi/dicom-core';
import { AifiError, jobId, originalUid, pseudonymousUid } from '@aifi/shared-kernel';
import { keyRingOf } from '@aifi/shared-site-keys';
import { fakeSiteKeys, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { erasureListPath } from './erasure-list.js';
import { applyIdentityEvent, settleIdentity } from './identity-event-apply.js';
import { changedIdentity } from './identity-event-encoding.js';
import { IdentityEventLog } from './identity-event-log.js';
import { encodeText } from './identity-event-text.js';
import { type IdentityEventInput } from './identity-event.js';
import { identityElements, identityOf, type Identity } from './identity.js';
import { Vault } from './vault.js';

const STUDY = originalUid('1.2.3');
const ring = keyRingOf(fakeSiteKeys());
const patient = (id: string, issuer = 'ZKH') => ({ id, issuer });
type P = ReturnType<typeof patient>;
const sex = (sex: 'F' | 'O') => ({ demographics: { sex } });
const event = (
  eventId: string,
  trigger: IdentityEventInput['trigger'],
  over: Partial<IdentityEventInput> = {},
): IdentityEventInput => {
  const from = over.from ?? patient('P1');
  const isUpdate = trigger === 'A08' || trigger === 'A31';
  return {
    ...{ eventId, trigger, happenedMs: 1_000, from, into: isUpdate ? from : patient('P2') },
    ...(trigger !== 'A37' && { demographics: { name: 'Nieuw^Naam' } }),
    ...over,
  };
};
const aHeader = (name = 'Berg^Jan', set = 'ISO_IR 100'): DicomDataset =>
  new DicomDataset()
    .setString('SpecificCharacterSet', set)
    .put({
      tag: 0x00100010,
      vr: 'PN',
      value: Buffer.from(name.padEnd(2 * Math.ceil(name.length / 2)), 'latin1'),
    })
    .setString('PatientID', 'P1')
    .setString('IssuerOfPatientID', 'ZKH')
    .setString('PatientBirthDate', '19610403')
    .setString('PatientSex', 'M')
    .setString('AccessionNumber', 'ACC1')
    .setString('StudyInstanceUID', STUDY);
const codeOf = (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => AifiError.from(error).code,
  );

describe('identity events upon the vault', () => {
  let folder: TemporaryFolder;
  let vault: Vault;
  let events: IdentityEventLog;
  beforeEach(async () => {
    folder = temporaryFolder('identity-event');
    vault = Vault.open(join(folder.path, 'vault.db'), ring);
    events = IdentityEventLog.open(join(folder.path, 'identity-events.db'), ring);
    await received(identityOf(aHeader()));
  });
  afterEach(() => {
    events.close();
    vault.close();
    folder.remove();
  });
  let jobs = 0;
  const received = (asSent: Identity, studyUid = STUDY): Promise<void> => {
    jobs += 1;
    const linkage = {
      ...{ jobId: jobId(String(jobs).padStart(32, '0')), studyUid, asSent, epoch: 1 },
      ...{ seriesUid: originalUid('1.2.3.4'), pseudonymousStudyUid: pseudonymousUid('2.25.1') },
    };
    return vault.recordLinkage(linkage, new Map(), 500);
  };
  const apply = (input: IdentityEventInput) => applyIdentityEvent({ vault, events }, input, 5_000);
  const ids = (study = STUDY) =>
    vault.identityHistory(study).map(({ identity }) => identity.fields.PatientID);
  const current = (): DicomDataset => identityElements(vault.currentIdentity(STUDY)!);

  it.each(['A40', 'A47', 'A43'] as const)('%s takes the study to the other number', async (is) => {
    expect(await apply(event('1', is))).toBe(1);
    expect(ids()).toEqual(['P1', 'P2']);
    expect(current().string('PatientName')).toBe('Nieuw^Naam');
    expect(vault.studiesOfPatient({ patientId: 'P2', issuer: 'ZKH' })).toEqual([STUDY]);
  });

  it('keeps what an update does not say, and empties what a merge does not say', async () => {
    await apply(event('1', 'A08', { demographics: { birthDate: '19610404' } }));
    expect(current().string('PatientName')).toBe('Berg^Jan');
    expect(current().string('PatientBirthDate')).toBe('19610404');
    await apply(event('2', 'A40', { happenedMs: 2_000 }));
    expect(current().string('PatientBirthDate')).toBeUndefined();
    expect(current().has('PatientSex')).toBe(true);
  });

  it('gives back by an unmerge what the merge took, and nothing else', async () => {
    const own = originalUid('1.2.9');
    const header = aHeader('Vries^Anna').setString('PatientID', 'P2');
    await received(identityOf(header.setString('StudyInstanceUID', own)), own);
    await apply(event('1', 'A40'));
    const undo = { from: patient('P2'), into: patient('P1'), happenedMs: 2_000 };
    await apply(event('2', 'A37', undo));
    expect(ids()).toEqual(['P1', 'P2', 'P1']);
    expect(current().string('PatientName')).toBe('Berg^Jan');
    expect(current().string('PatientSex')).toBe('M');
    expect(ids(own)).toEqual(['P2']);
  });

  it('moves only the visits that an A45 names', async () => {
    const other = originalUid('1.2.9');
    const header = aHeader().setString('StudyInstanceUID', other);
    await received(identityOf(header.setString('AccessionNumber', 'ACC2')), other);
    await apply(event('1', 'A45', { accessionNumbers: ['ACC2'] }));
    expect([ids(), ids(other)]).toEqual([['P1'], ['P1', 'P2']]);
    await apply(event('2', 'A45', { studyUids: [STUDY], happenedMs: 2_000 }));
    expect(ids()).toEqual(['P1', 'P2']);
  });

  it('is about patients of the same issuer, or of none', async () => {
    await apply(event('1', 'A40', { from: patient('P1', 'ELDERS') }));
    expect(ids()).toEqual(['P1']);
    const bare = originalUid('1.2.9');
    const header = aHeader().setString('StudyInstanceUID', bare);
    header.delete('IssuerOfPatientID');
    await received(identityOf(header), bare);
    await apply(event('2', 'A40', { happenedMs: 2_000 }));
    expect(ids(bare)).toEqual(['P1', 'P2']);
    // A header that had no issuer gets none: its objects in the PACS have none either.
    expect(identityElements(vault.currentIdentity(bare)!).has('IssuerOfPatientID')).toBe(false);
  });

  it('takes an event once, and refuses its id with other content', async () => {
    await apply(event('1', 'A40'));
    expect(await apply(event('1', 'A40'))).toBe(0);
    expect(ids()).toEqual(['P1', 'P2']);
    const other = apply(event('1', 'A40', { into: patient('P3') }));
    expect(await codeOf(other)).toBe('STATE_CONFLICT');
  });

  it('applies what came before the study as soon as the study is looked at', async () => {
    const late = originalUid('1.2.9');
    await apply(event('1', 'A40'));
    await received(identityOf(aHeader().setString('StudyInstanceUID', late)), late);
    expect(ids(late)).toEqual(['P1']);
    expect(await settleIdentity({ vault, events }, late, 6_000)).toBe(true);
    expect(await settleIdentity({ vault, events }, late, 6_001)).toBe(false);
    expect(ids(late)).toEqual(['P1', 'P2']);
  });

  it('ends the same for every order of arrival and every repetition', async () => {
    const feedOf = (n: number) => {
      const [p1, p2, p3] = [1, 2, 3].map((p) => patient(`${n}-P${p}`)) as [P, P, P];
      const of = (from: P, into = from) => ({ from, into });
      return [
        event(`${n}-1`, 'A08', { ...of(p1), demographics: { name: 'Berg^J' } }),
        event(`${n}-2`, 'A40', { ...of(p1, p2), happenedMs: 2_000 }),
        event(`${n}-3`, 'A47', { ...of(p2, p3), happenedMs: 3_000 }),
        event(`${n}-4`, 'A37', { ...of(p3, p1), happenedMs: 4_000 }),
        event(`${n}-5`, 'A31', { ...of(p1), ...sex('O'), happenedMs: 5_000, sequence: 2 }),
        event(`${n}-6`, 'A31', { ...of(p1), ...sex('F'), happenedMs: 5_000, sequence: 1 }),
      ];
    };
    const order = fc.shuffledSubarray([...Array(12).keys()], { minLength: 12 });
    const ends = fc.sample(order, { numRuns: 8, seed: 6 }).map(async (order, n) => {
      const study = originalUid(`1.2.9.${n}`);
      const feed = feedOf(n);
      const header = aHeader().setString('StudyInstanceUID', study);
      await received(identityOf(header.setString('PatientID', `${n}-P1`)), study);
      for (const at of order) await apply(feed[at % 6]!);
      const { fields } = vault.currentIdentity(study)!;
      const end = { PatientID: `${n}-P1`, PatientName: 'Berg^J', PatientSex: 'O' };
      expect(fields).toMatchObject(end);
      expect(new Set(ids(study))).toEqual(new Set([`${n}-P1`, `${n}-P2`, `${n}-P3`]));
    });
    await Promise.all(ends);
  }, 30_000);

  const broken: [string, Partial<IdentityEventInput>, IdentityEventInput['trigger']][] = [
    ['an update of two patients', { into: patient('P2') }, 'A08'],
    ['a merge without a name', { demographics: {} }, 'A40'],
    ['a move of no visit', {}, 'A45'],
    ['a value with a backslash', { demographics: { name: 'A\\B' } }, 'A40'],
    ['a date that is none', { demographics: { name: 'A', birthDate: '1961' } }, 'A40'],
  ];
  it.each(broken)('refuses %s', async (_, over, trigger) => {
    expect(await codeOf(apply(event('1', trigger, over)))).toBe('INVALID_ARGUMENT');
    expect(ids()).toEqual(['P1']);
  });

  it('keeps no identity in plain, and reads its rows after a rotation only with the old epoch', () =>
    apply(event('1', 'A40')).then(() => {
      events.close();
      const path = join(folder.path, 'identity-events.db');
      const bytes = readFileSync(path).toString('latin1');
      expect(bytes).not.toMatch(/Nieuw|P2|ZKH/);
      const next = { ...fakeSiteKeys('site-a', 2), index: fakeSiteKeys().index };
      events = IdentityEventLog.open(path, keyRingOf(fakeSiteKeys(), next));
      expect(events.about('P1')).toHaveLength(1);
      events.close();
      events = IdentityEventLog.open(path, keyRingOf(next));
      expect(() => events.about('P1')).toThrow('does not open');
    }));

  it('erases what names a patient, of this issuer or of none', async () => {
    await apply(event('1', 'A40'));
    await apply(event('2', 'A08', { from: patient('P7') }));
    await apply(event('3', 'A08', { from: patient('P2', 'ELDERS') }));
    await apply(event('4', 'A08', { from: patient('P2', '') }));
    expect(await events.erase({ patientId: 'P2', issuer: 'ZKH' })).toBe(2);
    expect(events.about('P1')).toEqual([]);
    expect(events.about('P7')).toHaveLength(1);
    expect(events.about('P2').map(({ eventId }) => eventId)).toEqual(['3']);
    expect(await settleIdentity({ vault, events }, STUDY, 6_000)).toBe(false);
    expect(ids()).toEqual(['P1', 'P2']);
  });

  it('is without whoever is on the erasure list when it opens, but for what came later', async () => {
    await apply(event('1', 'A40'));
    await vault.erasePatient({ patientId: 'P2', issuer: 'ZKH' }, 7_000);
    await events.record(event('9', 'A08', { from: patient('P2') }), 7_001);
    events.close();
    const list = { erasureListPath: erasureListPath(join(folder.path, 'vault.db')) };
    const path = join(folder.path, 'identity-events.db');
    events = IdentityEventLog.open(path, keyRingOf(fakeSiteKeys()), list);
    expect(events.about('P1')).toEqual([]);
    expect(events.about('P2').map(({ eventId }) => eventId)).toEqual(['9']);
  });
});

describe(changedIdentity.name, () => {
  const name = (identity: Identity) => identityElements(identity).string('PatientName');
  const sets = (identity: Identity) => identityElements(identity).string('SpecificCharacterSet');

  it('writes in the character set of the study when that has every character', () => {
    const sut = changedIdentity(identityOf(aHeader('B\xe4cken^Jan')), { name: 'Müller^Zoë' });
    expect([sets(sut), name(sut)]).toEqual(['ISO_IR 100', 'Müller^Zoë']);
    expect(Buffer.from(sut.elements, 'base64').includes(Buffer.from('M\xfcller', 'latin1'))).toBe(
      true,
    );
  });

  it('transcodes the whole identity when it has not, items included', () => {
    const header = aHeader('B\xe4cken^Jan')
      .put({ tag: 0x00081030, vr: 'LO', value: Buffer.from('Kn\xeb', 'latin1').subarray(0, 2) })
      .put({ tag: 0x00080090, vr: 'PN', value: Buffer.from('Zo\xeb ', 'latin1') })
      .setItems('IssuerOfAccessionNumberSequence', [
        new DicomDataset().put({
          tag: 0x00400031,
          vr: 'UT',
          value: Buffer.from('R\xefS ', 'latin1'),
        }),
      ]);
    const before = identityOf(header);
    const sut = identityElements(changedIdentity(before, { name: 'Łukasz^Żak' }));
    expect(sut.string('SpecificCharacterSet')).toBe('ISO_IR 192');
    expect(sut.string('PatientName')).toBe('Łukasz^Żak');
    expect(sut.string('ReferringPhysicianName')).toBe('Zoë');
    expect(sut.items('IssuerOfAccessionNumberSequence')[0]?.string(0x00400031)).toBe('RïS');
  });

  it('changes nothing when nothing is said, and never the study', () => {
    const before = identityOf(aHeader());
    expect(changedIdentity(before, { name: 'Berg^Jan', sex: 'M' })).toBe(before);
    const after = changedIdentity(before, { patient: patient('P9') });
    expect(after.fields.StudyInstanceUID).toBe(STUDY);
  });

  const written: [string, string[], boolean][] = [
    ['Jansen^Piet', ['ISO_IR 100'], true],
    ['Zoë', ['ISO_IR 100'], true],
    ['Žižek', ['ISO_IR 101'], true],
    ['Žižek', ['ISO_IR 100'], false],
    ['Yamada^Tarou=山田^太郎', ['', 'ISO 2022 IR 87'], true],
    ['Łukasz', ['', 'ISO 2022 IR 87'], false],
    ['Łukasz', ['ISO_IR 192'], true],
    ['Zoë', [], true],
  ];
  it.each(written)('writes %s in %j or says that it cannot', (text, characterSets, can) => {
    expect(encodeText(text, characterSets, 'PN') !== undefined).toBe(can);
  });
});

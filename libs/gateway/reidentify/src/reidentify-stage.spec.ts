/**
 * Goal: an outcome becomes delivery rows once, or its coded end, or a quarantine; and one that
 * cannot be handled blocks no other. Method: real SQLite, vault and files in a temporary folder,
 * rows as the downlink leaves them; the stage runs until it has nothing left to do.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  encodeManifest,
  outcomeManifestSchema,
  type OutcomeManifest,
} from '@aifi/contracts-manifests';
import { decodePart10, DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { GATEWAY_MIGRATIONS, GatewayDatabase, type Row } from '@aifi/gateway-database';
import {
  IdentityEventLog,
  identityHmacs,
  identityOf,
  sealEnvelope,
  Vault,
} from '@aifi/gateway-vault';
import {
  jobId,
  objectsDigest,
  originalUid,
  pseudonymousUid,
  sha256Hex,
  siteId,
  Wake,
} from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { keyRingOf } from '@aifi/shared-site-keys';
import {
  fakeSiteKeys,
  FakeClock,
  temporaryFolder,
  type TemporaryFolder,
} from '@aifi/shared-testing';
import { createReidentifyStage } from './index.js';

const SITE = siteId('site-a');
const MODEL = sha256Hex('model');
const SENT = sha256Hex('a slice');
const STUDY_MANIFEST = sha256Hex('study manifest');
const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';
const PSEUDO_STUDY = pseudonymousUid('2.25.1');
const keys = fakeSiteKeys();
const ring = keyRingOf(keys);
const identity = (studyUid: string) =>
  identityOf(
    new DicomDataset()
      .setString('PatientName', 'Berg^Jan')
      .setString('PatientID', '0012345')
      .setString('StudyInstanceUID', studyUid),
  );

/** A clock whose first wait ends the run: the stage has looked and found nothing to do. */
class UntilIdleClock extends FakeClock {
  readonly stop = new AbortController();
  override sleep(): Promise<void> {
    this.stop.abort();
    return Promise.resolve();
  }
}

describe(createReidentifyStage.name, () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  let vault: Vault;
  let done: number;
  beforeEach(() => {
    folder = temporaryFolder('reidentify');
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    vault = Vault.open(join(folder.path, 'vault.db'), ring);
    done = 0;
  });
  afterEach(() => {
    database.close();
    vault.close();
    folder.remove();
  });

  /** Runs a new stage, as after a restart, until nothing is left that it can do. */
  async function work(over: { events?: IdentityEventLog } = {}): Promise<void> {
    const clock = new UntilIdleClock();
    const sut = createReidentifyStage({
      ...{ database, vault, keys: ring, siteId: SITE, dataFolder: folder.path, clock },
      ...{ wake: new Wake(), logger: silentLogger, onDone: () => (done += 1) },
      ...over,
    });
    await sut.run(clock.stop.signal);
  }
  const rows = (statement: string) => database.read((sql) => sql.all<Row>(statement));
  const jobOf = (n: number) => jobId(String(n).padStart(32, '0'));
  const studyUidOf = (n: number) => `1.2.3.${n}`;

  function aResultObject(over: Readonly<Record<string, string>> = {}): Buffer {
    const result = new DicomDataset()
      .setString('SOPClassUID', SECONDARY_CAPTURE)
      .setString('Modality', 'OT')
      .setString('SOPInstanceUID', '2.25.51')
      .setString('SeriesInstanceUID', '2.25.50')
      .setString('StudyInstanceUID', PSEUDO_STUDY)
      .setString('PatientIdentityRemoved', 'YES');
    for (const [keyword, value] of Object.entries(over)) result.setString(keyword, value);
    return encodePart10(result);
  }
  function aManifest(n: number, bytes: Buffer, over: Partial<OutcomeManifest>): Buffer {
    return encodeManifest(outcomeManifestSchema, {
      ...{ schema: 'aifi.outcome-manifest.v1', jobId: jobOf(n), revision: 1, issue: 0 },
      product: { id: 'brain-tissue', version: '1.0.0', modelDigest: MODEL },
      ...{ outcome: 'RESULT', manifestSha256: STUDY_MANIFEST, inputDigest: objectsDigest([SENT]) },
      objects: [
        {
          ...{ index: 0, role: 'SR' },
          sopClassUid: pseudonymousUid(SECONDARY_CAPTURE),
          sopInstanceUid: pseudonymousUid('2.25.51'),
          seriesInstanceUid: pseudonymousUid('2.25.50'),
          ...{ sizeBytes: bytes.length, sha256: sha256Hex(bytes) },
        },
      ],
      mintedUids: [
        { uid: pseudonymousUid('2.25.50'), role: 'series', index: 0 },
        { uid: pseudonymousUid('2.25.51'), role: 'sr', index: 0 },
      ],
      finishedAtMs: 5,
      ...over,
    });
  }
  const notAnalysed: Partial<OutcomeManifest> = {
    ...{ outcome: 'NOT_ANALYSED', code: 'MODEL_FAILED', detail: 'the model ended early' },
    ...{ objects: [], mintedUids: [] },
  };

  /** Everything that exists when the downlink has made outcome `n` durable. */
  async function returned(
    n: number,
    {
      over = {},
      bytes = aResultObject(),
    }: { over?: Partial<OutcomeManifest>; bytes?: Buffer } = {},
  ): Promise<string> {
    const [job, studyUid] = [jobOf(n), originalUid(studyUidOf(n))];
    const asSent = identity(studyUid);
    const linkage = {
      ...{ jobId: job, studyUid, seriesUid: originalUid(`${studyUid}.1`) },
      ...{ pseudonymousStudyUid: PSEUDO_STUDY, epoch: 1, asSent },
    };
    await vault.recordLinkage(linkage, new Map([[PSEUDO_STUDY, studyUid]]), 1);
    const envelope = sealEnvelope(
      {
        ...{ jobId: job, revision: 1, targetId: 'pacs' },
        identityHmacs: { ...identityHmacs(asSent, keys.identity) },
      },
      {
        ...{ siteId: SITE, jobId: job, pseudonymousStudyUid: PSEUDO_STUDY },
        manifestSha256: STUDY_MANIFEST,
      },
      keys,
    );
    const path = join(folder.path, 'inbound', job, '0-0.dcm');
    await mkdir(join(folder.path, 'inbound', job), { recursive: true });
    await writeFile(path, bytes);
    const manifest = aManifest(n, bytes, over);
    await database.write((sql) => {
      sql.run('INSERT INTO study VALUES (?, ?, 1, 1)', n, studyUid);
      sql.run("INSERT INTO study_revision VALUES (?, 1, 1, 'SELECTED')", n);
      sql.run(
        `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
           rule_set_sha256, attestations, state, created_ms)
         VALUES (?, ?, 1, 'brain-tissue', '1.0.0', ?, 'routine', '', '[]', 'RETURNED', 1)`,
        ...[job, n, MODEL],
      );
      sql.run(
        `INSERT INTO spool_job (job_id, revision, manifest, manifest_sha256, envelope, state)
         VALUES (?, 1, x'00', ?, ?, 'STORED')`,
        ...[job, STUDY_MANIFEST, envelope],
      );
      sql.run("INSERT INTO spool_object VALUES (?, ?, 1, 'a.dcm', 1)", job, SENT);
      sql.run(
        "INSERT INTO inbound VALUES (?, 1, 0, ?, ?, ?, 'RECEIVED', 1)",
        ...[job, n, manifest, envelope],
      );
      sql.run(
        'INSERT INTO inbound_object VALUES (?, 1, 0, 0, ?, ?, ?)',
        ...[job, path, sha256Hex(bytes), bytes.length],
      );
    });
    return path;
  }

  it('turns a RESULT into a durable file, one delivery row and REIDENTIFIED, once', async () => {
    await returned(1);
    await work();
    await work();
    expect(rows('SELECT state, code FROM job')).toEqual([{ state: 'REIDENTIFIED', code: null }]);
    expect(rows('SELECT state FROM inbound')).toEqual([{ state: 'DONE' }]);
    const [delivery, ...others] = rows('SELECT * FROM delivery');
    expect(others).toEqual([]);
    expect(delivery).toMatchObject({ issue: 0, output_index: 0, role: 'SR', state: 'QUEUED' });
    const bytes = readFileSync(String(delivery!['path']));
    expect(sha256Hex(bytes)).toBe(delivery!['sha256']);
    const { dataset } = decodePart10(bytes);
    expect(dataset.string('PatientID')).toBe('0012345');
    expect(dataset.string('StudyInstanceUID')).toBe('1.2.3.1');
    expect(dataset.string('SOPInstanceUID')).toBe(delivery!['sop_instance_uid']);
    expect(delivery!['sop_instance_uid']).not.toBe('2.25.51');
    expect(done).toBe(1);
  });

  it('uses the current identity, which may be newer than the one that was sent', async () => {
    await returned(1);
    const renamed = new DicomDataset()
      .setString('PatientName', 'Visser^Jan')
      .setString('PatientID', '0099999')
      .setString('StudyInstanceUID', '1.2.3.1');
    const later = {
      ...{ jobId: jobOf(9), studyUid: originalUid('1.2.3.1'), seriesUid: originalUid('1.2.3.1.1') },
      ...{ pseudonymousStudyUid: PSEUDO_STUDY, epoch: 1, asSent: identityOf(renamed) },
    };
    await vault.recordLinkage(later, new Map(), 2);
    await work();
    const [delivery] = rows('SELECT path FROM delivery');
    const { dataset } = decodePart10(readFileSync(String(delivery!['path'])));
    expect(dataset.string('PatientID')).toBe('0099999');
  });

  it('takes the identity that was spoken of before the images came', async () => {
    const events = IdentityEventLog.open(join(folder.path, 'identity-events.db'), ring);
    await returned(1);
    await events.record(
      {
        ...{ eventId: 'm1', trigger: 'A40', happenedMs: 0, demographics: { name: 'Visser^Jan' } },
        ...{ from: { id: '0012345', issuer: '' }, into: { id: '0099999', issuer: '' } },
      },
      0,
    );
    await work({ events });
    events.close();
    const [delivery] = rows('SELECT path FROM delivery');
    const { dataset } = decodePart10(readFileSync(String(delivery!['path'])));
    expect([dataset.string('PatientID'), dataset.string('PatientName')]).toEqual([
      ...['0099999', 'Visser^Jan'],
    ]);
  });

  it('registers every result before its delivery, and says that the linkage was opened', async () => {
    await returned(1);
    await work();
    const [delivery] = rows('SELECT sop_instance_uid, series_uid FROM delivery');
    expect(vault.recall({ product: 'brain-tissue' })).toEqual([
      expect.objectContaining({
        ...{ jobId: jobOf(1), studyUid: '1.2.3.1', product: 'brain-tissue', issue: 0 },
        resultSopInstanceUid: delivery!['sop_instance_uid'],
        resultSeriesUid: delivery!['series_uid'],
      }),
    ]);
    const acts = vault.actsAfter(0).map(({ act }) => act);
    expect(acts.indexOf('opened')).toBeLessThan(acts.indexOf('registered'));
    expect(acts).toContain('opened');
  });

  it('registers nothing of an outcome that is quarantined', async () => {
    await returned(1, { bytes: Buffer.from('not dicom') });
    await work();
    expect(vault.recall({ product: 'brain-tissue' })).toEqual([]);
  });

  it('registers once when the process died before the deliveries were committed', async () => {
    await returned(1);
    await database.write((sql) =>
      sql.run("CREATE TRIGGER t BEFORE INSERT ON delivery BEGIN SELECT RAISE(ABORT, 'x'); END"),
    );
    await work();
    expect(rows('SELECT * FROM delivery')).toEqual([]);
    await database.write((sql) => sql.run('DROP TRIGGER t'));
    await work();
    expect(rows('SELECT * FROM delivery')).toHaveLength(1);
    expect(vault.recall({ product: 'brain-tissue' })).toHaveLength(1);
  });

  it('gives the results of every job UIDs of their own', async () => {
    await returned(1);
    await returned(2);
    await returned(3);
    await work();
    const uids = rows('SELECT sop_instance_uid, series_uid FROM delivery ORDER BY job_id');
    expect(new Set(uids.flatMap((row) => Object.values(row))).size).toBe(6);
  });

  it('ends NOT_ANALYSED with its code, without an object', async () => {
    await returned(1, { over: notAnalysed });
    await work();
    expect(rows('SELECT state, code, detail FROM job')).toEqual([
      { state: 'NOT_ANALYSED_NOTIFIED', code: 'MODEL_FAILED', detail: 'the model ended early' },
    ]);
    expect(rows('SELECT * FROM delivery')).toEqual([]);
    expect(rows('SELECT state FROM inbound')).toEqual([{ state: 'DONE' }]);
  });

  const quarantines: [string, string, Parameters<typeof returned>[1]][] = [
    ['other bytes were read', 'IDENTITY_MISMATCH', { over: { inputDigest: sha256Hex('other') } }],
    [
      'a UID has no known origin',
      'IDENTITY_MISMATCH',
      { bytes: aResultObject({ FrameOfReferenceUID: '2.25.404' }) },
    ],
    [
      'a result would take the UID of something that the hospital has',
      'IDENTITY_MISMATCH',
      { bytes: aResultObject({ SOPInstanceUID: PSEUDO_STUDY }) },
    ],
    [
      'an object is of another class than listed',
      'IDENTITY_MISMATCH',
      { bytes: aResultObject({ SOPClassUID: '1.2.840.10008.5.1.4.1.1.4' }) },
    ],
    [
      'an object takes the place of an original',
      'IDENTITY_MISMATCH',
      { bytes: aResultObject({ SOPInstanceUID: PSEUDO_STUDY }) },
    ],
    [
      'an object is another one than listed',
      'IDENTITY_MISMATCH',
      { bytes: aResultObject({ SOPInstanceUID: '2.25.50' }) },
    ],
    [
      'an object is of another class than listed',
      'IDENTITY_MISMATCH',
      { bytes: aResultObject({ SOPClassUID: '1.2.840.10008.5.1.4.1.1.2' }) },
    ],
    ['an object is no DICOM', 'OUTPUT_INVALID', { bytes: Buffer.from('not dicom') }],
  ];
  it.each(quarantines)('quarantines when %s (%s)', async (_, code, given) => {
    await returned(1, given);
    await work();
    expect(rows('SELECT state, code FROM job')).toEqual([{ state: 'QUARANTINED', code }]);
    expect(rows('SELECT state FROM inbound')).toEqual([{ state: 'QUARANTINED' }]);
    expect(rows('SELECT * FROM delivery')).toEqual([]);
  });

  it('quarantines a file that changed on disk after it was received', async () => {
    const path = await returned(1);
    writeFileSync(path, aResultObject({ SeriesDescription: 'changed' }));
    await work();
    expect(rows('SELECT state, code FROM job')).toEqual([
      { state: 'QUARANTINED', code: 'OUTPUT_INVALID' },
    ]);
  });

  it('passes by an outcome that cannot be handled, and takes it when it can', async () => {
    const path = await returned(1);
    await returned(2);
    rmSync(path);
    await work();
    const states = 'SELECT state FROM job ORDER BY job_id';
    expect(rows(states)).toEqual([{ state: 'RETURNED' }, { state: 'REIDENTIFIED' }]);
    writeFileSync(path, aResultObject());
    await work();
    expect(rows(states)).toEqual([{ state: 'REIDENTIFIED' }, { state: 'REIDENTIFIED' }]);
  });

  it('passes by an outcome whose manifest this release does not read', async () => {
    await returned(1);
    await returned(2);
    await database.write((sql) =>
      sql.run("UPDATE inbound SET manifest = x'7b7d' WHERE job_id = ?", jobOf(1)),
    );
    await work();
    expect(rows('SELECT state FROM job ORDER BY job_id')).toEqual([
      { state: 'RETURNED' },
      { state: 'REIDENTIFIED' },
    ]);
  });

  it('leaves an outcome alone whose job has reached its end by the deadline', async () => {
    await returned(1);
    await database.write((sql) => sql.run("UPDATE job SET state = 'NOT_ANALYSED_NOTIFIED'"));
    await work();
    expect(rows('SELECT state FROM inbound')).toEqual([{ state: 'RECEIVED' }]);
    expect(rows('SELECT * FROM delivery')).toEqual([]);
  });

  it('writes no identity into the pipeline database', async () => {
    await returned(1);
    await work();
    const text = JSON.stringify([rows('SELECT * FROM journal'), rows('SELECT * FROM delivery')]);
    expect(text).not.toMatch(/Berg|0012345/);
  });
});

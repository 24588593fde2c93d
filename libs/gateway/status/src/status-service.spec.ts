/**
 * Goal: a study owes one status object, gets it when its last product ends, and never a second one
 * for the same state. Method: real SQLite, vault and files in a temporary folder, jobs as the
 * stages leave them; every run is a new service, as after a restart, until nothing is left to do.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { decodePart10, DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { COMPREHENSIVE_3D_SR } from '@aifi/dicom-evidence';
import {
  GATEWAY_MIGRATIONS,
  GatewayDatabase,
  moveJob,
  reopenJob,
  type JobState,
} from '@aifi/gateway-database';
import { identityOf, Vault } from '@aifi/gateway-vault';
import {
  jobId,
  keyedUid,
  originalUid,
  pseudonymousUid,
  siteId,
  Wake,
  writeDurableFile,
  type ReasonCode,
} from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { keyRingOf } from '@aifi/shared-site-keys';
import { fakeSiteKeys, FakeClock, temporaryFolder } from '@aifi/shared-testing';
import { createStatusService } from './index.js';
import { MR_IMAGE_STORAGE, negativeReport, plainReport, imagesOf } from './test-reports.js';

const STUDY = '1.2.3';
const DEADLINES = { acuteMs: 600_000, routineMs: 3_600_000 };
const keys = fakeSiteKeys();
const ring = keyRingOf(keys);

/** A clock whose first wait ends the run: the service has looked and found nothing to do. */
class UntilIdleClock extends FakeClock {
  stop = new AbortController();
  override sleep(): Promise<void> {
    this.stop.abort();
    return Promise.resolve();
  }
}
interface StatusRow {
  readonly issue: number;
  readonly revision: number;
  readonly state: string;
  readonly series_uid: string;
  readonly sop_instance_uid: string;
  readonly path: string;
}

describe(createStatusService.name, () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let database: GatewayDatabase;
  let vault: Vault;
  let clock: UntilIdleClock;
  let done: number;
  let seriesCount = 0;
  beforeEach(async () => {
    folder = temporaryFolder('status');
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    vault = Vault.open(join(folder.path, 'vault.db'), ring);
    [clock, done] = [new UntilIdleClock(), 0];
    await database.write((sql) => {
      sql.run(`INSERT INTO study VALUES (1, '${STUDY}', 1, 0)`);
      sql.run(`INSERT INTO study_revision VALUES (1, 1, 0, 'SELECTED'), (1, 2, 0, 'SELECTED')`);
    });
    await anImage(1, '1.2.3.1');
    await anImage(2, '1.2.3.1');
    await anImage(3, '1.2.3.2');
  });
  afterEach(() => {
    database.close();
    vault.close();
    folder.remove();
  });

  /** Runs a new service, as after a restart, until nothing is left that it can do. */
  async function work(): Promise<void> {
    clock.stop = new AbortController();
    const sut = createStatusService({
      ...{ database, vault, keys: ring, clock, deadlines: DEADLINES, dataFolder: folder.path },
      ...{ siteId: siteId('site-a'), purpose: 'demonstration', language: 'en-GB' },
      ...{ platformVersion: '0.1.0', wake: new Wake(), logger: silentLogger },
      products: () => [{ product: 'brain', name: 'Brain volumes', label: 'RESEARCH' }],
      onDone: () => (done += 1),
    });
    await sut.run(clock.stop.signal);
  }
  async function anImage(n: number, seriesUid: string): Promise<void> {
    const dataset = new DicomDataset()
      .setString('SOPClassUID', MR_IMAGE_STORAGE)
      .setString('SOPInstanceUID', `1.2.3.9.${n}`)
      .setString('StudyInstanceUID', STUDY)
      .setString('SeriesInstanceUID', seriesUid)
      .setString('PatientName', 'Berg^Jan')
      .setString('PatientID', '0012345')
      .setString('TimezoneOffsetFromUTC', '+0100');
    const bytes = encodePart10(dataset);
    const file = await writeDurableFile(join(folder.path, 'incoming', `${n}.dcm`), bytes);
    await database.write((sql) =>
      sql.run(
        `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
           transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms, revision)
         VALUES (1, ?, ?, ?, '1', ?, ?, ?, '{"modality":"MR","rows":2}', 'A', 0, 1)`,
        ...[seriesUid, `1.2.3.9.${n}`, MR_IMAGE_STORAGE, file.sha256, file.sizeBytes, file.path],
      ),
    );
  }
  interface NewJob {
    readonly state?: JobState;
    readonly code?: ReasonCode;
    readonly lane?: 'acute' | 'routine';
    readonly revision?: number;
    readonly seriesUid?: string | null;
  }
  const idOf = (product: string, revision = 1) =>
    jobId(Buffer.from(`${product}${revision}`.padEnd(16, '.')).toString('hex'));
  async function aJob(product: string, job: NewJob = {}): Promise<void> {
    const { state = 'REIDENTIFIED', code = null, lane = 'routine', revision = 1 } = job;
    const isOver = state === 'NOT_ANALYSED_NOTIFIED' || state === 'NOT_ELIGIBLE_LOGGED';
    await database.write((sql) =>
      sql.run(
        `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
           series_uid, rule_set_sha256, attestations, state, code, created_ms, terminal_ms)
         VALUES (?, 1, ?, ?, '1.0.0', 'd', ?, ?, 'r', '[]', ?, ?, ?, ?)`,
        ...[idOf(product, revision), revision, product, lane, job.seriesUid ?? null, state, code],
        ...[clock.nowMs(), isOver ? clock.nowMs() : null],
      ),
    );
  }
  /** As deliver leaves a job: its object is in the PACS. */
  async function delivered(product: string, revision = 1, absent = false): Promise<void> {
    const report = absent ? negativeReport() : plainReport();
    const name = join(folder.path, 'outgoing', `${product}-${revision}.dcm`);
    const file = await writeDurableFile(name, encodePart10(report));
    seriesCount += 1;
    await database.write((sql) => {
      sql.run(
        `INSERT INTO delivery (job_id, issue, output_index, role, sop_class_uid, series_uid,
           sop_instance_uid, path, sha256, state)
         VALUES (?, 0, 0, 'SR', ?, ?, ?, ?, ?, 'VERIFIED')`,
        ...[idOf(product, revision), COMPREHENSIVE_3D_SR, `2.25.7${seriesCount}`],
        ...[`2.25.8${seriesCount}`, file.path, file.sha256],
      );
      moveTo(sql, product, { revision, from: 'REIDENTIFIED', to: 'RESULT_IN_PACS' });
    });
  }
  function moveTo(
    sql: Parameters<typeof moveJob>[0],
    product: string,
    move: { revision?: number; from: JobState; to: JobState; code?: ReasonCode },
  ): void {
    const { revision = 1, ...rest } = move;
    const when = { stage: 'deliver', event: 'moved', atMs: clock.nowMs() } as const;
    moveJob(sql, { jobId: idOf(product, revision), ...rest, ...when });
  }
  const rows = () =>
    database.read((sql) => sql.all<StatusRow>('SELECT * FROM status_object ORDER BY issue'));
  const events = () =>
    database.read((sql) =>
      sql.all<{ event: string; detail: string }>(
        `SELECT event, detail FROM journal WHERE event <> 'moved' ORDER BY sequence`,
      ),
    );
  const setState = (issue: number, state: string, attempts = 1) =>
    database.write((sql) =>
      sql.run(
        'UPDATE status_object SET state = ?, attempts = ? WHERE issue = ?',
        ...[state, attempts, issue],
      ),
    );
  const objectOf = ({ path }: StatusRow): DicomDataset => decodePart10(readFileSync(path)).dataset;
  const sentences = (row: StatusRow): string[] =>
    objectOf(row)
      .items('ContentSequence')
      .at(-1)!
      .items('ContentSequence')
      .flatMap((item) => item.string('TextValue') ?? []);

  it('writes one object when the last product has ended, and nothing more when run again', async () => {
    await aJob('brain', { seriesUid: '1.2.3.1' });
    await aJob('knee', { state: 'NOT_ANALYSED_NOTIFIED', code: 'MODEL_FAILED' });
    await aJob('wrist', { state: 'NOT_ELIGIBLE_LOGGED', code: 'OUT_OF_INTENDED_USE' });
    await work();
    expect(rows()).toEqual([]);
    await delivered('brain');
    await work();
    await work();
    expect(rows()).toMatchObject([{ issue: 0, revision: 1, state: 'QUEUED' }]);
    expect(done).toBe(1);
    expect(sentences(rows()[0]!)).toEqual([
      'Brain volumes 1.0.0: result in the PACS. RESEARCH.',
      'knee 1.0.0: the analysis by the product failed. DEMONSTRATION, NOT FOR CLINICAL USE.',
      'AI status of this study. AI results are not verified.',
    ]);
    expect(events()).toEqual([
      { event: 'status-issued', detail: '{"issue":0,"revision":1,"products":2}' },
    ]);
  });

  it('takes its UIDs by the rule for minted ones, with `study` in place of the model', async () => {
    await aJob('brain');
    await aJob('ankle');
    await delivered('brain');
    await delivered('ankle');
    await work();
    const uid = (role: string): string =>
      keyedUid(keys.result, idOf('ankle'), 'study', role, '0', '0');
    expect(rows()).toMatchObject([
      { series_uid: uid('status-series'), sop_instance_uid: uid('status') },
    ]);
    const object = objectOf(rows()[0]!);
    expect(object.string('SOPInstanceUID')).toBe(uid('status'));
    expect(object.string('SeriesInstanceUID')).toBe(uid('status-series'));
    expect(object.string('StudyInstanceUID')).toBe(STUDY);
  });

  it('tells a study of which nothing ever left, with the identity of its first image', async () => {
    await aJob('brain', { state: 'NOT_ANALYSED_NOTIFIED', code: 'COVERAGE_INSUFFICIENT' });
    await work();
    const object = objectOf(rows()[0]!);
    expect(object.string('PatientName')).toBe('Berg^Jan');
    expect(object.string('TimezoneOffsetFromUTC')).toBe('+0100');
    expect(sentences(rows()[0]!)[0]).toContain('the images show too little of the body part');
    expect(imagesOf(object)).toEqual(['1.2.3.9.1', '1.2.3.9.3']);
  });

  it('refers to the images that are still kept when retention has removed earlier ones', async () => {
    rmSync(join(folder.path, 'incoming', '1.dcm'));
    const removal = 'UPDATE instance SET removed_ms = 5 WHERE instance_id = 1';
    await database.write((sql) => sql.run(removal));
    await aJob('brain', { state: 'NOT_ANALYSED_NOTIFIED', code: 'INPUT_INCOMPLETE' });
    await work();
    expect(imagesOf(objectOf(rows()[0]!))).toEqual(['1.2.3.9.2', '1.2.3.9.3']);
  });

  it('takes the current identity of the vault before that of the image', async () => {
    const corrected = new DicomDataset()
      .setString('StudyInstanceUID', STUDY)
      .setString('PatientName', 'Berg^Johanna');
    const uids = { studyUid: originalUid(STUDY), seriesUid: originalUid('1.2.3.1') };
    const linkage = { ...uids, pseudonymousStudyUid: pseudonymousUid('2.25.1'), epoch: 1 };
    const asSent = identityOf(corrected);
    await vault.recordLinkage({ ...linkage, jobId: idOf('brain'), asSent }, new Map(), 0);
    await aJob('brain');
    await delivered('brain');
    await work();
    expect(objectOf(rows()[0]!).string('PatientName')).toBe('Berg^Johanna');
  });

  it('writes none when no product is eligible', async () => {
    await aJob('brain', { state: 'NOT_ELIGIBLE_LOGGED', code: 'OUT_OF_INTENDED_USE' });
    await work();
    expect([rows(), events()]).toEqual([[], []]);
  });

  it('replaces the status of an older revision by the next issue, which names it', async () => {
    await aJob('brain');
    await delivered('brain');
    await work();
    await setState(0, 'VERIFIED');
    clock.advance(60_000);
    await aJob('brain', { revision: 2 });
    await work();
    expect(rows()).toHaveLength(1);
    await delivered('brain', 2);
    await work();
    expect(rows()).toMatchObject([
      { issue: 0, state: 'VERIFIED' },
      { issue: 1, revision: 2, state: 'QUEUED' },
    ]);
    // 1_700_000_000_000 ms is 22:13:20 UTC; the images are in UTC+1.
    expect(sentences(rows()[1]!).at(-1)).toMatch(/This replaces the status of 23:13\.$/);
    const [predecessor] = objectOf(rows()[1]!).items('PredecessorDocumentsSequence');
    const [series] = predecessor!.items('ReferencedSeriesSequence');
    expect(series!.string('SeriesInstanceUID')).toBe(rows()[0]!.series_uid);
  });

  it('overtakes an issue that nobody tried to send, and does not claim that it was there', async () => {
    await aJob('brain', { state: 'NOT_ANALYSED_NOTIFIED', code: 'TIMEOUT' });
    await work();
    await database.write((sql) =>
      moveTo(sql, 'brain', { from: 'NOT_ANALYSED_NOTIFIED', to: 'REIDENTIFIED' }),
    );
    await delivered('brain');
    await work();
    expect(rows()).toMatchObject([
      { issue: 0, state: 'SUPERSEDED' },
      { issue: 1, state: 'QUEUED' },
    ]);
    expect(sentences(rows()[1]!).at(-1)).not.toContain('replaces');
  });

  it.each([
    ['QUEUED', 1],
    ['STORED', 1],
  ])('waits with the next issue while the former is %s', async (state, attempts) => {
    await aJob('brain');
    await delivered('brain');
    await work();
    await setState(0, state, attempts);
    await aJob('brain', { revision: 2, state: 'NOT_ANALYSED_NOTIFIED', code: 'TIMEOUT' });
    await work();
    expect(rows()).toHaveLength(1);
    await setState(0, 'VERIFIED');
    await work();
    expect(rows()).toHaveLength(2);
  });

  it('issues nothing when a product ends again as it had ended', async () => {
    await aJob('brain', { state: 'NOT_ANALYSED_NOTIFIED', code: 'TIMEOUT' });
    await work();
    await setState(0, 'VERIFIED');
    for (const [from, to] of [
      ['NOT_ANALYSED_NOTIFIED', 'REIDENTIFIED'],
      ['REIDENTIFIED', 'NOT_ANALYSED_NOTIFIED'],
    ] as const) {
      await database.write((sql) => moveTo(sql, 'brain', { from, to }));
      await work();
    }
    expect(rows()).toHaveLength(1);
  });

  it('tells a job anew that was taken up again, once its result is in the PACS', async () => {
    await aJob('brain', { state: 'NOT_ANALYSED_NOTIFIED', code: 'PACS_REFUSED' });
    await work();
    await setState(0, 'VERIFIED');
    await database.write((sql) => reopenJob(sql, { jobId: idOf('brain'), atMs: clock.nowMs() }));
    await work();
    expect(rows()).toHaveLength(1);
    await delivered('brain');
    await work();
    expect(rows()).toMatchObject([{ state: 'VERIFIED' }, { issue: 1, state: 'QUEUED' }]);
    expect(sentences(rows()[1]!)[0]).toBe('Brain volumes 1.0.0: result in the PACS. RESEARCH.');
  });

  it('tells at the deadline of a lane what is known then, and the rest when it comes', async () => {
    await aJob('brain');
    await aJob('head', { state: 'NOT_ANALYSED_NOTIFIED', code: 'INPUT_INCOMPLETE', lane: 'acute' });
    await work();
    expect(rows()).toEqual([]);
    clock.advance(DEADLINES.acuteMs);
    await work();
    expect(sentences(rows()[0]!)[0]).toBe('Brain volumes 1.0.0: not finished yet. RESEARCH.');
    await setState(0, 'VERIFIED');
    await delivered('brain');
    await work();
    expect(sentences(rows()[1]!)[0]).toBe('Brain volumes 1.0.0: result in the PACS. RESEARCH.');
  });

  it.each(['IDENTITY_MISMATCH', 'IDENTITY_UNEXPLAINED'] as const)(
    'leaves a study with %s to the page and says so in the journal',
    async (code) => {
      await aJob('brain', { state: 'NOT_ANALYSED_NOTIFIED', code });
      await aJob('knee');
      await delivered('knee');
      await work();
      await work();
      expect(rows()).toEqual([]);
      expect(events()).toEqual([
        { event: 'told-on-page', detail: `{"code":"${code}","revision":1}` },
      ]);
    },
  );

  it('says what a negative looked for, from the report of the product', async () => {
    await aJob('brain');
    await delivered('brain', 1, true);
    await work();
    expect(sentences(rows()[0]!)[0]).toBe(
      'Brain volumes 1.0.0: looked for and not found: Fracture of bone, on 1 image. RESEARCH.',
    );
  });

  it('tells a result as a result when its report is not readable any more', async () => {
    await aJob('brain');
    await delivered('brain', 1, true);
    await database.write((sql) => sql.run("UPDATE delivery SET path = '/nowhere'"));
    await work();
    expect(sentences(rows()[0]!)[0]).toBe('Brain volumes 1.0.0: result in the PACS. RESEARCH.');
  });

  it('passes a study whose images cannot be read, and comes back to it', async () => {
    await aJob('brain', { state: 'NOT_ANALYSED_NOTIFIED', code: 'TIMEOUT' });
    await database.write((sql) => sql.run("UPDATE instance SET path = path || 'x'"));
    await work();
    expect(rows()).toEqual([]);
    await database.write((sql) => sql.run("UPDATE instance SET path = rtrim(path, 'x')"));
    await work();
    expect(rows()).toHaveLength(1);
  });
});

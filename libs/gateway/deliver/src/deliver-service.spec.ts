/**
 * Goal: each result reaches the right patient's study exactly once, or the job ends with its reason
 * (P6, C7). Method: a fake PACS with scripted answers, a fake clock, a real database in a temporary
 * folder; crashes are played by dropping the answer that came after the effect.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AssociationRejected } from '@aifi/dicom-dimse';
import { AifiError } from '@aifi/shared-kernel';
import { DeliverService } from './deliver-service.js';
import { MATCH, type FakePacs } from './fake-pacs.js';
import { instanceOf, jobIdOf, TestDeliveries } from './test-deliveries.js';

describe(DeliverService.name, () => {
  let test: TestDeliveries;
  let pacs: FakePacs;
  beforeEach(async () => {
    test = new TestDeliveries();
    pacs = test.pacs;
    await test.queue(0, 2);
  });
  afterEach(() => test.close());

  it('stores, verifies and moves the job when the last object is verified', async () => {
    expect(await test.sut.runOnce()).toBe(1);
    expect(test.job()).toMatchObject({ state: 'REIDENTIFIED' });
    await test.work(1);
    expect(test.rows().map((row) => row['state'])).toEqual(['VERIFIED', 'VERIFIED']);
    expect(test.job()).toMatchObject({ state: 'RESULT_IN_PACS', code: null });
    expect(test.done).toEqual([jobIdOf(0)]);
    expect(pacs.stored).toHaveLength(2);
  });

  it('begins nothing while it is held, and goes on after', async () => {
    let isHeld = true;
    test.isHeld = () => isHeld;
    test.restart();
    await test.work(3);
    expect([pacs.asked, test.job()]).toMatchObject([0, { state: 'REIDENTIFIED' }]);
    isHeld = false;
    await test.work(2);
    expect(test.job()).toMatchObject({ state: 'RESULT_IN_PACS' });
  });

  it.each([0xb000, 0xb006, 0xb007])('takes the warning %i as stored', async (status) => {
    pacs.answers = [status, status];
    await test.work(1);
    expect(test.job()).toMatchObject({ state: 'RESULT_IN_PACS' });
    expect(test.rows()[0]).toMatchObject({ dimse_status: status });
  });

  it('sends nothing twice when the answer to a C-STORE was lost', async () => {
    pacs.answers = ['silent', 'silent'];
    await test.work(3);
    expect(test.job()).toMatchObject({ state: 'RESULT_IN_PACS' });
    expect(pacs.stored).toHaveLength(2);
  });

  it('sends nothing twice when the process died between C-STORE and its row', async () => {
    pacs.answers = ['hang'];
    void test.sut.runOnce();
    while (pacs.stored.length === 0) await new Promise((resolve) => setImmediate(resolve));
    test.sut = test.makeSut();
    await test.work(3);
    expect(pacs.stored).toHaveLength(2);
    expect(test.job()).toMatchObject({ state: 'RESULT_IN_PACS' });
  });

  it('takes a duplicate as delivered once the PACS lists it', async () => {
    pacs.listed.set(instanceOf(0, 0), '');
    pacs.answers = [0x0111];
    await test.work(1);
    expect(test.job()).toMatchObject({ state: 'RESULT_IN_PACS' });
    expect(pacs.stored).toHaveLength(1);
  });

  it('looks again for a duplicate that is not listed, then makes it a dead letter', async () => {
    pacs.answers = [0x0111];
    await test.work(20);
    expect(test.rows()[0]).toMatchObject({ state: 'DEAD', dead_code: 'RESULT_NOT_LISTED' });
    expect(test.job()).toEqual({ state: 'NOT_ANALYSED_NOTIFIED', code: 'PACS_REFUSED' });
    const { asked } = pacs;
    await test.work(60);
    expect(pacs.asked).toBe(asked);
  });

  it.each([0xa700, 0xa7ff, 0x0110, 0x0124 + 0x1000])(
    'tries again after status %i',
    async (status) => {
      pacs.answers = [status];
      await test.work(4);
      expect(test.job()).toMatchObject({ state: 'RESULT_IN_PACS' });
      expect(pacs.stored).toHaveLength(2);
    },
  );

  it.each([0xa900, 0xa9ff, 0xc000, 0xcfff, 0x0122, 0x0124])(
    'ends the job after status %i',
    async (status) => {
      pacs.answers = [status];
      await test.work(2);
      expect(test.job()).toEqual({ state: 'NOT_ANALYSED_NOTIFIED', code: 'PACS_REFUSED' });
      const row = { state: 'DEAD', dimse_status: status, dead_code: 'PEER_REFUSED', attempts: 1 };
      expect(test.rows()[0]).toMatchObject(row);
      expect(pacs.stored).toHaveLength(0);
      expect(test.done).toEqual([jobIdOf(0)]);
    },
  );

  it('ends the job when the PACS takes no such object at all', async () => {
    pacs.answers = [new AifiError('PEER_REFUSED', 'no context')];
    await test.work(1);
    expect(test.job()).toEqual({ state: 'NOT_ANALYSED_NOTIFIED', code: 'PACS_REFUSED' });
    expect(test.rows()[0]).toMatchObject({ state: 'DEAD', dimse_status: null });
  });

  it('never makes a dead letter of a PACS that does not know us', async () => {
    const cause = new AssociationRejected(1, 1, 3);
    pacs.rejection = new AifiError('PEER_UNAVAILABLE', 'rejected', { cause });
    await test.work(60, 60_000);
    expect(test.job()).toMatchObject({ state: 'REIDENTIFIED' });
    pacs.rejection = undefined;
    await test.work(30, 60_000);
    expect(test.job()).toMatchObject({ state: 'RESULT_IN_PACS' });
  });

  it.each([
    ['another patient id', [{ ...MATCH, patientId: 'P-2' }]],
    ['another case of the patient id', [{ ...MATCH, patientId: 'p-1' }]],
    ['another birth date', [{ ...MATCH, patientBirthDate: '19700103' }]],
    ['another issuer', [{ ...MATCH, issuerOfPatientId: 'ELSEWHERE' }]],
    ['two patients', [MATCH, { ...MATCH, patientId: 'P-2' }]],
  ])('holds the job when the PACS has the study under %s', async (_, matches) => {
    pacs.matches = matches;
    await test.work(2);
    expect(test.job()).toEqual({ state: 'HELD', code: 'IDENTITY_UNEXPLAINED' });
    expect(pacs.stored).toHaveLength(0);
  });

  it('waits for a study that the PACS does not have yet, 15 s to 75 s between looks', async () => {
    pacs.matches = [];
    await test.work(120, 5_000);
    expect(test.job()).toMatchObject({ state: 'REIDENTIFIED' });
    expect(pacs.asked).toBeGreaterThanOrEqual(8 * 2);
    expect(pacs.asked).toBeLessThanOrEqual(40 * 2);
    pacs.matches = [MATCH];
    await test.work(2, 75_000);
    expect(test.job()).toMatchObject({ state: 'RESULT_IN_PACS' });
    expect(test.rows()[0]).toMatchObject({ attempts: 1 });
  });

  it('sends nothing and quarantines when the file is not the one on record', async () => {
    test.database.read((sql) => sql.run("UPDATE delivery SET sha256 = 'x'"));
    await test.work(2);
    expect(pacs.stored).toHaveLength(0);
    expect(test.job()).toEqual({ state: 'QUARANTINED', code: 'OUTPUT_INVALID' });
  });

  it('sends nothing into a study that is not the one on record', async () => {
    test.database.read((sql) => sql.run("UPDATE study SET study_uid = '2.25.11'"));
    await test.work(2);
    expect(pacs.asked).toBe(0);
    expect(test.job()).toEqual({ state: 'QUARANTINED', code: 'OUTPUT_INVALID' });
  });
});

describe(`${DeliverService.name} with many rows`, () => {
  let test: TestDeliveries;
  let pacs: FakePacs;
  beforeEach(() => {
    test = new TestDeliveries();
    pacs = test.pacs;
  });
  afterEach(() => test.close());

  it('delivers two studies at a time and never more', async () => {
    await test.queueMany(6);
    await test.drain();
    await Promise.all([test.drain(), test.drain()]);
    expect(pacs.inUseMax).toBe(2);
    expect(test.jobs()).toEqual({ RESULT_IN_PACS: 6 });
  });

  it('delivers one at a time where the PACS allows one', async () => {
    test.restart({ associationsMax: 1 });
    await test.queueMany(4);
    await test.drain();
    expect(pacs.inUseMax).toBe(1);
    expect(test.jobs()).toEqual({ RESULT_IN_PACS: 4 });
  });

  it('has one object of a study in hand, in the order of the result', async () => {
    await test.queue(0, 4);
    await test.drain();
    expect(pacs.inUseMax).toBe(1);
    expect(pacs.stored.map(({ sopInstanceUid }) => sopInstanceUid)).toEqual(
      [0, 1, 2, 3].map((index) => instanceOf(0, index)),
    );
  });

  it('never sends an issue while the one before it waits', async () => {
    await test.queue(0, 2);
    test.database.read((sql) =>
      sql.run('UPDATE delivery SET issue = 1, output_index = 0 WHERE output_index = 1'),
    );
    pacs.answers = [0xa700];
    await test.drain();
    expect(pacs.stored).toEqual([]);
    await test.work(10);
    expect(pacs.stored.map(({ sopInstanceUid }) => sopInstanceUid)).toEqual(
      [0, 1].map((index) => instanceOf(0, index)),
    );
  });

  /** One object each of two revisions of a study. */
  async function queueRevisions(): Promise<void> {
    await test.queue(0, 2);
    test.database.read((sql) => {
      sql.run("INSERT INTO study_revision VALUES (1, 2, 0, 'SELECTED')");
      sql.run(
        `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
           rule_set_sha256, attestations, state, created_ms)
         SELECT ?, study_id, 2, product, product_version, model_digest, lane, rule_set_sha256,
           attestations, state, created_ms FROM job`,
        jobIdOf(1),
      );
      const move = 'UPDATE delivery SET job_id = ?, output_index = 0 WHERE output_index = 1';
      sql.run(move, jobIdOf(1));
    });
  }

  it('never sends the result of a newer revision while that of the one before waits', async () => {
    await queueRevisions();
    pacs.answers = [0xa700];
    await test.drain();
    expect(pacs.stored).toEqual([]);
    await test.work(10);
    expect(pacs.stored.map(({ sopInstanceUid }) => sopInstanceUid)).toEqual(
      [0, 1].map((index) => instanceOf(0, index)),
    );
    expect(test.done).toEqual([jobIdOf(0), jobIdOf(1)]);
  });

  it('never sends the result of an older revision after a newer one', async () => {
    await queueRevisions();
    test.database.read((sql) => sql.run("UPDATE job SET state = 'RETURNED' WHERE revision = 1"));
    await test.work(10);
    expect(pacs.stored.map(({ sopInstanceUid }) => sopInstanceUid)).toEqual([instanceOf(0, 1)]);
    expect(test.done).toEqual([jobIdOf(1)]);
    // It ends with the proof of the newer one, not at its deadline.
    expect(
      test.database.read((sql) => sql.all('SELECT state, detail FROM job ORDER BY revision')),
    ).toMatchObject([
      { state: 'NOT_ANALYSED_NOTIFIED', detail: 'superseded by a newer revision' },
      { state: 'RESULT_IN_PACS' },
    ]);
  });

  it('never sends the result of an older revision after a newer one that may be there', async () => {
    await queueRevisions();
    test.database.read((sql) => sql.run("UPDATE job SET state = 'RETURNED' WHERE revision = 1"));
    pacs.answers = ['silent'];
    await test.drain();
    test.database.read((sql) =>
      sql.run("UPDATE job SET state = 'REIDENTIFIED' WHERE revision = 1"),
    );
    await test.work(10);
    expect(pacs.stored.map(({ sopInstanceUid }) => sopInstanceUid)).toEqual([instanceOf(0, 1)]);
    expect(test.done).toEqual([jobIdOf(1)]);
  });

  it('lets the acute lane go first', async () => {
    test.restart({ associationsMax: 1 });
    await test.queueMany(4);
    test.database.read((sql) =>
      sql.run("UPDATE job SET lane = 'acute' WHERE job_id = ?", jobIdOf(3)),
    );
    await test.sut.runOnce();
    expect(test.done).toEqual([jobIdOf(3)]);
  });

  it('begins no more objects than the rate of the PACS allows', async () => {
    test.restart({ rate: { perSecond: 2, burst: 4 } });
    await test.queueMany(20);
    await test.drain();
    expect(pacs.stored).toHaveLength(4);
    await test.work(3, 1_000);
    await test.drain();
    expect(pacs.stored).toHaveLength(10);
  });

  it('closes for a delivery only: an echo alone does not let the others through', async () => {
    test.restart({ associationsMax: 1 });
    await test.queueMany(20);
    pacs.otherwise = () => 0xa700;
    await test.drain();
    const tried = test.rows().filter((row) => row['attempts'] !== 0).length;
    expect(tried).toBe(5);
    expect(test.sut.pacsState).toBe('open');
    test.clock.advance(61_000);
    await test.drain();
    expect(pacs.echoes).toBe(1);
    expect(test.sut.pacsState).toBe('open');
    const attempts = test.rows().reduce((sum, row) => sum + Number(row['attempts']), 0);
    expect(attempts).toBe(6);
    pacs.otherwise = () => 0;
    await test.work(30);
    expect(test.sut.pacsState).toBe('closed');
    expect(test.jobs()).toEqual({ RESULT_IN_PACS: 20 });
  });

  it('tries one delivery at a time, and few, until a C-STORE has closed the breaker', async () => {
    await test.queueMany(20);
    pacs.isUp = false;
    await test.drain();
    Object.assign(pacs, { isUp: true, matches: [], asked: 0, inUseMax: 0 });
    test.clock.advance(61_000);
    await test.drain();
    // The echo and five looks at a study: six of this minute.
    expect(test.sut.pacsState).toBe('half-open');
    expect(pacs.asked - pacs.looks).toBeLessThanOrEqual(6);
    test.clock.advance(61_000);
    await test.drain();
    expect(pacs.inUseMax).toBe(1);
    pacs.matches = [MATCH];
    await test.work(30);
    expect(test.jobs()).toEqual({ RESULT_IN_PACS: 20 });
  });

  it('tries six rows a minute again when many have failed before', async () => {
    await test.queueMany(20);
    test.database.read((sql) => sql.run('UPDATE delivery SET attempts = 1'));
    await test.work(59, 1_000);
    expect(pacs.stored).toHaveLength(6);
    await test.work(5, 1_000);
    expect(pacs.stored).toHaveLength(12);
  });

  it('probes with C-ECHO every 30 s and asks nothing else while the PACS is down', async () => {
    test.restart({ associationsMax: 1 });
    await test.queueMany(10);
    pacs.isUp = false;
    await test.drain();
    expect(pacs.asked).toBe(5);
    await test.work(600, 1_000);
    expect(pacs.asked).toBe(5 + pacs.echoes);
    expect(pacs.echoes).toBeGreaterThanOrEqual(18);
    expect(pacs.echoes).toBeLessThanOrEqual(20);
    pacs.isUp = true;
    await test.work(10);
    expect(test.jobs()).toEqual({ RESULT_IN_PACS: 10 });
  });
});

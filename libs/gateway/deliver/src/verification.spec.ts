/**
 * Goal: a storage commitment decides whether a result is delivered, on whichever association its
 * report comes, once, and never for an object it was not asked for. Method: a fake PACS that
 * reports as it is told; crashes are played by a new service on the rows as they are.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PeerStatus, type CommitmentReport, type CommitmentRequest } from '@aifi/dicom-dimse';
import type { Row } from '@aifi/gateway-database';
import { AifiError } from '@aifi/shared-kernel';
import type { FakePacs } from './fake-pacs.js';
import { jobIdOf, TestDeliveries } from './test-deliveries.js';
import { Verification } from './verification.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const committed = ({ transactionUid, objects }: CommitmentRequest): CommitmentReport => ({
  ...{ transactionUid, committed: objects, failed: [] },
});
const failed = (request: CommitmentRequest, reason: number): CommitmentReport => ({
  transactionUid: request.transactionUid,
  committed: [],
  failed: request.objects.map((object) => ({ ...object, reason })),
});

describe(Verification.name, () => {
  let test: TestDeliveries;
  let pacs: FakePacs;
  beforeEach(async () => {
    test = new TestDeliveries();
    pacs = test.pacs;
    test.restart({ commitment: { waitMs: 2_000, timeoutMs: DAY_MS } });
    await test.queue(0);
  });
  afterEach(() => test.close());

  const commitments = () =>
    test.database.read((sql) =>
      sql.all<Row>('SELECT * FROM storage_commitment ORDER BY requested_ms'),
    );
  const states = () => commitments().map((row) => row['state']);
  const isInPacs = (): boolean => test.job()?.['state'] === 'RESULT_IN_PACS';

  it('believes a report on the association of the request', async () => {
    pacs.commit = committed;
    await test.drain();
    expect(test.job()).toEqual({ state: 'RESULT_IN_PACS', code: null });
    expect(test.done).toEqual([jobIdOf(0)]);
    expect(states()).toEqual(['REPORTED']);
    expect(pacs.looks).toBe(0);
  });

  it('has the transaction on record before its request leaves', async () => {
    let onRecord: Row[] = [];
    pacs.commit = () => {
      onRecord = commitments();
      return undefined;
    };
    await test.drain();
    const { transactionUid } = pacs.requests[0]!;
    expect(transactionUid).toMatch(/^2\.25\.[1-9]\d+$/);
    expect(onRecord).toMatchObject([{ transaction_uid: transactionUid, state: 'REQUESTED' }]);
    expect(test.rows()).toMatchObject([{ state: 'STORED', transaction_uid: transactionUid }]);
  });

  it('waits for a report on an association of the PACS, over a restart', async () => {
    await test.work(60);
    expect(test.job()).toMatchObject({ state: 'REIDENTIFIED' });
    expect(pacs.requests).toHaveLength(1);
    test.restart();
    await test.sut.onCommitment(committed(pacs.requests[0]!));
    expect(isInPacs()).toBe(true);
    expect(test.done).toEqual([jobIdOf(0)]);
    expect(pacs.looks).toBe(0);
  });

  it('takes the same report twice, and a later one of the other kind, as one', async () => {
    await test.drain();
    const request = pacs.requests[0]!;
    const report = committed(request);
    await Promise.all([test.sut.onCommitment(report), test.sut.onCommitment(report)]);
    await test.sut.onCommitment(report);
    await test.sut.onCommitment(failed(request, 0x0112));
    expect(isInPacs()).toBe(true);
    expect(test.done).toEqual([jobIdOf(0)]);
    expect(test.events()).toEqual(['delivered']);
  });

  it('ignores a transaction it does not know, and a report for other objects', async () => {
    await test.drain();
    const request = pacs.requests[0]!;
    await test.sut.onCommitment({ ...committed(request), transactionUid: '2.25.9' });
    const others = [{ ...request.objects[0]!, sopInstanceUid: '2.25.9' }];
    await test.sut.onCommitment({ ...committed(request), committed: others });
    await test.sut.onCommitment(failed({ ...request, objects: others }, 0x0112));
    const class2 = [{ ...request.objects[0]!, sopClassUid: '1.2.840.10008.5.1.4.1.1.2' }];
    await test.sut.onCommitment({ ...committed(request), committed: class2 });
    expect(states()).toEqual(['REQUESTED']);
    expect(test.rows()).toMatchObject([{ state: 'STORED' }]);
    await test.sut.onCommitment(committed(request));
    expect(isInPacs()).toBe(true);
  });

  it('lets a report for one object change nothing of another', async () => {
    await test.queue(1);
    await test.drain();
    const [first, second] = pacs.requests as [CommitmentRequest, CommitmentRequest];
    await test.sut.onCommitment({ ...committed(second), transactionUid: first.transactionUid });
    expect(test.jobs()).toEqual({ REIDENTIFIED: 2 });
    await test.sut.onCommitment(committed(second));
    expect(test.jobs()).toEqual({ REIDENTIFIED: 1, RESULT_IN_PACS: 1 });
  });

  it.each([0x0112, 0x0110, 0x0213])(
    'sends the object again when the PACS disowns it with %i, even where its index has it',
    async (reason) => {
      pacs.commit = (request) => {
        pacs.commit = committed;
        return failed(request, reason);
      };
      await test.work(10);
      expect(isInPacs()).toBe(true);
      expect(pacs.stored).toHaveLength(2);
      expect(pacs.stored[0]!.sopInstanceUid).toBe(pacs.stored[1]!.sopInstanceUid);
      expect(pacs.listed.size).toBe(1);
      expect(states()).toEqual(['REPORTED', 'REPORTED']);
    },
  );

  it('makes a dead letter of an object that is disowned three times', async () => {
    pacs.commit = (request) => failed(request, 0x0112);
    await test.work(60);
    expect(test.rows()).toMatchObject([{ state: 'DEAD', dead_code: 'RESULT_LOST' }]);
    expect(pacs.stored).toHaveLength(3);
    expect(test.job()).toEqual({ state: 'NOT_ANALYSED_NOTIFIED', code: 'PACS_REFUSED' });
    expect(test.done).toEqual([jobIdOf(0)]);
  });

  it.each([0x0119, 0x0122, 0x0131, 0xc000])(
    'makes a dead letter at once when the PACS will never commit itself (%i)',
    async (reason) => {
      pacs.commit = (request) => failed(request, reason);
      await test.work(5);
      expect(test.rows()).toMatchObject([{ state: 'DEAD', dead_code: 'COMMITMENT_FAILED' }]);
      expect(pacs.stored).toHaveLength(1);
    },
  );

  it.each([
    ['does not offer the class', new AifiError('PEER_REFUSED', 'no context')],
    [
      'refuses the request',
      new AifiError('PEER_UNAVAILABLE', 'no', { cause: new PeerStatus(0x0112) }),
    ],
  ])('asks by C-FIND when the PACS %s', async (_, refusal) => {
    pacs.commit = () => refusal;
    await test.work(1);
    expect(isInPacs()).toBe(true);
    expect(states()).toEqual(['EXPIRED']);
    expect(pacs.requests).toHaveLength(1);
  });

  it('asks by C-FIND after a day without a report, and not before', async () => {
    await test.work(23, HOUR_MS);
    expect(pacs.looks).toBe(0);
    await test.work(3, HOUR_MS);
    expect(isInPacs()).toBe(true);
    expect(pacs.requests).toHaveLength(1);
    expect(states()).toEqual(['EXPIRED']);
  });

  it('sends an object again that is not there after a day without a report', async () => {
    pacs.answers = ['lose'];
    await test.work(25, HOUR_MS);
    pacs.commit = committed;
    await test.work(20);
    expect(isInPacs()).toBe(true);
    expect(pacs.stored).toHaveLength(1);
    expect(test.events()).toEqual(['lost', 'delivered']);
  });

  it('believes a late report while it still looks for the object', async () => {
    pacs.isIndexing = false;
    await test.work(25, HOUR_MS);
    expect([states(), isInPacs()]).toEqual([['EXPIRED'], false]);
    await test.sut.onCommitment(committed(pacs.requests[0]!));
    expect(isInPacs()).toBe(true);
  });

  it('does not let a result miss the deadline of its lane for want of a report', async () => {
    test.deadlines = { acuteMs: 10 * 60_000, routineMs: HOUR_MS };
    test.restart();
    await test.work(58, 60_000);
    expect(isInPacs()).toBe(false);
    await test.work(2, 60_000);
    expect(isInPacs()).toBe(true);
  });

  it('asks anew under another transaction when it died before the request left', async () => {
    pacs.commit = () => new AifiError('PEER_UNAVAILABLE', 'dead');
    await test.sut.runOnce();
    test.restart();
    pacs.commit = () => undefined;
    await test.work(5);
    const [first, second] = pacs.requests as [CommitmentRequest, CommitmentRequest];
    expect(second.transactionUid).not.toBe(first.transactionUid);
    expect(pacs.requests).toHaveLength(2);
    expect(states()).toEqual(['EXPIRED', 'REQUESTED']);
    await test.sut.onCommitment(committed(first));
    expect(isInPacs()).toBe(false);
    await test.sut.onCommitment(committed(second));
    expect(isInPacs()).toBe(true);
    expect(pacs.stored).toHaveLength(1);
  });

  it('asks by C-FIND when nothing is heard of three requests', async () => {
    pacs.commit = () => new AifiError('PEER_UNAVAILABLE', 'silent');
    await test.work(20);
    expect(pacs.requests).toHaveLength(3);
    expect(isInPacs()).toBe(true);
    expect(pacs.attemptsPerMinuteMax()).toBeLessThanOrEqual(6);
  });

  it('asks for a commitment after an answer to the C-STORE that was lost', async () => {
    pacs.answers = ['silent'];
    pacs.commit = committed;
    await test.work(3);
    expect(isInPacs()).toBe(true);
    expect(pacs.stored).toHaveLength(1);
    expect(pacs.requests).toHaveLength(1);
  });
});

/**
 * Goal: the stage works in as many lanes as it may, is woken, and hands reports on. Method: the
 * whole stage on the fake PACS, with real turns of the event loop and a clock moved by hand.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Wake } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { createDeliverStage, type DeliverStage } from './deliver-stage.js';
import { TestDeliveries } from './test-deliveries.js';

describe(createDeliverStage.name, () => {
  let test: TestDeliveries;
  let wake: Wake;
  let sut: DeliverStage;
  let stop: AbortController;
  let running: Promise<void>;
  beforeEach(() => {
    test = new TestDeliveries();
    wake = new Wake();
    stop = new AbortController();
  });
  afterEach(async () => {
    stop.abort();
    await running;
    test.close();
  });

  function start(
    associationsMax: number,
    commitment?: { waitMs: number; timeoutMs: number },
  ): void {
    const { database, pacs, clock, done } = test;
    const rate = { perSecond: 100, burst: 100 };
    sut = createDeliverStage({
      ...{ database, pacs, clock, wake, logger: silentLogger },
      settings: { associationsMax, rate, commitment },
      onDone: (jobId) => done.push(jobId),
    });
    running = sut.run(stop.signal);
  }
  /** Some turns of the event loop, and a second for those who poll. */
  async function until(isSo: () => boolean): Promise<void> {
    for (let turn = 0; !isSo(); turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      if (turn % 20 === 19) test.clock.advance(1_000);
    }
  }

  it.each([1, 2])('delivers in %i lanes', async (lanes) => {
    await test.queueMany(8);
    start(lanes);
    await until(() => test.done.length === 8);
    expect(test.pacs.inUseMax).toBe(lanes);
    expect(sut.pacsState()).toBe('closed');
  });

  it('goes on with the other lane while the PACS is slow with one object', async () => {
    await test.queueMany(4);
    test.pacs.answers = ['hang'];
    start(2);
    await until(() => test.done.length === 3);
    // The lane that hangs has nothing to put back.
    running = Promise.resolve();
  });

  it('is woken by the stage before it', async () => {
    start(2);
    await test.queueMany(1);
    wake.notify();
    await until(() => test.done.length === 1);
  });

  it('tells a breaker that is half-open as one that is being probed', async () => {
    await test.queueMany(8);
    test.pacs.isUp = false;
    start(2);
    await until(() => sut.pacsState() === 'open');
    test.pacs.isUp = true;
    test.pacs.matches = [];
    await until(() => test.pacs.echoes === 1);
    await until(() => sut.pacsState() === 'probe');
  });

  it('hands a report of a storage commitment on', async () => {
    await test.queueMany(1);
    start(2, { waitMs: 0, timeoutMs: 86_400_000 });
    await until(() => test.pacs.requests.length === 1);
    const { transactionUid, objects } = test.pacs.requests[0]!;
    await sut.onCommitment({ transactionUid, committed: objects, failed: [] });
    expect(test.done).toHaveLength(1);
  });
});

/**
 * Goal: outcomes go one at a time, each until its acknowledgement; what a gateway cannot take holds
 * nothing up; of two streams the newer one is served.
 * Method: the sender over the store in memory, a stream in memory and a clock moved by hand.
 */
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { downlink } from '@aifi/contracts-proto';
import { sha256Hex, Wake, type AifiError, type JobId, type SiteId } from '@aifi/shared-kernel';
import { FakeClock } from '@aifi/shared-testing';
import { MemoryOutcomeStore } from './memory-outcome-store.js';
import { NewestStream } from './newest-stream.js';
import { OutcomeSender } from './outcome-sender.js';
import type { OutcomeObject } from './outcome-store.js';
import { PEER, sentOf, settle, TestFeed } from './test-feed.js';

type Feed = TestFeed<downlink.StreamOutcomesRequest, downlink.StreamOutcomesResponse>;
const jobOf = (n: number): JobId => String(n).padStart(32, '0') as JobId;
const none = Buffer.alloc(0);

describe(OutcomeSender.name, () => {
  let clock: FakeClock;
  let outcomes: MemoryOutcomeStore;
  let faults: string[];
  let newest: NewestStream;
  let stopping: AbortController;
  let ends: string[];
  let missing: Set<string>;
  beforeEach(() => {
    [clock, outcomes, newest] = [new FakeClock(), new MemoryOutcomeStore(), new NewestStream()];
    [faults, ends, stopping, missing] = [[], [], new AbortController(), new Set()];
  });

  function add(n: number, objects: readonly OutcomeObject[] = [], product = 'p'): void {
    outcomes.add({
      ...{ siteName: 'site-a', gateway: 1, revision: 1, issue: 0, jobId: jobOf(n), isResult: true },
      ...{ studyPseudonym: `2.25.${n}`, product, version: '1.0.0', objects },
      ...{ manifest: none, signature: none, envelope: none },
    });
  }
  function open(afterSequence = 0): Feed {
    const feed: Feed = new TestFeed();
    const dependencies = {
      ...{ outcomes, clock, stopping: stopping.signal, bell: new Wake() },
      store: {
        has: async (_: SiteId, { sha256 }: OutcomeObject) => !missing.has(sha256),
        read: async function* () {},
      },
      onFault: (fault: AifiError) => faults.push(fault.code),
    };
    newest
      .run(PEER, (overtaken) => new OutcomeSender(dependencies, feed, overtaken).run())
      .then(
        () => ends.push('ended'),
        (error: AifiError) => ends.push(error.code),
      );
    feed.say({ part: { $case: 'cursor', value: { afterSequence, exact: true } } });
    return feed;
  }
  async function pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      clock.advance(1_000);
      await settle();
    }
  }
  const name = (n: number) => ({ jobId: jobOf(n), revision: 1, issue: 0 });
  const ack = (n: number) => ({ part: { $case: 'ack', value: name(n) } }) as const;
  const refusal = (n: number) =>
    ({ part: { $case: 'refusal', value: { ...name(n), code: 'UNTRUSTED' } } }) as const;

  it('sends the next one after the acknowledgement, not before', async () => {
    [1, 2].forEach((n) => add(n));
    const feed = open();
    await settle();
    expect(sentOf(feed.written)).toEqual([1]);
    feed.say(ack(1));
    await settle();
    expect(sentOf(feed.written)).toEqual([1, 2]);
    expect(outcomes.unacknowledged('site-a')).toEqual([2]);
    feed.cut();
    await settle();
    expect(ends).toEqual(['ended']);
  });

  it('lets the others pass one that is refused, and sends it again later', async () => {
    [1, 2].forEach((n) => add(n));
    const feed = open();
    await settle();
    feed.say(refusal(1));
    await settle();
    expect(sentOf(feed.written)).toEqual([1, 2]);
    expect(faults).toEqual(['PEER_REFUSED']);
    feed.say(ack(2));
    await settle();
    await pass(60);
    expect(sentOf(feed.written)).toEqual([1, 2, 1]);
    feed.cut();
  });

  it('lets the others pass one whose object is not there, and sends it when it is', async () => {
    const object = { sha256: sha256Hex('x'), sizeBytes: 5 };
    missing.add(object.sha256);
    add(1, [object]);
    add(2);
    const feed = open();
    await settle();
    expect(sentOf(feed.written)).toEqual([2]);
    // Not even its header went.
    expect(feed.written).toHaveLength(2);
    expect(faults).toEqual(['DIGEST_MISMATCH']);
    feed.say(ack(2));
    await pass(30);
    expect([sentOf(feed.written), ends]).toEqual([[2], []]);
    missing.clear();
    await pass(31);
    expect(sentOf(feed.written)).toEqual([2, 1]);
    feed.cut();
  });

  it('sends what was withheld once it may leave, although later ones went before it', async () => {
    add(1);
    add(2, [], 'q');
    outcomes.stop('site-a', 'p');
    const feed = open();
    await settle();
    feed.say(ack(2));
    await pass(100);
    expect(sentOf(feed.written)).toEqual([2]);
    outcomes.resume('site-a', 'p');
    await pass(2);
    expect(sentOf(feed.written)).toEqual([2, 1]);
    feed.cut();
  });

  it('gives each its turn before it sends one again, however long the others take', async () => {
    [1, 2, 3].forEach((n) => add(n));
    const feed = open();
    // Nobody answers, and each is given two minutes.
    await pass(370);
    expect(sentOf(feed.written)).toEqual([1, 2, 3, 1]);
    add(4);
    await pass(360);
    expect(sentOf(feed.written)).toContain(4);
    feed.cut();
  });

  it('sends each again to a restored gateway until it has it, over many streams', async () => {
    [1, 2, 3].forEach((n) => add(n));
    const whole = open();
    for (const n of [1, 2, 3]) {
      await settle();
      whole.say(ack(n));
    }
    await settle();
    whole.cut();
    await settle();
    const restored = open(0);
    await settle();
    restored.say(refusal(1));
    for (const n of [2, 3]) {
      await settle();
      restored.say(ack(n));
    }
    await pass(59);
    expect(sentOf(restored.written)).toEqual([1, 2, 3]);
    restored.cut();
    await settle();
    // It names its highest number, as it does after each break.
    const next = open(3);
    await settle();
    expect(sentOf(next.written)).toEqual([1]);
    next.say(ack(1));
    await pass(120);
    expect(sentOf(next.written)).toEqual([1]);
    expect(outcomes.unacknowledged('site-a')).toEqual([]);
    next.cut();
  });

  it('lets the others pass one that is not answered for two minutes', async () => {
    [1, 2].forEach((n) => add(n));
    const feed = open();
    await settle();
    clock.advance(120_000);
    await settle();
    expect(faults).toEqual(['DEADLINE_EXCEEDED']);
    expect(sentOf(feed.written)).toEqual([1, 2]);
    // Its answer comes late: it counts.
    feed.say(ack(1));
    await settle();
    expect(outcomes.unacknowledged('site-a')).toEqual([2]);
    feed.cut();
  });

  it('ends the older stream of a gateway when it opens a newer one', async () => {
    add(1);
    const older = open();
    await settle();
    const newer = open();
    await settle();
    expect(ends).toEqual(['STATE_CONFLICT']);
    expect(newest.size).toBe(1);
    expect(sentOf(newer.written)).toEqual([1]);
    add(2);
    newer.say(ack(1));
    await settle();
    expect(sentOf(newer.written)).toEqual([1, 2]);
    expect(sentOf(older.written)).toEqual([1]);
    newer.cut();
  });

  it('takes nothing as an opening but a cursor, and nothing afterwards but answers', async () => {
    const feed = open();
    await settle();
    feed.say({ part: { $case: 'cursor', value: { afterSequence: 0, exact: true } } });
    await settle();
    clock.advance(1_000);
    await settle();
    expect(ends).toEqual(['INVALID_ARGUMENT']);
  });

  it('ends when the hub stops, although the gateway says nothing', async () => {
    open();
    await settle();
    stopping.abort();
    await settle();
    expect(ends).toEqual(['ended']);
  });
});

/**
 * What every outcome store promises, run against the one in memory and against PostgreSQL.
 * Decides nothing: it is the list of promises. The subject is empty for each of them; what the rest
 * of a hub does to the rows is done through the rig.
 * Source: reliability specification P5, C1; conventions 3 (contract tests).
 */
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { LinkPeer } from '@aifi/hub-identity';
import type { OutcomeLease, OutcomeStore, SignedOutcome } from './outcome-store.js';

/** One concluded job. */
export interface PlannedOutcome {
  readonly siteName: 'site-a' | 'site-b';
  readonly gateway: number;
  readonly study: string;
  readonly revision: number;
  readonly isResult?: boolean;
}
export interface OutcomeStoreRig {
  readonly store: OutcomeStore;
  peer(siteName: 'site-a' | 'site-b', gateway: number): LinkPeer;
  /** Concludes a job of product `p`; its id. */
  conclude(planned: PlannedOutcome): Promise<string>;
  stop(): Promise<void>;
  resume(): Promise<void>;
  takeOver(siteName: 'site-a', gateway: number, successor: number): Promise<void>;
}

export function checkOutcomeStore(name: string, makeRig: () => Promise<OutcomeStoreRig>): void {
  describe(name, () => {
    let rig: OutcomeStoreRig;
    let sut: OutcomeStore;
    beforeEach(async () => {
      rig = await makeRig();
      sut = rig.store;
    }, 60_000);

    const hint = { afterSequence: 0, isExact: false };
    /** Ids of everything that a stream opened now would send, in order. */
    async function owed(peer: LinkPeer, cursor = hint): Promise<string[]> {
      const lease = await sut.open(peer, cursor);
      const ids: string[] = [];
      for (let after = 0; ;) {
        const outcome = await sut.next(peer, lease, after);
        if (!outcome) return ids;
        ids.push(outcome.jobId);
        after = outcome.sequence;
      }
    }
    const plan = (change: Partial<PlannedOutcome> = {}): PlannedOutcome => ({
      ...{ siteName: 'site-a', gateway: 1, study: '2.25.1', revision: 1 },
      ...change,
    });
    async function take(peer: LinkPeer): Promise<SignedOutcome> {
      const lease = await sut.open(peer, hint);
      return (await sut.next(peer, lease, 0))!;
    }

    it('gives a gateway what is owed to it, oldest first, until it is acknowledged', async () => {
      const first = await rig.conclude(plan());
      const second = await rig.conclude(plan({ study: '2.25.2' }));
      const peer = rig.peer('site-a', 1);
      expect(await owed(peer)).toEqual([first, second]);
      expect(await owed(peer)).toEqual([first, second]);
      const outcome = await take(peer);
      await sut.acknowledge(peer, outcome);
      await sut.acknowledge(peer, outcome);
      expect(await owed(peer)).toEqual([second]);
    });

    it('gives nothing of another gateway or site, and takes no word of theirs', async () => {
      await rig.conclude(plan());
      const own = rig.peer('site-a', 1);
      for (const other of [rig.peer('site-a', 2), rig.peer('site-b', 1)]) {
        expect(await owed(other)).toEqual([]);
        const outcome = await take(own);
        await expect(sut.acknowledge(other, outcome)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      }
      expect(await owed(own)).toHaveLength(1);
    });

    it('gives everything of a gateway to its successor, through every take-over', async () => {
      const first = await rig.conclude(plan({ gateway: 1 }));
      const second = await rig.conclude(plan({ gateway: 2, study: '2.25.2' }));
      await rig.takeOver('site-a', 1, 2);
      expect(await owed(rig.peer('site-a', 1))).toEqual([]);
      expect(await owed(rig.peer('site-a', 2))).toEqual([first, second]);
      await rig.takeOver('site-a', 2, 3);
      expect(await owed(rig.peer('site-a', 2))).toEqual([]);
      const successor = rig.peer('site-a', 3);
      expect(await owed(successor)).toEqual([first, second]);
      await sut.acknowledge(successor, await take(successor));
      expect(await owed(successor)).toEqual([second]);
    });

    it('serves the newest stream of a gateway only', async () => {
      await rig.conclude(plan());
      const peer = rig.peer('site-a', 1);
      const older: OutcomeLease = await sut.open(peer, hint);
      const newer = await sut.open(peer, hint);
      await sut.open(rig.peer('site-a', 2), hint);
      await expect(sut.next(peer, older, 0)).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
      expect(await sut.next(peer, newer, 0)).toBeDefined();
    });

    it('never gives an older revision after a newer one has left', async () => {
      const newer = await rig.conclude(plan({ revision: 2 }));
      const older = await rig.conclude(plan({ revision: 1 }));
      const peer = rig.peer('site-a', 1);
      expect(await owed(peer)).toEqual([newer]);
      await sut.acknowledge(peer, await take(peer));
      expect(await owed(peer)).toEqual([]);
      const next = await rig.conclude(plan({ revision: 3 }));
      expect(await owed(peer)).toEqual([next]);
      expect(older).not.toBe(newer);
    });

    it('gives both revisions when the older one leaves first, then only the newer', async () => {
      const older = await rig.conclude(plan({ revision: 1 }));
      const newer = await rig.conclude(plan({ revision: 2 }));
      const peer = rig.peer('site-a', 1);
      expect(await owed(peer)).toEqual([older, newer]);
      expect(await owed(peer)).toEqual([newer]);
    });

    it('withholds results of a stopped product, sent before or not, until it resumes', async () => {
      const result = await rig.conclude(plan());
      const refusal = await rig.conclude(plan({ study: '2.25.2', isResult: false }));
      const peer = rig.peer('site-a', 1);
      expect(await owed(peer)).toEqual([result, refusal]);
      await rig.stop();
      expect(await owed(peer)).toEqual([refusal]);
      await rig.resume();
      expect(await owed(peer)).toEqual([result, refusal]);
    });

    it('sends again what a restored gateway has lost, nothing to one that hints', async () => {
      const first = await rig.conclude(plan());
      const second = await rig.conclude(plan({ study: '2.25.2' }));
      const peer = rig.peer('site-a', 1);
      for (let count = 0; count < 2; count += 1) await sut.acknowledge(peer, await take(peer));
      expect(await owed(peer, { afterSequence: 0, isExact: false })).toEqual([]);
      expect(await owed(peer, { afterSequence: 2, isExact: true })).toEqual([]);
      expect(await owed(peer, { afterSequence: 1, isExact: true })).toEqual([second]);
      expect(await owed(peer, { afterSequence: 0, isExact: true })).toEqual([first, second]);
    });

    it('owes a restored gateway what it lost until it has it, whatever it says it has', async () => {
      const lost = await rig.conclude(plan());
      const taken = await rig.conclude(plan({ study: '2.25.2' }));
      const other = await rig.conclude(plan({ gateway: 2, study: '2.25.3' }));
      const peer = rig.peer('site-a', 1);
      for (let count = 0; count < 2; count += 1) await sut.acknowledge(peer, await take(peer));
      await sut.acknowledge(rig.peer('site-a', 2), await take(rig.peer('site-a', 2)));
      const lease = await sut.open(peer, { afterSequence: 0, isExact: true });
      const first = (await sut.next(peer, lease, 0))!;
      // The second is taken, the first is not; then the stream breaks.
      await sut.acknowledge(peer, (await sut.next(peer, lease, first.sequence))!);
      expect(taken).not.toBe(lost);
      expect(await owed(peer, { afterSequence: 2, isExact: true })).toEqual([lost]);
      expect(await owed(peer)).toEqual([lost]);
      await sut.acknowledge(peer, first);
      expect(await owed(peer)).toEqual([]);
      // What another gateway has is nothing to this one.
      expect(await owed(rig.peer('site-a', 2))).toEqual([]);
      expect(other).not.toBe(lost);
    });

    it('owes a restored gateway the newest revision only', async () => {
      await rig.conclude(plan({ revision: 1 }));
      const peer = rig.peer('site-a', 1);
      await sut.acknowledge(peer, await take(peer));
      const newer = await rig.conclude(plan({ revision: 2 }));
      await sut.acknowledge(peer, await take(peer));
      expect(await owed(peer, { afterSequence: 0, isExact: true })).toEqual([newer]);
      expect(await owed(peer, { afterSequence: 0, isExact: true })).toEqual([newer]);
    });
  });
}

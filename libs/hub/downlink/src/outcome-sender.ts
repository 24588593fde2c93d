/**
 * OutcomeSender: one stream with one gateway, a reader of its answers beside a writer of outcomes.
 * Decides that outcomes go oldest first, one at a time, each until it is acknowledged. One that the
 * gateway refuses, or leaves unanswered, or whose objects are not there, is put behind the others
 * and sent again once they have gone: nothing waits behind it. Invariant: at least once; only an
 * acknowledgement ends an outcome.
 * Source: reliability specification P5, C2, F7; aifi/downlink/v1/downlink.proto.
 */
import {
  AifiError,
  crashPoint,
  jobId as asJobId,
  type Clock,
  type Sha256,
  type SiteId,
  type Wake,
} from '@aifi/shared-kernel';
import type { downlink } from '@aifi/contracts-proto';
import type { SiteStream } from '@aifi/hub-identity';
import type { OutcomeLease, OutcomeObject, OutcomeStore, SignedOutcome } from './outcome-store.js';

/** Look for new outcomes of other hub processes. @unit ms */
const POLL_MS = 1_000;
/** A gateway writes an outcome durably before it answers. @unit ms */
const ACK_MS_MAX = 120_000;
/** Before all that is owed is gone through again: what was refused, what may leave now. @unit ms */
const AGAIN_MS = 60_000;

export type OutcomeStream = SiteStream<
  downlink.StreamOutcomesRequest,
  downlink.StreamOutcomesResponse
>;

/** Reads the sealed bytes of result objects. */
export interface ObjectSource {
  /** Whether it is there, as long as it should be. */
  has(siteId: SiteId, object: OutcomeObject): Promise<boolean>;
  read(siteId: SiteId, sha256: Sha256): AsyncIterable<Uint8Array>;
}
export interface OutcomeSenderDependencies {
  readonly outcomes: OutcomeStore;
  readonly store: ObjectSource;
  readonly clock: Clock;
  /** Ends all streams when the hub stops. */
  readonly stopping: AbortSignal;
  /** Rung when there may be a new outcome. */
  readonly bell: Wake;
  /** An outcome that the gateway refuses, or does not answer for too long. */
  readonly onFault: (error: AifiError, siteId: SiteId) => void;
}

export class OutcomeSender {
  /** The outcome under way, until its answer. */
  #awaited: { readonly outcome: SignedOutcome; readonly answered: AbortController } | undefined;

  constructor(
    private readonly dependencies: OutcomeSenderDependencies,
    private readonly stream: OutcomeStream,
    /** Aborts when a newer stream of the gateway has come. */
    private readonly overtaken: AbortSignal,
  ) {}

  /** Resolves when the gateway ends the stream or goes, or the hub stops. */
  async run(): Promise<void> {
    const requests = this.stream.requests[Symbol.asyncIterator]();
    const first = await requests.next();
    if (first.done) return;
    if (first.value.part?.$case !== 'cursor') {
      throw new AifiError('INVALID_ARGUMENT', 'the first message is not a cursor');
    }
    const { afterSequence, exact: isExact } = first.value.part.value;
    const { peer, signal } = this.stream;
    const lease = await this.dependencies.outcomes.open(peer, { afterSequence, isExact });
    crashPoint('hub.downlink.opened');
    const ended = new AbortController();
    const cut = AbortSignal.any([signal, this.dependencies.stopping, this.overtaken]);
    const reading = this.#readAnswers(requests).finally(() => ended.abort());
    const sending = this.#sendAll(lease, AbortSignal.any([cut, ended.signal]));
    // When the hub stops, the reader would still wait for a gateway that has nothing to say.
    await Promise.all([sending, Promise.race([reading, aborted(cut)])]);
    if (this.overtaken.aborted) {
      throw new AifiError('STATE_CONFLICT', 'the gateway has opened a newer stream');
    }
  }

  async #readAnswers(requests: AsyncIterator<downlink.StreamOutcomesRequest>): Promise<void> {
    for (;;) {
      const next = await requests.next();
      if (next.done) return;
      const { part } = next.value;
      if (part?.$case === 'ack') await this.#acknowledge(part.value);
      else if (part?.$case === 'refusal') this.#refused(part.value);
      else throw new AifiError('INVALID_ARGUMENT', 'not an ack');
    }
  }

  async #acknowledge(ack: downlink.OutcomeAck): Promise<void> {
    const { jobId, revision, issue } = ack;
    const outcome = { jobId: asJobId(jobId), revision, issue };
    crashPoint('hub.downlink.before-ack');
    await this.dependencies.outcomes.acknowledge(this.stream.peer, outcome);
    crashPoint('hub.downlink.after-ack');
    this.#answered(ack);
  }

  /** Its own words about why are not believed for more than a log line of ours. */
  #refused(refusal: downlink.OutcomeRefusal): void {
    const fault = new AifiError('PEER_REFUSED', 'the gateway cannot take an outcome');
    this.dependencies.onFault(fault, this.stream.peer.siteId);
    this.#answered(refusal);
  }

  #answered({ jobId, issue }: Pick<downlink.OutcomeAck, 'jobId' | 'issue'>): void {
    const { outcome, answered } = this.#awaited ?? {};
    if (outcome?.jobId === jobId && outcome.issue === issue) answered?.abort();
  }

  async #sendAll(lease: OutcomeLease, signal: AbortSignal): Promise<void> {
    const { outcomes, clock, bell } = this.dependencies;
    const { peer } = this.stream;
    let after = 0;
    let againAtMs = Infinity;
    while (!signal.aborted) {
      const outcome = await outcomes.next(peer, lease, after);
      if (!outcome) {
        // Not before the end: what is refused each time would hold up what has a higher number.
        if (clock.monotonicMs() >= againAtMs) {
          [after, againAtMs] = [0, Infinity];
          continue;
        }
        await bell.wait(clock, POLL_MS, signal);
        continue;
      }
      if (await this.#isWhole(outcome)) await this.#sendAndAwait(outcome, signal);
      againAtMs = Math.min(againAtMs, clock.monotonicMs() + AGAIN_MS);
      after = outcome.sequence;
    }
  }

  /** Asked before the first byte goes: an outcome that was begun must be sent to its end. */
  async #isWhole({ objects }: SignedOutcome): Promise<boolean> {
    const { store, onFault } = this.dependencies;
    const { siteId } = this.stream.peer;
    for (const object of objects) {
      if (await store.has(siteId, object)) continue;
      onFault(new AifiError('DIGEST_MISMATCH', 'an object of an outcome is not there'), siteId);
      return false;
    }
    return true;
  }

  /** To its answer, or until the gateway has had its time. */
  async #sendAndAwait(outcome: SignedOutcome, signal: AbortSignal): Promise<void> {
    const answered = new AbortController();
    this.#awaited = { outcome, answered };
    try {
      crashPoint('hub.downlink.before-send');
      await this.#send(outcome);
      crashPoint('hub.downlink.after-send');
      const { clock, onFault } = this.dependencies;
      await clock.sleep(ACK_MS_MAX, AbortSignal.any([signal, answered.signal]));
      if (!answered.signal.aborted && !signal.aborted) {
        const fault = new AifiError('DEADLINE_EXCEEDED', 'an outcome was not acknowledged');
        onFault(fault, this.stream.peer.siteId);
      }
    } finally {
      this.#awaited = undefined;
    }
  }

  async #send(outcome: SignedOutcome): Promise<void> {
    const { sequence, manifest, signature, envelope } = outcome;
    const header = { sequence, manifest, signature, envelope };
    await this.stream.write({ part: { $case: 'header', value: header } });
    for (const object of outcome.objects) {
      const bytes = this.dependencies.store.read(this.stream.peer.siteId, object.sha256);
      for await (const chunk of bytes) {
        await this.stream.write({ part: { $case: 'chunk', value: chunk as Buffer } });
      }
    }
    await this.stream.write({ part: { $case: 'end', value: { sequence } } });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

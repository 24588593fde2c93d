/**
 * DownlinkService: signed rules, outcomes and audit anchors, pulled by the gateways of one site.
 * Decides that outcomes of the calling site only are sent, oldest first, one at a time, each until
 * it is acknowledged. The cursor opens the stream; it never makes the hub skip an outcome whose
 * acknowledgement was lost, because only an acknowledgement ends a job.
 * Invariant: at least once, in the order of the site's numbers.
 * Source: reliability specification P5, C1, C2, F7; aifi/downlink/v1/downlink.proto.
 */
import {
  AifiError,
  canonicalJson,
  crashPoint,
  jobId as asJobId,
  Wake,
  type Clock,
  type SiteId,
} from '@aifi/shared-kernel';
import type { downlink } from '@aifi/contracts-proto';
import {
  acknowledgeOutcome,
  nextOutcome,
  noteSeen,
  readAnchors,
  type HubDatabase,
  type SignedOutcome,
} from '@aifi/hub-database';
import type { FolderObjectStore } from '@aifi/hub-object-store';
import { siteStream, siteUnary, type FaultListener, type SiteStream } from '@aifi/hub-identity';

export interface DownlinkDependencies {
  readonly database: HubDatabase;
  readonly store: FolderObjectStore;
  readonly clock: Clock;
  readonly onFault: FaultListener;
  /** Ends all streams when the hub stops. */
  readonly stopping: AbortSignal;
}
export interface Downlink {
  readonly service: downlink.DownlinkServiceServer;
  /** Looks for outcomes at once, on every open stream. */
  wake(): void;
}

/** Look for new outcomes of other hub processes. @unit ms */
const POLL_MS = 1_000;
/** A gateway writes an outcome durably before it answers. @unit ms */
const ACK_MS_MAX = 120_000;

type OutcomeStream = SiteStream<downlink.StreamOutcomesRequest, downlink.StreamOutcomesResponse>;

/** The methods for a grpc-js server, and the bell for the stages that make outcomes. */
export function createDownlink(dependencies: DownlinkDependencies): Downlink {
  const { onFault } = dependencies;
  const bells = new Set<Wake>();
  const serve = async (stream: OutcomeStream): Promise<void> => {
    const bell = new Wake();
    bells.add(bell);
    try {
      await new OutcomeSender(dependencies, stream, bell).run();
    } finally {
      bells.delete(bell);
    }
  };
  return {
    service: {
      getRoutingRules: siteUnary(
        ({ siteId }, request) => rules(dependencies, siteId, request),
        onFault,
      ),
      streamOutcomes: siteStream(serve, onFault),
      getAuditAnchors: siteUnary(
        ({ siteId }, request) => anchors(dependencies, siteId, request),
        onFault,
      ),
    },
    wake: () => bells.forEach((bell) => bell.notify()),
  };
}

async function rules(
  { database, clock }: DownlinkDependencies,
  siteId: SiteId,
  { heldSha256 }: downlink.GetRoutingRulesRequest,
): Promise<downlink.GetRoutingRulesResponse> {
  const latest = await database.withSite(siteId, async (sql) => {
    // Every gateway asks this each ten seconds, so it is also how a site is heard of.
    await noteSeen(sql, clock.nowMs());
    return sql.row<{ rules: Buffer; signature: Buffer; rules_sha256: string }>(
      'SELECT rules, signature, rules_sha256 FROM routing_rules ORDER BY sequence DESC LIMIT 1',
    );
  });
  if (!latest) throw new AifiError('NOT_FOUND', 'no rules for this site');
  const empty = Buffer.alloc(0);
  if (latest.rules_sha256 === heldSha256) return { rules: empty, signature: empty };
  return { rules: latest.rules, signature: latest.signature };
}

/** Days of one answer: a gateway that was away for a year catches up in one call. */
const ANCHORS_MAX = 400;

async function anchors(
  { database }: DownlinkDependencies,
  siteId: SiteId,
  { fromDay }: downlink.GetAuditAnchorsRequest,
): Promise<downlink.GetAuditAnchorsResponse> {
  if (fromDay !== '' && !isDay(fromDay)) {
    throw new AifiError('INVALID_ARGUMENT', 'the first day is no day');
  }
  const query = { siteId, limit: ANCHORS_MAX, ...(fromDay === '' ? {} : { fromDay }) };
  const found = await database.withSite(siteId, (sql) => readAnchors(sql, query));
  return { anchors: found.map((anchor) => Buffer.from(canonicalJson(anchor))) };
}

/** A day of the calendar as YYYY-MM-DD. */
function isDay(text: string): boolean {
  const date = new Date(`${text}T00:00:00.000Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().slice(0, 10) === text;
}

/** One stream: a reader of acknowledgements beside a writer of outcomes. */
class OutcomeSender {
  /** The outcome under way, until its acknowledgement. */
  #awaited: { readonly outcome: SignedOutcome; readonly acked: () => void } | undefined;

  constructor(
    private readonly dependencies: DownlinkDependencies,
    private readonly stream: OutcomeStream,
    private readonly bell: Wake,
  ) {}

  /** Resolves when the gateway ends the stream or goes, or the hub stops. */
  async run(): Promise<void> {
    const requests = this.stream.requests[Symbol.asyncIterator]();
    const first = await requests.next();
    if (first.done) return;
    if (first.value.part?.$case !== 'cursor') {
      throw new AifiError('INVALID_ARGUMENT', 'the first message is not a cursor');
    }
    const ended = new AbortController();
    const cut = AbortSignal.any([this.stream.signal, this.dependencies.stopping]);
    const reading = this.#readAcks(requests).finally(() => ended.abort());
    const sending = this.#sendAll(AbortSignal.any([cut, ended.signal]));
    // When the hub stops, the reader would still wait for a gateway that has nothing to say.
    await Promise.all([sending, Promise.race([reading, aborted(cut)])]);
  }

  async #readAcks(requests: AsyncIterator<downlink.StreamOutcomesRequest>): Promise<void> {
    for (;;) {
      const next = await requests.next();
      if (next.done) return;
      const { part } = next.value;
      if (part?.$case !== 'ack') throw new AifiError('INVALID_ARGUMENT', 'not an ack');
      await this.#acknowledge(part.value);
    }
  }

  async #acknowledge({ jobId, revision, issue }: downlink.OutcomeAck): Promise<void> {
    const { database, clock } = this.dependencies;
    const { siteId } = this.stream.peer;
    const key = { siteId, jobId: asJobId(jobId), revision, issue };
    crashPoint('hub.downlink.before-ack');
    await database.withSite(siteId, (sql) => acknowledgeOutcome(sql, key, clock.nowMs()));
    crashPoint('hub.downlink.after-ack');
    const awaited = this.#awaited;
    if (awaited?.outcome.jobId === jobId && awaited.outcome.issue === issue) awaited.acked();
  }

  async #sendAll(signal: AbortSignal): Promise<void> {
    const { database, clock } = this.dependencies;
    let sent = 0;
    while (!signal.aborted) {
      const outcome = await database.withSite(this.stream.peer.siteId, (sql) =>
        nextOutcome(sql, sent),
      );
      if (!outcome) {
        await this.bell.wait(clock, POLL_MS, signal);
        continue;
      }
      await this.#sendAndAwait(outcome, signal);
      sent = outcome.sequence;
    }
  }

  async #sendAndAwait(outcome: SignedOutcome, signal: AbortSignal): Promise<void> {
    const acked = new AbortController();
    this.#awaited = { outcome, acked: () => acked.abort() };
    try {
      crashPoint('hub.downlink.before-send');
      await this.#send(outcome);
      crashPoint('hub.downlink.after-send');
      const { clock } = this.dependencies;
      await clock.sleep(ACK_MS_MAX, AbortSignal.any([signal, acked.signal]));
      if (!acked.signal.aborted && !signal.aborted) {
        throw new AifiError('DEADLINE_EXCEEDED', 'an outcome was not acknowledged');
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

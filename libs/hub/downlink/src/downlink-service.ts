/**
 * DownlinkService: what the gateways of one site pull, as methods of a grpc-js server.
 * Decides nothing about outcomes and control state: the senders and their stores do. Here each call
 * gets its gateway, its bell and its turn: of two streams of one gateway the newer one is served.
 * Invariant: an answer is about the calling site only, which the certificate names.
 * Source: reliability specification P5, C1, C2; aifi/downlink/v1/downlink.proto.
 */
import { AifiError, canonicalJson, Wake, type SiteId } from '@aifi/shared-kernel';
import type { downlink } from '@aifi/contracts-proto';
import { noteSeen, readAnchors } from '@aifi/hub-database';
import {
  siteServerStream,
  siteStream,
  siteUnary,
  type FaultListener,
  type LinkPeer,
} from '@aifi/hub-identity';
import { sendControl } from './control-sender.js';
import type { ControlStore } from './control-store.js';
import { NewestStream } from './newest-stream.js';
import { OutcomeSender, type ObjectSource } from './outcome-sender.js';
import type { OutcomeStore } from './outcome-store.js';
import {
  createPostgresControlStore,
  latestRules,
  type ControlStoreDependencies,
} from './postgres-control-store.js';
import { createPostgresOutcomeStore } from './postgres-outcome-store.js';

export interface DownlinkDependencies extends ControlStoreDependencies {
  readonly store: ObjectSource;
  readonly onFault: FaultListener;
  /** Ends all streams when the hub stops. */
  readonly stopping: AbortSignal;
}
export interface Downlink {
  readonly service: downlink.DownlinkServiceServer;
  /** Looks for outcomes at once, on every open stream. */
  wake(): void;
  /** Looks at stops and rules at once, on every open control stream. */
  wakeControl(): void;
}

/** The methods for a grpc-js server, and the bells for the stages that make outcomes and rules. */
export function createDownlink(dependencies: DownlinkDependencies): Downlink {
  const { database, clock, onFault } = dependencies;
  const outcomes: OutcomeStore = createPostgresOutcomeStore(database, clock);
  const control: ControlStore = createPostgresControlStore(dependencies);
  const outcomeTurns = new Turns();
  const controlTurns = new Turns();
  return {
    service: {
      getRoutingRules: siteUnary(
        ({ siteId }, request) => rules(dependencies, siteId, request),
        onFault,
      ),
      streamOutcomes: siteStream(
        (stream) =>
          outcomeTurns.run(stream.peer, (bell, overtaken) =>
            new OutcomeSender({ ...dependencies, outcomes, bell }, stream, overtaken).run(),
          ),
        onFault,
      ),
      streamControl: siteServerStream(
        (feed) =>
          controlTurns.run(feed.peer, (bell, overtaken) =>
            sendControl({ ...dependencies, control, bell }, feed, overtaken),
          ),
        onFault,
      ),
      getAuditAnchors: siteUnary(
        ({ siteId }, request) => anchors(dependencies, siteId, request),
        onFault,
      ),
    },
    wake: () => outcomeTurns.wake(),
    wakeControl: () => controlTurns.wake(),
  };
}

/** The open streams of one kind: a bell each, and only the newest of each gateway. */
class Turns {
  readonly #bells = new Set<Wake>();
  readonly #newest = new NewestStream();

  async run(
    peer: LinkPeer,
    work: (bell: Wake, overtaken: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const bell = new Wake();
    this.#bells.add(bell);
    try {
      await this.#newest.run(peer, (overtaken) => work(bell, overtaken));
    } finally {
      this.#bells.delete(bell);
    }
  }
  wake(): void {
    for (const bell of this.#bells) bell.notify();
  }
}

async function rules(
  { database, clock }: DownlinkDependencies,
  siteId: SiteId,
  { heldSha256 }: downlink.GetRoutingRulesRequest,
): Promise<downlink.GetRoutingRulesResponse> {
  const latest = await database.withSite(siteId, async (sql) => {
    // An older gateway asks this each ten seconds, so it is also how its site is heard of.
    await noteSeen(sql, clock.nowMs());
    return latestRules(sql);
  });
  if (!latest) throw new AifiError('NOT_FOUND', 'no rules for this site');
  const empty = Buffer.alloc(0);
  if (latest.sha256 === heldSha256) return { rules: empty, signature: empty };
  return { rules: latest.bytes, signature: latest.signature };
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

/**
 * HubAccess: the hub as one gateway reaches it, and the process of the hub behind it.
 * Decides that a gateway is told apart by its line alone (guard C1: the certificate), and runs the
 * real sender of outcomes over the simulated stream.
 * Invariants: nothing that a gateway sends names a site; a hub that is down answers nobody.
 * Source: reliability specification C1, C2, P2, P5.
 */
import type { downlink } from '@aifi/contracts-proto';
import type { DownlinkPort, OutcomeStream } from '@aifi/gateway-downlink';
import { answerOf, type ObjectTransport, type UplinkPort } from '@aifi/gateway-uplink';
import { NewestStream, OutcomeSender, type OutcomeStore } from '@aifi/hub-downlink';
import type { LinkPeer } from '@aifi/hub-identity';
import {
  AifiError,
  Wake,
  type FileSystem,
  type JobId,
  type Sha256,
  type SiteId,
} from '@aifi/shared-kernel';
import { brokenOutcomes } from './broken-hub.js';
import type { Bug } from './bugs.js';
import type { ReferenceModel } from './reference-model.js';
import { SimClock } from './sim-clock.js';
import { SimHub, type HubParts, type HubRows } from './sim-hub.js';
import type { SimLink } from './sim-link.js';
import { SimStream } from './sim-stream.js';
import { runWorker, type WorkerParts } from './sim-worker.js';
import { Life, type World } from './world.js';

type Up = downlink.StreamOutcomesRequest;
type Down = downlink.StreamOutcomesResponse;

export interface HubProcessParts extends HubParts {
  readonly world: World;
  readonly rows: HubRows;
  readonly worker: Pick<WorkerParts, 'troubles'>;
}

/** One life of the hub with its workers. */
export class HubProcess {
  readonly life = new Life('hub');
  readonly hub: SimHub;
  readonly #bells = new Set<Wake>();
  readonly #newest = new NewestStream();
  readonly #clock: SimClock;

  constructor(private readonly parts: HubProcessParts) {
    const { world, rows } = parts;
    this.hub = new SimHub(this.life, world, rows, parts);
    this.#clock = new SimClock(world, this.life);
    // Two workers, so that a lease can pass from one to the other.
    for (let worker = 0; worker < 2; worker += 1) {
      world.in(worker, this.life, () => void runWorker(this.hub, this.#workerParts()));
    }
  }

  #workerParts(): WorkerParts {
    const { world, rows, model, random, worker } = this.parts;
    const onConcluded = (): void => this.#bells.forEach((bell) => bell.notify());
    return { ...{ world, rows, model, onConcluded }, random: random.split(), ...worker };
  }

  /** The real sender of outcomes, on that stream. */
  async serve(peer: LinkPeer, stream: SimStream<Up, Down>): Promise<void> {
    const bell = new Wake();
    this.#bells.add(bell);
    const { rows, bug, model } = this.parts;
    const store = brokenOutcomes(bug, model, committed(this.hub, rows.outcomes), rows);
    const dependencies = {
      ...{ outcomes: store, clock: this.#clock, bell, onFault: () => undefined },
      store: {
        // A sealed object that is gone is a bug here, and read says so.
        has: () => Promise.resolve(true),
        read: (siteId: SiteId, sha256: Sha256) => this.#read(siteId, sha256),
      },
      stopping: new AbortController().signal,
    };
    const sides = {
      ...{ peer, requests: stream.requests, signal: stream.gone },
      write: (message: Down) => stream.sendDown(message),
    };
    try {
      await this.#newest.run(peer, (overtaken) =>
        new OutcomeSender(dependencies, sides, overtaken).run(),
      );
      stream.break();
    } catch (error) {
      stream.fail(AifiError.from(error));
    } finally {
      this.#bells.delete(bell);
    }
  }
  async *#read(siteId: SiteId, sha256: Sha256): AsyncGenerator<Uint8Array> {
    const bytes = this.hub.object(siteId, sha256);
    if (!bytes) throw new AifiError('INTERNAL', 'a sealed object is gone');
    // In two pieces, so that a cut can come between.
    const middle = bytes.length >> 1;
    yield bytes.subarray(0, middle);
    yield bytes.subarray(middle);
  }
}

/** Each step is a transaction of the hub's database. */
function committed(hub: SimHub, store: OutcomeStore): OutcomeStore {
  return {
    open: (peer, cursor) => hub.commit(() => store.open(peer, cursor)),
    next: (peer, lease, after) => hub.commit(() => store.next(peer, lease, after)),
    acknowledge: (peer, outcome) => hub.commit(() => store.acknowledge(peer, outcome)),
  };
}

export interface HubAccessParts {
  readonly world: World;
  readonly siteId: SiteId;
  readonly link: SimLink;
  /** The hub as it is now. */
  readonly hub: () => HubProcess | undefined;
  readonly bug: Bug | undefined;
  readonly model: ReferenceModel;
  /** True when the linkage of that job is durable at this site. */
  readonly isLinked: (jobId: JobId) => boolean;
  /** What a gateway with a planted bug makes of what the hub sends. */
  readonly received: (message: Down, stream: SimStream<Up, Down>) => Down;
}

export class HubAccess {
  constructor(private readonly parts: HubAccessParts) {}

  /** As that life of the gateway sees it. */
  uplink(life: Life): UplinkPort {
    const { siteId, link, isLinked, model } = this.parts;
    return {
      openStudy: (request) => {
        // A process that has died calls nobody.
        if (life.isAlive && !isLinked(request.jobId as JobId)) {
          model.violated('P1: a study leaves before its linkage is durable');
        }
        return answerOf(() => link.call(life, () => this.#hub().openStudy(siteId, request)));
      },
      closeStudy: (request) =>
        answerOf(() => link.call(life, () => this.#hub().closeStudy(siteId, request))),
    };
  }

  transport(life: Life, files: FileSystem): ObjectTransport {
    const { siteId, link } = this.parts;
    return {
      send: async ({ jobId, objects, acknowledge, pace, signal }) => {
        for (const { sha256, path, sizeBytes } of objects) {
          if (signal.aborted) break;
          await pace(sizeBytes);
          const bytes = await files.read(path);
          const digest = sha256 as Sha256;
          await link.call(life, () => this.#hub().putObject(siteId, { jobId, sha256 }, bytes));
          await acknowledge(digest);
        }
        return { kind: 'sent' };
      },
    };
  }

  downlink(life: Life): DownlinkPort {
    const none = (): never => {
      throw new AifiError('PEER_REFUSED', 'not in a simulation');
    };
    return {
      ...{ routingRules: none, auditAnchors: none, openControl: none },
      openOutcomes: () => this.#openOutcomes(life),
    };
  }

  #openOutcomes(life: Life): OutcomeStream {
    const { world, siteId, link, received } = this.parts;
    const process = this.parts.hub();
    if (!process || link.isDown) {
      const heardMs = link.isSilent ? 30_000 : 20;
      return {
        responses: unreachable(world, life, heardMs),
        ...{ send: () => undefined, close: () => undefined },
      };
    }
    const stream = new SimStream<Up, Down>({
      ...{ world, gateway: life, hub: process.life },
      latencyMs: () => link.latencyMs(),
      isSilent: () => link.isSilent,
    });
    link.streams.add(stream);
    // The site is that of the line, whatever is said on it (guard C1).
    const peer = { siteId, gateway: 1 } as LinkPeer;
    world.in(link.latencyMs() ?? 0, process.life, () => void process.serve(peer, stream));
    return {
      responses: mapped(stream.received, (message) => received(message, stream)),
      send: (request) => stream.sendUp(request),
      close: () => {
        link.streams.delete(stream);
        stream.cancel();
      },
    };
  }

  #hub(): SimHub {
    const process = this.parts.hub();
    if (!process) throw new AifiError('PEER_UNAVAILABLE', 'the hub is not there');
    return process.hub;
  }
}

async function* mapped<T>(source: AsyncIterable<T>, change: (item: T) => T): AsyncGenerator<T> {
  for await (const item of source) yield change(item);
}

function unreachable(world: World, life: Life, heardMs: number): AsyncIterable<never> {
  const next = async (): Promise<IteratorResult<never>> => {
    await world.wait(heardMs, life);
    throw new AifiError('PEER_UNAVAILABLE', 'the hub cannot be reached');
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

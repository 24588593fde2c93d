/**
 * The control stream to one gateway: what is in force, as soon as it changes, and probes between.
 * Decides that a gateway hears of a stop within seconds, that silence means a dead link, and that a
 * hub that stops says so first. Invariants: a part is sent when the gateway does not hold it, never
 * an older one after a newer one; nothing is signed here.
 * Source: governance specification 1 (effect within 60 s); reliability specification 3 (half-open).
 */
import type { downlink } from '@aifi/contracts-proto';
import type { SiteFeed } from '@aifi/hub-identity';
import { crashPoint, type Clock, type Wake } from '@aifi/shared-kernel';
import type { ControlStore } from './control-store.js';

/** A change made by another process of the hub is found within this time. @unit ms */
const POLL_MS = 2_000;
/** A gateway gives up a stream that is silent for three of these. @unit ms */
export const PROBE_INTERVAL_MS = 10_000;
/** Gateways come back spread over their own jitter after this. @unit ms */
const RETRY_AFTER_MS = 1_000;

export type ControlFeed = SiteFeed<downlink.StreamControlRequest, downlink.StreamControlResponse>;
export interface ControlDependencies {
  readonly control: ControlStore;
  readonly clock: Clock;
  /** Ends the stream, with a farewell, when the hub stops. */
  readonly stopping: AbortSignal;
  /** Rung when something in force has changed. */
  readonly bell: Wake;
}
type Part = NonNullable<downlink.StreamControlResponse['part']>;

/** Resolves when the gateway goes, a newer stream of it comes, or the hub stops. */
export async function sendControl(
  dependencies: ControlDependencies,
  feed: ControlFeed,
  overtaken: AbortSignal,
): Promise<void> {
  const { control, clock, stopping, bell } = dependencies;
  const signal = AbortSignal.any([feed.signal, stopping, overtaken]);
  const told = new Told(feed.request);
  let probes = 0;
  let probeAtMs = clock.monotonicMs();
  const write = (part: Part): Promise<void> => feed.write({ part });
  while (!signal.aborted) {
    for (const part of told.newParts(await control.current(feed.peer))) {
      crashPoint('hub.control.before-send');
      await write(part);
      crashPoint('hub.control.after-send');
    }
    if (signal.aborted) break;
    if (clock.monotonicMs() >= probeAtMs) {
      probes += 1;
      probeAtMs = clock.monotonicMs() + PROBE_INTERVAL_MS;
      await control.seen(feed.peer);
      await write({ $case: 'probe', value: { sequence: probes, hubTimeMs: clock.nowMs() } });
    }
    const idleMs = Math.min(POLL_MS, probeAtMs - clock.monotonicMs());
    if (idleMs > 0) await bell.wait(clock, idleMs, signal);
  }
  if (stopping.aborted && !feed.signal.aborted) {
    await write({ $case: 'drain', value: { retryAfterMs: RETRY_AFTER_MS } });
  }
}

/** What the gateway holds, as far as this stream knows. */
class Told {
  #killSequence: number;
  #rules: string;
  #configuration: string;

  constructor(request: downlink.StreamControlRequest) {
    this.#killSequence = request.killSequence;
    this.#rules = request.rulesSha256;
    this.#configuration = request.configurationSha256;
  }

  /** The kill state first: what it stops must not be started by newer rules. */
  *newParts(state: Awaited<ReturnType<ControlStore['current']>>): Generator<Part> {
    const { killState, rules, configuration } = state;
    if (killState.sequence > this.#killSequence) {
      this.#killSequence = killState.sequence;
      const { bytes, signature } = killState;
      yield { $case: 'killState', value: { state: bytes, signature } };
    }
    if (rules && rules.sha256 !== this.#rules) {
      this.#rules = rules.sha256;
      yield { $case: 'routingRules', value: { rules: rules.bytes, signature: rules.signature } };
    }
    if (configuration && configuration.sha256 !== this.#configuration) {
      this.#configuration = configuration.sha256;
      const { bytes: reference, signature } = configuration;
      yield { $case: 'configuration', value: { reference, signature } };
    }
  }
}

/**
 * The control stream at the gateway: what the hub tells at once, each part to whom it concerns.
 * Decides that silence of three probes is a dead link, and that a part which does not verify is
 * told to people and changes nothing. Invariants: nothing is in force before its signature is
 * verified and it is durable here; a part that is refused never ends the stream.
 * Source: governance specification 1 (kill switch); reliability specification 3 (half-open).
 */
import {
  configurationReferenceSchema,
  decodeManifest,
  verifyManifest,
  type ConfigurationReference,
  type VerifyingKeys,
} from '@aifi/contracts-manifests';
import type { downlink } from '@aifi/contracts-proto';
import { AifiError, type Clock } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { DownlinkPort } from './downlink-port.js';
import type { KillStateStore } from './kill-state-store.js';
import type { RulesStore } from './rules-store.js';

/** Three probes of the hub (10 s each): nothing for so long is a dead link. @unit ms */
export const SILENCE_MS_MAX = 30_000;

/** A probe with the times of both ends, for who compares the clocks. */
export interface ClockProbe {
  readonly hubTimeMs: number;
  /** Wall clock of the gateway as the probe came. */
  readonly receivedMs: number;
}
export interface ControlReaderDependencies {
  readonly port: DownlinkPort;
  readonly rules: RulesStore;
  readonly kill: KillStateStore;
  /** The hub's Ed25519 keys: pinned at enrolment, followed since. */
  readonly signingKeys: VerifyingKeys;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called after new rules came into force. */
  readonly onRules: () => void;
  /** Called after a new kill state came into force. */
  readonly onKillState?: (() => void) | undefined;
  readonly onProbe?: ((probe: ClockProbe) => void) | undefined;
  /** SHA-256 of the configuration in force; '' when there is none. */
  readonly configurationSha256?: (() => string) | undefined;
  readonly onConfiguration?: ((reference: ConfigurationReference) => void) | undefined;
}
/** Why a stream ended well: the hub said when to come again, or said nothing. */
export interface ControlEnd {
  readonly retryAfterMs: number | undefined;
}

/** Reads one stream to its end. PEER_UNAVAILABLE when it breaks or falls silent. */
export async function readControl(
  dependencies: ControlReaderDependencies,
  signal: AbortSignal,
  onOpen: () => void,
): Promise<ControlEnd> {
  const { port, rules, kill, clock, configurationSha256 } = dependencies;
  const stream = port.openControl({
    killSequence: kill.sequence,
    rulesSha256: rules.current()?.sha256 ?? '',
    configurationSha256: configurationSha256?.() ?? '',
  });
  const close = (): void => stream.close();
  signal.addEventListener('abort', close);
  const silence = new Silence(clock, close);
  let end: ControlEnd = { retryAfterMs: undefined };
  try {
    for await (const { part } of stream.responses) {
      silence.broken();
      onOpen();
      if (part?.$case === 'drain') end = { retryAfterMs: part.value.retryAfterMs };
      else if (part) await take(dependencies, part);
    }
  } catch (error) {
    if (!silence.isDead) throw error;
  } finally {
    silence.end();
    signal.removeEventListener('abort', close);
    stream.close();
  }
  if (silence.isDead) throw new AifiError('PEER_UNAVAILABLE', 'the control stream fell silent');
  return end;
}

type Part = NonNullable<downlink.StreamControlResponse['part']>;
async function take(dependencies: ControlReaderDependencies, part: Part): Promise<void> {
  const { logger } = dependencies;
  try {
    await takePart(dependencies, part);
  } catch (error) {
    const fault = AifiError.from(error);
    if (fault.retryClass !== 'permanent' || fault.causeClass === 'bug') throw fault;
    logger.fault('a part of the control stream was refused', fault, { stage: 'downlink' });
  }
}

async function takePart(dependencies: ControlReaderDependencies, part: Part): Promise<void> {
  const { rules, kill, clock, logger, onRules, onKillState, onProbe } = dependencies;
  if (part.$case === 'probe') {
    kill.heard();
    onProbe?.({ hubTimeMs: part.value.hubTimeMs, receivedMs: clock.nowMs() });
  } else if (part.$case === 'killState') {
    if (!(await kill.accept(part.value.state, part.value.signature))) return;
    onKillState?.();
  } else if (part.$case === 'routingRules') {
    if (!(await rules.accept(part.value))) return;
    logger.info('routing rules in force', { stage: 'downlink' });
    onRules();
  } else if (part.$case === 'configuration') {
    const { reference, signature } = part.value;
    verifyManifest(reference, signature, dependencies.signingKeys);
    const told = decodeManifest(configurationReferenceSchema, reference);
    dependencies.onConfiguration?.(told);
  }
}

/** Closes a stream on which nothing comes any more. */
class Silence {
  #ended = new AbortController();
  #isOver = false;
  isDead = false;

  constructor(
    private readonly clock: Clock,
    private readonly close: () => void,
  ) {
    this.#watch();
  }
  /** Something came. */
  broken(): void {
    this.#ended.abort();
    if (!this.#isOver) this.#watch();
  }
  end(): void {
    this.#isOver = true;
    this.#ended.abort();
  }
  #watch(): void {
    const ended = new AbortController();
    this.#ended = ended;
    void this.clock.sleep(SILENCE_MS_MAX, ended.signal).then(() => {
      if (ended.signal.aborted) return;
      this.isDead = true;
      this.close();
    });
  }
}

/**
 * LinkWatch: whether the hub was reached lately and, if not, why.
 * Decides to ask by itself while the channel is not up: gRPC tells only that a connection failed,
 * a dial of our own tells who answered instead. Rare enough to be no load for anybody. A hub that
 * takes the connection and refuses the certificate was not reached either, and counts as down.
 * Invariants: one look at a time; a look sends nothing but a TLS handshake; the last finding stays
 * until the hub is reached. Source: reliability specification 5 (half-open, certificates).
 */
import type { TLSSocket } from 'node:tls';
import type { LinkFinding } from '@aifi/contracts-rest';
import { AifiError, type Clock, type Stage } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import { findingOf, linkFault } from './link-fault.js';
import type { LinkTarget } from './link-settings.js';
import type { HubVerdict } from './swappable-channel.js';

/** Between two looks at the channel. @unit ms */
const LOOK_MS = 5_000;
/** Between two dials while it is not up; half of it by chance. @unit ms */
const DIAL_MS_MAX = 60_000;
/** Whoever is refused without words is cut within this time after the handshake. @unit ms */
const CUT_MS = 1_000;
/** A channel that has just lost its connection is given time to get it back. @unit ms */
const PATIENCE_MS = 10_000;

export interface WatchDependencies {
  readonly target: LinkTarget;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly isUp: () => boolean;
  /** False: there is nobody to dial as yet. */
  readonly mayDial: () => boolean;
  readonly dial: (signal: AbortSignal) => Promise<TLSSocket>;
}

export class LinkWatch {
  readonly stage: Stage = { name: 'link-watch', run: (signal) => this.#run(signal) };
  #lastContactAtMs: number | null = null;
  #finding: LinkFinding | null = null;
  #isRefused = false;
  /** On the monotonic clock. */
  #dialAtMs: number;

  constructor(private readonly dependencies: WatchDependencies) {
    this.#dialAtMs = dependencies.clock.monotonicMs() + PATIENCE_MS;
  }

  get lastContactAtMs(): number | null {
    return this.#lastContactAtMs;
  }
  get finding(): LinkFinding | null {
    return this.#finding;
  }

  /** The hub says that it does not take our certificate. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock } = this.dependencies;
    while (!signal.aborted) {
      await this.look(signal);
      await clock.sleep(LOOK_MS, signal);
    }
  }

  /** Never throws. */
  async look(signal: AbortSignal): Promise<void> {
    const { clock, random, isUp, mayDial } = this.dependencies;
    if (isUp() && !this.#isRefused) {
      this.reached();
      this.#dialAtMs = clock.monotonicMs() + PATIENCE_MS;
      return;
    }
    if (!mayDial() || clock.monotonicMs() < this.#dialAtMs) return;
    this.#dialAtMs = clock.monotonicMs() + DIAL_MS_MAX * (0.5 + 0.5 * random());
    await this.dialNow(signal);
  }

  /** One dial, whose outcome is kept. */
  async dialNow(signal: AbortSignal): Promise<void> {
    try {
      const socket = await this.dependencies.dial(signal);
      const isCut = await this.#isCut(socket, signal);
      if (isCut) throw linkFault('PEER_REFUSED');
      if (!this.#isRefused) this.reached();
    } catch (error) {
      if (!signal.aborted) this.failed(AifiError.from(error));
    }
  }

  /** Whether the other side ends the connection at once; in TLS 1.3 a refusal comes so late. */
  async #isCut(socket: TLSSocket, signal: AbortSignal): Promise<boolean> {
    const cut = new AbortController();
    socket.once('close', () => cut.abort()).resume();
    await this.dependencies.clock.sleep(CUT_MS, AbortSignal.any([cut.signal, signal]));
    const isCut = cut.signal.aborted;
    socket.destroy();
    return isCut;
  }

  /** What a call of the channel says about our certificate. */
  judge(verdict: HubVerdict): void {
    if (verdict === 'accepted') return this.#isRefused ? this.reached() : undefined;
    this.failed(linkFault('PEER_REFUSED'));
    this.#isRefused = true;
  }

  reached(): void {
    this.#isRefused = false;
    this.#lastContactAtMs = this.dependencies.clock.nowMs();
    this.#finding = null;
  }

  /** Told once for each reason, so that an outage of a night is a line and not a thousand. */
  failed(fault: AifiError): void {
    const { target, clock, logger } = this.dependencies;
    const isNews = this.#finding?.code !== fault.code;
    this.#finding = findingOf(fault, target, clock.nowMs());
    if (isNews) logger.warn('the hub was not reached', { code: fault.code });
  }
}

/**
 * UploadPacer: lets the next bytes of a stream go.
 * Decides that routine streams stop at the next chunk while an acute study has bytes to send, and
 * that the hospital's limit of the hour is kept. Acute studies are outside of the limit unless the
 * hospital says otherwise.
 * Invariants: a stream that waits longer than the hub waits for it is given up, not left open; an
 * aborted wait ends at once. Source: reliability specification H6, P2.
 */
import type { Clock } from '@aifi/shared-kernel';
import { ByteRate, localTimeIn, ruleAt } from './bandwidth.js';
import type { UplinkConfig } from './uplink-config.js';
import type { Lane } from './upload-schedule.js';

/** Below the silence after which either side takes a stream for dead. @unit ms */
export const PAUSE_MS_MAX = 20_000;
/** How often the rule of the hour is looked up. @unit ms */
const RULE_MS = 1_000;

const BYTES_PER_MBIT = 1_000_000 / 8;

export class UploadPacer {
  readonly #rate = new ByteRate();
  #localTime: ReturnType<typeof localTimeIn> | undefined;
  #acuteStreams = 0;
  #resume = new AbortController();
  #bytesPerSecond: number | undefined;
  #ruleAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly config: Pick<UplinkConfig, 'bandwidth' | 'timeZone' | 'limitAcute'>,
    private readonly clock: Clock,
  ) {}

  /** An acute stream has begun; call the answer when it has ended. */
  acuteBegins(): () => void {
    this.#acuteStreams += 1;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.#acuteStreams -= 1;
      if (this.#acuteStreams > 0) return;
      this.#resume.abort();
      this.#resume = new AbortController();
    };
  }

  /** Resolves when the bytes may go, or `gave-up` when routine waited too long or was aborted. */
  async pace(lane: Lane, bytes: number, signal: AbortSignal): Promise<'go' | 'gave-up'> {
    if (lane === 'routine' && !(await this.#acuteIsThrough(signal))) return 'gave-up';
    if (lane === 'acute' && !this.config.limitAcute) return 'go';
    const bytesPerSecond = this.#limit();
    if (bytesPerSecond !== undefined) {
      const nowMs = this.clock.monotonicMs();
      const waitMs = this.#rate.reserve(bytes, bytesPerSecond, nowMs);
      if (waitMs > 0) await this.clock.sleep(waitMs, signal);
    }
    return signal.aborted ? 'gave-up' : 'go';
  }

  async #acuteIsThrough(signal: AbortSignal): Promise<boolean> {
    const untilMs = this.clock.monotonicMs() + PAUSE_MS_MAX;
    while (this.#acuteStreams > 0 && !signal.aborted) {
      const leftMs = untilMs - this.clock.monotonicMs();
      if (leftMs <= 0) return false;
      await this.clock.sleep(leftMs, AbortSignal.any([signal, this.#resume.signal]));
    }
    return !signal.aborted;
  }

  #limit(): number | undefined {
    const { bandwidth, timeZone } = this.config;
    if (bandwidth.length === 0) return undefined;
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.#ruleAtMs >= RULE_MS) {
      this.#ruleAtMs = nowMs;
      this.#localTime ??= localTimeIn(timeZone);
      const rule = ruleAt(bandwidth, this.#localTime(this.clock.nowMs()));
      this.#bytesPerSecond = rule && rule.mbitPerSecond * BYTES_PER_MBIT;
    }
    return this.#bytesPerSecond;
  }
}

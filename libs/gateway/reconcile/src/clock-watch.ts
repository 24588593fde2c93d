/**
 * ClockWatch: whether the clock of this machine may be trusted for a result.
 * Decides three levels from the hub's time (good, alarm, hold) and notices by itself when the wall
 * clock leaves the monotonic one. While it holds, no result goes into the PACS: its times, and the
 * deadlines around it, would be wrong.
 * Invariants: unknown is not hold, as results must come while the hub is away; a jump of the wall
 * clock ends no job before its time. Source: reliability specification 2 and 3 (clock).
 */
import { pollingStage, Wake, type Clock, type Stage } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import { ClockSkew, type ClockSample } from './clock-skew.js';
import type { ReconcileConfig } from './reconcile.config.js';

/** A jump is found within this time. @unit ms */
const LOOK_MS = 5_000;
/** A jump is told of, and taken off deadlines, for so long: longer than any deadline. @unit ms */
const JUMP_KEPT_MS = 2 * 3_600_000;
/** An alarm that goes on is told again. @unit ms */
const ALARM_INTERVAL_MS = 3_600_000;

export type ClockLevel = 'unknown' | 'good' | 'alarm' | 'hold';
export interface ClockState {
  readonly level: ClockLevel;
  /** Hub minus here; null: not known. @unit ms */
  readonly offsetMs: number | null;
  /** Jumps of the wall clock of the last two hours. */
  readonly jumps: number;
}
export interface ClockWatchDependencies {
  readonly config: ReconcileConfig['clock'];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told when the level has changed. */
  readonly onChange?: (() => void) | undefined;
}
interface Jump {
  readonly atMs: number;
  /** Positive: forward. @unit ms */
  readonly byMs: number;
}

export class ClockWatch {
  readonly stage: Stage;
  readonly #skew = new ClockSkew();
  #jumps: Jump[] = [];
  #level: ClockLevel = 'unknown';
  #alarmedMs = -Infinity;
  #wallMs: number;
  #monotonicMs: number;

  constructor(private readonly dependencies: ClockWatchDependencies) {
    const { clock, logger } = dependencies;
    this.#wallMs = clock.nowMs();
    this.#monotonicMs = clock.monotonicMs();
    this.stage = pollingStage({
      name: 'clock-watch',
      ...{ clock, wake: new Wake(), intervalMs: LOOK_MS },
      onFault: (error) => logger.fault('clock watch failed', error),
      runOnce: () => {
        this.look();
        return Promise.resolve(0);
      },
    });
  }

  /** A message of the hub that names its time has just come. */
  readonly onHubTime = (hubMs: number, roundTripMs?: number): void => {
    const { clock } = this.dependencies;
    this.#noticeJump();
    const sample: ClockSample = {
      ...{ hubMs, receivedMs: clock.nowMs(), atMs: clock.monotonicMs(), roundTripMs },
    };
    this.#skew.add(sample);
    this.look();
  };

  readonly state = (): ClockState => {
    const estimate = this.#skew.estimate(this.dependencies.clock.monotonicMs());
    const offsetMs = estimate ? Math.round(estimate.offsetMs) : null;
    return { level: this.#level, offsetMs, jumps: this.#jumps.length };
  };

  /** True while results are held. */
  readonly isHolding = (): boolean => this.#level === 'hold';

  /**
   * The time against which deadlines are measured: after a jump forward that of before goes on, so
   * that what began before it is not late at once. What began after it is late by that much later.
   */
  readonly deadlineNowMs = (): number => {
    this.#noticeJump();
    const forward = this.#jumps.reduce((sum, { byMs }) => sum + byMs, 0);
    return this.dependencies.clock.nowMs() - Math.max(0, forward);
  };

  look(): void {
    this.#noticeJump();
    const { clock, logger, onChange } = this.dependencies;
    const nowMs = clock.monotonicMs();
    this.#jumps = this.#jumps.filter(({ atMs }) => nowMs - atMs <= JUMP_KEPT_MS);
    const level = this.#levelNow(nowMs);
    const isNew = level !== this.#level;
    this.#level = level;
    if (isNew) onChange?.();
    if (level === 'good' || level === 'unknown') return void (this.#alarmedMs = -Infinity);
    if (!isNew && nowMs - this.#alarmedMs < ALARM_INTERVAL_MS) return;
    this.#alarmedMs = nowMs;
    const fields = { state: level, durationMs: Math.abs(this.state().offsetMs ?? 0) };
    if (level === 'hold')
      logger.error('results are held: the clock is not that of the hub', fields);
    else logger.error('the clock is not that of the hub', fields);
  }

  /** Without a word of the hub the last hold stays: only the hub can say that it is over. */
  #levelNow(nowMs: number): ClockLevel {
    const { config } = this.dependencies;
    const estimate = this.#skew.estimate(nowMs);
    if (!estimate) return this.#level === 'hold' ? 'hold' : 'unknown';
    const leastMs = Math.abs(estimate.offsetMs) - estimate.uncertaintyMs;
    if (leastMs > config.holdMs) return 'hold';
    return leastMs > config.alarmMs ? 'alarm' : 'good';
  }

  #noticeJump(): void {
    const { clock, config, logger } = this.dependencies;
    const [wallMs, monotonicMs] = [clock.nowMs(), clock.monotonicMs()];
    const byMs = wallMs - this.#wallMs - (monotonicMs - this.#monotonicMs);
    this.#wallMs = wallMs;
    this.#monotonicMs = monotonicMs;
    if (Math.abs(byMs) <= config.alarmMs) return;
    this.#jumps.push({ atMs: monotonicMs, byMs });
    this.#skew.reset();
    logger.error('the clock of this machine was set', { durationMs: Math.round(Math.abs(byMs)) });
  }
}

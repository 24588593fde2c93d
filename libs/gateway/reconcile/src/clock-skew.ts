/**
 * ClockSkew: how far the clock of this machine is from the hub's, from messages with a time.
 * Decides which of the last samples is believed: the one that travelled least, because a delay can
 * only make the hub's time look older. With a measured round trip that is the shortest one (half of
 * it is taken off); without one it is the sample with the latest hub time.
 * Invariants: pure; a sample that is old on the monotonic clock counts no more.
 * Source: RFC 5905 10 (clock filter); reliability specification 2 (clock skew).
 */

/** One message of the hub. */
export interface ClockSample {
  /** Wall clock of the hub as it made the message. @unit ms */
  readonly hubMs: number;
  /** Wall clock here as it came. @unit ms */
  readonly receivedMs: number;
  /** Monotonic clock here as it came. @unit ms */
  readonly atMs: number;
  /** From a question of ours to this answer; absent: the hub spoke by itself. @unit ms */
  readonly roundTripMs?: number | undefined;
}
export interface SkewEstimate {
  /** Hub minus here: positive when the clock here is behind. @unit ms */
  readonly offsetMs: number;
  /** The true offset is at most so far away. @unit ms */
  readonly uncertaintyMs: number;
  readonly samples: number;
}

/** RFC 5905 filters over eight; probes come each 20 s, so these are some five minutes. */
const SAMPLES_MAX = 16;
const AGE_MS_MAX = 600_000;
/** A small message over a live link takes less; a link that is slower is a fault by itself. */
const ONE_WAY_MS = 1_000;

export class ClockSkew {
  #samples: ClockSample[] = [];

  add(sample: ClockSample): void {
    this.#samples = [...this.#samples, sample].slice(-SAMPLES_MAX);
  }
  /** The clock here was set: what was measured against it before says nothing. */
  reset(): void {
    this.#samples = [];
  }

  /** Undefined without a sample of the last ten minutes. */
  estimate(nowMs: number): SkewEstimate | undefined {
    const young = this.#samples.filter(({ atMs }) => nowMs - atMs <= AGE_MS_MAX);
    const estimates = young.map((sample) => measured(sample, young.length));
    return estimates.reduce<SkewEstimate | undefined>(better, undefined);
  }
}

function measured({ hubMs, receivedMs, roundTripMs }: ClockSample, samples: number): SkewEstimate {
  if (roundTripMs === undefined) {
    return { offsetMs: hubMs - receivedMs, uncertaintyMs: ONE_WAY_MS, samples };
  }
  const half = Math.max(0, roundTripMs) / 2;
  return { offsetMs: hubMs + half - receivedMs, uncertaintyMs: half, samples };
}

function better(best: SkewEstimate | undefined, one: SkewEstimate): SkewEstimate {
  if (!best || one.uncertaintyMs < best.uncertaintyMs) return one;
  const isSame = one.uncertaintyMs === best.uncertaintyMs;
  return isSame && one.offsetMs > best.offsetMs ? one : best;
}

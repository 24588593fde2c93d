/**
 * Whether the bytes of a study are compressed on the way.
 * Decides by measurement: what zstd makes of the first megabytes of the study, how fast this
 * machine does it, and how fast the link took bytes lately.
 * Invariants: without a measurement nothing is compressed; images that are compressed already, and
 * links that are faster than the processor, are sent as they are.
 * Source: RFC 8878 (zstd); docs/adr/0022-upload-schedule.md.
 */
import type { UplinkConfig } from './uplink-config.js';

export type Encoding = 'none' | 'zstd';

export interface CompressionSample {
  /** @unit bytes */
  readonly rawBytes: number;
  /** @unit bytes */
  readonly compressedBytes: number;
  readonly tookMs: number;
}

/** A smaller gain is not worth the processor time, which pseudonymisation wants as well. */
const GAIN_MIN = 1.2;

/** `linkBytesPerSecond` is what the link carried lately; undefined: not known yet. */
export function chooseEncoding(
  setting: UplinkConfig['compression'],
  sample: CompressionSample | undefined,
  linkBytesPerSecond: number | undefined,
): Encoding {
  if (setting !== 'auto') return setting;
  if (!sample || !linkBytesPerSecond || sample.compressedBytes === 0) return 'none';
  const ratio = sample.rawBytes / sample.compressedBytes;
  const processorBytesPerSecond = (sample.rawBytes / Math.max(1, sample.tookMs)) * 1_000;
  const gained = Math.min(processorBytesPerSecond, linkBytesPerSecond * ratio);
  return gained >= linkBytesPerSecond * GAIN_MIN ? 'zstd' : 'none';
}

/** Weight of the newest measurement: the last five or so count. */
const NEWEST_WEIGHT = 0.3;
/** Shorter ones tell more about buffers than about the link. @unit ms */
const MEASURED_MS_MIN = 200;

/** What the link carried while something was under way. */
export class LinkMeter {
  #bytesPerSecond: number | undefined;

  get bytesPerSecond(): number | undefined {
    return this.#bytesPerSecond;
  }
  /** Bytes as they went over the wire, by all streams together. */
  measured(bytes: number, tookMs: number): void {
    if (tookMs < MEASURED_MS_MIN) return;
    const newest = (bytes / tookMs) * 1_000;
    const before = this.#bytesPerSecond ?? newest;
    this.#bytesPerSecond = before + (newest - before) * NEWEST_WEIGHT;
  }
}

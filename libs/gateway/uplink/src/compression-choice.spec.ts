/**
 * Goal: bytes are compressed where that gains, and nowhere else. Method: links and studies of known
 * speed and ratio.
 */
import { describe, expect, it } from '@jest/globals';
import { chooseEncoding, LinkMeter, type CompressionSample } from './compression-choice.js';

const MB = 1_000_000;
/** 4 MB that become 2 MB at 400 MB/s. */
const ct: CompressionSample = { rawBytes: 4 * MB, compressedBytes: 2 * MB, tookMs: 10 };
/** JPEG already. */
const packed: CompressionSample = { ...ct, compressedBytes: 3.99 * MB };

describe(chooseEncoding.name, () => {
  it.each(['none', 'zstd'] as const)('does what the hospital says: %s', (setting) => {
    expect(chooseEncoding(setting, packed, 1)).toBe(setting);
  });
  it('compresses on a line that is slower than the processor', () => {
    expect(chooseEncoding('auto', ct, 12 * MB)).toBe('zstd');
  });
  it('does not on a line that is faster', () => {
    expect(chooseEncoding('auto', ct, 1_000 * MB)).toBe('none');
    expect(chooseEncoding('auto', { ...ct, tookMs: 400 }, 12 * MB)).toBe('none');
  });
  it('does not for images that are compressed already', () => {
    expect(chooseEncoding('auto', packed, 12 * MB)).toBe('none');
  });
  it('does not without a measurement', () => {
    expect(chooseEncoding('auto', undefined, 12 * MB)).toBe('none');
    expect(chooseEncoding('auto', ct, undefined)).toBe('none');
    expect(chooseEncoding('auto', { rawBytes: 0, compressedBytes: 0, tookMs: 0 }, 1)).toBe('none');
  });
});

describe(LinkMeter.name, () => {
  it('follows the link, and one odd measurement does not turn it', () => {
    const sut = new LinkMeter();
    expect(sut.bytesPerSecond).toBeUndefined();
    sut.measured(10 * MB, 1_000);
    expect(sut.bytesPerSecond).toBe(10 * MB);
    sut.measured(1 * MB, 1_000);
    expect(sut.bytesPerSecond).toBeGreaterThan(5 * MB);
    for (let times = 0; times < 20; times += 1) sut.measured(1 * MB, 1_000);
    expect(sut.bytesPerSecond).toBeLessThan(1.1 * MB);
  });
  it('does not take a buffer that was filled for the speed of the link', () => {
    const sut = new LinkMeter();
    sut.measured(4 * MB, 3);
    expect(sut.bytesPerSecond).toBeUndefined();
  });
});

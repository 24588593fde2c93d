/** Goal: waits are as the table says, with full jitter. Method: randomness at both ends. */
import { describe, expect, it } from '@jest/globals';
import { AssociationRejected, PeerAborted, PeerStatus, TlsFault } from '@aifi/dicom-dimse';
import { AifiError, type ErrorCode } from '@aifi/shared-kernel';
import { causeOf } from './pacs-peer.js';
import { absentDelayMs, lookDelayMs, retryDelayMs, type RetryCause } from './retry-policy.js';

const least = (): number => 0;
const most = (): number => 0.999_999_999;

describe(retryDelayMs.name, () => {
  it.each<[RetryCause, number, number, number]>([
    ['silent', 1, 1, 2_000],
    ['silent', 4, 1, 16_000],
    ['silent', 99, 1, 120_000],
    ['rejected-transient', 1, 1, 5_000],
    ['misconfigured', 1, 60_001, 120_000],
    ['misconfigured', 99, 60_001, 960_000],
    ['out-of-resources', 1, 5_001, 20_000],
    ['out-of-resources', 99, 5_001, 305_000],
    ['processing-failure', 2, 1, 10_000],
    ['lost', 1, 1, 5_000],
    ['own-fault', 99, 1, 60_000],
  ])('%s, try %i: %i to %i ms', (cause, attempt, fromMs, toMs) => {
    expect(retryDelayMs(cause, attempt, least)).toBe(fromMs);
    expect(retryDelayMs(cause, attempt, most)).toBe(toMs);
  });
});

describe(lookDelayMs.name, () => {
  it('looks for four to eight minutes, whatever the jitter', () => {
    const total = (random: () => number): number => {
      let sumMs = 0;
      for (let look = 1, ms: number | undefined; (ms = lookDelayMs(look, random)); look += 1) {
        sumMs += ms;
      }
      return sumMs;
    };
    expect(total(least)).toBeGreaterThanOrEqual(4 * 60_000 - 6_000);
    expect(total(most)).toBeLessThanOrEqual(8 * 60_000);
  });
});

describe(absentDelayMs.name, () => {
  it('asks at least each 75 s and at most each 15 s, more often at first', () => {
    expect(absentDelayMs(0, least)).toBeGreaterThan(15_000);
    expect(absentDelayMs(0, most)).toBeLessThanOrEqual(20_000);
    expect(absentDelayMs(3_600_000, most)).toBeLessThanOrEqual(75_000);
    expect(absentDelayMs(-5, most)).toBeLessThanOrEqual(20_000);
  });
});

describe(causeOf.name, () => {
  const unavailable = (cause?: unknown) => new AifiError('PEER_UNAVAILABLE', 'x', { cause });
  it.each<[string, unknown, RetryCause]>([
    ['no answer', unavailable(), 'silent'],
    ['an abort', unavailable(new PeerAborted('answer', 2, 0)), 'silent'],
    ['rejected permanent', unavailable(new AssociationRejected(1, 1, 3)), 'misconfigured'],
    ['rejected transient', unavailable(new AssociationRejected(2, 3, 2)), 'rejected-transient'],
    ['a certificate', unavailable(new TlsFault(true, 'x')), 'misconfigured'],
    ['another fault of TLS', unavailable(new TlsFault(false, 'x')), 'silent'],
    ['A700', unavailable(new PeerStatus(0xa700)), 'out-of-resources'],
    ['A7ff', unavailable(new PeerStatus(0xa7ff)), 'out-of-resources'],
    ['0110', unavailable(new PeerStatus(0x0110)), 'processing-failure'],
    ['an unknown value', 'x', 'own-fault'],
  ])('%s', (_, error, cause) => {
    expect(causeOf(error)).toBe(cause);
  });

  it.each<[ErrorCode, RetryCause]>([
    ['PEER_REFUSED', 'misconfigured'],
    ['UNAUTHENTICATED', 'misconfigured'],
    ['DEADLINE_EXCEEDED', 'silent'],
    ['OUT_OF_RESOURCES', 'own-fault'],
    ['STATE_CONFLICT', 'own-fault'],
  ])('%s', (code, cause) => {
    expect(causeOf(new AifiError(code, 'x'))).toBe(cause);
  });
});

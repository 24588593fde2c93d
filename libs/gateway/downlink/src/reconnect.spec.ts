/**
 * Goal: a hundred gateways are back within a minute of their hub, whose door takes few at a time.
 * Method: a model in virtual time of tries with the delays of this library, over many seeds. Every
 * gateway has been trying for hours, so that each waits as long as it ever does.
 */
import { describe, expect, it } from '@jest/globals';
import { reconnectDelayMs, RECONNECT_MS_MAX } from './reconnect.js';

const GATEWAYS = 100;
/** New connections that the hub takes in a second; the others are turned away. */
const ACCEPTED_PER_SECOND = 10;
/** A channel of grpc-js waits so long by itself, jitter included. @unit ms */
const CHANNEL_MS_MAX = 12_000;

function randomOf(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** When the last gateway was in, counted from the return of the hub; and the busiest second. */
function comeBack(seed: number): { lastMs: number; busiest: number } {
  const random = randomOf(seed);
  const wait = (attempt: number): number =>
    reconnectDelayMs(attempt, random) + random() * CHANNEL_MS_MAX;
  const tries = Array.from({ length: GATEWAYS }, () => ({ atMs: wait(20), attempt: 20 }));
  const taken = new Map<number, number>();
  const asked = new Map<number, number>();
  let lastMs = 0;
  while (tries.length > 0) {
    tries.sort((a, b) => a.atMs - b.atMs);
    const { atMs, attempt } = tries.shift()!;
    const second = Math.floor(atMs / 1_000);
    asked.set(second, (asked.get(second) ?? 0) + 1);
    const used = taken.get(second) ?? 0;
    if (used < ACCEPTED_PER_SECOND) {
      taken.set(second, used + 1);
      lastMs = Math.max(lastMs, atMs);
    } else {
      tries.push({ atMs: atMs + wait(attempt + 1), attempt: attempt + 1 });
    }
  }
  return { lastMs, busiest: Math.max(...asked.values()) };
}

describe(reconnectDelayMs.name, () => {
  it('brings a hundred gateways back in less than a minute, spread over the time', () => {
    const runs = Array.from({ length: 500 }, (_, seed) => comeBack(seed));
    expect(Math.max(...runs.map(({ lastMs }) => lastMs))).toBeLessThan(60_000);
    // Without jitter all of them would ask in one second.
    expect(Math.max(...runs.map(({ busiest }) => busiest))).toBeLessThan(GATEWAYS / 4);
  });
  it('begins within a second and never waits longer than its bound', () => {
    expect(reconnectDelayMs(1, () => 0.999_999)).toBeLessThanOrEqual(1_000);
    expect(reconnectDelayMs(1_000, () => 0.999_999)).toBe(RECONNECT_MS_MAX);
    expect(reconnectDelayMs(5, () => 0)).toBe(1);
  });
});

/**
 * Targets with a bug of their own: the proof that the fuzzer finds bugs, and that a run then fails.
 * Decides nothing about the platform; never part of a run that names no target.
 */
import type { FuzzTarget } from '../fuzz-target.js';

/** Four comparisons, one after the other: chance alone needs 2^32 inputs. */
function fault(bytes: Uint8Array): number {
  if (bytes.length < 8) return 0;
  if (bytes[1] !== 0x46) return 1;
  if (bytes[3] !== 0x55) return 2;
  if (bytes[5] !== 0x5a) return 3;
  if (bytes[7] !== 0x5b) return 4;
  return (undefined as unknown as Uint8Array).length;
}
function hang(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += bytes[at] === 0x80 ? 0 : 1;
}
function crash(bytes: Uint8Array): void {
  if (bytes.includes(0x80)) process.abort();
}
function leak(bytes: Uint8Array): void {
  if (bytes.includes(0x80)) kept.push(Buffer.alloc(8 * 1024 * 1024, 1));
}
const kept: Buffer[] = [];

const planted = (name: string, run: (bytes: Uint8Array) => unknown): FuzzTarget => ({
  name: `planted-${name}`,
  covers: ['tools/fuzz/src/targets/planted'],
  maxBytes: 64,
  tokens: [],
  run: (input) => void run(input),
  *seeds() {
    yield new Uint8Array(10);
  },
});
export const PLANTED_TARGETS: readonly FuzzTarget[] = [
  planted('fault', fault),
  planted('hang', hang),
  planted('crash', crash),
  planted('leak', leak),
];

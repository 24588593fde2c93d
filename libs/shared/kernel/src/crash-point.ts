/**
 * Named crash points: places where a test kills the process as kill -9 would.
 * Decides nothing in production: unarmed, a crash point is two comparisons.
 * Invariants: armed only by main.ts from configuration, heard of only by the simulator, which holds
 * several processes in one; names are `<app>.<stage>.<moment>`.
 * Source: reliability specification 3 (env CRASH_AT=point#n).
 */
let armed: { readonly name: string; remaining: number } | undefined;
let passed: ((name: string) => void) | undefined;

/** Hears of each passage in place of the armed point; it may throw to stop who passes. */
export function onCrashPoint(listener: ((name: string) => void) | undefined): void {
  passed = listener;
}

/** Arms `name#n`: the n-th passage (default 1) through that point kills the process. */
export function armCrashPoint(spec: string | undefined): void {
  if (!spec) return;
  const [name = '', count = '1'] = spec.split('#');
  armed = { name, remaining: Number(count) };
}

/** Dies by SIGKILL when this point is armed and its count is reached. */
export function crashPoint(name: string): void {
  if (passed) return passed(name);
  if (armed?.name !== name) return;
  armed.remaining -= 1;
  if (armed.remaining <= 0) process.kill(process.pid, 'SIGKILL');
}

/**
 * Lives: a piece of work in a process of its own that dies by kill -9 at a named crash point, and
 * is done again by another life that finds the same files and databases.
 * Decides that what runs is the compiled workspace, as in production, and how often each point is
 * hit: once, or as often as a release asks. Invariant: a life that should have died and did not
 * is a failure. Source: reliability specification 3 (kill -9 at named crash points).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Hits of each point: `AIFI_KILLS_EACH=5` is what the acceptance of a release asks. */
export const KILLS_EACH = Number(process.env['AIFI_KILLS_EACH'] ?? 1);
/** Their numbers, from 0. */
export const HITS = Array.from({ length: KILLS_EACH }, (_, hit) => hit);
/** Nothing that a life does takes so long. @unit ms */
const LIFE_MS_MAX = 60_000;
const ARM = `
import { armCrashPoint } from '@aifi/shared-kernel';
armCrashPoint(process.env.AIFI_CRASH_AT);
`;

export interface Ended {
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

/**
 * Runs the text of an ES module; its arguments are `process.argv.slice(1)`.
 * `point`: `name` or `name#n`, at whose n-th passage it dies.
 */
export async function lifeOf(
  script: string,
  args: readonly string[],
  point?: string,
): Promise<Ended> {
  const words = ['--disable-warning=ExperimentalWarning', '--input-type=module'];
  const child = spawn(process.execPath, [...words, '-e', `${ARM}${script}`, ...args], {
    cwd: import.meta.dirname,
    env: { ...process.env, NODE_OPTIONS: '', AIFI_CRASH_AT: point },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIFE_MS_MAX,
    killSignal: 'SIGTERM',
  });
  const [out, error] = [child.stdout, child.stderr].map((stream) => {
    const said: Buffer[] = [];
    stream.on('data', (bytes: Buffer) => said.push(bytes));
    return said;
  }) as [Buffer[], Buffer[]];
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return {
    signal,
    code,
    out: Buffer.concat(out).toString(),
    error: Buffer.concat(error).toString(),
  };
}

/** A life that dies at the point; fails when it ends in any other way. */
export async function killedAt(
  point: string,
  script: string,
  args: readonly string[],
): Promise<void> {
  const { signal, code, error } = await lifeOf(script, args, point);
  if (signal === 'SIGKILL') return;
  throw new Error(`it did not die at ${point}, but ended with ${signal ?? code}: ${error}`);
}

/** A life that comes to its end: what it printed. */
export async function livedOn(script: string, args: readonly string[]): Promise<string> {
  const { signal, code, out, error } = await lifeOf(script, args);
  if (code === 0) return out;
  throw new Error(`it ended with ${signal ?? code}: ${error}`);
}

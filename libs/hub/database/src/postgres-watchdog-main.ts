/**
 * Watchdog of the embedded PostgreSQL server: a process between the hub and the server.
 * Decides that the server never outlives the hub: standard input is a pipe from the hub, and its
 * end (also by SIGKILL of the hub) means a fast shutdown. Arguments: JSON of WatchdogOrder.
 * Invariant: the watchdog ends only after the server has ended.
 * Source: PostgreSQL 18.3.5 "Shutting Down the Server" (SIGINT fast, SIGQUIT immediate).
 */
import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';

export interface WatchdogOrder {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly log: string;
  readonly uid?: number;
  readonly gid?: number;
}

/** A fast shutdown writes a checkpoint; after this the server is stopped without one. @unit ms */
const FAST_SHUTDOWN_MS = 20_000;

const order = JSON.parse(process.argv[2] ?? '{}') as WatchdogOrder;
const log = openSync(order.log, 'w', 0o600);
const server = spawn(order.program, [...order.arguments], {
  stdio: ['ignore', log, log],
  cwd: '/',
  env: { LC_ALL: 'C' },
  ...(order.uid === undefined ? {} : { uid: order.uid, gid: order.gid ?? order.uid }),
});
server.on('error', () => process.exit(1));
server.on('exit', (code) => process.exit(code ?? 1));

let stopping = false;
function stop(): void {
  if (stopping) return;
  stopping = true;
  server.kill('SIGINT');
  setTimeout(() => server.kill('SIGQUIT'), FAST_SHUTDOWN_MS).unref();
}
process.stdin.on('end', stop).on('error', stop).resume();
process.on('SIGTERM', stop);
process.on('SIGINT', stop);

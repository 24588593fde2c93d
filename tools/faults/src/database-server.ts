/**
 * DatabaseServer: the PostgreSQL server of a data folder, as its faults.
 * Decides how it is found: by the process id that the server itself wrote there. Signals as the
 * server defines them: SIGQUIT is an immediate shutdown (a crash, with recovery at the next start),
 * SIGTERM to one backend ends one connection with 57P01.
 * Invariant: no server is ended that is not of this folder.
 * Source: PostgreSQL 18.3.5 "Shutting Down the Server", 53.1 (postmaster.pid).
 */
import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { childrenNamed, sendSignal } from './process-signals.js';

/** How `ps` calls a server process that works for a client; others work for the server. */
const CLIENT_BACKEND = /^postgres: \w+ aifi /;

export class DatabaseServer {
  /** @param dataFolder with `postmaster.pid`; links are followed at each look */
  constructor(private readonly dataFolder: string) {}

  /** Of the server process that starts all others; undefined while none runs. */
  get pid(): number | undefined {
    try {
      const text = readFileSync(join(realpathSync(this.dataFolder), 'postmaster.pid'), 'utf8');
      const pid = Number(text.split('\n')[0]);
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return command.includes('postgres') ? pid : undefined;
    } catch {
      return undefined;
    }
  }
  /** As `pg_ctl stop -m immediate`. False when none runs. */
  stopImmediately(): boolean {
    return this.#signal('SIGQUIT');
  }
  /** The server process is gone at once; its backends notice. */
  kill9(): boolean {
    return this.#signal('SIGKILL');
  }
  /** Ends connections of clients, as a failover or an administrator does; says how many. */
  endConnections(choose: (pids: readonly number[]) => readonly number[]): number {
    const { pid } = this;
    const isClient = (child: number): boolean => CLIENT_BACKEND.test(titleOf(child));
    const backends = pid === undefined ? [] : childrenNamed(pid, 'postgres').filter(isClient);
    return choose(backends).filter((backend) => sendSignal(backend, 'SIGTERM')).length;
  }

  #signal(signal: NodeJS.Signals): boolean {
    const { pid } = this;
    return pid !== undefined && sendSignal(pid, signal);
  }
}

function titleOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

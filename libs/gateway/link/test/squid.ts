/** A squid of our own for one test: started, waited for, ended with its folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts, temporaryFolder } from '@aifi/shared-testing';
import { prepareSquid, type SquidOptions } from '../../../../deploy/services/squid/start.mjs';

export interface RunningSquid {
  readonly port: number;
  /** What it wrote of requests that have ended. */
  requests(): string;
  stop(): Promise<void>;
}

type StartOptions = Omit<SquidOptions, 'folder' | 'port'>;
/** A port that was free may be taken by the time squid asks for it. */
const ATTEMPTS_MAX = 5;

export async function startSquid(options: StartOptions): Promise<RunningSquid> {
  for (let attempt = 1; ; attempt += 1) {
    const running = await tryToStart(options);
    if (running) return running;
    if (attempt >= ATTEMPTS_MAX) throw new Error('squid ended before it listened');
  }
}

async function tryToStart(options: StartOptions): Promise<RunningSquid | undefined> {
  const folder = temporaryFolder('squid');
  const [port] = await freePorts(1);
  const plan = prepareSquid({ ...options, folder: folder.path, port: port! });
  const child = spawn(plan.command, [...plan.arguments], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  while (!(await answers(port!))) {
    if (child.exitCode !== null) {
      folder.remove();
      return undefined;
    }
    await sleep(20);
  }
  return {
    port: port!,
    requests: () => readFileSync(plan.accessLog, 'utf8'),
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
      folder.remove();
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/**
 * Receiver: one C-STORE SCP that is measured.
 * Decides what the bench asks of each: to be running, to show what it has, to be empty again.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { AifiError } from '@aifi/shared-kernel';
import type { SentObject } from './ct-objects.js';
import type { Destination } from './sender.js';

export interface ReceiverFacts {
  readonly name: string;
  readonly version: string;
  /** What it has done with an object before it says Success. */
  readonly durability: string;
}
export interface Receiver extends Destination {
  readonly facts: ReceiverFacts;
  /** Root of its process tree. */
  readonly pid: number;
  /** Throws unless all of these are there; looks into some of them. */
  verify(objects: readonly SentObject[]): Promise<void>;
  /** Removes what it has received, as far as it allows. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

/** @unit ms */
const START_MS = 30_000;
const LOOK_MS = 50;

/** Resolves when something accepts connections on the port. */
export async function listening(port: number): Promise<void> {
  for (const endMs = performance.now() + START_MS; performance.now() < endMs;) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => socket.destroy());
      socket.once('connect', () => socket.destroy());
    });
    if (isOpen) return;
    await pause(LOOK_MS);
  }
  throw new AifiError('PEER_UNAVAILABLE', 'a receiver does not start');
}

/** The child does not outlive this process, however that ends. */
export function tied(child: ChildProcess): ChildProcess {
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.removeListener('exit', kill));
  return child;
}

export async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

export function missing(name: string, what: string): AifiError {
  return new AifiError('DIGEST_MISMATCH', `${name}: ${what}`);
}

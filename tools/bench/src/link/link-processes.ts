/**
 * The two processes of the link bench.
 * Decides that each question has one answer, and that a process that has ended is a fault.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { AifiError, processEntry } from '@aifi/shared-kernel';
import { ended, tied } from '../receive/receiver.js';
import type {
  LinkObject,
  ReceiverMessage,
  ReceiverRequest,
  SenderMessage,
  SenderRequest,
  Way,
} from './link-messages.js';

async function answer<M extends { readonly kind: string }, K extends M['kind']>(
  child: ChildProcess,
  kind: K,
): Promise<Extract<M, { kind: K }>> {
  const heard = new AbortController();
  const { signal } = heard;
  const gone = once(child, 'exit', { signal }).then(() => {
    throw new AifiError('PEER_UNAVAILABLE', 'a process of the bench has ended');
  });
  const said = once(child, 'message', { signal });
  for (const one of [gone, said]) one.catch(() => undefined);
  const [message] = (await Promise.race([said, gone]).finally(() => heard.abort())) as [M];
  if (message.kind !== kind) {
    throw new AifiError('PEER_REFUSED', `the sending failed: ${JSON.stringify(message)}`);
  }
  return message as Extract<M, { kind: K }>;
}

function start(entry: string, args: readonly string[]): ChildProcess {
  const path = processEntry(new URL('..', import.meta.url).href, entry);
  // An environment of a test runner is not that of what is measured.
  const env = { ...process.env, NODE_OPTIONS: '' };
  return tied(fork(path, [...args], { execArgv: [], env }));
}

export class LinkReceiver {
  private constructor(
    private readonly child: ChildProcess,
    readonly ports: Readonly<Record<Way, number>>,
  ) {}

  static async start(folder: string, certificates: string): Promise<LinkReceiver> {
    const dataFolder = join(folder, 'receiver');
    mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
    const child = start('link-host-main', [dataFolder, certificates]);
    const { ports } = await answer<ReceiverMessage, 'listening'>(child, 'listening');
    return new LinkReceiver(child, ports);
  }
  get pid(): number {
    return this.child.pid!;
  }
  async open(jobId: string, objects: readonly LinkObject[]): Promise<void> {
    this.#ask({ kind: 'open', jobId, objects });
    await answer<ReceiverMessage, 'opened'>(this.child, 'opened');
  }
  /** How many objects had come whole. */
  async clear(): Promise<number> {
    this.#ask({ kind: 'clear' });
    return (await answer<ReceiverMessage, 'cleared'>(this.child, 'cleared')).objects;
  }
  stop(): Promise<void> {
    return ended(this.child, 'SIGTERM');
  }
  #ask(request: ReceiverRequest): void {
    this.child.send(request);
  }
}

export class LinkSender {
  private constructor(private readonly child: ChildProcess) {}

  static async start(certificates: string): Promise<LinkSender> {
    const child = start('link-sender-main', [certificates]);
    await answer<SenderMessage, 'ready'>(child, 'ready');
    return new LinkSender(child);
  }
  get pid(): number {
    return this.child.pid!;
  }
  /** @returns seconds */
  async send(request: SenderRequest): Promise<number> {
    this.child.send(request);
    return (await answer<SenderMessage, 'sent'>(this.child, 'sent')).seconds;
  }
  stop(): Promise<void> {
    return ended(this.child, 'SIGTERM');
  }
}

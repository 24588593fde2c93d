/**
 * The gateway of the spool bench, from its listener to its spool, in processes of its own.
 * Decides when a study counts: every object of it is in the spool, with its bytes.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AifiError, processEntry } from '@aifi/shared-kernel';
import { ended, tied } from '../receive/receiver.js';
import { CALLING_AE_TITLE, type Destination } from '../receive/sender.js';
import type { SpoolMessage, SpoolRequest } from './spool-host-messages.js';

export interface SpooledStudy {
  readonly objects: number;
  readonly bytes: number;
}

/** Hands messages to whoever waits for them, in whatever order they come. */
class Mailbox {
  readonly #messages: SpoolMessage[] = [];
  /** Whoever waits looks again after every message: several studies are on their way. */
  #waiting: (() => void)[] = [];
  #isGone = false;

  constructor(host: ChildProcess) {
    host.on('message', (message: SpoolMessage) => {
      this.#messages.push(message);
      this.#wakeAll();
    });
    host.on('exit', () => {
      this.#isGone = true;
      this.#wakeAll();
    });
  }

  #wakeAll(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async take<K extends SpoolMessage['kind']>(
    kind: K,
    isWanted: (message: Extract<SpoolMessage, { kind: K }>) => boolean = () => true,
  ): Promise<Extract<SpoolMessage, { kind: K }>> {
    for (;;) {
      const at = this.#messages.findIndex(
        (one) => one.kind === kind && isWanted(one as Extract<SpoolMessage, { kind: K }>),
      );
      if (at >= 0) {
        return this.#messages.splice(at, 1)[0] as Extract<SpoolMessage, { kind: K }>;
      }
      const failed = this.#messages.find((one) => one.kind === 'failed');
      if (failed) throw new AifiError('PEER_REFUSED', `a study ended with ${failed.code}`);
      if (this.#isGone) throw new AifiError('PEER_UNAVAILABLE', 'the gateway has ended');
      await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    }
  }
}

export class SpoolGateway implements Destination {
  readonly aeTitle = 'AIFI';

  private constructor(
    private readonly host: ChildProcess,
    private readonly mailbox: Mailbox,
    readonly port: number,
  ) {}

  static async start(folder: string): Promise<SpoolGateway> {
    const dataFolder = join(folder, 'spool-gateway');
    mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
    const entry = processEntry(new URL('..', import.meta.url).href, 'spool-host-main');
    // An environment of a test runner is not that of a gateway.
    const env = { ...process.env, NODE_OPTIONS: '' };
    const host = tied(fork(entry, [dataFolder, CALLING_AE_TITLE], { execArgv: [], env }));
    const mailbox = new Mailbox(host);
    const { port } = await mailbox.take('listening');
    return new SpoolGateway(host, mailbox, port);
  }

  get pid(): number {
    return this.host.pid!;
  }
  /** The study is complete; resolves when it is in the spool. */
  async spooled(studyUid: string): Promise<SpooledStudy> {
    this.#send({ kind: 'complete', studyUid });
    return this.mailbox.take('spooled', (message) => message.studyUid === studyUid);
  }
  async clear(): Promise<void> {
    this.#send({ kind: 'clear' });
    await this.mailbox.take('cleared');
  }
  stop(): Promise<void> {
    return ended(this.host, 'SIGTERM');
  }
  #send(request: SpoolRequest): void {
    this.host.send(request);
  }
}

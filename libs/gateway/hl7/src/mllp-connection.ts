/**
 * MllpConnection: one sender's connection from its first byte to its end.
 * Decides the order of things: a message is taken and answered before the next byte is read.
 * Invariants: the socket is not read while something is waited for; a connection ends by itself
 * when nothing comes, a frame is not finished in time or an answer is not read.
 * Source: HL7 v2 MLLP release 1; security specification 4 (HL7 v2).
 */
import type { Socket } from 'node:net';
import type { Clock } from '@aifi/shared-kernel';
import type { Answers, Breach, MessageIntake } from './message-intake.js';
import { framed, MllpFramer, type FrameEvent } from './mllp-framer.js';

export const MLLP_LIMITS = {
  /** An interface engine has one for each of its queues. */
  connections: 64,
  connectionsPerSender: 16,
  /** From the first byte of a frame to its last: 1 MiB in that time is 280 kbit/s. @unit ms */
  frameMs: 30_000,
  /** Between messages: a quiet night of a small hospital is shorter. @unit ms */
  idleMs: 12 * 3_600_000,
  /** Until an answer is read, and from the end of what we say to the end. @unit ms */
  answerMs: 10_000,
  graceMs: 2_000,
} as const;

export interface ConnectionParts {
  readonly socket: Socket;
  readonly sender: string;
  readonly intake: MessageIntake;
  readonly bytesMax: number;
  readonly clock: Clock;
  /** Messages of one sender one after the other, over all its connections. */
  readonly inOrder: <T>(sender: string, work: () => Promise<T>) => Promise<T>;
}

export class MllpConnection {
  readonly #framer: MllpFramer;
  #deadline = new AbortController();
  #isStopping = false;
  #isBusy = false;

  constructor(private readonly parts: ConnectionParts) {
    this.#framer = new MllpFramer(parts.bytesMax);
  }

  /** Resolves when the connection is over. Never rejects. */
  async run(): Promise<void> {
    const { socket } = this.parts;
    socket.on('error', () => undefined);
    socket.setKeepAlive(true, 60_000);
    this.#expect(MLLP_LIMITS.idleMs);
    try {
      for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
        if (!(await this.#onBytes(chunk as Buffer)) || this.#isStopping) break;
      }
    } catch {
      // The peer reset the connection, or time has run out.
    }
    const rest = this.#framer.end();
    if (rest) this.#closed('cut-short');
    await this.#end();
  }

  /** Ends the connection once the message in hand is answered. */
  stop(): void {
    this.#isStopping = true;
    if (!this.#isBusy) this.parts.socket.destroy();
  }

  /** False when nothing more is to be read. */
  async #onBytes(chunk: Buffer): Promise<boolean> {
    let wasWithin = this.#framer.isWithin;
    for (const event of this.#framer.push(chunk)) {
      wasWithin = false;
      this.#deadline.abort();
      this.#isBusy = true;
      const goesOn = await this.#onEvent(event).finally(() => (this.#isBusy = false));
      if (!goesOn) return false;
    }
    const { isWithin } = this.#framer;
    // A frame has its time from its first byte, whatever comes in between.
    if (!isWithin) this.#expect(MLLP_LIMITS.idleMs);
    else if (!wasWithin) this.#expect(MLLP_LIMITS.frameMs);
    return true;
  }

  async #onEvent(event: FrameEvent): Promise<boolean> {
    const { intake, sender, inOrder } = this.parts;
    if (event.kind === 'junk') {
      this.#closed('junk');
      return false;
    }
    if (event.kind === 'frame') {
      return this.#answer(await inOrder(sender, () => intake.take(event.bytes, sender)));
    }
    const isAnswered = await this.#answer(intake.broken(event.head, event.reason, sender));
    return isAnswered && this.#framer.isWithin;
  }

  /** Resolves with false when nobody can be answered. */
  async #answer(answers: Answers): Promise<boolean> {
    if (!answers) return false;
    if (answers.length === 0) return true;
    this.#expect(MLLP_LIMITS.answerMs);
    const bytes = Buffer.concat(answers.map(framed));
    const error = await new Promise<unknown>((resolve) => {
      this.parts.socket.write(bytes, (fault) => resolve(fault));
    });
    return !error;
  }

  #closed(detail: Breach | 'junk' | 'cut-short' | 'too-slow'): void {
    const { intake, sender } = this.parts;
    intake.count({ sender, type: '', answer: 'closed', detail });
  }

  /** Starts the time that the peer has for what comes next. */
  #expect(timeoutMs: number): void {
    this.#deadline.abort();
    const deadline = new AbortController();
    this.#deadline = deadline;
    void this.parts.clock.sleep(timeoutMs, deadline.signal).then(() => {
      if (deadline.signal.aborted) return;
      if (timeoutMs !== MLLP_LIMITS.idleMs) this.#closed('too-slow');
      this.parts.socket.destroy();
    });
  }

  /** What was written reaches a peer that still sends: what it sends is read and dropped. */
  async #end(): Promise<void> {
    const { socket, clock } = this.parts;
    this.#deadline.abort();
    if (socket.destroyed) return;
    const over = new AbortController();
    socket.once('close', () => over.abort());
    socket.resume();
    socket.end();
    await clock.sleep(MLLP_LIMITS.graceMs, over.signal);
    socket.destroy();
  }
}

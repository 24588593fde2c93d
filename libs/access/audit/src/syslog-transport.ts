/**
 * Sending syslog over TLS so that "sent" means "read by the receiver".
 * Decides how that is known, because syslog itself has no receipt: the batch has a connection of
 * its own, which we end; the receiver answers the end only when it has read everything before it. A
 * receiver that dies answers an end too, so a second connection, opened before, is the witness: it
 * must still stand afterwards. Invariants: the receiver's certificate is verified, TLS 1.2 or
 * later, no fallback; every wait ends. Source: RFC 5425 4; PS3.15 A.6; RFC 9325.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { z } from 'zod';
import { AifiError, type Clock } from '@aifi/shared-kernel';

export const syslogDestinationSchema = z.strictObject({
  host: z.string().min(1).max(253),
  /** 6514: syslog over TLS (RFC 5425). */
  port: z.int().min(1).max(65_535).default(6514),
  /** Who signed the receiver's certificate; read again for every connection. */
  caFile: z.string().min(1),
  /** For receivers that ask for one. */
  certificateFile: z.string().min(1).optional(),
  keyFile: z.string().min(1).optional(),
});
export type SyslogDestination = z.output<typeof syslogDestinationSchema>;

/** A batch that takes longer is sent again. [policy] @unit ms */
const BATCH_MS_MAX = 30_000;
/**
 * How long the end of a dead receiver's other connection may follow. Its process ends both at once,
 * so this is the spread of two packets on one path. @unit ms
 */
const WITNESS_MS = 100;

/**
 * Resolves when the receiver has read all frames; PEER_UNAVAILABLE when that is not certain, and
 * then any number of them may have arrived.
 */
export async function sendFrames(
  destination: SyslogDestination,
  frames: readonly Buffer[],
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const options = await connectionOptions(destination);
  const done = new AbortController();
  const ended = AbortSignal.any([signal, done.signal]);
  let witness: Connection | undefined;
  let batch: Connection | undefined;
  const work = async (): Promise<void> => {
    witness = await Connection.open(options);
    batch = await Connection.open(options);
    await batch.deliver(frames);
    await clock.sleep(WITNESS_MS, signal);
    if (!witness.stands) throw unavailable('the receiver went away while it read');
    // Ended by us: what was aborted here was not confirmed.
    if (signal.aborted) throw unavailable('ended before the receiver had read everything');
  };
  const late = clock.sleep(BATCH_MS_MAX, ended).then(() => {
    throw unavailable(signal.aborted ? 'ended' : 'the receiver took too long');
  });
  try {
    await Promise.race([work(), late]);
  } finally {
    done.abort();
    late.catch(() => undefined);
    batch?.destroy();
    witness?.destroy();
  }
}

const unavailable = (words: string, cause?: unknown): AifiError =>
  new AifiError('PEER_UNAVAILABLE', `audit receiver: ${words}`, { cause });

async function connectionOptions(destination: SyslogDestination): Promise<ConnectionOptions> {
  const { host, port, caFile, certificateFile, keyFile } = destination;
  const optional = async (file: string | undefined): Promise<Buffer | undefined> =>
    file === undefined ? undefined : await readFile(file);
  try {
    const [ca, cert, key] = await Promise.all([
      readFile(caFile),
      optional(certificateFile),
      optional(keyFile),
    ]);
    return { host, port, ca, minVersion: 'TLSv1.2', ...(cert && key ? { cert, key } : {}) };
  } catch (error) {
    throw new AifiError('CONFIG_INVALID', 'a certificate of the audit receiver cannot be read', {
      cause: error,
    });
  }
}

class Connection {
  #isOver = false;
  #error: unknown;

  private constructor(private readonly socket: TLSSocket) {
    socket.on('error', (error) => {
      this.#error = error;
      this.#isOver = true;
    });
    for (const event of ['end', 'close']) socket.on(event, () => (this.#isOver = true));
    // What a receiver says is never read, yet its end is only seen when it could be.
    socket.resume();
  }

  static async open(options: ConnectionOptions): Promise<Connection> {
    const connection = new Connection(connect(options));
    try {
      await once(connection.socket, 'secureConnect');
    } catch (error) {
      throw unavailable('no connection', error);
    }
    return connection;
  }

  /** False as soon as the other side has ended it. */
  get stands(): boolean {
    return !this.#isOver;
  }

  /** Writes, ends our side, and waits for the other side to end its own. */
  async deliver(frames: readonly Buffer[]): Promise<void> {
    const { socket } = this;
    const closed = once(socket, 'close').catch(() => undefined);
    for (const frame of frames) {
      if (this.#isOver) throw unavailable('the connection ended early', this.#error);
      if (!socket.write(frame)) await Promise.race([once(socket, 'drain'), closed]);
    }
    if (this.#isOver) throw unavailable('the connection ended early', this.#error);
    socket.end();
    await closed;
    if (this.#error !== undefined) throw unavailable('the connection broke', this.#error);
  }

  destroy(): void {
    this.socket.destroy();
  }
}

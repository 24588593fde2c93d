/**
 * The outcome stream at the gateway: one outcome after the other, durable, then acknowledged.
 * Decides what becomes of an outcome that can never be right: it is refused, so that the ones
 * behind it pass, and stays visible at the hub. Invariants: one outcome at a time; an
 * acknowledgement leaves after the commit; a fault that may pass ends the stream, nothing is lost.
 * Source: reliability specification P5, C2.
 */
import { AifiError, crashPoint } from '@aifi/shared-kernel';
import type { downlink } from '@aifi/contracts-proto';
import type { GatewayDatabase } from '@aifi/gateway-database';
import type { Logger } from '@aifi/shared-observability';
import type { DownlinkPort, OutcomeStream } from './downlink-port.js';
import {
  acknowledgementOf,
  OutcomeReceiver,
  type ReceiverDependencies,
} from './outcome-receiver.js';

export interface OutcomeReaderDependencies extends ReceiverDependencies {
  readonly port: DownlinkPort;
  readonly logger: Logger;
  /** Called after an outcome is durable. */
  readonly onDone: () => void;
}

/** Reads one stream to its end; PEER_UNAVAILABLE when it breaks. */
export async function readOutcomes(
  dependencies: OutcomeReaderDependencies,
  signal: AbortSignal,
  onProgress: () => void,
): Promise<void> {
  const { port, database } = dependencies;
  const stream = port.openOutcomes();
  const close = (): void => stream.close();
  signal.addEventListener('abort', close);
  const reader = new OutcomeReader(dependencies, stream, onProgress);
  try {
    const cursor = { afterSequence: lastSequence(database), exact: true };
    stream.send({ part: { $case: 'cursor', value: cursor } });
    for await (const message of stream.responses) await reader.take(message);
  } catch (error) {
    throw error instanceof AifiError
      ? error
      : new AifiError('PEER_UNAVAILABLE', 'the outcome stream broke', { cause: error });
  } finally {
    signal.removeEventListener('abort', close);
    stream.close();
    await reader.discard();
  }
}

/** Takes the messages of one stream. */
class OutcomeReader {
  #receiver: OutcomeReceiver | undefined;
  /** Header of the outcome in hand when it is being skipped. */
  #skipped: downlink.OutcomeHeader | undefined;
  #header: downlink.OutcomeHeader | undefined;

  constructor(
    private readonly dependencies: OutcomeReaderDependencies,
    private readonly stream: OutcomeStream,
    private readonly onProgress: () => void,
  ) {}

  async take({ part }: downlink.StreamOutcomesResponse): Promise<void> {
    if (!part) return;
    if (part.$case === 'header') {
      // An outcome whose end never came is not durable, and is sent again.
      await this.discard();
      [this.#header, this.#skipped] = [part.value, undefined];
    }
    if (this.#skipped) {
      if (part.$case === 'end') this.#refuse(this.#skipped);
      return;
    }
    try {
      await this.#takePart(part);
    } catch (error) {
      const fault = AifiError.from(error);
      if (!isForGood(fault)) throw fault;
      this.dependencies.logger.fault('outcome refused', fault, { stage: 'downlink' });
      await this.discard();
      if (!this.#header) return;
      // The hub listens for an answer once it has sent the whole outcome.
      if (part.$case === 'end') this.#refuse(this.#header);
      else this.#skipped = this.#header;
    }
  }

  async #takePart(part: NonNullable<downlink.StreamOutcomesResponse['part']>): Promise<void> {
    if (part.$case === 'header') {
      this.#receiver = new OutcomeReceiver(this.dependencies, part.value);
      return;
    }
    const receiver = this.#receiver;
    if (!receiver) throw new AifiError('INVALID_ARGUMENT', 'a part without its header');
    if (part.$case === 'chunk') return receiver.append(part.value);
    await receiver.finish();
    this.#receiver = undefined;
    const ack = acknowledgementOf(receiver.manifest);
    crashPoint('gateway.downlink.before-ack');
    this.stream.send({ part: { $case: 'ack', value: ack } });
    crashPoint('gateway.downlink.after-ack');
    this.onProgress();
    this.dependencies.logger.info('outcome durable', { stage: 'downlink', jobId: ack.jobId });
    this.dependencies.onDone();
  }

  /** Names the outcome in the words of its own manifest, believed for nothing else. */
  #refuse({ manifest }: downlink.OutcomeHeader): void {
    this.#skipped = undefined;
    const named = nameOf(manifest);
    if (!named) return;
    const value = { ...named, code: 'INVALID_ARGUMENT' };
    this.stream.send({ part: { $case: 'refusal', value } });
  }

  async discard(): Promise<void> {
    await this.#receiver?.discard();
    this.#receiver = undefined;
  }
}

/** Bytes that are not what their manifest says are the hub's, and will be the same next time. */
function isForGood({ code, retryClass, causeClass }: AifiError): boolean {
  return code === 'DIGEST_MISMATCH' || (retryClass === 'permanent' && causeClass !== 'bug');
}

/** Job, revision and issue of bytes that may be anything; undefined when they say none. */
function nameOf(manifest: Uint8Array): downlink.OutcomeAck | undefined {
  try {
    const { jobId, revision, issue } = JSON.parse(
      Buffer.from(manifest).toString('utf8'),
    ) as Partial<downlink.OutcomeAck>;
    const isName = typeof jobId === 'string' && Number.isInteger(revision);
    return isName && Number.isInteger(issue)
      ? { jobId, revision: revision!, issue: issue! }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Highest sequence such that everything up to it is durable here; the hub repeats the rest. */
function lastSequence(database: GatewayDatabase): number {
  const row = database.read((sql) =>
    sql.get<{ last: number | null }>('SELECT MAX(sequence) AS last FROM inbound'),
  );
  return row?.last ?? 0;
}

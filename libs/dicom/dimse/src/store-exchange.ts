/**
 * StoreExchange: one C-STORE at a time, from its command to its status.
 * Decides what is said about a dataset: the verdict of its sink, or the status of the first fault;
 * after a fault the rest is read and dropped. Invariants: a sink is ended or aborted, never both
 * left out; nothing of a handler's fault leaves this class (F5); without a promise of the sink
 * nothing is waited for.
 * Source: PS3.7 9.3.1, PS3.4 B.2.3; reliability specification F1, F5, P0.
 */
import { AifiError } from '@aifi/shared-kernel';
import { isWireUid } from './associate-request.js';
import { DIMSE_STATUS } from './dimse-status.js';
import type { StoreRequestEvent } from './pdu-normaliser.js';

export interface StoreRequest {
  readonly callingAeTitle: string;
  /** The title of ours that was called; '' where there is none, as over the web. */
  readonly calledAeTitle: string;
  readonly peerAddress: string;
  readonly affectedSopClassUid: string;
  readonly affectedSopInstanceUid: string;
  readonly transferSyntaxUid: string;
}
/** Takes one dataset. After a rejection of write() or end() the owner calls abort(). */
export interface StoreSink {
  /**
   * The next bytes, a view of what the socket gave; it is never reused, so it may be kept. Without
   * a promise the next bytes may come at once.
   */
  write(chunk: Uint8Array): void | Promise<void>;
  /** The whole dataset was written: the DIMSE status that the peer gets. */
  end(): Promise<number>;
  /** The dataset is not wanted any more or will not come. */
  abort(): Promise<void>;
}
export interface StoreHandler {
  begin(request: StoreRequest): StoreSink | Promise<StoreSink>;
}
/** A promise of any realm. */
function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
/** What is waited for, if anything. */
export type Wait = Promise<void> | undefined;

export class StoreExchange {
  #sink: StoreSink | undefined;
  #fault: AifiError | undefined;

  constructor(
    private readonly handler: StoreHandler,
    private readonly onFault: (fault: AifiError) => void,
  ) {}

  /** A dataset has begun and its sink has not given a verdict. */
  get isOpen(): boolean {
    return this.#sink !== undefined;
  }

  begin(
    event: StoreRequestEvent,
    peer: Pick<StoreRequest, 'callingAeTitle' | 'calledAeTitle' | 'peerAddress'>,
  ): Wait {
    const { abstractSyntaxUid, transferSyntaxUid } = event;
    const { affectedSopClassUid, affectedSopInstanceUid } = event.command;
    this.#fault = undefined;
    return this.#attempt(() => {
      if (affectedSopClassUid !== abstractSyntaxUid) {
        throw new AifiError('DICOM_SOP_CLASS_UNSUPPORTED', 'SOP class was not negotiated');
      }
      if (!isWireUid(affectedSopInstanceUid)) {
        throw new AifiError('INVALID_IDENTIFIER', 'the command has no valid instance UID');
      }
      const uids = { affectedSopClassUid, affectedSopInstanceUid, transferSyntaxUid };
      const sink = this.handler.begin({ ...peer, ...uids });
      if (isPromise(sink)) return sink.then((opened) => void (this.#sink = opened));
      this.#sink = sink;
      return undefined;
    });
  }

  write(bytes: Uint8Array): Wait {
    return this.#attempt(() => this.#sink!.write(bytes));
  }

  /** The status of the C-STORE. */
  async end(): Promise<number> {
    let status: number = DIMSE_STATUS.processingFailure;
    await this.#attempt(async () => {
      status = await this.#sink!.end();
      this.#sink = undefined;
    });
    return this.#fault?.dimseStatus ?? status;
  }

  /** What cannot be removed now is swept later; a fault of a handler must not end the process. */
  async drop(): Promise<void> {
    const sink = this.#sink;
    this.#sink = undefined;
    try {
      await sink?.abort();
    } catch {
      // Also one that throws before it has a promise.
    }
  }

  /** One step; after a fault there are no more. */
  #attempt(step: () => void | Promise<void>): Wait {
    if (this.#fault) return undefined;
    try {
      const wait = step();
      return isPromise(wait) ? wait.then(undefined, (error) => this.#failed(error)) : undefined;
    } catch (error) {
      return this.#failed(error);
    }
  }
  async #failed(error: unknown): Promise<void> {
    const fault = AifiError.from(error);
    this.#fault = fault;
    this.onFault(fault);
    await this.drop();
  }
}

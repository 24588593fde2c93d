/**
 * ObjectRelay: objects that the PACS sends us by C-GET or WADO-RS, on their way into the intake.
 * Decides what the PACS is told of each: the status that the intake gave when file and row were
 * durable. Invariants: bytes go on as they came; of an object a few chunks are held and no more;
 * one of another study is refused by the intake, and the fetch is told so.
 * Source: PS3.4 B.2.3; PS3.10 7.1; reliability specification P0, F1.
 */
import { PassThrough } from 'node:stream';
import { encodeFileMeta } from '@aifi/dicom-core';
import type { PartSink } from '@aifi/dicom-dicomweb';
import {
  storeVerdict,
  type StoreHandler,
  type StoreRequest,
  type StoreSink,
} from '@aifi/dicom-dimse';
import { AifiError } from '@aifi/shared-kernel';
import type { RetrievalReason } from './archive.js';

/** Where objects go that do not come by C-STORE. */
export interface IntakePort {
  /**
   * Takes one Part 10 file that has to be of this study; the status that a C-STORE of it would have
   * had, once it is durable or refused.
   */
  store(
    file: AsyncIterable<Uint8Array>,
    meta: { readonly studyInstanceUid: string },
  ): Promise<number>;
}

/** Held of one object beside what the intake holds. @unit bytes */
const HELD_BYTES = 256 * 1024;

/** The relay of one fetch. */
export class ObjectRelay implements StoreHandler {
  #reason: RetrievalReason | undefined;

  constructor(
    private readonly intake: IntakePort,
    private readonly studyInstanceUid: string,
  ) {}

  /** Why an object did not get in, of the first one that did not. */
  get reason(): RetrievalReason | undefined {
    return this.#reason;
  }

  /** An object of a C-GET: its dataset, to which the file meta is made. */
  begin(request: StoreRequest): StoreSink {
    const { affectedSopClassUid, affectedSopInstanceUid, transferSyntaxUid } = request;
    const relayed = this.#open();
    const head = encodeFileMeta({
      sopClassUid: affectedSopClassUid,
      ...{ sopInstanceUid: affectedSopInstanceUid, transferSyntaxUid },
    });
    const begun = relayed.write(head);
    return {
      write: async (chunk) => {
        await begun;
        await relayed.write(chunk);
      },
      end: async () => this.#settle(relayed),
      abort: () => relayed.abort(),
    };
  }

  /** An object of WADO-RS: a Part 10 file. OUT_OF_RESOURCES where the rest would find no room. */
  beginFile(): PartSink {
    const relayed = this.#open();
    return {
      write: (bytes) => relayed.write(bytes),
      end: async () => {
        await this.#settle(relayed);
        if (this.#reason === 'NO_SPACE') throw new AifiError('OUT_OF_RESOURCES', 'no room');
      },
      abort: () => relayed.abort(),
    };
  }

  #open(): Relayed {
    const { intake, studyInstanceUid } = this;
    return new Relayed((file) => intake.store(file, { studyInstanceUid }));
  }

  async #settle(relayed: Relayed): Promise<number> {
    try {
      const status = await relayed.end();
      if (storeVerdict(status) !== 'stored') this.#reason ??= reasonOfStatus(status);
      return status;
    } catch (error) {
      this.#reason ??= 'OWN_FAULT';
      throw error;
    }
  }
}

function reasonOfStatus(status: number): RetrievalReason {
  if (status >>> 8 === 0xa7) return 'NO_SPACE';
  return status >>> 8 === 0xa9 ? 'OTHER_STUDY' : 'NOT_TAKEN';
}

/** One object between who gives its bytes and who takes them. */
class Relayed {
  readonly #stream = new PassThrough({ highWaterMark: HELD_BYTES });
  readonly #stored: Promise<number>;
  #isSettled = false;

  constructor(store: (file: AsyncIterable<Uint8Array>) => Promise<number>) {
    // Whoever reads sees the fault; nobody else has to.
    this.#stream.on('error', () => undefined);
    this.#stored = store(this.#stream);
    const settled = (): void => {
      this.#isSettled = true;
      this.#stream.emit('settled');
    };
    this.#stored.then(settled, settled);
  }

  /** Resolves when there is room for more; what nobody wants any more is dropped. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#isSettled || this.#stream.destroyed || this.#stream.write(bytes)) return;
    await this.#room();
  }
  end(): Promise<number> {
    this.#stream.end();
    return this.#stored;
  }
  async abort(): Promise<void> {
    this.#stream.destroy(new AifiError('PEER_UNAVAILABLE', 'the object broke off'));
    await this.#stored.catch(() => undefined);
  }

  #room(): Promise<void> {
    const events = ['drain', 'close', 'settled'] as const;
    return new Promise((resolve) => {
      const done = (): void => {
        for (const event of events) this.#stream.off(event, done);
        resolve();
      };
      for (const event of events) this.#stream.on(event, done);
      if (this.#isSettled) done();
    });
  }
}

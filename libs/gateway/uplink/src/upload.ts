/**
 * Upload: one job under way, from the first question to the hub to its acknowledgement.
 * Decides how a job ends here: whole, refused, broken off, or put back to go on later. What was
 * acknowledged is never sent again, as the hub is asked anew what it holds.
 * Invariants: its streams have ended before it ends; it holds names and sizes, never bytes; it may
 * be dropped at any moment, as its rows say the same.
 * Source: reliability specification P2; aifi/uplink/v1/uplink.proto.
 */
import { AifiError, crashPoint, type ErrorCode, type Sha256 } from '@aifi/shared-kernel';
import type { uplink } from '@aifi/contracts-proto';
import type { Encoding } from './compression-choice.js';
import type { ObjectTransport, OwedObject, SendEnd } from './object-transport.js';
import type { QueuedStudy } from './uplink-store.js';
import type { UplinkAnswer, UplinkPort } from './uplink-port.js';
import { batchLength, type RunningJob, type WaitingJob } from './upload-schedule.js';

/** How an upload ended. */
export type UploadEnd =
  | { readonly kind: 'uploaded' }
  /** The hub answered no. `asked` is what it was asked. */
  | {
      readonly kind: 'refused';
      readonly code: ErrorCode;
      readonly asked: 'open' | 'send' | 'close';
    }
  | { readonly kind: 'failed'; readonly error: AifiError }
  /** No failure: it goes on later with what is still owed. */
  | { readonly kind: 'put-back' };

type Phase = 'opening' | 'sending' | 'closing';

export interface StreamPlan {
  readonly transport: ObjectTransport;
  readonly pace: (bytes: number, signal: AbortSignal) => Promise<'go' | 'gave-up'>;
  readonly acknowledged: (object: OwedObject) => void;
  /** Streams that share what is left. */
  readonly sharing: number;
}

export class Upload {
  readonly #abort = new AbortController();
  #phase: Phase = 'opening';
  #pending: OwedObject[] = [];
  #streams = 0;
  #end: UploadEnd | undefined;
  #acks: Sha256[] = [];
  #encoding: Encoding = 'none';
  #hasProgress = false;

  constructor(
    readonly job: WaitingJob,
    private readonly study: QueuedStudy,
    private readonly port: UplinkPort,
  ) {}

  get signal(): AbortSignal {
    return this.#abort.signal;
  }
  get attempts(): number {
    return this.study.attempts;
  }
  get refusals(): number {
    return this.study.refusals;
  }
  /** The hub has answered it: when it breaks now, that may be because of the job. */
  get wasAnswered(): boolean {
    return this.#phase !== 'opening';
  }
  /** The hub has taken something of it. */
  get hasProgress(): boolean {
    return this.#hasProgress;
  }
  /** Why it ends or has ended; the first reason counts. */
  get reason(): UploadEnd | undefined {
    return this.#end;
  }
  /** Undefined while a stream or a call of it is still under way. */
  get ended(): UploadEnd | undefined {
    return this.#streams === 0 ? this.#end : undefined;
  }
  /** True when all objects are at the hub and the study is to be closed. */
  get isComplete(): boolean {
    const isIdle = this.#streams === 0 && this.#pending.length === 0;
    return this.#phase === 'sending' && isIdle && this.#end === undefined;
  }
  get unrecordedAcks(): number {
    return this.#acks.length;
  }
  /** The acknowledgements that nobody has recorded yet. */
  takeAcks(): readonly Sha256[] {
    const acks = this.#acks;
    this.#acks = [];
    return acks;
  }
  view(): RunningJob {
    const isSending = this.#phase === 'sending' && this.#end === undefined;
    return {
      ...this.job,
      streams: this.#phase === 'sending' ? this.#streams : 0,
      hasMore: isSending && this.#pending.length > 0,
      isEnding: this.#end !== undefined,
    };
  }

  /** Stops it: what is in hand is broken off, and goes on from its offset another time. */
  putBack(): void {
    this.#endBy({ kind: 'put-back' });
    this.#abort.abort();
  }

  /** Asks the hub what it holds. `encode` chooses how what is owed will travel. */
  async open(encode: (owed: readonly OwedObject[]) => Promise<Encoding>): Promise<void> {
    await this.#during(async () => {
      const answer = await this.port.openStudy(
        {
          jobId: this.job.jobId,
          revision: this.study.revision,
          manifest: Buffer.from(this.study.manifest),
          envelope: Buffer.from(this.study.envelope),
        },
        this.signal,
      );
      crashPoint('gateway.uplink.opened');
      if (answer.kind === 'refused') return this.#refuse(answer.code, 'open');
      this.#pending = answer.value.stored ? [] : owedObjects(this.study, answer.value);
      this.#encoding = this.#pending.length > 0 ? await encode(this.#pending) : 'none';
      this.#phase = 'sending';
    });
  }

  /** Sends the next objects over one stream of its own. */
  async send({ transport, pace, acknowledged, sharing }: StreamPlan): Promise<SendEnd | undefined> {
    const objects = this.#pending.splice(0, batchLength(this.#pending, sharing));
    const byDigest = new Map(objects.map((object) => [object.sha256, object]));
    return this.#during(async () => {
      const end = await transport.send({
        jobId: this.job.jobId,
        ...{ objects, encoding: this.#encoding, signal: this.signal },
        acknowledge: async (sha256) => {
          const object = byDigest.get(sha256);
          if (!object || !byDigest.delete(sha256)) return;
          crashPoint('gateway.uplink.object-acked');
          this.#acks.push(sha256);
          this.#hasProgress = true;
          acknowledged(object);
        },
        pace: async (bytes) => {
          if ((await pace(bytes, this.signal)) === 'gave-up') this.putBack();
        },
      });
      if (end.kind === 'draining') this.#endBy({ kind: 'put-back' });
      else if (byDigest.size > 0)
        throw new AifiError('PEER_UNAVAILABLE', 'objects were not acknowledged');
      return end;
    });
  }

  /** Lets the hub commit the study; believes nothing but an acknowledgement of this manifest. */
  async close(): Promise<void> {
    this.#phase = 'closing';
    const { jobId } = this.job;
    const { revision, manifestSha256 } = this.study;
    await this.#during(async () => {
      crashPoint('gateway.uplink.before-close');
      const request = { jobId, revision, manifestSha256 };
      const answer: UplinkAnswer<uplink.CloseStudyResponse> = await this.port.closeStudy(
        request,
        this.signal,
      );
      crashPoint('gateway.uplink.after-close');
      if (answer.kind === 'refused') return this.#refuse(answer.code, 'close');
      const { ack } = answer.value;
      if (ack?.jobId !== jobId || ack.manifestSha256 !== manifestSha256) {
        throw new AifiError('DIGEST_MISMATCH', 'the hub acknowledged another study');
      }
      this.#endBy({ kind: 'uploaded' });
    });
  }

  /** One call or stream: a fault of it ends the upload, and breaks off the others. */
  async #during<T>(work: () => Promise<T>): Promise<T | undefined> {
    this.#streams += 1;
    try {
      return await work();
    } catch (error) {
      const fault = AifiError.from(error);
      if (fault.code === 'PEER_REFUSED') this.#refuse(fault.code, 'send');
      else this.#endBy({ kind: 'failed', error: fault });
      this.#abort.abort();
      return undefined;
    } finally {
      this.#streams -= 1;
    }
  }

  #refuse(code: ErrorCode, asked: 'open' | 'send' | 'close'): void {
    this.#endBy({ kind: 'refused', code, asked });
  }
  /** The first reason counts: what follows it is its consequence. */
  #endBy(end: UploadEnd): void {
    this.#end ??= end;
  }
}

function owedObjects(
  { objects }: QueuedStudy,
  { heldSha256, partial }: uplink.OpenStudyResponse,
): OwedObject[] {
  const held = new Set(heldSha256);
  const offsets = new Map(partial.map(({ sha256, offsetBytes }) => [sha256, offsetBytes]));
  return objects
    .filter((object) => !held.has(object.sha256))
    .map((object) => {
      const offset = offsets.get(object.sha256) ?? 0;
      // A beginning longer than the object is not a beginning of it.
      return { ...object, offsetBytes: offset <= object.sizeBytes ? offset : 0 };
    });
}

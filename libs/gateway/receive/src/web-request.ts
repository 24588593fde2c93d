/**
 * WebRequest: one STOW-RS request, from its head to its answer.
 * Decides what is looked at: POST of application/dicom parts by somebody who may; each part is
 * durable with its row before it counts as stored, and before the next one is begun. Invariants:
 * the socket is not read while something is waited for; what was stored stays, whatever becomes of
 * the rest; a request that is wrong is answered before its body is read.
 * Source: PS3.18 10.5 (Store Transaction), RAD-108; RFC 2387; reliability specification P0, F4.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  acceptsJson,
  MultipartReader,
  parseMediaType,
  StoreOutcomes,
  type MultipartEvent,
} from '@aifi/dicom-dicomweb';
import { PROGRESS_WINDOW_MS, ConnectionWatch, type RefusalListener } from '@aifi/dicom-dimse';
import { AifiError, isUid, LIMITS, type Clock } from '@aifi/shared-kernel';
import type { OutcomeRoom } from './outcome-room.js';
import { writeAnswer, type Answer, type Refusal } from './web-answer.js';
import { WebPart, type WebOrigin } from './web-part.js';
import type { SpoolStoreHandler } from './spool-store-handler.js';

/** Who sends, or the status with which he is sent away. */
export type Admission = Omit<WebOrigin, 'studyInstanceUid'> | { readonly refusal: Refusal };
export interface WebRequestOptions {
  readonly handler: Pick<SpoolStoreHandler, 'begin' | 'isOpenTo'>;
  readonly admit: (request: IncomingMessage) => Admission;
  readonly onRefusal: RefusalListener;
  readonly room: OutcomeRoom;
  readonly clock: Clock;
}

const PATH = /^\/studies(?:\/([0-9.]{1,64}))?$/;
const DICOM = 'application/dicom';
/** What stands for "no encoding" in Content-Transfer-Encoding (RFC 2045 6.2). */
const IDENTITY = new Set(['binary', '8bit', '7bit']);

/** Ends a request with a status of its own. */
class Refused {
  constructor(readonly status: Refusal) {}
}

export class WebRequest {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #outcomes = new StoreOutcomes();
  readonly #watch: ConnectionWatch;
  #callingAeTitle = '';
  #part: WebPart | undefined;
  /** The body was read to its end. */
  #isRead = false;
  #isStalled = false;

  constructor(
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
    private readonly options: WebRequestOptions,
  ) {
    this.#chunks = request[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    this.#watch = new ConnectionWatch(options.clock);
  }

  /** Resolves when it is answered, or its peer is gone; never rejects. */
  async run(): Promise<void> {
    const over = new AbortController();
    const { socket } = this.request;
    void this.#watch.stalled(over.signal).then(() => {
      if (over.signal.aborted) return;
      this.#isStalled = true;
      this.#refused('stream', new AifiError('DEADLINE_EXCEEDED', 'no progress'));
      socket.destroy();
    });
    try {
      await this.#answer(await this.#verdict());
    } catch (error) {
      // The peer is gone: what it had stored it is told at the next try, as stored.
      if (!this.#isStalled) this.#refused('stream', gone(error));
      socket.destroy();
    } finally {
      over.abort();
      await this.#part?.abort();
      this.options.room.free(this.#outcomes.named);
    }
  }

  async #verdict(): Promise<Answer> {
    try {
      const origin = this.#admitted();
      await this.#store(origin, this.#boundary());
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      await this.#part?.abort();
      return this.#outcomes.named > 0
        ? { status: error.status, json: () => this.#outcomes.json() }
        : { status: error.status };
    }
    const { httpStatus } = this.#outcomes;
    return { status: httpStatus, json: () => this.#outcomes.json() };
  }

  /** Who sends what where; nothing of the body is read for this. */
  #admitted(): WebOrigin {
    const { method, url, headers } = this.request;
    const [, study] = PATH.exec(url ?? '') ?? [];
    if (!PATH.test(url ?? '') || (study !== undefined && !isUid(study))) throw new Refused(404);
    const admission = this.options.admit(this.request);
    if ('refusal' in admission) {
      const code = admission.refusal === 401 ? 'UNAUTHENTICATED' : 'FORBIDDEN';
      this.#refused('association', new AifiError(code, 'not a caller of the web listener'));
      throw new Refused(admission.refusal);
    }
    this.#callingAeTitle = admission.callingAeTitle;
    if (method !== 'POST') throw new Refused(405);
    if (!acceptsJson(headers.accept)) throw new Refused(406);
    if (!this.options.handler.isOpenTo(admission)) {
      this.#refused('association', new AifiError('OUT_OF_RESOURCES', 'the disk is too full'));
      throw new Refused(503);
    }
    return { ...admission, ...(study !== undefined && { studyInstanceUid: study }) };
  }

  #boundary(): string {
    const { 'content-type': contentType = '', 'content-encoding': encoding } = this.request.headers;
    const { type, parameters } = this.#read(() => parseMediaType(contentType), 415);
    const root = parameters.get('type')?.toLowerCase();
    const isTaken = type === 'multipart/related' && (root ?? DICOM) === DICOM;
    if (!isTaken || (encoding ?? 'identity') !== 'identity') throw this.#stop(415, 'media type');
    return parameters.get('boundary') ?? '';
  }

  async #store(origin: WebOrigin, boundary: string): Promise<void> {
    const limits = { partsMax: LIMITS.instancesPerStudyMax };
    const reader = this.#read(() => new MultipartReader(boundary, limits), 400);
    // Who asks first sends nothing before this.
    if (this.request.headers.expect !== undefined) this.response.writeContinue();
    for (;;) {
      const { done, value } = await this.#chunks.next();
      if (done) break;
      this.#watch.heard(value.length);
      const events = reader.push(value);
      for (;;) {
        const event = this.#read(() => events.next(), 400);
        if (event.done) break;
        const wait = this.#take(event.value, origin);
        if (!wait) continue;
        this.#watch.waiting();
        await wait;
        this.#watch.waited();
      }
    }
    this.#isRead = true;
    this.#read(() => reader.end(), 400);
    if (reader.parts === 0) throw this.#stop(400, 'no parts');
  }

  #take(event: MultipartEvent, origin: WebOrigin): void | Promise<void> {
    switch (event.kind) {
      case 'part':
        this.#checkPart(event.headers);
        this.#part = new WebPart(this.options.handler, origin);
        return undefined;
      case 'data':
        return this.#part!.write(event.bytes);
      case 'part-end':
        return this.#endPart(this.#part!);
    }
  }
  #checkPart(headers: ReadonlyMap<string, string>): void {
    const type = headers.get('content-type');
    const encoding = headers.get('content-transfer-encoding') ?? 'binary';
    const isDicom =
      type === undefined || this.#read(() => parseMediaType(type), 400).type === DICOM;
    const isPlain = IDENTITY.has(encoding.toLowerCase()) && !headers.has('content-encoding');
    if (!isDicom || !isPlain) throw this.#stop(415, 'media type of a part');
  }
  async #endPart(part: WebPart): Promise<void> {
    const { status, name, fault } = await part.end();
    this.#part = undefined;
    this.#watch.messageDone();
    if (fault) this.#refused('object', fault, status);
    if (name && !this.options.room.take()) throw new Refused(503);
    this.#outcomes.add(status, name);
    // The rest would find no room either, and the sender need not send it now.
    if (fault?.code === 'OUT_OF_RESOURCES') throw new Refused(503);
  }

  async #answer(answer: Answer): Promise<void> {
    const { clock } = this.options;
    const next = async (): Promise<boolean> => (await this.#chunks.next()).done !== true;
    const rest = this.#isRead ? undefined : { next };
    const over = new AbortController();
    void clock.sleep(PROGRESS_WINDOW_MS, over.signal).then(() => {
      if (!over.signal.aborted) this.request.socket.destroy();
    });
    await writeAnswer(this.response, answer, rest, clock);
    over.abort();
  }

  /** What the request itself has wrong ends it with this status, or 413 where it is a limit. */
  #read<T>(step: () => T, status: Refusal): T {
    try {
      return step();
    } catch (error) {
      const fault = AifiError.from(error);
      this.#refused('stream', fault);
      throw new Refused(fault.code === 'LIMIT_EXCEEDED' ? 413 : status);
    }
  }
  #stop(status: Refusal, what: string): Refused {
    this.#refused('stream', new AifiError('INVALID_ARGUMENT', `not taken over the web: ${what}`));
    return new Refused(status);
  }
  #refused(what: 'association' | 'object' | 'stream', fault: AifiError, status?: number): void {
    const { code, message: reason } = fault;
    const callingAeTitle = this.#callingAeTitle;
    const dimse = status === undefined ? {} : { dimseStatus: status };
    this.options.onRefusal({ what, code, callingAeTitle, reason, ...dimse });
  }
}

function gone(cause: unknown): AifiError {
  return new AifiError('PEER_UNAVAILABLE', 'broken off', { cause });
}

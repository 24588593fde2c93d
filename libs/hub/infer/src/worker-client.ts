/**
 * WorkerClient: one inference over HTTP, objects in, sealed answer out, both as streams.
 * Decides how objects are framed and when an answer counts: header and tensors whole, echo equal,
 * bytes durable. Invariants: no object and no tensor is ever whole in memory; the answer is sealed
 * in the store as it came. Source: Open Inference Protocol v2 (binary tensor data extension); C6.
 */
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { AifiError, isReasonCode, type ReasonCode, type SiteId } from '@aifi/shared-kernel';
import type { FolderObjectStore, ObjectWriter, StoredObject } from '@aifi/hub-object-store';
import {
  binarySize,
  HEADER_BYTES_MAX,
  readAnswerHeader,
  type ExpectedAnswer,
  type WorkerAnswer,
} from './worker-answer.js';

export interface InferenceRequest extends ExpectedAnswer {
  readonly siteId: SiteId;
  readonly product: string;
  readonly version: string;
  /** Objects of the job, in manifest order. */
  readonly objects: readonly StoredObject[];
  /** Whole exchange. @unit ms */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}
export interface SealedAnswer {
  readonly sealed: StoredObject;
  readonly headerSizeBytes: number;
  readonly answer: WorkerAnswer;
}

/** The worker said no, with a code of the closed table. */
export class WorkerRefusal extends Error {
  constructor(readonly code: ReasonCode) {
    super('the worker refused');
  }
}

const HEADER_LENGTH = 'inference-header-content-length';

export class WorkerClient {
  constructor(
    private readonly workerUrl: string,
    private readonly store: FolderObjectStore,
  ) {}

  /**
   * Throws WorkerRefusal with the worker's code; PEER_UNAVAILABLE when no worker took the request;
   * MODEL_FAILED or DIGEST_MISMATCH for an answer that cannot be used; DEADLINE_EXCEEDED.
   */
  async infer(request: InferenceRequest): Promise<SealedAnswer> {
    const timeout = AbortSignal.timeout(request.timeoutMs);
    const signal = AbortSignal.any([request.signal, timeout]);
    const call = this.#open(request, signal);
    try {
      const answered = once(call, 'response', { signal }) as Promise<[IncomingMessage]>;
      // The worker may refuse before it has read everything: the first of both decides.
      const sent = this.#sendObjects(call, request).then(() => answered);
      sent.catch(() => undefined);
      const [response] = await Promise.race([answered, sent]);
      if (response.statusCode !== 200) throw refusalOf(response);
      return await this.#seal(response, request);
    } catch (error) {
      if (timeout.aborted) throw new AifiError('DEADLINE_EXCEEDED', 'the worker is too slow');
      throw workerFault(error);
    } finally {
      call.destroy();
    }
  }

  #open(request: InferenceRequest, signal: AbortSignal): ClientRequest {
    const { product, version, requestId, modelDigest, objects } = request;
    const binarySizeBytes = objects.reduce((sum, { sizeBytes }) => sum + 4 + sizeBytes, 0);
    const parameters = { binary_data_size: binarySizeBytes };
    const inputs = [{ name: 'dicom', datatype: 'BYTES', shape: [objects.length], parameters }];
    const header = Buffer.from(
      JSON.stringify({ id: requestId, parameters: { model_digest: modelDigest }, inputs }),
    );
    const url = new URL(`/v2/models/${product}/versions/${version}/infer`, this.workerUrl);
    const call = httpRequest(url, {
      method: 'POST',
      agent: false,
      signal,
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': header.length + binarySizeBytes,
        [HEADER_LENGTH]: header.length,
      },
    });
    // Whoever waits gets the error by its own promise; this keeps a late one from being unhandled.
    call.on('error', () => undefined);
    call.write(header);
    return call;
  }

  /** Each object as uint32 little-endian length and bytes. */
  async #sendObjects(call: ClientRequest, { siteId, objects }: InferenceRequest): Promise<void> {
    for (const { sha256, sizeBytes } of objects) {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(sizeBytes);
      await write(call, length);
      for await (const chunk of this.store.read(siteId, sha256)) await write(call, chunk as Buffer);
    }
    call.end();
  }

  async #seal(response: IncomingMessage, request: InferenceRequest): Promise<SealedAnswer> {
    const headerSizeBytes = Number(response.headers[HEADER_LENGTH]);
    if (!Number.isInteger(headerSizeBytes) || headerSizeBytes > HEADER_BYTES_MAX) {
      throw new AifiError('MODEL_FAILED', 'the answer has no header of a usable length');
    }
    const writer = await this.store.put(request.siteId);
    try {
      const answer = await receive(response, { writer, headerSizeBytes, expected: request });
      return { sealed: await writer.commit(), headerSizeBytes, answer };
    } catch (error) {
      await writer.discard();
      throw error;
    }
  }
}

async function write(call: ClientRequest, bytes: Uint8Array): Promise<void> {
  if (call.write(bytes)) return;
  const gone = new AbortController();
  const onClose = (): void => gone.abort();
  call.once('close', onClose);
  try {
    await once(call, 'drain', { signal: gone.signal });
  } finally {
    call.off('close', onClose);
  }
}

async function receive(
  response: IncomingMessage,
  {
    writer,
    headerSizeBytes,
    expected,
  }: { writer: ObjectWriter; headerSizeBytes: number; expected: ExpectedAnswer },
): Promise<WorkerAnswer> {
  let start: Buffer = Buffer.alloc(0);
  let answer: WorkerAnswer | undefined;
  let sizeBytes = headerSizeBytes;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (!answer) {
      start = Buffer.concat([start, chunk]);
      if (start.length < headerSizeBytes) continue;
      answer = readAnswerHeader(start.subarray(0, headerSizeBytes), expected);
      sizeBytes += binarySize(answer);
      await writer.append(start);
    } else {
      await writer.append(chunk);
    }
    if (writer.sizeBytes > sizeBytes) throw new AifiError('MODEL_FAILED', 'the answer is too long');
  }
  if (!answer || writer.sizeBytes !== sizeBytes) {
    throw new AifiError('MODEL_FAILED', 'the answer is cut short');
  }
  return answer;
}

/** 503 without a code: the worker is busy or not ready, which says nothing about the job. */
function refusalOf(response: IncomingMessage): Error {
  response.resume();
  const code = String(response.headers['aifi-reason-code'] ?? '');
  if (isReasonCode(code)) return new WorkerRefusal(code);
  return response.statusCode === 503
    ? new AifiError('PEER_UNAVAILABLE', 'the worker is not ready')
    : new WorkerRefusal('MODEL_FAILED');
}

/** A refused connection never reached the model; a connection that breaks may be its crash. */
function workerFault(error: unknown): Error {
  if (error instanceof AifiError || error instanceof WorkerRefusal) return error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return ['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'EAI_AGAIN'].includes(code)
    ? new AifiError('PEER_UNAVAILABLE', 'no worker answers', { cause: error })
    : new AifiError('MODEL_FAILED', 'the worker broke off', { cause: error });
}

/**
 * PrivateIntake: how the gateway's own parts store objects that did not come by C-STORE.
 * Decides nothing about the objects: bytes go unread to the listener, which is the one process that
 * parses what others made. Invariants: nothing is held whole; success is said only where the
 * listener said it, after file and row were durable; a repeat is no work.
 * Source: PS3.18 10.5; RFC 2387; architecture 2; reliability specification H13, P0.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { readStoreAnswer, type FailedInstance } from '@aifi/dicom-dicomweb';
import { RequestDeadline, type DeadlineLimits } from '@aifi/dicom-dimse';
import { AifiError, LIMITS, type Clock } from '@aifi/shared-kernel';
import { fieldsOfOrigin, intakeSocket, type PrivateOrigin } from './private-origin.js';

export interface IntakeOutcome {
  /** HTTP status; with another than 200, 202 and 409 the rest was not looked at. */
  readonly httpStatus: number;
  /** Instances that are durable with their rows. */
  readonly stored: number;
  readonly failed: readonly FailedInstance[];
}
export interface PrivateIntake {
  /**
   * One Part 10 file. The DIMSE status that a C-STORE of it would have had; with `studyInstanceUid`
   * an object of another study is refused.
   */
  store(
    file: AsyncIterable<Uint8Array>,
    origin: PrivateOrigin,
    studyInstanceUid?: string,
  ): Promise<number>;
  /** A multipart/related body of Part 10 files, with its Content-Type as it came. */
  forward(
    body: AsyncIterable<Uint8Array>,
    contentType: string,
    origin: PrivateOrigin,
  ): Promise<IntakeOutcome>;
}

/**
 * Silence of the listener, or of whoever the bytes come from; and the longest of all requests: the
 * study of a slow archive. @unit ms
 */
const DEADLINE: DeadlineLimits = { idleMs: 120_000, totalMs: 6 * 3_600_000 };
/** An answer of the longest request: two UIDs and a reason for each instance. @unit bytes */
const ANSWER_BYTES_MAX = LIMITS.instancesPerStudyMax * 400;
/** What an answer means that names no instance. */
const STATUS_OF: Readonly<Record<number, number>> = { 400: 0xc000, 413: 0xc000, 503: 0xa700 };
const PROCESSING_FAILURE = 0x0110;

/** Each use ends with CONFIG_INVALID where the name of the data folder is too long for a socket. */
export function createPrivateIntake(dataFolder: string, clock: Clock): PrivateIntake {
  const post = async (
    path: string,
    body: AsyncIterable<Uint8Array>,
    contentType: string,
    origin: PrivateOrigin,
  ): Promise<IntakeOutcome> => {
    const sent = request({
      // A connection of its own: one that lies idle may be ended at the moment of its use.
      ...{ socketPath: intakeSocket(dataFolder), agent: false, method: 'POST', path },
      headers: { 'content-type': contentType, host: 'intake', ...fieldsOfOrigin(origin) },
    });
    const deadline = new RequestDeadline(clock, DEADLINE);
    try {
      return await Promise.race([exchange(sent, body, deadline), deadline.passed]);
    } catch (error) {
      sent.destroy();
      throw error;
    } finally {
      deadline.stop();
    }
  };
  const forward: PrivateIntake['forward'] = (body, contentType, origin) =>
    post('/studies', body, contentType, origin);
  const store: PrivateIntake['store'] = async (file, origin, study) => {
    const boundary = randomBytes(16).toString('hex');
    const type = `multipart/related; type="application/dicom"; boundary=${boundary}`;
    const path = study === undefined ? '/studies' : `/studies/${study}`;
    const part = partOf(file, boundary);
    const { httpStatus, stored, failed } = await post(path, part, type, origin);
    if (failed[0]) return failed[0].status;
    return stored === 1 ? 0 : (STATUS_OF[httpStatus] ?? PROCESSING_FAILURE);
  };
  return { store, forward };
}

async function* partOf(
  file: AsyncIterable<Uint8Array>,
  boundary: string,
): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`);
  for await (const chunk of file) yield chunk;
  yield Buffer.from(`\r\n--${boundary}--\r\n`);
}

async function exchange(
  sent: ClientRequest,
  body: AsyncIterable<Uint8Array>,
  deadline: RequestDeadline,
): Promise<IntakeOutcome> {
  let response: IncomingMessage | undefined;
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.on('response', (message: IncomingMessage) => {
      response = message;
      resolve(message);
    });
    const unavailable = (cause?: unknown): void =>
      reject(new AifiError('PEER_UNAVAILABLE', 'the listener does not answer', { cause }));
    sent.on('error', unavailable).on('close', unavailable);
  });
  answered.catch(() => undefined);
  for await (const chunk of body) {
    // It answers early where it reads no further.
    if (response || sent.destroyed) break;
    if (!sent.write(chunk)) await Promise.race([once(sent, 'drain'), answered]);
    deadline.progress();
  }
  sent.end();
  const { statusCode = 0 } = await answered;
  const answer = readStoreAnswer(await bytesOf(response!, deadline));
  return { httpStatus: statusCode, stored: answer?.stored ?? 0, failed: answer?.failed ?? [] };
}

async function bytesOf(response: IncomingMessage, deadline: RequestDeadline): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      deadline.progress();
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) throw new AifiError('LIMIT_EXCEEDED', 'answer is too long');
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof AifiError) throw error;
    throw new AifiError('PEER_UNAVAILABLE', 'the listener broke off', { cause: error });
  }
  return Buffer.concat(chunks);
}

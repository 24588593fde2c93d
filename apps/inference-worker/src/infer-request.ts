/**
 * Infer request: a streamed body to objects in the work folder.
 * Decides what is a well-formed request and stores it without ever holding an object in memory.
 * Invariants: sizes are checked against LIMITS before a byte is stored; each object is hashed as it
 * is written; file names are numbers of ours.
 * Source: worker contract; Open Inference Protocol, binary tensor data extension (BYTES elements
 * are a uint32 little-endian length and the bytes).
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { sha256Schema } from '@aifi/contracts-manifests';
import { AifiError, fileFault, LIMITS, type Sha256 } from '@aifi/shared-kernel';

/** The JSON part names one tensor: a page of text. @unit bytes */
const HEADER_BYTES_MAX = 64 * 1024;
const LENGTH_BYTES = 4;

const inferHeaderSchema = z.object({
  /** `<jobId>-<revision>-<leaseEpoch>`. */
  id: z.string().regex(/^[\w-]{1,100}$/),
  parameters: z.object({ model_digest: sha256Schema }),
  inputs: z.tuple([
    z.object({
      name: z.literal('dicom'),
      datatype: z.literal('BYTES'),
      shape: z.tuple([z.int().min(1).max(LIMITS.instancesPerStudyMax)]),
      parameters: z.object({
        /** All elements with their length prefixes. */
        binary_data_size: z.int().min(LENGTH_BYTES).max(LIMITS.objectBytesMax),
      }),
    }),
  ]),
});

export interface InferRequest {
  readonly id: string;
  readonly modelDigest: Sha256;
  readonly objectPaths: readonly string[];
  /** SHA-256 of each object as received, in the order of the paths. */
  readonly objectDigests: readonly Sha256[];
}

function malformed(what: string, cause?: unknown): AifiError {
  return new AifiError('INVALID_ARGUMENT', what, { cause });
}

/** Reads a body in exact pieces, with back-pressure. */
class BodyReader {
  #rest: Uint8Array = new Uint8Array(0);
  readonly #source: AsyncIterator<Uint8Array>;

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#source = body[Symbol.asyncIterator]();
  }

  /** The next bytes, at most `sizeMax` of them; empty at the end of the body. */
  async some(sizeMax: number): Promise<Uint8Array> {
    while (this.#rest.length === 0) {
      const next = await this.#source.next();
      if (next.done) return this.#rest;
      this.#rest = next.value;
    }
    const taken = this.#rest.subarray(0, sizeMax);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }
  /** Exactly `size` bytes in pieces; INVALID_ARGUMENT when the body ends before. */
  async *pieces(size: number): AsyncGenerator<Uint8Array> {
    for (let left = size; left > 0;) {
      const piece = await this.some(left);
      if (piece.length === 0) throw malformed('the body is cut short');
      left -= piece.length;
      yield piece;
    }
  }
  async exactly(size: number): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.pieces(size)) pieces.push(piece);
    return Buffer.concat(pieces);
  }
  /** Lets go of the body, so that its rest can be drained. */
  async release(): Promise<void> {
    await this.#source.return?.();
  }
}

/**
 * Stores the objects of the body as `<folder>/<n>.dcm`. Throws INVALID_ARGUMENT for a body that
 * does not fit its header, LIMIT_EXCEEDED for a header that is too long.
 */
export async function receiveInferRequest(
  body: AsyncIterable<Uint8Array>,
  headerLength: number,
  folder: string,
): Promise<InferRequest> {
  if (!Number.isInteger(headerLength) || headerLength < 2) throw malformed('no header length');
  if (headerLength > HEADER_BYTES_MAX) throw new AifiError('LIMIT_EXCEEDED', 'header too long');
  const reader = new BodyReader(body);
  try {
    return await receiveObjects(reader, headerLength, folder);
  } finally {
    await reader.release();
  }
}

async function receiveObjects(
  reader: BodyReader,
  headerLength: number,
  folder: string,
): Promise<InferRequest> {
  const header = parseHeader(await reader.exactly(headerLength));
  const [{ shape, parameters }] = header.inputs;
  const objectPaths: string[] = [];
  const objectDigests: Sha256[] = [];
  let leftBytes = parameters.binary_data_size;
  for (let n = 0; n < shape[0]; n += 1) {
    if (leftBytes < LENGTH_BYTES) throw malformed('objects do not fit the announced size');
    const size = (await reader.exactly(LENGTH_BYTES)).readUInt32LE();
    leftBytes -= LENGTH_BYTES + size;
    if (leftBytes < 0) throw malformed('objects do not fit the announced size');
    const path = join(folder, `${n}.dcm`);
    objectDigests.push(await storeObject(reader.pieces(size), path));
    objectPaths.push(path);
  }
  const trailing = await reader.some(1);
  if (leftBytes !== 0 || trailing.length > 0) throw malformed('bytes after the last object');
  const { id, parameters: asked } = header;
  return { id, modelDigest: asked.model_digest, objectPaths, objectDigests };
}

function parseHeader(bytes: Buffer): z.infer<typeof inferHeaderSchema> {
  try {
    return inferHeaderSchema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (error) {
    throw malformed('the header does not fit its schema', error);
  }
}

async function storeObject(pieces: AsyncIterable<Uint8Array>, path: string): Promise<Sha256> {
  const hash = createHash('sha256');
  const handle = await open(path, 'wx', 0o600);
  try {
    for await (const piece of pieces) {
      hash.update(piece);
      await handle.appendFile(piece).catch((error: unknown) => {
        throw fileFault(error);
      });
    }
  } finally {
    await handle.close();
  }
  return hash.digest('hex') as Sha256;
}

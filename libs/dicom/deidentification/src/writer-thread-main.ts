/**
 * Entry of the thread that writes files and digests bytes for `ThreadedOutput`.
 * Decides when a file is durable: after one fdatasync, which another thread waits for, so that the
 * next file is written meanwhile. Invariants: what is asked of one output is done in order; of an
 * output that has ended, failed or was discarded nothing is open here.
 * Source: reliability specification 2 (DURABLE(file)).
 */
import { createHash, hash, type Hash } from 'node:crypto';
import { closeSync, fdatasync, fstatSync, openSync, writeSync, writevSync } from 'node:fs';
import { promisify } from 'node:util';
import { parentPort } from 'node:worker_threads';
import type { Sha256 } from '@aifi/shared-kernel';
import type { Ended, WriterAnswer, WriterQuestion } from './writer-thread.js';

interface Output {
  readonly file: number | undefined;
  readonly digest: Hash;
  sizeBytes: number;
}

const sync = promisify(fdatasync);
const outputs = new Map<number, Output>();

function outputOf({ output: id, path }: WriterQuestion): Output {
  const known = outputs.get(id);
  if (known) return known;
  const file = path === undefined ? undefined : openSync(path, 'wx', 0o600);
  const output = { file, digest: createHash('sha256'), sizeBytes: 0 };
  outputs.set(id, output);
  return output;
}

function take(output: Output, pieces: readonly Uint8Array[]): void {
  const length = pieces.reduce((sum, bytes) => sum + bytes.length, 0);
  if (output.file !== undefined) {
    const written = writevSync(output.file, pieces);
    // A short write must not pass: the disk may have taken less than asked.
    if (written < length) writeRest(output.file, Buffer.concat(pieces), written);
  }
  for (const bytes of pieces) output.digest.update(bytes);
  output.sizeBytes += length;
}
function writeRest(file: number, bytes: Buffer, from: number): void {
  for (let at = from; at < bytes.length;) at += writeSync(file, bytes, at);
}

/** On disk on return; `sizeBytes` is what the disk says. */
async function ended({ file, digest, sizeBytes }: Output): Promise<Ended> {
  const sha256 = digest.digest('hex') as Sha256;
  if (file === undefined) return { sizeBytes, sha256 };
  const { size } = fstatSync(file);
  await sync(file);
  return { sizeBytes: size, sha256 };
}

function forget(id: number): void {
  const file = outputs.get(id)?.file;
  outputs.delete(id);
  if (file !== undefined) closeSync(file);
}
/** After a fault, which is the one to tell. */
function forgetQuietly(id: number): void {
  try {
    forget(id);
  } catch {
    // A descriptor that does not close is closed with the process.
  }
}

async function answer(question: WriterQuestion): Promise<void> {
  const { id, pieces, beside, then } = question;
  const tell = (rest: Omit<WriterAnswer, 'id'>): void => parentPort!.postMessage({ id, ...rest });
  try {
    if (then === 'discard') {
      forget(question.output);
      tell({});
      return;
    }
    const output = outputOf(question);
    take(output, pieces);
    // What is only digested has ended when it was taken.
    if (then === 'more' || output.file !== undefined) {
      tell(beside ? { beside: hash('sha256', beside) as Sha256 } : {});
    }
    if (then === 'more') return;
    const end = await ended(output);
    forget(question.output);
    tell({ ended: end });
  } catch (error) {
    forgetQuietly(question.output);
    const { code, message } = error as NodeJS.ErrnoException;
    tell({ fault: { code, message } });
  }
}

parentPort!.on('message', (question: WriterQuestion) => void answer(question));

/**
 * Running worker: the compiled worker as a process, for the tests of this app.
 * Decides nothing; it starts, posts and tells the parts of an answer.
 * Source: worker contract.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { AifiError, processEntry } from '@aifi/shared-kernel';
import { bodyOf } from './request-body.js';

export interface RunningWorker {
  readonly process: ChildProcess;
  readonly port: number;
  /** Exit code. */
  readonly ended: Promise<number | null>;
}

/** Starts with its configuration and work in `folder`, and waits until it is ready. */
export async function startWorker(
  folder: string,
  folders: { readonly modelsFolder: string; readonly workFolder: string },
): Promise<RunningWorker> {
  const file = join(folder, 'config.json');
  writeFileSync(file, JSON.stringify({ http: { port: 0 }, ...folders }));
  const child = spawn(process.execPath, [processEntry(import.meta.url, 'main')], {
    env: { AIFI_CONFIG_FILE: file },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  for await (const line of createInterface(child.stdout)) {
    const { msg, port } = JSON.parse(line) as { msg: string; port: number };
    if (msg !== 'ready') continue;
    child.stdout.resume();
    return { process: child, port, ended };
  }
  throw new AifiError('INTERNAL', 'the worker ended before it was ready');
}

export function inferUrl({ port }: RunningWorker, product: string): string {
  return `http://127.0.0.1:${port}/v2/models/${product}/versions/1.0.0/infer`;
}

export interface InferPost {
  readonly product: string;
  readonly digest: string;
  readonly objects: readonly Buffer[];
}
export function postInfer(worker: RunningWorker, post: InferPost): Promise<Response> {
  const { bytes, headerLength } = bodyOf('0'.repeat(32) + '-1-7', post.digest, post.objects);
  const headers = { 'inference-header-content-length': String(headerLength) };
  const body = new Uint8Array(bytes);
  return fetch(inferUrl(worker, post.product), { method: 'POST', headers, body });
}

/** Status and reason of an answer. */
export function verdictOf(response: Response): [number, string | null] {
  return [response.status, response.headers.get('aifi-reason-code')];
}

export interface AnswerTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data: readonly unknown[];
}
export interface AnswerParts {
  readonly json: { readonly outputs: readonly AnswerTensor[] };
  /** Everything after the JSON. */
  readonly binary: Buffer;
}
export async function partsOf(response: Response): Promise<AnswerParts> {
  const bytes = Buffer.from(await response.arrayBuffer());
  const headerLength = Number(response.headers.get('inference-header-content-length'));
  const json = JSON.parse(bytes.subarray(0, headerLength).toString()) as AnswerParts['json'];
  return { json, binary: bytes.subarray(headerLength) };
}

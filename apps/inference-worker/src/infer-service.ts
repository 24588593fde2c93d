/**
 * InferService: one request from its body to the files of its answer.
 * Decides the order of a run and that its work folder outlives it never; folders that a crash left
 * behind are removed at the next start.
 * Invariant: the digest in the answer is of the bytes that the child read, and equals that of the
 * bytes that were received (guard C6).
 * Source: worker contract; reliability specification C6.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelPackage } from '@aifi/contracts-manifests';
import {
  AifiError,
  objectsDigest,
  ok,
  refuse,
  type Clock,
  type ReasonCode,
  type Result,
} from '@aifi/shared-kernel';
import { answerOf, type InferAnswer } from './infer-answer.js';
import { receiveInferRequest, type InferRequest } from './infer-request.js';
import { runInChild } from './model-run.js';
import type { RunSuccess } from './run-protocol.js';
import { RunQueue } from './run-queue.js';

const RUN_FOLDER = /^run-[0-9a-f-]{36}$/;
/** One running, one being received, two waiting: more is a hub that should ask elsewhere. */
const ADMITTED_MAX = 4;

export interface InferCall {
  readonly body: AsyncIterable<Uint8Array>;
  /** Bytes of JSON before the binary part. */
  readonly headerLength: number;
  readonly model: ModelPackage;
  /** Aborts when the requester has gone. */
  readonly signal: AbortSignal;
}
/** What is told to metrics and log of each run. */
export interface RunRecord {
  readonly id: string;
  readonly product: string;
  readonly outcome: ReasonCode | 'SUCCESS' | 'CANCELLED';
  readonly durationMs: number;
}
export interface InferServiceOptions {
  readonly workFolder: string;
  readonly clock: Clock;
  readonly onRun: (record: RunRecord) => void;
}

export class InferService {
  readonly #queue = new RunQueue(ADMITTED_MAX);

  constructor(private readonly options: InferServiceOptions) {}

  /** Makes the work folder and empties it of runs that an earlier process left. */
  async prepare(): Promise<void> {
    const { workFolder } = this.options;
    await mkdir(workFolder, { recursive: true, mode: 0o700 });
    // Only names of ours: a work folder may be configured where something else lies.
    const left = (await readdir(workFolder)).filter((name) => RUN_FOLDER.test(name));
    for (const name of left) await rm(join(workFolder, name), { recursive: true, force: true });
  }

  /**
   * Receives, runs and hands the answer to `send` while its files still exist. Undefined when all
   * places are taken. Throws for bodies that do not fit; DIGEST_MISMATCH for another model.
   */
  async infer(
    call: InferCall,
    send: (result: Result<InferAnswer>) => Promise<void>,
  ): Promise<true | undefined> {
    if (!this.#queue.tryEnter()) return undefined;
    const runFolder = join(this.options.workFolder, `run-${randomUUID()}`);
    try {
      const objectsFolder = join(runFolder, 'objects');
      await mkdir(objectsFolder, { recursive: true, mode: 0o700 });
      await mkdir(join(runFolder, 'output'), { mode: 0o700 });
      const request = await receiveInferRequest(call.body, call.headerLength, objectsFolder);
      if (request.modelDigest !== call.model.manifest.artefact.sha256) {
        throw new AifiError('DIGEST_MISMATCH', 'the model here is not the one that was asked for');
      }
      await send(await this.#queue.alone(() => this.#run(call, request, runFolder)));
      return true;
    } finally {
      this.#queue.leave();
      await rm(runFolder, { recursive: true, force: true });
    }
  }

  async #run(
    { model, signal }: InferCall,
    request: InferRequest,
    runFolder: string,
  ): Promise<Result<InferAnswer>> {
    const { clock, onRun } = this.options;
    const { manifest, folder: packageFolder } = model;
    const outputFolder = join(runFolder, 'output');
    const { modelDigest, objectPaths } = request;
    const order = { packageFolder, modelDigest, objectPaths: [...objectPaths], outputFolder };
    const [startedAtMs, from] = [clock.nowMs(), clock.monotonicMs()];
    const reported = await runInChild({ order, manifest, runFolder, clock, signal });
    const result = reported.ok ? sameInput(reported.value, request) : reported;
    onRun({
      id: request.id,
      product: manifest.product,
      outcome: signal.aborted ? 'CANCELLED' : result.ok ? 'SUCCESS' : result.refusal.code,
      durationMs: clock.monotonicMs() - from,
    });
    if (!result.ok) return result;
    const times = { started_at_ms: startedAtMs, finished_at_ms: clock.nowMs() };
    const finished = { id: request.id, success: result.value, outputFolder, times };
    return ok(answerOf(manifest, finished));
  }
}

function sameInput(success: RunSuccess, request: InferRequest): Result<RunSuccess> {
  return success.inputDigest === objectsDigest(request.objectDigests)
    ? ok(success)
    : refuse('OUTPUT_INVALID', 'the child read other bytes than were received');
}

/**
 * ModelRun: one run in a fresh child process, seen from the parent.
 * Decides how a run ends: report, crash, time-out or cancellation, and never by believing the child
 * unchecked. The child gets no environment, no standard streams and, by Node's permission model,
 * only the files that it needs. The model runtime is native code, which the permission model does
 * not bind: the operating system's sandbox around the worker is the outer wall.
 * Source: reliability specification F16, H13; Node permissions (--permission).
 */
import { fork, type ChildProcess } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import type { ModelManifest } from '@aifi/contracts-manifests';
import { processEntry, refuse, type Clock, type Result } from '@aifi/shared-kernel';
import { judgeReport } from './report-check.js';
import type { RunOrder, RunSuccess } from './run-protocol.js';

export interface ModelRunOptions {
  readonly order: RunOrder;
  readonly manifest: ModelManifest;
  /** Folder of this run: the objects lie below it. */
  readonly runFolder: string;
  readonly clock: Clock;
  /** Kills the run: nobody waits for its answer any more. */
  readonly signal: AbortSignal;
  /** Compiled entry of the child; a test may run another one. */
  readonly entry?: string;
}

/**
 * Runs the child to its end. MODEL_FAILED for a crash or no report, TIMEOUT after `timeoutMs` of
 * the manifest, OUTPUT_INVALID for a report or files that do not fit, else what the child reports.
 */
export async function runInChild(options: ModelRunOptions): Promise<Result<RunSuccess>> {
  const { order, manifest, clock, signal } = options;
  const child = startChild(options);
  const ended = new AbortController();
  const reports: unknown[] = [];
  let isLate = false;
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill);
  if (signal.aborted) kill();
  const timer = clock.sleep(manifest.timeoutMs, ended.signal).then(() => {
    if (ended.signal.aborted) return;
    isLate = true;
    kill();
  });
  await new Promise<void>((done) => {
    child.on('message', (report) => reports.push(report));
    // 'close' follows 'exit' and the last message; 'error' means that it never started.
    child.once('close', () => done());
    child.once('error', () => done());
    child.send(order, () => undefined);
  });
  ended.abort();
  await timer;
  signal.removeEventListener('abort', kill);
  if (isLate) return refuse('TIMEOUT', 'the model did not finish in its time');
  if (reports.length === 0) return refuse('MODEL_FAILED', 'the model ended without a report');
  return judgeReport(reports[0], order.outputFolder, manifest);
}

function startChild({ order, runFolder, entry = defaultEntry() }: ModelRunOptions): ChildProcess {
  return fork(entry, [], {
    cwd: runFolder,
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: [
      '--permission',
      // The model runtime is an addon; the watch on the parent is a thread.
      '--allow-addons',
      '--allow-worker',
      ...[...codeFolders(entry), order.packageFolder, runFolder].map(
        (path) => `--allow-fs-read=${resolve(path)}`,
      ),
      `--allow-fs-write=${resolve(order.outputFolder)}`,
    ],
  });
}

function defaultEntry(): string {
  return processEntry(import.meta.url, 'model-child-main');
}

/** Code only: the rest of a checkout may hold data. */
function codeFolders(entry: string): string[] {
  const app = dirname(dirname(processEntry(import.meta.url, 'model-child-main')));
  const root = dirname(dirname(app));
  return [dirname(entry), app, join(root, 'libs'), join(root, 'node_modules')];
}

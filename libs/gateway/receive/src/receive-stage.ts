/**
 * The receive stage: keeps a DIMSE listener child alive and makes the rows for what it stored.
 * Decides who speaks when: the child writes files, this process commits rows, the child answers.
 * Invariants: the folder is swept before anybody listens; a dead child is started again; nothing of
 * the child's messages is believed unchecked.
 * Source: architecture 2 and 3; reliability specification P0, F3, F5.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GatewayDatabase } from '@aifi/gateway-database';
import {
  AifiError,
  backoffMs,
  LIMITS,
  processEntry,
  syncFolder,
  type Clock,
  type Stage,
} from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import { InstanceStore } from './instance.store.js';
import {
  childMessageSchema,
  type ParentMessage,
  type ReceivedInstance,
} from './listener-messages.js';
import type { ReceiveConfig } from './receive.config.js';
import { RefusalLog } from './refusal-log.js';

const SUCCESS = 0x0000;
/** A child that lived this long was healthy: the backoff starts again. @unit ms */
const HEALTHY_MS = 60_000;

export interface ReceiveDependencies {
  readonly database: GatewayDatabase;
  readonly dataFolder: string;
  readonly config: ReceiveConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called after each commit of a new instance: wakes `assemble`. */
  readonly onReceived: () => void;
}
export interface ReceiveStage extends Stage {
  /** The port, once the listener is up for the first time; rejects when the stage ends before. */
  readonly ready: Promise<number>;
}

export function createReceiveStage(dependencies: ReceiveDependencies): ReceiveStage {
  const supervisor = new ListenerSupervisor(dependencies);
  return {
    name: 'receive',
    ready: supervisor.ready,
    run: async (signal) => {
      await Promise.all([supervisor.run(signal), supervisor.refusals.stage.run(signal)]);
    },
  };
}

class ListenerSupervisor {
  readonly ready: Promise<number>;
  readonly refusals: RefusalLog;
  readonly #store: InstanceStore;
  readonly #logger: Logger;
  readonly #incomingFolder: string;
  readonly #inHand = new Set<Promise<void>>();
  #settleReady!: { resolve: (port: number) => void; reject: (error: unknown) => void };
  #port: number;

  constructor(private readonly dependencies: ReceiveDependencies) {
    this.#incomingFolder = join(dependencies.dataFolder, 'incoming');
    this.#store = new InstanceStore(dependencies.database, this.#incomingFolder);
    this.#logger = dependencies.logger.child({ stage: 'receive' });
    this.refusals = new RefusalLog({ ...dependencies, logger: this.#logger });
    this.#port = dependencies.config.port;
    this.ready = new Promise((resolve, reject) => (this.#settleReady = { resolve, reject }));
    // Whoever does not wait for it must not be killed by it.
    this.ready.catch(() => undefined);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.dependencies;
    try {
      await mkdir(this.#incomingFolder, { recursive: true, mode: 0o700 });
      await syncFolder(this.dependencies.dataFolder);
      for (let [restarts, attempt] = [0, 0]; !signal.aborted; restarts += 1) {
        await this.#sweep();
        const startedMs = clock.monotonicMs();
        await this.#runChild(restarts, signal);
        if (signal.aborted) break;
        attempt = clock.monotonicMs() - startedMs > HEALTHY_MS ? 1 : attempt + 1;
        this.#logger.warn('DICOM listener ended and is started again', { attempt });
        await clock.sleep(backoffMs(attempt), signal);
      }
    } finally {
      this.#settleReady.reject(new AifiError('PEER_UNAVAILABLE', 'the listener has stopped'));
    }
  }

  async #sweep(): Promise<void> {
    const { removed, missing } = await this.#store.sweep();
    if (removed > 0) this.#logger.info('removed files without a row', { count: removed });
    if (missing > 0) this.#logger.error('rows have lost their files', { count: missing });
  }

  /** One life of the child; resolves when it is gone and its last instance is settled. */
  async #runChild(restarts: number, signal: AbortSignal): Promise<void> {
    const entry = processEntry(import.meta.url, 'listener-main');
    const child = fork(entry, [], {
      execArgv: await permissions(this.#incomingFolder),
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const exited = once(child, 'exit');
    child.on('error', (error) => this.#logger.fault('DICOM listener failed', error));
    child.on('message', (message) => this.#onMessage(child, message));
    const config = { ...this.dependencies.config, port: this.#port };
    const incomingFolder = this.#incomingFolder;
    send(child, { kind: 'start', config, incomingFolder, restarts });
    const gone = new AbortController();
    const stop = (): void => {
      send(child, { kind: 'stop' });
      void this.dependencies.clock
        .sleep(LIMITS.socketGraceMs, gone.signal)
        .then(() => gone.signal.aborted || child.kill('SIGKILL'));
    };
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    await exited.catch(() => undefined);
    gone.abort();
    signal.removeEventListener('abort', stop);
    await Promise.all(this.#inHand);
  }

  #onMessage(child: ChildProcess, raw: unknown): void {
    const parsed = childMessageSchema.safeParse(raw);
    if (!parsed.success) {
      this.#logger.error('DICOM listener sent an invalid message and is ended');
      child.kill('SIGKILL');
      return;
    }
    const message = parsed.data;
    if (message.kind === 'listening') {
      // A restarted child takes the same port, also when any port would have done at first.
      this.#port = message.port;
      this.#settleReady.resolve(message.port);
      return;
    }
    if (message.kind === 'refused') {
      this.refusals.add(message.refusal);
      return;
    }
    const work = this.#record(message.instance).then((status) =>
      send(child, { kind: 'verdict', id: message.id, status }),
    );
    this.#inHand.add(work);
    void work.finally(() => this.#inHand.delete(work));
  }

  /** The DIMSE status that the sender gets; never rejects. */
  async #record(instance: ReceivedInstance): Promise<number> {
    try {
      const outcome = await this.#store.record(instance, this.dependencies.clock.nowMs());
      if (outcome === 'conflict') this.#logger.warn('instance was sent twice with other bytes');
      if (outcome !== 'duplicate') this.dependencies.onReceived();
      return SUCCESS;
    } catch (error) {
      this.#logger.fault('instance could not be recorded', error);
      const fault = AifiError.from(error);
      // Only a full disk is sure to have left no row; otherwise the sweep at the start decides.
      if (fault.code === 'OUT_OF_RESOURCES')
        await this.#store.discard(instance).catch(() => undefined);
      const { callingAeTitle } = instance;
      const { code, dimseStatus } = fault;
      this.refusals.add({ what: 'object', code, dimseStatus, callingAeTitle });
      return dimseStatus;
    }
  }
}

function send(child: ChildProcess, message: ParentMessage): void {
  if (child.connected) child.send(message, () => undefined);
}

/** The child may read program code and touch the incoming folder, nothing else (H13). */
async function permissions(incomingFolder: string): Promise<string[]> {
  const root = fileURLToPath(new URL('../../../../', import.meta.url));
  const folder = await realpath(incomingFolder);
  return [
    '--permission',
    `--allow-fs-read=${join(root, 'libs')}`,
    `--allow-fs-read=${join(root, 'node_modules')}`,
    `--allow-fs-read=${folder}`,
    `--allow-fs-write=${folder}`,
  ];
}

/**
 * The receive stage: keeps a DIMSE listener child alive and makes the rows for what it stored.
 * Decides who speaks when: the child writes files, this process commits rows, the child answers.
 * Invariants: the folder is swept before anybody listens; a dead child is started again, and what
 * it had in hand is counted first; nothing of the child's messages is believed unchecked.
 * Source: architecture 2 and 3; reliability specification P0, F3, F5.
 */
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommitmentReport } from '@aifi/dicom-dimse';
import type { GatewayDatabase, InstanceHeader } from '@aifi/gateway-database';
import { AifiError, backoffMs, syncFolder, type Clock, type Stage } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { KeyRing } from '@aifi/shared-site-keys';
import { InstanceStore, type InstanceRow } from './instance.store.js';
import { intakeFactsIn, type ReadIntakeFacts } from './intake-facts.js';
import { ListenerChild, readTls } from './listener-child.js';
import type {
  CheckedChildMessage,
  CheckedInstance,
  DiskLevel,
  StartMessage,
} from './listener-messages.js';
import { PoisonStore } from './poison.store.js';
import { intakeFolder, intakeSocket } from './private-origin.js';
import type { CalledTitle, ReceiveConfig } from './receive.config.js';
import { RefusalLog } from './refusal-log.js';
import { readWeb } from './web-start.js';

const SUCCESS = 0x0000;
/** A child that lived this long was healthy: the backoff starts again. @unit ms */
const HEALTHY_MS = 60_000;

export interface ReceiveDependencies {
  readonly database: GatewayDatabase;
  readonly dataFolder: string;
  readonly config: ReceiveConfig;
  /** For the keys by which the order and the objection of a patient are found. */
  readonly keys: KeyRing;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How full the disk is, and whom to tell when that changes. @default never full */
  readonly diskLevel?: () => DiskLevel;
  readonly onDiskLevel?: (listener: (level: DiskLevel) => void) => void;
  /** Takes a report of storage commitment; resolves when it is durable. */
  readonly onCommitment?: (report: CommitmentReport) => Promise<void>;
  /** Told, now and then, that a caller's association was let in. */
  readonly onAdmitted?: (callingAeTitle: string) => void;
  /** AE titles of the PACS that may report. */
  readonly commitmentFrom?: readonly string[];
  /** Crash point of the child; by default that of the environment. For tests. */
  readonly crashAt?: string;
}
export interface ListeningPorts {
  /** 0 when there is none. */
  readonly port: number;
  readonly tlsPort: number;
  readonly webPort: number;
  readonly webTlsPort: number;
}
export interface ReceiveStage extends Stage {
  /**
   * The port without TLS (that with TLS when it is the only one), once the listener is up for the
   * first time; rejects when the stage ends before.
   */
  readonly ready: Promise<number>;
  readonly listening: Promise<ListeningPorts>;
}

export function createReceiveStage(dependencies: ReceiveDependencies): ReceiveStage {
  const supervisor = new ListenerSupervisor(dependencies);
  const { listening } = supervisor;
  const ready = listening.then(({ port, tlsPort }) => port || tlsPort);
  // Whoever does not wait for it must not be killed by it.
  ready.catch(() => undefined);
  return {
    name: 'receive',
    ready,
    listening,
    run: async (signal) => {
      await Promise.all([supervisor.run(signal), supervisor.refusals.stage.run(signal)]);
    },
  };
}

/** What is read from files for the child. */
type ListenerFiles = Pick<StartMessage, 'tls' | 'web'>;

class ListenerSupervisor {
  readonly listening: Promise<ListeningPorts>;
  readonly refusals: RefusalLog;
  readonly #store: InstanceStore;
  readonly #poison: PoisonStore;
  readonly #logger: Logger;
  readonly #incomingFolder: string;
  readonly #intakeFolder: string;
  readonly #inHand = new Set<Promise<void>>();
  readonly #factsOf: ReadIntakeFacts;
  readonly #titles: ReadonlyMap<string, CalledTitle>;
  #settle!: { resolve: (ports: ListeningPorts) => void; reject: (error: unknown) => void };
  /** A restarted child takes the same ports, also when any would have done at first. */
  #ports: ListeningPorts | undefined;
  #child: ListenerChild | undefined;
  #files: ListenerFiles | undefined;

  constructor(private readonly dependencies: ReceiveDependencies) {
    const { config, keys, database, dataFolder, logger, onDiskLevel } = dependencies;
    this.#factsOf = intakeFactsIn(keys, config.timeZone);
    this.#titles = new Map(config.aeTitles?.map((title) => [title.aeTitle, title]));
    this.#incomingFolder = join(dataFolder, 'incoming');
    this.#intakeFolder = intakeFolder(dataFolder);
    this.#poison = new PoisonStore(database);
    this.#store = new InstanceStore(database, this.#incomingFolder, this.#poison);
    this.#logger = logger.child({ stage: 'receive' });
    this.refusals = new RefusalLog({ ...dependencies, logger: this.#logger });
    this.listening = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    this.listening.catch(() => undefined);
    onDiskLevel?.((level) => this.#child?.send({ kind: 'disk', level }));
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.dependencies;
    try {
      for (const folder of [this.#incomingFolder, this.#intakeFolder]) {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await chmod(folder, 0o700);
      }
      await syncFolder(this.dependencies.dataFolder);
      await this.#sweep();
      for (let [restarts, attempt] = [0, 0]; !signal.aborted; restarts += 1) {
        const startedMs = clock.monotonicMs();
        const end = await this.#runChild(restarts, signal);
        if (signal.aborted) break;
        const inHand = await this.#sweep();
        if (end === 'disk-fault') this.#logger.error('the disk of received objects did not sync');
        else await this.#countDeath(inHand);
        attempt = clock.monotonicMs() - startedMs > HEALTHY_MS ? 1 : attempt + 1;
        this.#logger.warn('DICOM listener ended and is started again', { attempt });
        await clock.sleep(backoffMs(attempt), signal);
      }
    } finally {
      this.#settle.reject(new AifiError('PEER_UNAVAILABLE', 'the listener has stopped'));
    }
  }

  /** The objects that were being received. */
  async #sweep(): Promise<readonly string[]> {
    const { removed, missing, inHand } = await this.#store.sweep();
    if (removed > 0) this.#logger.info('removed files without a row', { count: removed });
    if (missing > 0) this.#logger.error('rows have lost their files', { count: missing });
    return inHand;
  }

  /** P0: one of these may be why the child died. */
  async #countDeath(inHand: readonly string[]): Promise<void> {
    if (inHand.length === 0) return;
    try {
      const count = await this.#poison.count(inHand, this.dependencies.clock.nowMs());
      if (count > 0) this.#logger.error('objects that end the listener are refused', { count });
    } catch (error) {
      // A full disk must not keep the listener down; the next death counts again.
      this.#logger.fault('the death of the listener could not be counted', error);
    }
  }

  /** One life of the child; resolves when it is gone and its last instance is settled. */
  async #runChild(restarts: number, signal: AbortSignal) {
    const { clock, commitmentFrom, onCommitment } = this.dependencies;
    const incomingFolder = this.#incomingFolder;
    const child = await ListenerChild.start(
      {
        kind: 'start',
        ...(await this.#listening()),
        incomingFolder,
        intakeSocket: this.#intakeSocket(),
        restarts,
        diskLevel: this.dependencies.diskLevel?.() ?? 'normal',
        poison: this.#poison.list(this.dependencies.clock.nowMs()),
        commitmentFrom: onCommitment && commitmentFrom,
        crashAt: this.dependencies.crashAt,
      },
      {
        incomingFolder,
        furtherFolders: [this.#intakeFolder],
        clock,
        logger: this.#logger,
        onMessage: (message) => this.#onMessage(child, message),
      },
    );
    this.#child = child;
    // It may have changed since the first message was made.
    child.send({ kind: 'disk', level: this.dependencies.diskLevel?.() ?? 'normal' });
    const stop = (): void => child.stop();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const end = await child.ended;
    this.#child = undefined;
    signal.removeEventListener('abort', stop);
    await Promise.all(this.#inHand);
    return end;
  }

  /** Where the child listens: at the ports that the one before it had. */
  async #listening(): Promise<Pick<StartMessage, 'config' | 'tls' | 'web'>> {
    const { tls: tlsFiles, web: webFiles, ...config } = this.dependencies.config;
    const { tls, web } = await this.#readFiles(tlsFiles, webFiles);
    const ports = this.#ports;
    const again = (port: number | undefined, taken: number | undefined): number | undefined =>
      port === undefined ? undefined : (taken ?? port);
    return {
      config: { ...config, port: again(config.port, ports?.port) },
      tls: tls && { ...tls, port: ports?.tlsPort ?? tls.port },
      web: web && {
        callers: web.callers,
        port: again(web.port, ports?.webPort),
        tls: web.tls && { ...web.tls, port: ports?.webTlsPort ?? web.tls.port },
      },
    };
  }

  /** A file that cannot be read at the start is a fault of the configuration; later, of the day. */
  async #readFiles(tls: ReceiveConfig['tls'], web: ReceiveConfig['web']): Promise<ListenerFiles> {
    try {
      this.#files = { tls: await readTls(tls), web: await readWeb(web) };
    } catch (error) {
      if (!this.#files) throw error;
      this.#logger.fault('the certificate of the listener stays what it was', error);
    }
    return this.#files;
  }

  /** Where its name is too long there is none: who needs it says so to whoever configured that. */
  #intakeSocket(): string | undefined {
    try {
      return intakeSocket(this.dependencies.dataFolder);
    } catch (error) {
      this.#logger.fault('no way in but DICOM and STOW-RS', error);
      return undefined;
    }
  }

  #onMessage(child: ListenerChild, message: CheckedChildMessage): void {
    switch (message.kind) {
      case 'listening': {
        const { port, tlsPort, webPort, webTlsPort } = message;
        this.#ports = { port, tlsPort, webPort, webTlsPort };
        this.#settle.resolve(this.#ports);
        return;
      }
      case 'refused':
        this.refusals.add(message.refusal);
        return;
      case 'admitted':
        this.dependencies.onAdmitted?.(message.callingAeTitle);
        return;
      case 'commitment':
        this.#answer(child, message.id, this.#commitment(message.report));
        return;
      case 'received':
        for (const { id, instance } of message.instances) {
          this.#answer(child, id, this.#record(instance));
        }
    }
  }
  /** `work` never rejects. */
  #answer(child: ListenerChild, id: number, work: Promise<number>): void {
    const answered = work.then((status) => {
      child.answer({ id, status });
      this.#inHand.delete(answered);
    });
    this.#inHand.add(answered);
  }

  async #commitment(report: CommitmentReport): Promise<number> {
    try {
      await this.dependencies.onCommitment?.(report);
      return SUCCESS;
    } catch (error) {
      this.#logger.fault('a report of storage commitment could not be recorded', error);
      return AifiError.from(error).dimseStatus;
    }
  }

  /** From here on nothing is known of the patient but an age and keys. */
  #rowOf({ patient, header, ...instance }: CheckedInstance): InstanceRow {
    const facts: InstanceHeader = { ...header, ...this.#factsOf(patient) };
    const title = this.#titles.get(instance.calledAeTitle);
    return { ...instance, header: JSON.stringify(facts), asks: title };
  }

  /** The DIMSE status that the sender gets; never rejects. */
  async #record(instance: CheckedInstance): Promise<number> {
    try {
      const row = this.#rowOf(instance);
      const outcome = await this.#store.record(row, this.dependencies.clock.nowMs());
      if (outcome === 'conflict') this.#logger.warn('instance was sent twice with other bytes');
      if (outcome === 'own') this.#logger.info('an object of our own came back');
      return SUCCESS;
    } catch (error) {
      this.#logger.fault('instance could not be recorded', error);
      const fault = AifiError.from(error);
      // Only a full disk is sure to have left no row; otherwise the sweep at the start decides.
      if (fault.code === 'OUT_OF_RESOURCES')
        await this.#store.discard(instance).catch(() => undefined);
      const { callingAeTitle } = instance;
      const { code, dimseStatus, message: reason } = fault;
      this.refusals.add({ what: 'object', code, dimseStatus, callingAeTitle, reason });
      return dimseStatus;
    }
  }
}

/**
 * SimGateway: a gateway of the real stages over simulated disk, database, network, PACS and clock.
 * Decides what outlives one of its processes: the disk as it was left, and every committed row; a
 * group of writes that was not committed is gone. Everything else is begun anew.
 * Invariants: each life has ports of its own, which do nothing any more once it has ended.
 * Source: reliability specification 3 (cores behind ports); apps/gateway, pipeline.
 */
import { join } from 'node:path';
import { createAssembleStage } from '@aifi/gateway-assemble';
import {
  endOvertakenJobs,
  GATEWAY_MIGRATIONS,
  hasOvertakenJobs,
  type GatewayDatabase,
  MemoryDatabase,
  type Migration,
} from '@aifi/gateway-database';
import { createDeliverStage } from '@aifi/gateway-deliver';
import { readOutcomes, reconnectDelayMs } from '@aifi/gateway-downlink';
import { createPseudonymiseStage } from '@aifi/gateway-pseudonymise';
import { InstanceStore, PoisonStore } from '@aifi/gateway-receive';
import { createReidentifyStage, IdentityExplainer } from '@aifi/gateway-reidentify';
import { createSelectStage, earlyProductsOf } from '@aifi/gateway-select';
import { createSpool } from '@aifi/gateway-spool';
import { createUplinkStage, uplinkConfigSchema } from '@aifi/gateway-uplink';
import { IdentityEventLog, Vault } from '@aifi/gateway-vault';
import {
  DurableWriter,
  fileFault,
  pollingStage,
  Wake,
  type FileSystem,
  type JobId,
  type SiteId,
  type Stage,
} from '@aifi/shared-kernel';
import type { KeyRing } from '@aifi/shared-site-keys';
import type { Bug } from './bugs.js';
import { brokenDatabase, brokenPacs, brokenVault, Misread } from './broken-parts.js';
import { HUB_KEYS } from './hub-keys.js';
import type { Instance } from './hospital.js';
import type { HubAccess } from './hub-access.js';
import { pseudonymiseForSimulation } from './pseudonymise-stand-in.js';
import type { Random } from './random.js';
import { RULES } from './products.js';
import type { ReferenceModel } from './reference-model.js';
import { PACES, SimClock } from './sim-clock.js';
import { SimDisk } from './sim-disk.js';
import type { SimPacs } from './sim-pacs.js';
import { traceLogger } from './trace-logger.js';
import { Life, type World } from './world.js';

export const QUIET_MS = 5_000;
const DATA = '/gateway';
const INCOMING = join(DATA, 'incoming');
/** A commit of SQLite with its fsync. @unit ms */
const COMMIT_MS_MAX = 6;
/** Lanes never end in a schedule: what does not come to an end is a finding. @unit ms */
const DEADLINES = { acuteMs: 400 * 86_400_000, routineMs: 400 * 86_400_000 };
const UPLINK = uplinkConfigSchema.parse({ timeZone: 'UTC' });

export interface GatewayParts {
  readonly world: World;
  readonly siteId: SiteId;
  readonly ring: KeyRing;
  readonly random: Random;
  readonly pacs: SimPacs;
  readonly model: ReferenceModel;
  readonly hub: HubAccess;
  readonly bug: Bug | undefined;
  readonly rows: GatewayRows;
  /** Acute products start while a study still arrives. */
  readonly startsEarly: boolean;
  /** Makes job ids: the same ones at every site. */
  readonly newJobId: () => JobId;
  /** Chance that a linkage row is read as another's. */
  readonly linkageSwaps: () => number;
  /** A failed fsync is fatal for the process. */
  readonly onSyncFailure: () => void;
}

/** Databases in memory; made once, as migrations take longer than a schedule. */
export class GatewayRows {
  readonly #made = new Map<readonly Migration[], MemoryDatabase>();
  of(migrations: readonly Migration[]): MemoryDatabase {
    const known = this.#made.get(migrations);
    const database = known ?? new MemoryDatabase(migrations);
    this.#made.set(migrations, database);
    return database;
  }
  clear(): void {
    for (const database of this.#made.values()) database.clear();
  }
}

/** What one life has. */
interface Process {
  readonly life: Life;
  readonly clock: SimClock;
  readonly files: FileSystem;
  readonly database: GatewayDatabase;
  readonly vault: Vault;
  /** As the stages see it. */
  readonly believed: Vault;
  readonly events: IdentityEventLog;
  readonly instances: InstanceStore;
  readonly open: readonly GatewayDatabase[];
}

/** As the deadline watch of a gateway does, should the other stages have missed one. */
function overtakenStage({ database, clock }: Process): Stage {
  const runOnce = async (): Promise<number> => {
    if (!database.read(hasOvertakenJobs)) return 0;
    const options = { stage: 'deliver' as const, atMs: clock.nowMs() };
    return (await database.write((sql) => endOvertakenJobs(sql, options))).length;
  };
  const wake = new Wake();
  const onFault = (): void => undefined;
  return pollingStage({ name: 'overtaken', clock, wake, intervalMs: 5_000, runOnce, onFault });
}

export class SimGateway {
  readonly disk: SimDisk;
  /** How wrong its wall clock is. @unit ms */
  skewMs = 0;
  #process: Process | undefined;
  /** Identity events that the hospital has not told it yet. */
  untold = 0;
  #files = 0;
  readonly #misread = new Misread();
  /** Of its processes. */
  deaths = 0;
  #lives = 0;

  constructor(readonly parts: GatewayParts) {
    this.disk = new SimDisk(parts.random.split());
    this.disk.onSyncFailure = () => this.parts.onSyncFailure();
  }

  get life(): Life | undefined {
    return this.#process?.life;
  }
  get vault(): Vault | undefined {
    return this.#process?.vault;
  }
  /** With the faults that it has just now. */
  get believedVault(): Vault | undefined {
    return this.#process?.believed;
  }
  /** What identity events go into. */
  get sources(): { readonly vault: Vault; readonly events: IdentityEventLog } | undefined {
    return this.#process;
  }
  /** Nothing of it is under way; results of some studies may be held for good. */
  isIdle(mayStayHeld: readonly string[]): boolean {
    const open = this.#process?.database.read((sql) =>
      sql.get(
        `SELECT 1 WHERE EXISTS (SELECT 1 FROM job WHERE terminal_ms IS NULL
             AND state NOT IN ('QUARANTINED', 'HELD'))
           OR EXISTS (SELECT 1 FROM job JOIN study USING (study_id) WHERE state = 'HELD'
             AND study_uid NOT IN (SELECT value FROM json_each(?)))
           OR EXISTS (SELECT 1 FROM instance WHERE revision IS NULL)
           OR EXISTS (SELECT 1 FROM early_study)
           OR EXISTS (SELECT 1 FROM job WHERE stands_in IS NOT NULL
             AND state = 'NOT_ANALYSED_NOTIFIED')
           OR EXISTS (SELECT 1 FROM study_revision WHERE state <> 'SELECTED')
           OR EXISTS (SELECT 1 FROM spool_job JOIN job USING (job_id)
             WHERE spool_job.state = 'QUEUED' AND terminal_ms IS NULL)`,
        JSON.stringify(mayStayHeld),
      ),
    );
    return open === undefined;
  }
  /** The rows of the pipeline, for whoever checks from outside. */
  get database(): GatewayDatabase {
    return this.parts.rows.of(GATEWAY_MIGRATIONS).start();
  }

  /** The process ends, by a kill or because the power goes. */
  end(how: 'kill' | 'power'): void {
    const process = this.#process;
    if (!process) return;
    this.#process = undefined;
    this.deaths += 1;
    for (const database of process.open) database.abandon();
    if (how === 'power') this.disk.cutPower();
    process.life.end();
    this.parts.world.note(`${this.parts.siteId} ends by ${how}`);
  }

  start(): void {
    const { world, siteId, random } = this.parts;
    this.#lives += 1;
    world.note(`${siteId} starts`);
    const life = new Life(siteId);
    const clock = new SimClock(world, life, () => this.skewMs, random.pick(PACES));
    const open: GatewayDatabase[] = [];
    const database = (migrations: readonly Migration[]): GatewayDatabase => {
      const started = this.parts.rows.of(migrations).start((commit) => {
        world.in(random.int(0, COMMIT_MS_MAX), life, () => {
          commit();
          clock.stir();
        });
      });
      open.push(started);
      return started;
    };
    const files = this.disk.mounted(world, life);
    const rows = brokenDatabase(this.parts.bug, database(GATEWAY_MIGRATIONS), this.#lives > 1);
    const vault = Vault.open(`${DATA}/vault.db`, this.parts.ring, { clock, database });
    const events = IdentityEventLog.open(`${DATA}/events.db`, this.parts.ring, { database });
    const instances = new InstanceStore(rows, INCOMING, new PoisonStore(rows), files);
    const believed = brokenVault({ ...this.parts, vault, misread: this.#misread });
    const process = {
      life,
      clock,
      files,
      database: rows,
      vault,
      believed,
      events,
      instances,
      open,
    };
    this.#process = process;
    world.in(0, life, () => void this.#run(process));
  }

  async #run(process: Process): Promise<void> {
    const { life, clock, instances } = process;
    // Recovery ends before work begins.
    await instances.sweep().catch(() => undefined);
    const signal = new AbortController().signal;
    for (const stage of this.#stages(process)) void stage.run(signal);
    let attempt = 0;
    while (life.isAlive) {
      const progress = (): void => void (attempt = 0);
      await readOutcomes(this.#reader(process), signal, progress).catch(() => undefined);
      attempt += 1;
      await clock.sleep(reconnectDelayMs(attempt, this.parts.random.next), signal);
    }
  }

  readonly #bells = new Map<string, Wake>();
  #bell(name: string): Wake {
    const bell = this.#bells.get(name) ?? new Wake();
    this.#bells.set(name, bell);
    return bell;
  }

  #reader({ life, clock, files, database }: Process) {
    const { hub } = this.parts;
    return {
      ...{
        port: hub.downlink(life),
        database,
        clock,
        files,
        logger: traceLogger(this.parts.world, this.parts.siteId),
      },
      signingKeys: HUB_KEYS.publicKey,
      inboundFolder: join(DATA, 'inbound'),
      onDone: () => this.#bell('reidentify').notify(),
    };
  }

  #stages(process: Process): readonly Stage[] {
    const { life, clock, files, database, events } = process;
    const { siteId, ring, random, hub, bug, pacs } = this.parts;
    this.#bells.clear();
    const logger = traceLogger(this.parts.world, siteId);
    const ring_ = (name: string) => (): void => this.#bell(name).notify();
    const common = (name: string) => ({ database, clock, logger, wake: this.#bell(name) });
    const vault = process.believed;
    const linkage = { vault, keys: ring, siteId, dataFolder: DATA, files };
    const spool = createSpool({
      ...common('spool'),
      ...{ spoolFolder: join(DATA, 'spool'), files, onDone: ring_('uplink') },
    });
    const explainer = new IdentityExplainer({ vault, events, clock, files });
    const rules = { purpose: 'demonstration' as const, currentRules: () => RULES };
    return [
      createAssembleStage({
        ...{ ...common('assemble'), quietMs: QUIET_MS, files, onDone: ring_('select') },
        ...(this.parts.startsEarly && { earlyProducts: earlyProductsOf({ ...rules, clock }) }),
      }),
      createSelectStage({
        ...{ ...common('select'), ...rules },
        newJobId: this.parts.newJobId,
        onDone: ring_('pseudonymise'),
      }),
      createPseudonymiseStage({
        ...{ ...common('pseudonymise'), ...linkage, identityEvents: events, sink: spool },
        series: pseudonymiseForSimulation(files, ring),
        onDone: ring_('uplink'),
      }),
      spool.stage,
      createUplinkStage({
        ...common('uplink'),
        ...{ port: hub.uplink(life), transport: hub.transport(life, files), config: UPLINK },
        ...{ deadlines: DEADLINES, random: random.next, onDone: ring_('spool') },
      }),
      overtakenStage(process),
      createReidentifyStage({
        ...common('reidentify'),
        ...linkage,
        events,
        onDone: ring_('deliver'),
      }),
      createDeliverStage({
        ...{ ...common('deliver'), files, explainer, random: random.next },
        pacs: brokenPacs(bug, pacs, life),
        settings: { associationsMax: 2, rate: { perSecond: 10, burst: 20 } },
        onDone: () => undefined,
      }),
    ];
  }

  /** The sender breaks off in the middle: nothing was answered, and nothing is kept. */
  async receiveHalf({ bytes }: Instance): Promise<void> {
    if (!this.#process) return;
    const writer = await DurableWriter.open(INCOMING, this.#process.files);
    await writer.append(bytes.subarray(0, bytes.length / 2));
    await writer.discard();
  }

  /** One C-STORE; resolves when it is answered with Success, rejects for another answer. */
  async receive(instance: Instance): Promise<void> {
    const process = this.#process;
    if (!process) throw new Error('nobody listens');
    const { bug, model, siteId } = this.parts;
    const stored = this.#store(process, instance);
    if (bug === 'p0-success-before-durable') stored.catch(() => undefined);
    else await stored;
    model.acceptedInstance(siteId, instance.sopInstanceUid, instance.sha256);
  }

  async #store(process: Process, instance: Instance): Promise<void> {
    const { files, instances, clock } = process;
    this.#files += 1;
    const fileName = `${String(this.#files).padStart(36, '0')}.dcm`;
    const writer = await DurableWriter.open(INCOMING, files);
    try {
      await writer.append(instance.bytes);
      await writer.commit(join(INCOMING, fileName));
      const { seriesUid, studyUid, bytes, modality, ...uids } = instance;
      await instances.record(
        {
          ...{ ...uids, fileName, sizeBytes: bytes.length, callingAeTitle: 'MODALITY' },
          ...{ studyInstanceUid: studyUid, seriesInstanceUid: seriesUid },
          transferSyntaxUid: '1.2.840.10008.1.2.1',
          header: JSON.stringify({ modality }),
        },
        clock.nowMs(),
      );
      this.#bell('assemble').notify();
    } catch (error) {
      await writer.discard().catch(() => undefined);
      throw fileFault(error);
    }
  }
}

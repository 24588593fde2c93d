/**
 * A running gateway: databases, vault, link, stages, sign-in and HTTP, started and stopped in
 * order.
 * Decides that recovery is done before anything listens (F14) and that a stop drains the stages.
 * Invariant: the page and its sign-in need no hub.
 */
import type { KeyObject } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createAuditShipper } from '@aifi/access-audit';
import { ChangeBell } from '@aifi/access-web';
import {
  createAnchorStage,
  createPipelineRecords,
  createVaultRecords,
  loadOrCreateAuditKey,
  openGatewayAccess,
  PatientSource,
  publicKeyPemOf,
  type GatewayAccess,
} from '@aifi/gateway-access';
import { Catalogue } from '@aifi/gateway-catalogue';
import { createObjectionWatch, ObjectionRegister } from '@aifi/gateway-consent';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { DeadLetterStore } from '@aifi/gateway-deliver';
import { createDiskWatch, createRetentionStage, type DiskWatch } from '@aifi/gateway-disk';
import { orderOf } from '@aifi/gateway-orders';
import { SeriesThread } from '@aifi/gateway-pseudonymise';
import { ClockWatch } from '@aifi/gateway-reconcile';
import { AssociationPermits, type Retrieving } from '@aifi/gateway-retrieve';
import { SetupRunner } from '@aifi/gateway-setup';
import { createStatusService } from '@aifi/gateway-status';
import { onNoSpace, systemClock, Wake, type Clock, type Stage } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import { auditSourceOf } from './audit.service.js';
import { createDeadlineWatch } from './deadline-watch.js';
import { createFolderBatches, type FolderState } from './folder-batches.parts.js';
import type { GatewayConfig } from './gateway-config.js';
import { openGatewaySignIn } from './gateway-sign-in.js';
import type { GatewaySources } from './gateway-sources.js';
import { startHttp } from './http.js';
import { createHl7 } from './hl7.parts.js';
import { openHubLink, type HubLink } from './hub-link.js';
import { openIdentityStores, type IdentityStores } from './identity-stores.js';
import { createPipeline, type Pipeline } from './pipeline.js';
import { createReconcile, type Reconcile } from './reconcile.parts.js';
import { createRetrieval } from './retrieval.parts.js';
import { fixedSettings, type SettingsControl } from './settings-in-force.js';
import { createSetup, type Setup } from './setup.parts.js';
import { GATEWAY_VERSION } from './status-read-model.js';
import { createVaultRetention } from './vault-retention.js';

export interface RunningGateway {
  readonly httpPort: number;
  readonly dicomPort: number;
  /** Rejects when a stage ends by a fault: the process must not go on without it. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** Databases and keys. */
interface Stores extends IdentityStores {
  readonly database: GatewayDatabase;
  readonly access: GatewayAccess;
  readonly auditKey: KeyObject;
}

export async function startGateway(
  config: GatewayConfig,
  logger: Logger,
  settings: SettingsControl = fixedSettings(config),
): Promise<RunningGateway> {
  const clock = systemClock;
  const stores = await openStores(config);
  const { database, vault, identityEvents, access } = stores;
  const link = await openHubLink({ config, clock, logger });
  const disk = createDiskWatch({ folder: config.dataFolder, config: config.disk, clock, logger });
  await disk.start();
  onNoSpace(disk.reportFull);
  const pseudonymising = new SeriesThread(config.pixelGate, clock);
  const changes = new ChangeBell();
  const onChange = (): void => changes.notify('status');
  const runner = new SetupRunner({ database: stores.database, clock, logger, onChange });
  const running = { config, logger, clock, link, disk, pseudonymising, changes };
  const permits = new AssociationPermits(PACS_ASSOCIATIONS_MAX);
  const parts: Parts = { ...stores, ...running, permits, runner, settings };
  disk.onChange(() => parts.changes.notify('status'));
  const pipeline = createStages(parts);
  const stopping = new AbortController();
  const ended = Promise.all(pipeline.all.map((stage) => stage.run(stopping.signal))).then(
    () => undefined,
  );
  const dicomPort = await Promise.race([
    pipeline.listening,
    ended.then(() => Promise.reject(new Error('ended before it was ready'))),
  ]);
  const { signIn, issuer, close: endSignIn } = await openGatewaySignIn(parts);
  const { http: listen, consoleFolder } = config;
  const sources = sourcesOf(parts, pipeline);
  const http = await startHttp({ sources, listen, consoleFolder, signIn, issuer, logger });
  const stop = async (): Promise<void> => {
    stopping.abort();
    await http.close();
    await runner.stop();
    await endSignIn();
    await ended.catch(() => undefined);
    await pseudonymising.close();
    await link.close();
    await access.database.close();
    database.close();
    vault.close();
    identityEvents.close();
  };
  return { httpPort: http.port, dicomPort, ended, stop };
}

async function openStores(config: GatewayConfig): Promise<Stores> {
  const { siteId, dataFolder } = config;
  return {
    ...(await openIdentityStores(config, systemClock)),
    database: GatewayDatabase.open(join(dataFolder, 'gateway.db'), GATEWAY_MIGRATIONS),
    access: openGatewayAccess({ path: join(dataFolder, 'access.db'), siteId, clock: systemClock }),
    auditKey: await loadOrCreateAuditKey(join(dataFolder, 'keys', 'audit-key.pem')),
  };
}

/** Reliability specification H15, whoever asks. */
const PACS_ASSOCIATIONS_MAX = 2;

interface Parts extends Stores {
  readonly config: GatewayConfig;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly link: HubLink;
  readonly disk: DiskWatch;
  readonly pseudonymising: SeriesThread;
  readonly changes: ChangeBell;
  readonly permits: AssociationPermits;
  readonly runner: SetupRunner;
  readonly settings: SettingsControl;
}
interface Stages extends Omit<Pipeline, 'stages'> {
  readonly all: readonly Stage[];
  readonly patients: PatientSource;
  readonly reconcile: Reconcile;
  readonly retrieval: Retrieving;
  readonly setup: Setup;
  readonly folderState: FolderState;
}

function createStages(parts: Parts): Stages {
  const { config, database, vault, keys, access, disk, clock, logger } = parts;
  const { siteId, purpose, language, dataFolder, deadlines } = config;
  const jobsEnded = new Wake();
  const onEnded = (): void => jobsEnded.notify();
  const onChange = (): void => parts.changes.notify('status');
  const clockWatch = new ClockWatch({ config: config.reconcile.clock, clock, logger, onChange });
  const anchors = access.hubAnchors;
  const pipeline = createPipeline({
    ...{ ...parts, anchors, clockWatch, onEnded },
    takeTestReport: (report) => parts.runner.takeReport(report),
    onAdmitted: (callingAeTitle) => parts.runner.seen(callingAeTitle),
  });
  const { stages, ...running } = pipeline;
  const status = createStatusService({
    ...{ siteId, purpose, language, dataFolder, deadlines },
    ...{ vault, keys, database, clock, logger },
    platformVersion: GATEWAY_VERSION,
    products: () => running.currentRules()?.rules.products ?? [],
    wake: jobsEnded,
    onDone: running.ringDeliver,
  });
  const watch = createDeadlineWatch({
    ...{ database, clock, logger, deadlines, clockWatch },
    pacsState: running.pacsState,
  });
  const patients = new PatientSource(database, vault);
  const retention = createRetentionStage({
    ...{ database, dataFolder, clock, logger },
    config: config.disk,
    isFull: () => disk.level() === 'refuse-all',
  });
  const vaultRetention = createVaultRetention({
    ...{ vault, identityEvents: parts.identityEvents, database, clock, logger },
    retention: config.vault,
  });
  const { currentRules } = running;
  const looking = createReconcile({ ...parts, clockWatch, currentRules, onChange });
  const trying = createSetup({ ...parts, currentRules, listening: running.listening, onChange });
  const retrieval = createRetrieval({ ...parts, pacsState: running.pacsState, onChange });
  const objections = new ObjectionRegister({ database, keys, config: config.consent });
  const hl7 = createHl7({ ...parts, objections });
  const batches = createFolderBatches(parts);
  const own = [
    watch,
    createObjectionWatch({ database, clock, logger }),
    status,
    disk.stage,
    retention,
    vaultRetention,
    ...looking.stages,
    retrieval.stage,
    ...batches.stages,
    trying.probe.stage,
    ...(hl7 ? [hl7] : []),
    ...parts.link.stages,
  ];
  const all = [...stages, ...own, ...auditStages(parts, patients)];
  const { reconcile } = looking;
  const { folderState } = batches;
  return {
    ...{ ...running, all, patients, reconcile, retrieval, folderState },
    setup: trying.setup,
  };
}

/** Stages of the audit trail: what pipeline and vault did, the daily anchor, who gets it. */
function auditStages(parts: Parts, patients: PatientSource): Stage[] {
  const { config, database: journal, access, auditKey, clock, logger, changes } = parts;
  const { database, trail, acts } = access;
  const { syslog } = config.audit;
  const fault = (words: string) => (error: unknown) => logger.fault(words, error);
  const records = createPipelineRecords({
    ...{ journal, database, trail, clock, onFault: fault('records of the pipeline failed') },
    patientNumberOf: (studyUid) => patients.numberOf(studyUid),
    onJournal: () => {
      changes.notify('studies');
      changes.notify('status');
    },
  });
  const vaultRecords = createVaultRecords({
    ...{ vault: parts.vault, database, trail, clock },
    onFault: fault('records of the vault failed'),
  });
  const onFault = fault('audit anchor failed');
  const anchor = createAnchorStage({
    ...{ database, trail, acts, clock, signingKey: auditKey, onFault },
  });
  if (!syslog) return [records, vaultRecords, anchor];
  const shipper = createAuditShipper({
    ...{ destination: syslog, reader: trail, position: access.shipped, clock, logger },
    source: auditSourceOf(config.siteId, config.publicUrl),
    sender: { hostName: hostname(), appName: 'aifi-gateway' },
  });
  return [records, vaultRecords, anchor, shipper];
}

function sourcesOf(parts: Parts, stages: Stages): GatewaySources {
  const { database, vault, access, changes, config, clock, logger, link, auditKey } = parts;
  const { patients, currentRules, pacsState, ringPseudonymise, ringDeliver } = stages;
  const { uplinkState, killState } = stages;
  const { identityEvents } = parts;
  return {
    ...{ database, vault, identityEvents, access, patients, changes, config, clock },
    ...{ currentRules, pacsState, ringPseudonymise, ringDeliver, uplinkState, killState },
    diskState: parts.disk.state,
    folderState: stages.folderState,
    deadLetters: new DeadLetterStore(database),
    catalogue: new Catalogue(database),
    orderCodes: (sql, study) => orderOf(sql, study)?.codes ?? [],
    objections: new ObjectionRegister({ database, keys: parts.keys, config: config.consent }),
    ...{ auditPublicKeyPem: publicKeyPemOf(auditKey), logger },
    ...{ link, linkState: link.state, reconcile: stages.reconcile },
    ...{ retrieval: stages.retrieval, setup: stages.setup },
  };
}

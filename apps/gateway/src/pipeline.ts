/**
 * The stages of a gateway, in the order of the data.
 * Decides the wiring: a stage knows its own input and rings the bell of the next one; nothing but
 * this file knows two stages. Invariant: the order is GATEWAY_STAGES of the kernel (tested).
 */
import { join } from 'node:path';
import { Wake, type Clock, type GatewayStage, type Stage } from '@aifi/shared-kernel';
import type { CommitmentReport } from '@aifi/dicom-dimse';
import { createAssembleStage } from '@aifi/gateway-assemble';
import type { GatewayDatabase } from '@aifi/gateway-database';
import { createDeliverStage, createPacsPeer, type DeliverStage } from '@aifi/gateway-deliver';
import type { DiskWatch } from '@aifi/gateway-disk';
import {
  createDownlinkStage,
  createGrpcDownlinkPort,
  KillStateStore,
  RulesStore,
  type AnchorKeeper,
  type CurrentRules,
} from '@aifi/gateway-downlink';
import { createPseudonymiseStage, type SeriesThread } from '@aifi/gateway-pseudonymise';
import { createReceiveStage, type ReceiveStage } from '@aifi/gateway-receive';
import type { ClockWatch } from '@aifi/gateway-reconcile';
import { createReidentifyStage, IdentityExplainer } from '@aifi/gateway-reidentify';
import type { AssociationPermits } from '@aifi/gateway-retrieve';
import {
  createSelectStage,
  earlyProductsOf,
  selectAgain,
  type SiteContext,
} from '@aifi/gateway-select';
import { createSpool } from '@aifi/gateway-spool';
import {
  createGrpcUplinkPort,
  createUplinkStage,
  TlsObjectTransport,
  type SelectAgain,
  type UplinkStage,
} from '@aifi/gateway-uplink';
import type { IdentityEventLog, Vault } from '@aifi/gateway-vault';
import type { Logger } from '@aifi/shared-observability';
import type { KeyRing } from '@aifi/shared-site-keys';
import type { GatewayConfig } from './gateway-config.js';
import type { HubLink } from './hub-link.js';
import { withPermits } from './pacs-permits.js';

export interface PipelineDependencies {
  readonly config: GatewayConfig;
  readonly database: GatewayDatabase;
  readonly vault: Vault;
  readonly identityEvents: IdentityEventLog;
  readonly keys: KeyRing;
  readonly pseudonymising: Pick<SeriesThread, 'work'>;
  readonly link: HubLink;
  /** Says whom the listener refuses for want of space. */
  readonly disk: Pick<DiskWatch, 'level' | 'onChange'>;
  /** Keeps the hub's audit anchors. */
  readonly anchors: AnchorKeeper;
  /** Compares the clocks, and holds results while they are apart. */
  readonly clockWatch: Pick<ClockWatch, 'onHubTime' | 'isHolding'>;
  /** Shared by all who ask the PACS. */
  readonly permits: AssociationPermits;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told, now and then, that a caller's association was let in. */
  readonly onAdmitted: (callingAeTitle: string) => void;
  /** A report of storage commitment that the set-up waits for: true, and deliver hears nothing. */
  readonly takeTestReport: (report: CommitmentReport) => boolean;
  /** Called when deliver has ended a job; the ends that other stages make are found by looking. */
  readonly onEnded: () => void;
}
export interface Pipeline {
  /** In the order of the data. */
  readonly stages: readonly Stage[];
  /** Resolves with the port of the DICOM listener once it accepts associations. */
  readonly listening: ReceiveStage['ready'];
  /** Undefined until the first rules have arrived. */
  readonly currentRules: RulesStore['current'];
  readonly pacsState: DeliverStage['pacsState'];
  readonly uplinkState: UplinkStage['uplinkState'];
  readonly killState: KillStateStore['knowledge'];
  /** Tells pseudonymise that a job was taken up again. */
  readonly ringPseudonymise: () => void;
  /** Tells deliver that there is something for the PACS. */
  readonly ringDeliver: () => void;
}

export function createPipeline(dependencies: PipelineDependencies): Pipeline {
  const { config, database, vault, keys, link, anchors, clock, logger } = dependencies;
  const { siteId, purpose, dataFolder } = config;
  // Whoever joins while running, or whose hub has another key, verifies with it at once.
  const signingKeys = (): ReturnType<HubLink['signingKeys']> => link.signingKeys();
  const rules = new RulesStore(database, signingKeys, purpose, logger);
  const wake = createBells();
  const ring = (stage: GatewayStage) => (): void => wake(stage).notify();
  const common: StageBasics = (stage) => ({ database, clock, logger, wake: wake(stage) });
  const linkage = { vault, keys, siteId, dataFolder };

  const kill = new KillStateStore(database, signingKeys, clock, logger);
  const { receive, deliver } = createFront(dependencies, common, kill);
  const site = siteContext(config, kill);
  const currentRules = (): CurrentRules | undefined => rules.current();
  const upload = uploadParts(dependencies, rules, site);
  const spool = createSpool({
    ...common('spool'),
    spoolFolder: join(dataFolder, 'spool'),
    onDone: ring('uplink'),
  });
  const uplink = createUplinkStage({ ...upload, ...common('uplink'), onDone: ring('spool') });
  const stages: readonly Stage[] = [
    receive,
    createAssembleStage({
      ...common('assemble'),
      ...{ quietMs: config.quietMs, config: config.assemble },
      earlyProducts: earlyProductsOf({ ...site, clock, currentRules }),
      onDone: ring('select'),
    }),
    createSelectStage({
      ...{ ...common('select'), ...site, currentRules },
      onDone: ring('pseudonymise'),
    }),
    createPseudonymiseStage({
      ...{ ...common('pseudonymise'), ...linkage, site: config.pseudonymise },
      series: dependencies.pseudonymising.work,
      identityEvents: dependencies.identityEvents,
      sink: spool,
      onDone: ring('uplink'),
    }),
    spool.stage,
    uplink,
    createDownlinkStage({
      ...common('downlink'),
      port: createGrpcDownlinkPort(() => link.downlink, clock),
      ...{ siteId, anchors, rules, kill },
      signingKeys,
      inboundFolder: join(dataFolder, 'inbound'),
      onDone: ring('reidentify'),
      onRules: ring('select'),
      configurationSha256: () => link.configurationSha256(),
      onConfiguration: ({ sha256 }) => link.onConfiguration(sha256),
      onProbe: ({ hubTimeMs }) => dependencies.clockWatch.onHubTime(hubTimeMs),
    }),
    createReidentifyStage({
      ...{ ...common('reidentify'), ...linkage, events: dependencies.identityEvents },
      onDone: ring('deliver'),
    }),
    deliver,
  ];
  const { pacsState } = deliver;
  return {
    ...{ stages, currentRules, pacsState, uplinkState: uplink.uplinkState },
    listening: receive.ready,
    killState: () => kill.knowledge(),
    ringPseudonymise: ring('pseudonymise'),
    ringDeliver: ring('deliver'),
  };
}

/** What every stage gets. */
type StageBasics = (
  stage: GatewayStage,
) => Pick<PipelineDependencies, 'database' | 'clock' | 'logger'> & { readonly wake: Wake };

/** What select knows of the hospital besides its tables. */
function siteContext({ purpose, dicom }: GatewayConfig, kill: KillStateStore): SiteContext {
  const web = dicom.web?.callers.map(({ name, lane }) => ({ aeTitle: name, lane })) ?? [];
  const acute = [...dicom.callers, ...web].filter(({ lane }) => lane === 'acute');
  return {
    purpose,
    acuteSenders: new Set(acute.map(({ aeTitle }) => aeTitle)),
    stops: () => {
      const known = kill.knowledge();
      return known && known !== 'none' ? known.state.stopped : [];
    },
  };
}

/** How the uplink reaches the hub; a study whose rules are too old for it is selected anew. */
function uploadParts(
  { config, link, clock }: PipelineDependencies,
  rules: RulesStore,
  site: SiteContext,
) {
  const { uplink, deadlines } = config;
  const again: SelectAgain = (sql, jobId, atMs) =>
    selectAgain(sql, { ...site, jobId, atMs, verified: rules.current() });
  return {
    port: createGrpcUplinkPort(() => link.uplink, clock),
    transport: new TlsObjectTransport({
      dial: (signal) => link.dial('aifi-objects/1', signal),
      clock,
    }),
    ...{ config: uplink, deadlines, selectAgain: again },
    isLinkUp: () => link.state() === 'up',
  };
}

/** Both ends towards the hospital: what comes in, and what goes into its PACS. */
function createFront(
  dependencies: PipelineDependencies,
  common: StageBasics,
  kill: KillStateStore,
): { readonly receive: ReceiveStage; readonly deliver: DeliverStage } {
  const { config, vault, keys, identityEvents, disk, clockWatch, clock, onEnded } = dependencies;
  const { dataFolder, pacs, deadlines } = config;
  const deliver = createDeliverStage({
    ...common('deliver'),
    pacs: withPermits(createPacsPeer(pacs, clock), dependencies.permits),
    settings: pacs,
    deadlines,
    explainer: new IdentityExplainer({ vault, events: identityEvents, clock }),
    knowKill: () => kill.knowledge(),
    isHeld: clockWatch.isHolding,
    onDone: onEnded,
  });
  const receive = createReceiveStage({
    ...common('receive'),
    dataFolder,
    config: config.dicom,
    keys,
    diskLevel: disk.level,
    onDiskLevel: disk.onChange,
    // The PACS reports on an association of its own, so it comes in where images come in.
    // Without commitment nothing of deliver waits for one; the set-up may.
    onCommitment: async (report) => {
      if (!dependencies.takeTestReport(report)) await deliver.onCommitment(report);
    },
    commitmentFrom: [pacs.calledAeTitle],
    onAdmitted: dependencies.onAdmitted,
  });
  return { receive, deliver };
}

/** The bell of each stage. */
function createBells(): (stage: GatewayStage) => Wake {
  const bells = new Map<GatewayStage, Wake>();
  return (stage) => {
    const bell = bells.get(stage) ?? new Wake();
    bells.set(stage, bell);
    return bell;
  };
}

/**
 * Stack: hub, inference worker and hospitals as real processes on the loopback interface.
 * Decides the order of start and stop, and that everything a run needs lies in one folder below the
 * system's temporary directory. Invariants: free ports only; processes ended by pid; nothing stays
 * behind, whatever ends the run. Used by the demo and by the end-to-end tests.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ensureOrthanc } from '../../../../deploy/services/orthanc/install.mjs';
import { freePorts, temporaryFolder } from '@aifi/shared-testing';
import { createCertificates, type Certificates } from './certificates.js';
import { MODELS_FOLDER } from './checkout.js';
import {
  createHospital,
  createStandby,
  type Hospital,
  type HospitalOptions,
  type PacsKind,
  type Standby,
} from './hospital.js';
import type { ManagedProcess } from './managed-process.js';
import { ProcessFactory, type TaskEnd } from './process-factory.js';
import { writeSecret } from './secrets.js';
import { ServerClient } from './server-client.js';
import * as config from './stack-config.js';
import { Watchdog } from './watchdog.js';

export interface StackOptions {
  readonly siteIds: readonly string[];
  /** Environment of the caller; only the names in PASSED_ON reach the processes. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Told what is being done, in words for a person. */
  readonly say?: (line: string) => void;
  /** Stops what has been started, also while it is still starting. */
  readonly signal?: AbortSignal;
  /** The pacs-simulator instead of Orthanc, although Orthanc could be had. */
  readonly simulator?: boolean;
  /** @unit ms @default QUIET_MS */
  readonly quietMs?: number;
  /** More environment for one of our processes, by its name (`hub`, `gateway-site-a`, ...). */
  readonly environmentOf?: (name: string) => Readonly<Record<string, string>>;
  /** Puts something (a tap, a cut) before a port; resolves with the port to use instead. */
  readonly reroute?: (edge: Edge) => Promise<number>;
  /** Where the deployed models lie: `<folder>/<product>/manifest.yaml`. @default MODELS_FOLDER */
  readonly modelsFolder?: string;
  /** More settings of the hub; of a part that is an object, its members. */
  readonly hubSettings?: config.Settings;
  /** More settings of a gateway; of a part that is an object, its members. */
  readonly gatewaySettings?: (siteId: string) => config.Settings;
  /** Sites that have a second gateway, a cold standby. */
  readonly standbys?: readonly string[];
  /** More settings of the Orthanc of a site. */
  readonly pacsSettings?: (siteId: string) => config.Settings;
  /** Sees what was laid out before anything runs: a disk of its own for a folder, for example. */
  readonly prepared?: (parts: StackParts, watchdog: Watchdog) => void;
}
/** A connection that a test may stand in: PACS to gateway, gateway to hub, gateway to PACS. */
export interface Edge {
  readonly kind: 'dicom' | 'link' | 'pacs';
  readonly siteId: string;
  /** Of the process that is called. */
  readonly port: number;
}

const PASSED_ON = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ'];
const PORTS_OF_CENTRE = 4;
const PORTS_PER_SITE = 5;
/** DICOM, pages and sign-in; it sends to the PACS of its site. */
const PORTS_PER_STANDBY = 3;
/** Overviews and pseudonymous studies; what a script asks of a hub. */
const HUB_AUTOMATION_ROLES = ['central-operator'];
const ASKED_FOR_SIMULATOR = { ok: false, reason: 'the simulator was asked for' } as const;

/** What a stack consists of; made by `Stack.start`. */
export interface StackParts {
  /** Configuration, logs, data: removed at the end. */
  readonly folder: string;
  /** Why the pacs-simulator stands in for Orthanc; undefined when Orthanc runs. */
  readonly pacsNote: string | undefined;
  /** What is deployed at every site. */
  readonly products: readonly config.DeployedProduct[];
  readonly hub: ManagedProcess;
  /** The hub's pages and interface. */
  readonly hubServer: ServerClient;
  readonly hubFolder: string;
  readonly worker: ManagedProcess;
  readonly hospitals: readonly Hospital[];
  /** By site id; not started with the stack. */
  readonly standbys: Readonly<Record<string, Standby>>;
}

export class Stack {
  #stopping: Promise<void> | undefined;

  private constructor(
    readonly parts: StackParts,
    private readonly factory: ProcessFactory,
    private readonly watchdog: Watchdog,
  ) {}

  /** Starts everything and resolves when all of it is up; stops what has started when not. */
  static async start(options: StackOptions): Promise<Stack> {
    const { say = () => undefined, signal } = options;
    const stack = await Stack.#prepare(options);
    if (signal?.aborted) void stack.stop();
    signal?.addEventListener('abort', () => void stack.stop());
    const { worker, hub, hospitals } = stack.parts;
    const hospitalProcesses = hospitals.flatMap((h) => [h.pacsProcess, h.gatewayProcess]);
    say('starting hub, inference worker and hospitals ...');
    const started = [worker, hub, ...hospitalProcesses].map((process) => process.start());
    // All of them have settled before anything is stopped: none starts behind the stop's back.
    const failed = (await Promise.allSettled(started)).find((s) => s.status === 'rejected');
    if (failed) {
      await stack.stop();
      throw failed.reason;
    }
    return stack;
  }

  static async #prepare(options: StackOptions): Promise<Stack> {
    const { siteIds, environment, say, simulator, environmentOf } = options;
    const { quietMs = config.QUIET_MS, reroute = async ({ port }) => port } = options;
    const { modelsFolder = MODELS_FOLDER, standbys: standbyIds = [] } = options;
    const orthanc = simulator ? ASKED_FOR_SIMULATOR : ensureOrthanc();
    const pacsNote = orthanc.ok ? undefined : orthanc.reason;
    if (pacsNote) say?.(`no Orthanc (${pacsNote}): the pacs-simulator stands in`);
    const { path: folder } = temporaryFolder('stack');
    const watchdog = new Watchdog();
    watchdog.watchFolder(folder);
    const certificateFolder = join(folder, 'certificates');
    const certificates = await createCertificates(certificateFolder, siteIds, standbyIds);
    const factory = new ProcessFactory(folder, watchdog, passedOn(environment), environmentOf);
    const standbysAt = PORTS_OF_CENTRE + siteIds.length * PORTS_PER_SITE;
    const ports = await freePorts(standbysAt + standbyIds.length * PORTS_PER_STANDBY);
    const hubPorts = hubPortsOf(ports);
    const products = deployedProducts(modelsFolder);
    const laidOut = { folder, certificates, hubPorts, siteIds, products, modelsFolder };
    const centre = createCentre(factory, { ...laidOut, more: options.hubSettings ?? {} });
    const hospitals: Hospital[] = [];
    const standbys: Record<string, Standby> = {};
    for (const [i, siteId] of siteIds.entries()) {
      const own = ports.slice(PORTS_OF_CENTRE + i * PORTS_PER_SITE);
      const sitePorts = sitePortsOf(own);
      const { gatewayDicom, pacsDicom } = sitePorts;
      const pacsKind: PacsKind = orthanc.ok ? 'orthanc' : 'pacs-simulator';
      const hospital: HospitalOptions = {
        siteId,
        runFolder: folder,
        pacsKind,
        ports: sitePorts,
        storePort: await reroute({ kind: 'dicom', siteId, port: gatewayDicom }),
        hubPort: await reroute({ kind: 'link', siteId, port: hubPorts.hubGrpc }),
        pacsPort: await reroute({ kind: 'pacs', siteId, port: pacsDicom }),
        gatewaySettings: options.gatewaySettings?.(siteId) ?? {},
        pacsSettings: options.pacsSettings?.(siteId) ?? {},
        quietMs,
        credentials: certificates.sites[siteId]!,
        signingPublicKeyFile: certificates.signingPublicKeyFile,
      };
      hospitals.push(createHospital(factory, hospital));
      const second = standbyIds.indexOf(siteId);
      if (second < 0) continue;
      const [gatewayDicom2 = 0, gatewayHttp = 0, gatewaySignIn = 0] = ports.slice(
        standbysAt + second * PORTS_PER_STANDBY,
      );
      standbys[siteId] = createStandby(factory, {
        ...{ ...hospital, credentials: certificates.standbys[siteId]! },
        ports: { ...sitePorts, gatewayDicom: gatewayDicom2, gatewayHttp, gatewaySignIn },
      });
    }
    const parts = { folder, pacsNote, products, ...centre, hospitals, standbys };
    options.prepared?.(parts, watchdog);
    return new Stack(parts, factory, watchdog);
  }

  get processes(): readonly ManagedProcess[] {
    return this.factory.made;
  }

  /** One more process of this run (a provider of a test); who starts it waits for it. */
  add(...order: Parameters<ProcessFactory['foreign']>): ManagedProcess {
    return this.factory.foreign(...order);
  }

  /** A task of maintenance of an app, with the configuration of a process of this run. */
  task(...order: Parameters<ProcessFactory['task']>): Promise<TaskEnd> {
    return this.factory.task(...order);
  }

  /** Ends everything in the order of the data and removes the run folder. May be called again. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const gateways = this.parts.hospitals.map(({ gatewayProcess }) => gatewayProcess);
    await Promise.all(gateways.map((gateway) => gateway.stop()));
    const rest = this.processes.filter((process) => !gateways.includes(process));
    await Promise.all(rest.map((process) => process.stop()));
    await this.watchdog.close();
  }
}

function createCentre(
  factory: ProcessFactory,
  options: {
    readonly folder: string;
    readonly certificates: Certificates;
    readonly hubPorts: config.Ports;
    readonly siteIds: readonly string[];
    readonly products: readonly config.DeployedProduct[];
    readonly modelsFolder: string;
    readonly more: config.Settings;
  },
): Pick<StackParts, 'hub' | 'hubServer' | 'hubFolder' | 'worker'> {
  const { folder, certificates, hubPorts, siteIds, products, modelsFolder } = options;
  const [hubFolder, workFolder] = [join(folder, 'hub'), join(folder, 'worker')];
  for (const path of [hubFolder, workFolder]) mkdirSync(path, { recursive: true, mode: 0o700 });
  const secretFile = writeSecret(folder, 'hub');
  const hubSettings = config.hubConfig({
    dataFolder: hubFolder,
    ports: hubPorts,
    credentials: certificates.hub,
    signingKeyFile: certificates.signingKeyFile,
    modelsFolder,
    siteIds,
    products,
    signIn: {
      port: hubPorts.hubSignIn,
      automationSecretFile: secretFile,
      automationRoles: HUB_AUTOMATION_ROLES,
    },
  });
  const workerSettings = config.workerConfig({ port: hubPorts.worker, modelsFolder, workFolder });
  return {
    hub: factory.app('hub', 'hub', config.merged(hubSettings, options.more)),
    hubServer: new ServerClient({
      url: config.originOf(hubPorts.hubHttp),
      issuer: config.originOf(hubPorts.hubSignIn),
      secretFile,
    }),
    hubFolder,
    worker: factory.app('inference-worker', 'inference-worker', workerSettings),
  };
}

function hubPortsOf(ports: readonly number[]): config.Ports {
  const [hubGrpc = 0, hubHttp = 0, hubSignIn = 0, worker = 0] = ports;
  return { hubGrpc, hubHttp, hubSignIn, worker };
}
function sitePortsOf(ports: readonly number[]): config.SitePorts {
  const [gatewayDicom = 0, gatewayHttp = 0, gatewaySignIn = 0, pacsDicom = 0, pacsHttp = 0] = ports;
  return { gatewayDicom, gatewayHttp, gatewaySignIn, pacsDicom, pacsHttp };
}

/** Every model of the models folder is deployed: `<folder>/<product>/manifest.yaml`. */
function deployedProducts(modelsFolder: string): config.DeployedProduct[] {
  return readdirSync(modelsFolder)
    .map((name) => join(modelsFolder, name, 'manifest.yaml'))
    .filter((path) => existsSync(path))
    .map((path) => {
      const { product, version } = parse(readFileSync(path, 'utf8')) as config.DeployedProduct;
      return { product, version };
    });
}

function passedOn(environment: StackOptions['environment']): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of PASSED_ON) {
    const value = environment[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}

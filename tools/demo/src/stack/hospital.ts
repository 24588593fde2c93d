/**
 * Hospital: a gateway with its own PACS.
 * Decides which PACS stands in: Orthanc, or the pacs-simulator where Orthanc cannot be installed.
 * Invariant: a hospital shares no process, folder or port with another.
 */
import { mkdirSync } from 'node:fs';
import { prepareOrthanc } from '../../../../deploy/services/orthanc/start.mjs';
import { GatewayClient } from './gateway-client.js';
import type { ManagedProcess } from './managed-process.js';
import { OrthancClient } from './orthanc-client.js';
import type { ProcessFactory } from './process-factory.js';
import { writeSecret } from './secrets.js';
import { ServerClient } from './server-client.js';
import * as config from './stack-config.js';

/** What the demo's table calls the PACS. */
export type PacsKind = 'orthanc' | 'pacs-simulator';

/** Studies, queue and disk of the own site: what a script asks of a gateway. */
const AUTOMATION_ROLES = ['hospital-it'];

export interface Hospital {
  readonly siteId: string;
  readonly pacsKind: PacsKind;
  readonly pacs: OrthancClient;
  readonly pacsProcess: ManagedProcess;
  readonly gateway: GatewayClient;
  readonly gatewayProcess: ManagedProcess;
  /** Databases, vault and spool of the gateway. */
  readonly gatewayFolder: string;
  readonly ports: config.SitePorts;
}
/** A second gateway of a hospital; its folder is empty and it does not run. */
export type Standby = Pick<Hospital, 'gateway' | 'gatewayProcess' | 'gatewayFolder'>;

export interface HospitalOptions {
  readonly siteId: string;
  readonly runFolder: string;
  readonly pacsKind: PacsKind;
  readonly ports: config.SitePorts;
  /** Where its PACS sends to: the gateway, or what listens in between. */
  readonly storePort: number;
  /** Where its gateway dials the hub. */
  readonly hubPort: number;
  /** Where its gateway sends results to: its PACS, or what listens in between. */
  readonly pacsPort: number;
  readonly gatewaySettings: config.Settings;
  readonly pacsSettings: config.Settings;
  readonly quietMs: number;
  readonly credentials: config.Credentials;
  readonly signingPublicKeyFile: string;
}

/** Makes the hospital's processes; nothing runs yet. */
export function createHospital(factory: ProcessFactory, options: HospitalOptions): Hospital {
  const { siteId, pacsKind, ports } = options;
  return {
    siteId,
    pacsKind,
    pacs: new OrthancClient(`http://127.0.0.1:${ports.pacsHttp}`),
    pacsProcess: createPacs(factory, options),
    ...createGateway(factory, options, 'gateway'),
    ports,
  };
}

/** Beside the first gateway: ports and credentials of `options` are its own, the PACS is not. */
export function createStandby(factory: ProcessFactory, options: HospitalOptions): Standby {
  return createGateway(factory, options, 'gateway-2');
}

function createGateway(
  factory: ProcessFactory,
  options: HospitalOptions,
  part: 'gateway' | 'gateway-2',
): Standby {
  const { siteId, runFolder, ports } = options;
  const gatewayFolder = config.siteFolder(runFolder, siteId, part);
  mkdirSync(gatewayFolder, { recursive: true, mode: 0o700 });
  const secretFile = writeSecret(runFolder, part === 'gateway' ? siteId : `${siteId}-2`);
  const signIn = {
    port: ports.gatewaySignIn,
    automationSecretFile: secretFile,
    automationRoles: AUTOMATION_ROLES,
  };
  const own = config.gatewayConfig({ ...options, dataFolder: gatewayFolder, signIn });
  const settings = config.merged(own, options.gatewaySettings);
  const server = new ServerClient({
    url: config.originOf(ports.gatewayHttp),
    issuer: config.originOf(ports.gatewaySignIn),
    secretFile,
  });
  return {
    gateway: new GatewayClient(server),
    gatewayProcess: factory.app('gateway', part.replace('gateway', `gateway-${siteId}`), settings),
    gatewayFolder,
  };
}

function createPacs(factory: ProcessFactory, options: HospitalOptions): ManagedProcess {
  const { siteId, runFolder, pacsKind, ports, storePort } = options;
  const dataFolder = config.siteFolder(runFolder, siteId, 'pacs');
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  if (pacsKind === 'pacs-simulator') {
    const settings = config.pacsSimulatorConfig({ siteId, dataFolder, ports, storePort });
    return factory.app('pacs-simulator', `pacs-${siteId}`, settings);
  }
  const prepared = prepareOrthanc({
    folder: dataFolder,
    aeTitle: config.aeTitles(siteId).pacs,
    dicomPort: ports.pacsDicom,
    httpPort: ports.pacsHttp,
    modalities: [config.gatewayModality(siteId, storePort)],
    settings: options.pacsSettings,
  });
  const client = new OrthancClient(prepared.restUrl);
  return factory.foreign({
    name: `pacs-${siteId}`,
    command: prepared.command,
    arguments: prepared.arguments,
    isReady: () => client.isUp(),
  });
}

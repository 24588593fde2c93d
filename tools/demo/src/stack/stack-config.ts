/**
 * Configuration files of the processes of a stack, as plain JSON values.
 * Decides ports, folders and names of a demonstration; the apps' own schemas check them.
 * Invariants: loopback only; purpose is `demonstration`; a restart reads the same file.
 */
import { join } from 'node:path';

const HOST = '127.0.0.1';
/** Silence that completes a study: a PACS on the same machine pauses far less. @unit ms */
export const QUIET_MS = 3_000;

/** Files made by deploy/certs for one process. */
export interface Credentials {
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}
export interface Ports {
  readonly hubGrpc: number;
  readonly hubHttp: number;
  /** The OpenID provider of the hub. */
  readonly hubSignIn: number;
  readonly worker: number;
}
export interface SitePorts {
  readonly gatewayDicom: number;
  readonly gatewayHttp: number;
  /** The OpenID provider of the hospital. */
  readonly gatewaySignIn: number;
  readonly pacsDicom: number;
  readonly pacsHttp: number;
}
export interface DeployedProduct {
  readonly product: string;
  readonly version: string;
}

/** Settings of a process by their names, as in its configuration file. */
export type Settings = Readonly<Record<string, unknown>>;

/** The settings with more of them; a part that is an object keeps its other members. */
export function merged(settings: Settings, more: Settings): Settings {
  const isPart = (value: unknown): value is Settings =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  const changed = Object.entries(more).map(([name, value]) => {
    const own = settings[name];
    return [name, isPart(own) && isPart(value) ? { ...own, ...value } : value];
  });
  return { ...settings, ...(Object.fromEntries(changed) as Settings) };
}

/** AE titles hold 16 characters (PS3.5 6.2, VR AE). */
export function aeTitles(siteId: string): { readonly gateway: string; readonly pacs: string } {
  const site = siteId.toUpperCase();
  return { gateway: `GW_${site}`.slice(0, 16), pacs: `PACS_${site}`.slice(0, 16) };
}

/** Origin of a server of this machine: browsers take `localhost` for a secure one. */
export const originOf = (port: number): string => `http://localhost:${port}`;

/** How people and scripts sign in at a server: with a provider of its own. */
export interface SignInSettings {
  readonly port: number;
  readonly automationSecretFile: string;
  readonly automationRoles: readonly string[];
}
function embeddedSignIn({ port, ...automation }: SignInSettings): object {
  return { kind: 'embedded', listen: { host: HOST, port }, ...automation };
}

/** Host and path names below the folder of one run. */
export function siteFolder(
  runFolder: string,
  siteId: string,
  part: 'gateway' | 'gateway-2' | 'pacs',
): string {
  return join(runFolder, siteId, part);
}

export function hubConfig(options: {
  readonly dataFolder: string;
  readonly ports: Ports;
  readonly credentials: Credentials;
  readonly signingKeyFile: string;
  readonly modelsFolder: string;
  readonly siteIds: readonly string[];
  readonly products: readonly DeployedProduct[];
  readonly signIn: SignInSettings;
}): Settings {
  const { credentials, ports, siteIds, products } = options;
  // One authority for all: the gateways of a demonstration need not join.
  const gatewayCaFile = credentials.caFile;
  return {
    roles: ['api', 'jobs'],
    purpose: 'demonstration',
    dataFolder: options.dataFolder,
    grpc: { host: HOST, port: ports.hubGrpc, ...credentials, gatewayCaFile },
    http: { host: HOST, port: ports.hubHttp },
    publicUrl: originOf(ports.hubHttp),
    signIn: embeddedSignIn(options.signIn),
    database: { kind: 'embedded' },
    signingKeyFile: options.signingKeyFile,
    modelsFolder: options.modelsFolder,
    workerUrl: `http://${HOST}:${ports.worker}`,
    deployments: siteIds.flatMap((siteId) => products.map((product) => ({ siteId, ...product }))),
  };
}

export function workerConfig(options: {
  readonly port: number;
  readonly modelsFolder: string;
  readonly workFolder: string;
}): object {
  const { port, modelsFolder, workFolder } = options;
  return { http: { host: HOST, port }, modelsFolder, workFolder };
}

export function gatewayConfig(options: {
  readonly siteId: string;
  readonly dataFolder: string;
  readonly quietMs: number;
  readonly ports: SitePorts;
  readonly hubPort: number;
  readonly pacsPort: number;
  readonly credentials: Credentials;
  readonly signingPublicKeyFile: string;
  readonly signIn: SignInSettings;
}): Settings {
  const { siteId, dataFolder, quietMs, ports, hubPort, pacsPort } = options;
  const { credentials, signingPublicKeyFile } = options;
  const { gateway, pacs } = aeTitles(siteId);
  return {
    siteId,
    purpose: 'demonstration',
    dataFolder,
    quietMs,
    http: { host: HOST, port: ports.gatewayHttp },
    publicUrl: originOf(ports.gatewayHttp),
    signIn: embeddedSignIn(options.signIn),
    dicom: {
      host: HOST,
      port: ports.gatewayDicom,
      aeTitle: gateway,
      callers: [{ aeTitle: pacs, host: HOST, plain: true }],
    },
    pacs: { host: HOST, port: pacsPort, calledAeTitle: pacs, callingAeTitle: gateway },
    // The phantom, and the converter of the public MR series.
    pixelGate: { manufacturers: ['AIFI demonstration', 'BIOLAB'] },
    disk: DISK,
    // The name in the hub's certificate; the address is still the loopback interface.
    hub: { address: `localhost:${hubPort}`, ...credentials, signingPublicKeyFile },
  };
}

/** A hospital's marks would stop the demonstration on a laptop whose disk is quite full. */
const DISK = {
  reserveBytes: 16 * 1024 ** 2,
  ...{ warningPercent: 94, warningEndPercent: 93 },
  ...{ refuseRoutinePercent: 97, refuseRoutineEndPercent: 96 },
  ...{ refuseAllPercent: 99, refuseAllEndPercent: 98 },
};

/** The modality list of a hospital's PACS: its gateway. */
export function gatewayModality(
  siteId: string,
  port: number,
): {
  readonly name: string;
  readonly aeTitle: string;
  readonly host: string;
  readonly port: number;
} {
  return { name: 'gateway', aeTitle: aeTitles(siteId).gateway, host: HOST, port };
}

export function pacsSimulatorConfig(options: {
  readonly siteId: string;
  readonly dataFolder: string;
  readonly ports: SitePorts;
  readonly storePort: number;
}): object {
  const { siteId, dataFolder, ports, storePort } = options;
  return {
    dicom: { host: HOST, port: ports.pacsDicom, aeTitle: aeTitles(siteId).pacs },
    http: { host: HOST, port: ports.pacsHttp },
    dataFolder,
    modalities: [gatewayModality(siteId, storePort)],
  };
}

/**
 * The gateway's own HTTP interface: pages, REST, health, metrics.
 * Decides TLS and where the pages lie; everything else at the edge is libs/access/web's.
 * Invariant: it works while the hub is away: nothing of an answer is asked of the hub.
 * Source: security specification 7 (V12); architecture 1 (hospital IT).
 */
import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { GATEWAY_ROUTE_ACTS, SIGN_IN_ROUTE_ACTS } from '@aifi/access-authorisation';
import { hardenApp, type WebAccessOptions } from '@aifi/access-web';
import type { SignIn } from '@aifi/access-sign-in';
import { gatewayRoutes } from '@aifi/contracts-rest';
import type { AccessTx } from '@aifi/gateway-access';
import { AifiError } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { GatewayConfig } from './gateway-config.js';
import { createGatewayMetrics, type GatewayMetrics } from './gateway-metrics.js';
import { addReconcileGauges } from './reconcile.metrics.js';
import { addHl7Gauges } from './hl7.metrics.js';
import { addRetrievalGauges } from './retrieval.metrics.js';
import type { GatewaySources } from './gateway-sources.js';
import { GatewayModule } from './gateway.module.js';
import { addLinkGauges } from './link.metrics.js';
import { addSelfTestGauges } from './self-test.metrics.js';

/** The console of this release, beside this application. */
const CONSOLE_FOLDER = join(import.meta.dirname, '../../console/dist/gateway');

export interface HttpOptions {
  readonly sources: GatewaySources;
  readonly listen: GatewayConfig['http'];
  readonly consoleFolder?: string | undefined;
  readonly signIn: SignIn;
  readonly issuer: string;
  readonly logger: Logger;
}
export interface HttpInterface {
  readonly port: number;
  readonly app: NestExpressApplication;
  close(): Promise<void>;
}

/** Serves the interface; resolves when it accepts connections. */
export async function startHttp(options: HttpOptions): Promise<HttpInterface> {
  const { sources, listen } = options;
  const metrics = createGatewayMetrics(sources);
  addLinkGauges(metrics.registry, sources);
  addReconcileGauges(metrics.registry, sources);
  addRetrievalGauges(metrics.registry, sources);
  addHl7Gauges(metrics.registry, sources);
  addSelfTestGauges(metrics.registry, sources);
  const web = webOptions(options, metrics);
  const app = await NestFactory.create<NestExpressApplication>(
    GatewayModule.with({ sources, metrics, web }),
    {
      ...{ logger: false, abortOnError: false, bodyParser: false },
      // Open event streams must not keep a stop waiting.
      forceCloseConnections: true,
      ...tlsOptions(listen.tls),
    },
  );
  hardenApp(app, web as unknown as WebAccessOptions);
  const server = (await app.listen(listen.port, listen.host)) as Server;
  const { port } = server.address() as AddressInfo;
  return { port, app, close: () => app.close() };
}

function webOptions(
  { sources, signIn, issuer, logger, consoleFolder }: HttpOptions,
  { onRefused }: GatewayMetrics,
): WebAccessOptions<AccessTx> {
  const { config, clock, changes, access } = sources;
  const { siteId: homeSite, purpose, publicUrl } = config;
  return {
    ...{ server: 'gateway', homeSite, purpose, publicUrl, issuer },
    ...{ clock, logger, signIn, changes, onRefused },
    ...{ audit: access.trail.sink, acts: access.acts, approvals: access.approvals },
    ...{ routes: gatewayRoutes, routeActs: { ...GATEWAY_ROUTE_ACTS, ...SIGN_IN_ROUTE_ACTS } },
    pagesFolder: consoleFolder ?? CONSOLE_FOLDER,
  };
}

function tlsOptions(tls: GatewayConfig['http']['tls']): object {
  if (!tls) return {};
  const [cert, key] = [readSecret(tls.certificateFile), readSecret(tls.keyFile)];
  return { httpsOptions: { cert, key, minVersion: 'TLSv1.2' } };
}

function readSecret(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new AifiError('CONFIG_INVALID', 'a file of http.tls does not read', { cause: error });
  }
}

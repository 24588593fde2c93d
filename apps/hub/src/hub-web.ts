/**
 * The hub's web edge: what of the hub the shared edge works with, and the server in front of it.
 * Decides TLS, where the pages lie, and what a browser sees when they were not built.
 * Source: security specification 7 (V12); architecture 3.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { HUB_ROUTE_ACTS, SIGN_IN_ROUTE_ACTS } from '@aifi/access-authorisation';
import {
  hardenApp,
  type HttpRequest,
  type HttpResponse,
  type WebAccessOptions,
} from '@aifi/access-web';
import { hubRoutes } from '@aifi/contracts-rest';
import { ALL_SITES, type Sql } from '@aifi/hub-database';
import { AifiError } from '@aifi/shared-kernel';
import type { HubConfig } from './hub-config.js';
import { addAssuranceGauges } from './assurance-metrics.js';
import { createHubMetrics, type HubMetrics } from './hub-metrics.js';
import { readSecret, type HubParts } from './hub-parts.js';
import type { HubSignIn } from './hub-sign-in.js';
import { HubModule } from './hub.module.js';

/** The console of this release, beside this application. */
const CONSOLE_FOLDER = join(import.meta.dirname, '../../console/dist/hub');

/** The application, hardened and not listening yet. */
export async function createHubApp(
  parts: HubParts,
  signIn: HubSignIn,
): Promise<NestExpressApplication> {
  const metrics = createHubMetrics(parts.database, parts.enrolment);
  addAssuranceGauges(metrics.registry, parts.assurance.state);
  const web = webOptions(parts, signIn, metrics);
  const app = await NestFactory.create<NestExpressApplication>(
    HubModule.with({ parts, metrics, web }),
    {
      ...{ logger: false, abortOnError: false, bodyParser: false },
      // Open event streams must not keep a stop waiting.
      forceCloseConnections: true,
      ...tlsOptions(parts.config.http),
    },
  );
  hardenApp(app, web as unknown as WebAccessOptions);
  app.use(sayThatPagesAreMissing(web.pagesFolder ?? CONSOLE_FOLDER));
  return app;
}

function webOptions(
  { config, clock, logger, access, changes }: HubParts,
  { signIn, issuer }: HubSignIn,
  { onRefused }: HubMetrics,
): WebAccessOptions<Sql> {
  const { purpose, publicUrl, consoleFolder: pagesFolder = CONSOLE_FOLDER } = config;
  return {
    ...{ server: 'hub', homeSite: ALL_SITES, purpose, publicUrl, issuer },
    ...{ clock, logger, signIn, changes, pagesFolder, onRefused },
    ...{ audit: access.acts, acts: access.acts, approvals: access.approvals },
    ...{ routes: hubRoutes, routeActs: { ...HUB_ROUTE_ACTS, ...SIGN_IN_ROUTE_ACTS } },
  };
}

function tlsOptions({ tls }: HubConfig['http']): object {
  if (!tls) return {};
  return {
    httpsOptions: {
      cert: readSecret(tls.certificateFile, 'http.tls.certificateFile'),
      key: readSecret(tls.keyFile, 'http.tls.keyFile'),
      minVersion: 'TLSv1.2',
    },
  };
}

/** Addresses that are no pages. */
const INTERFACES = /^\/(api|auth|\.well-known|assets)\/|^\/(healthz|metrics)$/;

/** Without built pages: 503 for what would be a page, so that nobody looks for a wrong address. */
function sayThatPagesAreMissing(folder: string) {
  const isBuilt = existsSync(join(folder, 'index.html'));
  return (request: HttpRequest, _response: HttpResponse, next: (error?: unknown) => void): void => {
    const path = request.originalUrl.split('?', 1)[0]!;
    if (isBuilt || request.method !== 'GET' || INTERFACES.test(path)) return next();
    next(new AifiError('PEER_UNAVAILABLE', 'the pages of this release were not built'));
  };
}

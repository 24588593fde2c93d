/**
 * The gateway's own HTTP interface: studies, traces, status, health, metrics.
 * Decides that hospital IT sees every study without reading a log, also while the hub is away.
 * Invariant: binds to the configured interface only; the answers hold the hospital's own UIDs and
 * are for the hospital. Sign-in is part of the access work; until then it is loopback by default.
 */
import 'reflect-metadata';
import { Controller, Get, Header, Inject, Module, Param, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import type { GatewayStatus, StudyTrace } from '@aifi/contracts-rest';
import type { GatewayDatabase } from '@aifi/gateway-database';
import { createRegistry, Gauge, type Registry } from '@aifi/shared-observability';
import type { GatewaySources } from './gateway-sources.js';
import { ProblemFilter } from './problem-filter.js';
import { readJobCounts, readStatus } from './status-read-model.js';
import { readStudies, type StudyView } from './study-read-model.js';
import { readJobTrace, readStudyTrace } from './trace-read-model.js';

const SOURCES = Symbol('sources');
const REGISTRY = Symbol('registry');

@Controller()
export class GatewayController {
  constructor(
    @Inject(SOURCES) private readonly sources: GatewaySources,
    @Inject(REGISTRY) private readonly registry: Registry,
  ) {}

  @Get('healthz')
  @Header('Cache-Control', 'no-store')
  health(): { status: string } {
    this.sources.database.read((sql) => sql.get('SELECT 1'));
    return { status: 'ok' };
  }

  @Get('api/v1/status')
  @Header('Cache-Control', 'no-store')
  status(): Promise<GatewayStatus> {
    return readStatus(this.sources);
  }

  @Get('api/v1/studies')
  @Header('Cache-Control', 'no-store')
  studies(): { studies: StudyView[] } {
    return { studies: readStudies(this.sources.database) };
  }

  @Get('api/v1/studies/:uid')
  @Header('Cache-Control', 'no-store')
  study(@Param('uid') uid: string): Promise<StudyTrace> {
    return readStudyTrace(this.sources, uid);
  }

  @Get('api/v1/jobs/:jobId/trace')
  @Header('Cache-Control', 'no-store')
  job(@Param('jobId') jobId: string): Promise<StudyTrace> {
    return readJobTrace(this.sources, jobId);
  }

  @Get('metrics')
  @Header('Cache-Control', 'no-store')
  @Header('Content-Type', 'text/plain; version=0.0.4')
  metrics(): Promise<string> {
    return this.registry.metrics();
  }
}

@Module({})
export class GatewayHttpModule {
  static with(sources: GatewaySources): DynamicModule {
    return {
      module: GatewayHttpModule,
      controllers: [GatewayController],
      providers: [
        { provide: SOURCES, useValue: sources },
        { provide: REGISTRY, useFactory: () => gatewayRegistry(sources.database) },
      ],
    };
  }
}

export interface HttpInterface {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves the interface; resolves when it accepts connections. */
export async function startHttp(
  listen: { readonly host: string; readonly port: number },
  sources: GatewaySources,
): Promise<HttpInterface> {
  const app = await NestFactory.create(GatewayHttpModule.with(sources), { logger: false });
  app.useGlobalFilters(new ProblemFilter());
  const server = (await app.listen(listen.port, listen.host)) as Server;
  return { port: (server.address() as AddressInfo).port, close: () => app.close() };
}

/** Jobs per state; no study, patient or user label (governance 4.7). */
function gatewayRegistry(database: GatewayDatabase): Registry {
  const registry = createRegistry('gateway');
  const gauge = new Gauge({
    name: 'aifi_gateway_jobs_count',
    help: 'Jobs of this gateway by state',
    labelNames: ['state'],
    registers: [registry],
    collect: () => {
      gauge.reset();
      const counts = database.read(readJobCounts);
      for (const [state, count] of Object.entries(counts)) gauge.set({ state }, count);
    },
  });
  return registry;
}

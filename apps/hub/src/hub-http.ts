/**
 * The hub's HTTP interface: health, metrics, status, jobs and their traces, sites, models.
 * Decides what an operator sees without a database client; no identity exists here to be shown.
 * Invariant: binds to the configured interface only. Sign-in is part of the access work; until then
 * it is loopback by default. Source: governance specification 4.7 (metric labels).
 */
import 'reflect-metadata';
import { Controller, Get, Header, Inject, Module, Param, type DynamicModule } from '@nestjs/common';
import type { HubJobs, HubStatus, Models, Sites } from '@aifi/contracts-rest';
import {
  countJobs,
  listJobs,
  listSites,
  readHubJobs,
  type HubDatabase,
  type JobSummary,
} from '@aifi/hub-database';
import { createRegistry, Gauge, type Registry } from '@aifi/shared-observability';
import type { HubParts } from './hub-parts.js';
import { readHubStatus, readModels } from './hub-read-models.js';
import { HUB_PARTS, HubRuntime } from './hub-runtime.js';

const REGISTRY = Symbol('registry');
/** Longest list in one answer. */
const JOBS_MAX = 500;

@Controller()
export class HubController {
  constructor(
    @Inject(HUB_PARTS) private readonly parts: HubParts,
    @Inject(REGISTRY) private readonly registry: Registry,
  ) {}

  @Get('healthz')
  @Header('Cache-Control', 'no-store')
  async health(): Promise<{ status: string }> {
    await this.parts.database.withQueue((sql) => sql.rows('SELECT 1'));
    return { status: 'ok' };
  }

  @Get('api/v1/jobs')
  @Header('Cache-Control', 'no-store')
  jobs(): Promise<JobSummary[]> {
    return listJobs(this.parts.database, JOBS_MAX);
  }

  @Get('api/v1/jobs/:jobId')
  @Header('Cache-Control', 'no-store')
  async job(@Param('jobId') jobId: string): Promise<HubJobs> {
    return { jobs: await readHubJobs(this.parts.database, jobId) };
  }

  @Get('api/v1/status')
  @Header('Cache-Control', 'no-store')
  status(): Promise<HubStatus> {
    return readHubStatus(this.parts);
  }

  @Get('api/v1/sites')
  @Header('Cache-Control', 'no-store')
  async sites(): Promise<Sites> {
    return { sites: await listSites(this.parts.database) };
  }

  @Get('api/v1/models')
  @Header('Cache-Control', 'no-store')
  models(): Promise<Models> {
    return readModels(this.parts);
  }

  @Get('metrics')
  @Header('Cache-Control', 'no-store')
  @Header('Content-Type', 'text/plain; version=0.0.4')
  metrics(): Promise<string> {
    return this.registry.metrics();
  }
}

@Module({})
export class HubModule {
  static with(parts: HubParts): DynamicModule {
    return {
      module: HubModule,
      controllers: [HubController],
      providers: [
        { provide: HUB_PARTS, useValue: parts },
        { provide: REGISTRY, useFactory: () => hubRegistry(parts.database) },
        HubRuntime,
      ],
    };
  }
}

function hubRegistry(database: HubDatabase): Registry {
  const registry = createRegistry('hub');
  const gauge = new Gauge({
    name: 'aifi_hub_jobs_count',
    help: 'Jobs of all sites by state',
    labelNames: ['state'],
    registers: [registry],
    collect: async () => {
      const counts = await countJobs(database);
      gauge.reset();
      for (const [state, count] of counts) gauge.set({ state }, count);
    },
  });
  return registry;
}

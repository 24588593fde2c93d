/**
 * The hub's own routes: process, overviews, studies, pixels. Decides nothing: the services do.
 */
import { Controller, Header, Inject, StreamableFile } from '@nestjs/common';
import { HUB_ROUTE_ACTS } from '@aifi/access-authorisation';
import { By, Input, routesOf, type Caller } from '@aifi/access-web';
import { hubRoutes, type RouteInput, type RouteOutput } from '@aifi/contracts-rest';
import { HUB_METRICS, type HubMetrics } from './hub-metrics.js';
import { HUB_PARTS, type HubParts } from './hub-parts.js';
import { OverviewService } from './overview.service.js';
import { PixelsService } from './preview/pixels.service.js';
import { StudiesService } from './studies.service.js';

type Routes = typeof hubRoutes;
type In<R extends keyof Routes> = RouteInput<Routes[R]>;
type Out<R extends keyof Routes> = Promise<RouteOutput<Routes[R]>>;
const Hub = routesOf(hubRoutes, HUB_ROUTE_ACTS);

@Controller()
export class ProcessController {
  constructor(
    @Inject(HUB_PARTS) private readonly parts: HubParts,
    @Inject(HUB_METRICS) private readonly hubMetrics: HubMetrics,
  ) {}

  @Hub('health')
  async health(): Out<'health'> {
    await this.parts.database.withQueue((sql) => sql.rows('SELECT 1'));
    return { status: 'ok' };
  }
  @Hub('metrics')
  @Header('Content-Type', hubRoutes.metrics.media)
  metrics(): Promise<string> {
    return this.hubMetrics.registry.metrics();
  }
}

@Controller()
export class OverviewController {
  constructor(@Inject(OverviewService) private readonly overview: OverviewService) {}

  @Hub('status')
  status(@By() caller: Caller): Out<'status'> {
    return this.overview.status(caller);
  }
  @Hub('sites')
  sites(@By() caller: Caller): Out<'sites'> {
    return this.overview.sites(caller);
  }
  @Hub('siteActivity')
  activity(@By() caller: Caller, @Input() { params }: In<'siteActivity'>): Out<'siteActivity'> {
    return this.overview.activity(caller, params.siteId);
  }
  @Hub('models')
  models(@By() caller: Caller): Out<'models'> {
    return this.overview.models(caller);
  }
}

@Controller()
export class StudiesController {
  constructor(
    @Inject(StudiesService) private readonly studies: StudiesService,
    @Inject(PixelsService) private readonly pixels: PixelsService,
  ) {}

  @Hub('listStudies')
  list(@By() caller: Caller, @Input() input: In<'listStudies'>): Out<'listStudies'> {
    return this.studies.list(caller, input);
  }
  @Hub('study')
  study(@By() caller: Caller, @Input() input: In<'study'>): Out<'study'> {
    return this.studies.study(caller, input);
  }
  @Hub('job')
  job(@By() caller: Caller, @Input() input: In<'job'>): Out<'job'> {
    return this.studies.job(caller, input);
  }
  @Hub('studyInstances')
  instances(@By() caller: Caller, @Input() input: In<'studyInstances'>): Out<'studyInstances'> {
    return this.pixels.instances(caller, input);
  }
  @Hub('instancePreview')
  async preview(
    @By() caller: Caller,
    @Input() input: In<'instancePreview'>,
  ): Promise<StreamableFile> {
    // Sent by the framework, so after the record of it.
    const png = await this.pixels.preview(caller, input);
    return new StreamableFile(png, { type: hubRoutes.instancePreview.media });
  }
}

/**
 * The Nest application of the hub: the shared web edge and the hub's own routes behind it.
 * Decides that every route passes the edge's guard and interceptor.
 */
import { Module, type DynamicModule } from '@nestjs/common';
import { WebAccessModule, type WebAccessOptions } from '@aifi/access-web';
import type { Sql } from '@aifi/hub-database';
import { AuditController } from './audit.controller.js';
import { AuditService } from './audit.service.js';
import { EnrolmentController } from './enrolment.controller.js';
import { EnrolmentService } from './enrolment.service.js';
import { OverviewController, ProcessController, StudiesController } from './hub.controller.js';
import { KillSwitchController } from './kill-switch.controller.js';
import { KillSwitchService } from './kill-switch.service.js';
import { HUB_METRICS, type HubMetrics } from './hub-metrics.js';
import { HUB_PARTS, type HubParts } from './hub-parts.js';
import { HubRuntime } from './hub-runtime.js';
import { OverviewService } from './overview.service.js';
import { PixelsService } from './preview/pixels.service.js';
import { PreviewRenderer } from './preview/preview-renderer.js';
import { StudiesService } from './studies.service.js';

export interface HubModuleOptions {
  readonly parts: HubParts;
  readonly metrics: HubMetrics;
  readonly web: WebAccessOptions<Sql>;
}

@Module({})
export class HubModule {
  static with({ parts, metrics, web }: HubModuleOptions): DynamicModule {
    return {
      module: HubModule,
      imports: [WebAccessModule.with(web)],
      controllers: [
        ProcessController,
        OverviewController,
        StudiesController,
        AuditController,
        EnrolmentController,
        KillSwitchController,
      ],
      providers: [
        { provide: HUB_PARTS, useValue: parts },
        { provide: HUB_METRICS, useValue: metrics },
        { provide: PreviewRenderer, useFactory: () => new PreviewRenderer(parts.clock) },
        HubRuntime,
        OverviewService,
        StudiesService,
        PixelsService,
        AuditService,
        EnrolmentService,
        KillSwitchService,
      ],
    };
  }
}

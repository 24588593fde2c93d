/**
 * The Nest application of the gateway: the shared web edge and the gateway's own routes behind it.
 * Decides that every route passes the edge's guard and interceptor.
 */
import { Module, type DynamicModule } from '@nestjs/common';
import { WebAccessModule, type WebAccessOptions } from '@aifi/access-web';
import type { AccessTx } from '@aifi/gateway-access';
import { AuditController } from './audit.controller.js';
import { AuditService } from './audit.service.js';
import { CatalogueController } from './catalogue.controller.js';
import { CatalogueService } from './catalogue.service.js';
import { ConsentController } from './consent.controller.js';
import { ConsentService } from './consent.service.js';
import { DeadLettersController } from './dead-letters.controller.js';
import { DeadLettersService } from './dead-letters.service.js';
import { GATEWAY_METRICS, type GatewayMetrics } from './gateway-metrics.js';
import { SOURCES, type GatewaySources } from './gateway-sources.js';
import { LinkController } from './link.controller.js';
import { LinkService } from './link.service.js';
import { PixelHoldsController } from './pixel-holds.controller.js';
import { PixelHoldsService } from './pixel-holds.service.js';
import { PixelViewsService } from './pixel-views.service.js';
import { PreviewRenderer } from './preview/preview-renderer.js';
import { PrivacyController } from './privacy.controller.js';
import { PrivacyService } from './privacy.service.js';
import { ProcessController } from './process.controller.js';
import { ReconcileController } from './reconcile.controller.js';
import { ReconcileService } from './reconcile.service.js';
import { ProductRequestsController } from './product-requests.controller.js';
import { ProductRequestsService } from './product-requests.service.js';
import { RegisterController } from './register.controller.js';
import { RegisterService } from './register.service.js';
import { RetrievalController } from './retrieval.controller.js';
import { RetrievalService } from './retrieval.service.js';
import { SetupController } from './setup.controller.js';
import { SetupService } from './setup.service.js';
import { StudiesController } from './studies.controller.js';
import { StudiesService } from './studies.service.js';

export interface GatewayModuleOptions {
  readonly sources: GatewaySources;
  readonly metrics: GatewayMetrics;
  readonly web: WebAccessOptions<AccessTx>;
}

@Module({})
export class GatewayModule {
  static with({ sources, metrics, web }: GatewayModuleOptions): DynamicModule {
    return {
      module: GatewayModule,
      imports: [WebAccessModule.with(web)],
      controllers: [
        ...[ProcessController, StudiesController, DeadLettersController, LinkController],
        ...[ReconcileController, RetrievalController, ProductRequestsController],
        ...[CatalogueController, ConsentController],
        SetupController,
        ...[PixelHoldsController, RegisterController, PrivacyController, AuditController],
      ],
      providers: [
        { provide: SOURCES, useValue: sources },
        { provide: GATEWAY_METRICS, useValue: metrics },
        StudiesService,
        DeadLettersService,
        LinkService,
        ReconcileService,
        RetrievalService,
        ProductRequestsService,
        ...[CatalogueService, ConsentService],
        SetupService,
        { provide: PreviewRenderer, useFactory: () => new PreviewRenderer(sources.clock) },
        PixelViewsService,
        PixelHoldsService,
        RegisterService,
        PrivacyService,
        AuditService,
      ],
    };
  }
}

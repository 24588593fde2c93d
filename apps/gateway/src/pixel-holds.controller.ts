/**
 * The routes of images that wait for a person, and of jobs that were stopped. Decides nothing:
 * PixelHoldsService and PixelViewsService do.
 */
import { Controller, Inject, StreamableFile } from '@nestjs/common';
import { GATEWAY_ROUTE_ACTS } from '@aifi/access-authorisation';
import { By, Input, routesOf, type Caller } from '@aifi/access-web';
import {
  gatewayRoutes,
  type JobRetry,
  type PixelDecisionView,
  type PixelOpening,
  type RouteInput,
  type RouteOutput,
} from '@aifi/contracts-rest';
import { PixelHoldsService } from './pixel-holds.service.js';
import { PixelViewsService } from './pixel-views.service.js';

type Routes = typeof gatewayRoutes;
const Gateway = routesOf(gatewayRoutes, GATEWAY_ROUTE_ACTS);

@Controller()
export class PixelHoldsController {
  constructor(
    @Inject(PixelHoldsService) private readonly holds: PixelHoldsService,
    @Inject(PixelViewsService) private readonly views: PixelViewsService,
  ) {}

  @Gateway('pixelHolds')
  list(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['pixelHolds']>,
  ): Promise<RouteOutput<Routes['pixelHolds']>> {
    return this.holds.list(caller, input);
  }
  @Gateway('openPixelHold')
  open(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['openPixelHold']>,
  ): Promise<PixelOpening> {
    return this.views.open(caller, input);
  }
  @Gateway('pixelHoldPreview')
  async preview(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['pixelHoldPreview']>,
  ): Promise<StreamableFile> {
    const png = await this.views.preview(caller, input);
    return new StreamableFile(png, { type: gatewayRoutes.pixelHoldPreview.media });
  }
  @Gateway('releasePixelHold')
  release(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['releasePixelHold']>,
  ): Promise<PixelDecisionView> {
    return this.holds.release(caller, input);
  }
  @Gateway('rejectPixelHold')
  reject(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['rejectPixelHold']>,
  ): Promise<PixelDecisionView> {
    return this.holds.reject(caller, input);
  }
  @Gateway('retryJob')
  retry(@By() caller: Caller, @Input() input: RouteInput<Routes['retryJob']>): Promise<JobRetry> {
    return this.holds.retry(caller, input);
  }
}

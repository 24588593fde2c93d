/**
 * The routes about the gateway itself: health, metrics, status.
 * Decides that health asks both databases and answers nothing else.
 */
import { Controller, Header, Inject } from '@nestjs/common';
import { GATEWAY_ROUTE_ACTS } from '@aifi/access-authorisation';
import { By, routesOf, type Caller } from '@aifi/access-web';
import { gatewayRoutes, type GatewayStatus } from '@aifi/contracts-rest';
import { GATEWAY_METRICS, type GatewayMetrics } from './gateway-metrics.js';
import { SOURCES, type GatewaySources } from './gateway-sources.js';
import { readStatus } from './status-read-model.js';

const Gateway = routesOf(gatewayRoutes, GATEWAY_ROUTE_ACTS);

@Controller()
export class ProcessController {
  constructor(
    @Inject(SOURCES) private readonly sources: GatewaySources,
    @Inject(GATEWAY_METRICS) private readonly metrics: GatewayMetrics,
  ) {}

  @Gateway('health')
  health(): { status: 'ok' } {
    this.sources.database.read((sql) => sql.get('SELECT 1'));
    this.sources.access.database.read((sql) => sql.get('SELECT 1'));
    return { status: 'ok' };
  }
  @Gateway('metrics')
  @Header('Content-Type', gatewayRoutes.metrics.media)
  text(): Promise<string> {
    return this.metrics.registry.metrics();
  }
  @Gateway('status')
  status(@By() caller: Caller): Promise<GatewayStatus> {
    caller.requireSite(this.sources.config.siteId);
    return readStatus(this.sources);
  }
}

/**
 * The routes of the audit trail. Decides nothing: AuditService does.
 */
import { Controller, Inject, Res } from '@nestjs/common';
import { GATEWAY_ROUTE_ACTS } from '@aifi/access-authorisation';
import { By, Input, routesOf, type Caller } from '@aifi/access-web';
import { gatewayRoutes, type RouteInput, type RouteOutput } from '@aifi/contracts-rest';
import { AuditService } from './audit.service.js';
import type { SlowResponse } from '@aifi/access-web';

type Routes = typeof gatewayRoutes;
const Gateway = routesOf(gatewayRoutes, GATEWAY_ROUTE_ACTS);

@Controller()
export class AuditController {
  constructor(@Inject(AuditService) private readonly audit: AuditService) {}

  @Gateway('searchAudit')
  search(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['searchAudit']>,
  ): Promise<RouteOutput<Routes['searchAudit']>> {
    return this.audit.search(caller, input);
  }
  @Gateway('exportAudit')
  export(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['exportAudit']>,
    @Res() response: SlowResponse,
  ): Promise<void> {
    return this.audit.export(caller, input, response);
  }
  @Gateway('auditAnchors')
  anchors(@By() caller: Caller): Promise<RouteOutput<Routes['auditAnchors']>> {
    return this.audit.anchors(caller);
  }
  @Gateway('patientExtract')
  extract(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['patientExtract']>,
  ): RouteOutput<Routes['patientExtract']> {
    return this.audit.extract(caller, input);
  }
}

/**
 * The routes of the audit trail. Decides nothing: AuditService does.
 */
import { Controller, Inject, Res } from '@nestjs/common';
import { HUB_ROUTE_ACTS } from '@aifi/access-authorisation';
import { By, Input, routesOf, type Caller } from '@aifi/access-web';
import { hubRoutes, type RouteInput, type RouteOutput } from '@aifi/contracts-rest';
import { AuditService } from './audit.service.js';
import type { SlowResponse } from '@aifi/access-web';

type Routes = typeof hubRoutes;
const Hub = routesOf(hubRoutes, HUB_ROUTE_ACTS);

@Controller()
export class AuditController {
  constructor(@Inject(AuditService) private readonly audit: AuditService) {}

  @Hub('searchAudit')
  search(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['searchAudit']>,
  ): Promise<RouteOutput<Routes['searchAudit']>> {
    return this.audit.search(caller, input);
  }
  @Hub('exportAudit')
  export(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['exportAudit']>,
    @Res() response: SlowResponse,
  ): Promise<void> {
    return this.audit.export(caller, input, response);
  }
  @Hub('auditAnchors')
  anchors(@By() caller: Caller): Promise<RouteOutput<Routes['auditAnchors']>> {
    return this.audit.anchors(caller);
  }
}

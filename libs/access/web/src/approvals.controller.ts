/**
 * The four routes of two-person approvals. Decides nothing: ApprovalsService does.
 */
import { Controller, Inject } from '@nestjs/common';
import { accessRoutes, type ApprovalView, type RouteInput } from '@aifi/contracts-rest';
import { ApprovalsService } from './approvals.service.js';
import type { Caller } from './caller.js';
import { By, Input, routesOf } from './route-decorator.js';
import { SHARED_ROUTE_ACTS } from './shared-route-acts.js';

type Routes = typeof accessRoutes;
const Shared = routesOf(accessRoutes, SHARED_ROUTE_ACTS);

@Controller()
export class ApprovalsController {
  constructor(@Inject(ApprovalsService) private readonly approvals: ApprovalsService) {}

  @Shared('listApprovals')
  list(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['listApprovals']>,
  ): ReturnType<ApprovalsService['list']> {
    return this.approvals.list(caller, input);
  }
  @Shared('requestApproval')
  request(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['requestApproval']>,
  ): Promise<ApprovalView> {
    return this.approvals.request(caller, input);
  }
  @Shared('decideApproval')
  decide(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['decideApproval']>,
  ): Promise<ApprovalView> {
    return this.approvals.decide(caller, input);
  }
  @Shared('endApproval')
  end(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['endApproval']>,
  ): Promise<ApprovalView> {
    return this.approvals.end(caller, input);
  }
}

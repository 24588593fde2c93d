/** The routes of reconciliation. Decides nothing: ReconcileService does. */
import { Controller, Inject } from '@nestjs/common';
import { GATEWAY_ROUTE_ACTS } from '@aifi/access-authorisation';
import { By, Input, routesOf, type Caller } from '@aifi/access-web';
import { gatewayRoutes, type RouteInput, type RouteOutput } from '@aifi/contracts-rest';
import { ReconcileService } from './reconcile.service.js';

type Routes = typeof gatewayRoutes;
const Gateway = routesOf(gatewayRoutes, GATEWAY_ROUTE_ACTS);

@Controller()
export class ReconcileController {
  constructor(@Inject(ReconcileService) private readonly reconcile: ReconcileService) {}

  @Gateway('reconciliation')
  list(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['reconciliation']>,
  ): RouteOutput<Routes['reconciliation']> {
    return this.reconcile.list(caller, input);
  }
  @Gateway('dismissMissedStudy')
  dismiss(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['dismissMissedStudy']>,
  ): Promise<RouteOutput<Routes['dismissMissedStudy']>> {
    return this.reconcile.dismiss(caller, input);
  }
}

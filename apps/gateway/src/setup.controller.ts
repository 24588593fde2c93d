/** The routes of set-up and probe. Decides nothing: SetupService does. */
import { Controller, Inject } from '@nestjs/common';
import { GATEWAY_ROUTE_ACTS } from '@aifi/access-authorisation';
import { By, Input, routesOf, type Caller } from '@aifi/access-web';
import {
  gatewayRoutes,
  type ProbeView,
  type RouteInput,
  type SetupPlan,
  type SetupView,
} from '@aifi/contracts-rest';
import { SetupService } from './setup.service.js';

type Routes = typeof gatewayRoutes;
const Gateway = routesOf(gatewayRoutes, GATEWAY_ROUTE_ACTS);

@Controller()
export class SetupController {
  constructor(@Inject(SetupService) private readonly setup: SetupService) {}

  @Gateway('setup')
  view(@By() caller: Caller): SetupView {
    return this.setup.view(caller);
  }
  @Gateway('runSetupChecks')
  check(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['runSetupChecks']>,
  ): Promise<SetupView> {
    return this.setup.check(caller, input);
  }
  @Gateway('stopSetupChecks')
  stop(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['stopSetupChecks']>,
  ): Promise<SetupView> {
    return this.setup.stopChecks(caller, input);
  }
  @Gateway('planSetup')
  plan(@By() caller: Caller, @Input() input: RouteInput<Routes['planSetup']>): SetupPlan {
    return this.setup.plan(caller, input);
  }
  @Gateway('applySetup')
  apply(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['applySetup']>,
  ): Promise<SetupView> {
    return this.setup.apply(caller, input);
  }
  @Gateway('undoSetup')
  undo(@By() caller: Caller, @Input() input: RouteInput<Routes['undoSetup']>): Promise<SetupView> {
    return this.setup.undo(caller, input);
  }
  @Gateway('probe')
  probes(@By() caller: Caller): ProbeView {
    return this.setup.probes(caller);
  }
  @Gateway('runProbe')
  probe(@By() caller: Caller, @Input() input: RouteInput<Routes['runProbe']>): Promise<ProbeView> {
    return this.setup.probe(caller, input);
  }
}

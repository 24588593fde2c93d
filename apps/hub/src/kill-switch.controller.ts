/**
 * The routes of kill switches and take-overs. Decides nothing: KillSwitchService does.
 */
import { Controller, Inject } from '@nestjs/common';
import { HUB_ROUTE_ACTS } from '@aifi/access-authorisation';
import { By, Input, routesOf, type Caller } from '@aifi/access-web';
import { hubRoutes, type RouteInput, type RouteOutput } from '@aifi/contracts-rest';
import { KillSwitchService } from './kill-switch.service.js';

type Routes = typeof hubRoutes;
type In<R extends keyof Routes> = RouteInput<Routes[R]>;
type Out<R extends keyof Routes> = Promise<RouteOutput<Routes[R]>>;
const Hub = routesOf(hubRoutes, HUB_ROUTE_ACTS);

@Controller()
export class KillSwitchController {
  constructor(@Inject(KillSwitchService) private readonly killSwitch: KillSwitchService) {}

  @Hub('productStops')
  list(@By() caller: Caller): Out<'productStops'> {
    return this.killSwitch.list(caller);
  }
  @Hub('stopProduct')
  stop(@By() caller: Caller, @Input() input: In<'stopProduct'>): Out<'stopProduct'> {
    return this.killSwitch.stop(caller, input);
  }
  @Hub('resumeProduct')
  resume(@By() caller: Caller, @Input() input: In<'resumeProduct'>): Out<'resumeProduct'> {
    return this.killSwitch.resume(caller, input);
  }
  @Hub('takeOverGateway')
  takeOver(@By() caller: Caller, @Input() input: In<'takeOverGateway'>): Out<'takeOverGateway'> {
    return this.killSwitch.takeOver(caller, input);
  }
}

/** The routes of objections. Decides nothing: ConsentService does. */
import { Controller, Inject } from '@nestjs/common';
import { GATEWAY_ROUTE_ACTS } from '@aifi/access-authorisation';
import { By, Input, routesOf, type Caller } from '@aifi/access-web';
import { gatewayRoutes, type RouteInput, type RouteOutput } from '@aifi/contracts-rest';
import { ConsentService } from './consent.service.js';

type Routes = typeof gatewayRoutes;
const Gateway = routesOf(gatewayRoutes, GATEWAY_ROUTE_ACTS);

@Controller()
export class ConsentController {
  constructor(@Inject(ConsentService) private readonly consent: ConsentService) {}

  @Gateway('findObjections')
  find(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['findObjections']>,
  ): RouteOutput<Routes['findObjections']> {
    return this.consent.find(caller, input);
  }
  @Gateway('setObjection')
  set(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['setObjection']>,
  ): Promise<RouteOutput<Routes['setObjection']>> {
    return this.consent.set(caller, input);
  }
  @Gateway('withdrawObjection')
  withdraw(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['withdrawObjection']>,
  ): Promise<RouteOutput<Routes['withdrawObjection']>> {
    return this.consent.withdraw(caller, input);
  }
  @Gateway('checkObjectionList')
  check(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['checkObjectionList']>,
  ): RouteOutput<Routes['checkObjectionList']> {
    return this.consent.check(caller, input);
  }
  @Gateway('importObjectionList')
  import(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['importObjectionList']>,
  ): Promise<RouteOutput<Routes['importObjectionList']>> {
    return this.consent.import(caller, input);
  }
  @Gateway('receiveConsent')
  receive(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['receiveConsent']>,
  ): Promise<RouteOutput<Routes['receiveConsent']>> {
    return this.consent.receive(caller, input);
  }
}

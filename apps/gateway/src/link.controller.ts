/** The routes of the link to the hub. Decides nothing: LinkService does. */
import { Controller, Inject } from '@nestjs/common';
import { GATEWAY_ROUTE_ACTS } from '@aifi/access-authorisation';
import { By, Input, routesOf, type Caller } from '@aifi/access-web';
import { gatewayRoutes, type GatewayLinkView, type RouteInput } from '@aifi/contracts-rest';
import { LinkService } from './link.service.js';

const Gateway = routesOf(gatewayRoutes, GATEWAY_ROUTE_ACTS);

@Controller()
export class LinkController {
  constructor(@Inject(LinkService) private readonly link: LinkService) {}

  @Gateway('link')
  view(@By() caller: Caller): GatewayLinkView {
    return this.link.view(caller);
  }
  @Gateway('joinLink')
  join(
    @By() caller: Caller,
    @Input() input: RouteInput<(typeof gatewayRoutes)['joinLink']>,
  ): Promise<GatewayLinkView> {
    return this.link.join(caller, input);
  }
}

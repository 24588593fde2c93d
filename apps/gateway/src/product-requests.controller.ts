/** The routes of products asked for by name. Decides nothing: ProductRequestsService does. */
import { Controller, Inject } from '@nestjs/common';
import { GATEWAY_ROUTE_ACTS } from '@aifi/access-authorisation';
import { By, Input, routesOf, type Caller } from '@aifi/access-web';
import { gatewayRoutes, type RouteInput, type RouteOutput } from '@aifi/contracts-rest';
import { ProductRequestsService } from './product-requests.service.js';

type Routes = typeof gatewayRoutes;
const Gateway = routesOf(gatewayRoutes, GATEWAY_ROUTE_ACTS);

@Controller()
export class ProductRequestsController {
  constructor(@Inject(ProductRequestsService) private readonly requests: ProductRequestsService) {}

  @Gateway('productRequests')
  list(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['productRequests']>,
  ): Promise<RouteOutput<Routes['productRequests']>> {
    return this.requests.list(caller, input);
  }
  @Gateway('requestProduct')
  request(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['requestProduct']>,
  ): Promise<RouteOutput<Routes['requestProduct']>> {
    return this.requests.request(caller, input);
  }
}

/** The routes of retrieval. Decides nothing: RetrievalService does. */
import { Controller, Inject } from '@nestjs/common';
import { GATEWAY_ROUTE_ACTS } from '@aifi/access-authorisation';
import { By, Input, routesOf, type Caller } from '@aifi/access-web';
import { gatewayRoutes, type RouteInput, type RouteOutput } from '@aifi/contracts-rest';
import { RetrievalService } from './retrieval.service.js';

type Routes = typeof gatewayRoutes;
const Gateway = routesOf(gatewayRoutes, GATEWAY_ROUTE_ACTS);

@Controller()
export class RetrievalController {
  constructor(@Inject(RetrievalService) private readonly retrieval: RetrievalService) {}

  @Gateway('retrievals')
  list(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['retrievals']>,
  ): RouteOutput<Routes['retrievals']> {
    return this.retrieval.list(caller, input);
  }
  @Gateway('requestRetrieval')
  request(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['requestRetrieval']>,
  ): Promise<RouteOutput<Routes['requestRetrieval']>> {
    return this.retrieval.request(caller, input);
  }
  @Gateway('withdrawRetrieval')
  withdraw(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['withdrawRetrieval']>,
  ): Promise<RouteOutput<Routes['withdrawRetrieval']>> {
    return this.retrieval.withdraw(caller, input);
  }
  @Gateway('fetchMissedStudy')
  fetchMissed(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['fetchMissedStudy']>,
  ): Promise<RouteOutput<Routes['fetchMissedStudy']>> {
    return this.retrieval.fetchMissed(caller, input);
  }
}

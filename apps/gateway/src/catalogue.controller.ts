/** The routes of the procedure catalogue. Decides nothing: CatalogueService does. */
import { Controller, Inject, Res } from '@nestjs/common';
import { GATEWAY_ROUTE_ACTS } from '@aifi/access-authorisation';
import { By, Input, routesOf, type Caller, type SlowResponse } from '@aifi/access-web';
import { gatewayRoutes, type RouteInput, type RouteOutput } from '@aifi/contracts-rest';
import { CatalogueService } from './catalogue.service.js';

type Routes = typeof gatewayRoutes;
const Gateway = routesOf(gatewayRoutes, GATEWAY_ROUTE_ACTS);

@Controller()
export class CatalogueController {
  constructor(@Inject(CatalogueService) private readonly catalogue: CatalogueService) {}

  @Gateway('catalogue')
  versions(@By() caller: Caller): RouteOutput<Routes['catalogue']> {
    return this.catalogue.versions(caller);
  }
  @Gateway('catalogueCoverage')
  coverage(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['catalogueCoverage']>,
  ): Promise<RouteOutput<Routes['catalogueCoverage']>> {
    return this.catalogue.coverage(caller, input);
  }
  @Gateway('exportCatalogue')
  export(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['exportCatalogue']>,
    @Res() response: SlowResponse,
  ): Promise<void> {
    return this.catalogue.export(caller, input, response);
  }
  @Gateway('checkCatalogue')
  check(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['checkCatalogue']>,
  ): RouteOutput<Routes['checkCatalogue']> {
    return this.catalogue.check(caller, input);
  }
  @Gateway('importCatalogue')
  import(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['importCatalogue']>,
  ): Promise<RouteOutput<Routes['importCatalogue']>> {
    return this.catalogue.import(caller, input);
  }
  @Gateway('rollBackCatalogue')
  rollBack(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['rollBackCatalogue']>,
  ): Promise<RouteOutput<Routes['rollBackCatalogue']>> {
    return this.catalogue.rollBack(caller, input);
  }
}

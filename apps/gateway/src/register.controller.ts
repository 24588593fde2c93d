/**
 * The routes of the results register and of the erasure of a patient. Decides nothing:
 * RegisterService does.
 */
import { Controller, Inject, Res } from '@nestjs/common';
import { GATEWAY_ROUTE_ACTS } from '@aifi/access-authorisation';
import { By, Input, routesOf, type Caller, type SlowResponse } from '@aifi/access-web';
import {
  gatewayRoutes,
  type RegisteredResultView,
  type RouteInput,
  type RouteOutput,
} from '@aifi/contracts-rest';
import { RegisterService } from './register.service.js';

type Routes = typeof gatewayRoutes;
const Gateway = routesOf(gatewayRoutes, GATEWAY_ROUTE_ACTS);

@Controller()
export class RegisterController {
  constructor(@Inject(RegisterService) private readonly register: RegisterService) {}

  @Gateway('recall')
  recall(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['recall']>,
  ): RouteOutput<Routes['recall']> {
    return this.register.recall(caller, input);
  }
  // Before the route of one result, whose parameter would take its name.
  @Gateway('exportRecall')
  exportRecall(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['exportRecall']>,
    @Res() response: SlowResponse,
  ): Promise<void> {
    return this.register.exportRecall(caller, input, response);
  }
  @Gateway('registeredResult')
  registered(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['registeredResult']>,
  ): Promise<RegisteredResultView> {
    return this.register.registered(caller, input);
  }
  @Gateway('patientCode')
  patientCode(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['patientCode']>,
  ): RouteOutput<Routes['patientCode']> {
    return this.register.patientCode(caller, input);
  }
  @Gateway('erasePatient')
  erase(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['erasePatient']>,
  ): Promise<RouteOutput<Routes['erasePatient']>> {
    return this.register.erase(caller, input);
  }
}

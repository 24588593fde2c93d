/**
 * The routes of the privacy officer. Decides nothing: PrivacyService does.
 */
import { Controller, Inject } from '@nestjs/common';
import { GATEWAY_ROUTE_ACTS } from '@aifi/access-authorisation';
import { By, Input, routesOf, type Caller } from '@aifi/access-web';
import {
  gatewayRoutes,
  type AlertView,
  type PatientFlag,
  type RouteInput,
  type RouteOutput,
} from '@aifi/contracts-rest';
import { PrivacyService } from './privacy.service.js';

type Routes = typeof gatewayRoutes;
const Gateway = routesOf(gatewayRoutes, GATEWAY_ROUTE_ACTS);

@Controller()
export class PrivacyController {
  constructor(@Inject(PrivacyService) private readonly privacy: PrivacyService) {}

  @Gateway('patientFlags')
  flags(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['patientFlags']>,
  ): RouteOutput<Routes['patientFlags']> {
    return this.privacy.flags(caller, input);
  }
  @Gateway('setPatientFlag')
  setFlag(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['setPatientFlag']>,
  ): Promise<PatientFlag> {
    return this.privacy.setFlag(caller, input);
  }
  @Gateway('removePatientFlag')
  removeFlag(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['removePatientFlag']>,
  ): Promise<PatientFlag> {
    return this.privacy.removeFlag(caller, input);
  }
  @Gateway('alerts')
  alerts(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['alerts']>,
  ): RouteOutput<Routes['alerts']> {
    return this.privacy.alerts(caller, input);
  }
  @Gateway('acknowledgeAlert')
  acknowledge(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['acknowledgeAlert']>,
  ): Promise<AlertView> {
    return this.privacy.acknowledge(caller, input);
  }
}

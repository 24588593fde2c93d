/**
 * The routes of studies and of what stands behind a pseudonym.
 * Decides nothing: StudiesService does.
 */
import { Controller, Inject } from '@nestjs/common';
import { GATEWAY_ROUTE_ACTS } from '@aifi/access-authorisation';
import { By, Input, routesOf, type Caller } from '@aifi/access-web';
import {
  gatewayRoutes,
  type PatientView,
  type RouteInput,
  type RouteOutput,
  type StudyTrace,
} from '@aifi/contracts-rest';
import { StudiesService } from './studies.service.js';

type Routes = typeof gatewayRoutes;
const Gateway = routesOf(gatewayRoutes, GATEWAY_ROUTE_ACTS);

@Controller()
export class StudiesController {
  constructor(@Inject(StudiesService) private readonly studies: StudiesService) {}

  @Gateway('listStudies')
  list(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['listStudies']>,
  ): Promise<RouteOutput<Routes['listStudies']>> {
    return this.studies.list(caller, input);
  }
  @Gateway('study')
  study(@By() caller: Caller, @Input() input: RouteInput<Routes['study']>): Promise<StudyTrace> {
    return this.studies.trace(caller, input);
  }
  @Gateway('jobTrace')
  jobTrace(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['jobTrace']>,
  ): Promise<StudyTrace> {
    return this.studies.jobTrace(caller, input);
  }
  @Gateway('openIdentity')
  openIdentity(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['openIdentity']>,
  ): Promise<PatientView> {
    return this.studies.openIdentity(caller, input);
  }
  @Gateway('reidentify')
  reidentify(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['reidentify']>,
  ): Promise<RouteOutput<Routes['reidentify']>> {
    return this.studies.reidentify(caller, input);
  }
}

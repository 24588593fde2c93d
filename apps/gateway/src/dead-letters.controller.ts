/**
 * The routes of dead letters: what the PACS would not take. Decides nothing: DeadLettersService
 * does.
 */
import { Controller, Inject } from '@nestjs/common';
import { GATEWAY_ROUTE_ACTS } from '@aifi/access-authorisation';
import { By, Input, routesOf, type Caller } from '@aifi/access-web';
import {
  gatewayRoutes,
  type ReplayCount,
  type RouteInput,
  type RouteOutput,
} from '@aifi/contracts-rest';
import { DeadLettersService } from './dead-letters.service.js';

type Routes = typeof gatewayRoutes;
const Gateway = routesOf(gatewayRoutes, GATEWAY_ROUTE_ACTS);

@Controller()
export class DeadLettersController {
  constructor(@Inject(DeadLettersService) private readonly deadLetters: DeadLettersService) {}

  @Gateway('deadLetters')
  list(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['deadLetters']>,
  ): RouteOutput<Routes['deadLetters']> {
    return this.deadLetters.list(caller, input);
  }
  @Gateway('replayDeadLetter')
  replay(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['replayDeadLetter']>,
  ): Promise<ReplayCount> {
    return this.deadLetters.replay(caller, input);
  }
  @Gateway('replayDeadLetters')
  replayAll(
    @By() caller: Caller,
    @Input() input: RouteInput<Routes['replayDeadLetters']>,
  ): Promise<ReplayCount> {
    return this.deadLetters.replayAll(caller, input);
  }
}

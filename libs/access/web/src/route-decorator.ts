/**
 * Routes of a controller, bound to their contract and act.
 * Decides that a handler has exactly the address, input and act of the tables; a handler without a
 * row is refused by the guard. Usage: `const Hub = routesOf(hubRoutes, HUB_ROUTE_ACTS)`, then
 * `@Hub('status') status(@Input() input, @By() caller)`.
 */
import {
  applyDecorators,
  createParamDecorator,
  Get,
  HttpCode,
  Post,
  SetMetadata,
  type ExecutionContext,
} from '@nestjs/common';
import type { Act } from '@aifi/access-authorisation';
import type { RouteContract, RouteTable } from '@aifi/contracts-rest';
import { requestOf } from './http-request.js';

export const ROUTE = Symbol('route');
/** What the guard needs to know of a handler. */
export interface BoundRoute {
  readonly id: string;
  readonly contract: RouteContract;
  readonly act: Act;
}

export function routesOf<T extends RouteTable>(
  contracts: T,
  acts: Readonly<Record<keyof T, Act>>,
): (id: keyof T & string) => MethodDecorator {
  return (id) => {
    const contract = contracts[id] as RouteContract;
    const method = contract.method === 'GET' ? Get(contract.path) : Post(contract.path);
    const bound: BoundRoute = { id, contract, act: acts[id] };
    return applyDecorators(method, HttpCode(200), SetMetadata(ROUTE, bound));
  };
}

/** Parsed params, query and body: RouteInput of the handler's contract. */
export const Input = createParamDecorator((_: unknown, context: ExecutionContext) => {
  return requestOf(context).aifi?.input;
});
/** The Caller of this request. */
export const By = createParamDecorator((_: unknown, context: ExecutionContext) => {
  return requestOf(context).aifi?.caller;
});

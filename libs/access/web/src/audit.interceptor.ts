/**
 * AuditInterceptor: the record of a read before its answer leaves, and of what failed.
 * Decides that an answer waits for its record; that a change which took no record is a defect; and
 * that an answer holds what its contract says and nothing more.
 * Source: security specification 5 (exactly one record for each act).
 */
import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { ruleOf } from '@aifi/access-authorisation';
import { AifiError, ERROR_CATALOGUE } from '@aifi/shared-kernel';
import { requestOf } from './http-request.js';
import type { CallerOfRequest } from './request-caller.js';
import { ROUTE, type BoundRoute } from './route-decorator.js';
import { WEB_ACCESS, type WebAccessOptions } from './web-access-options.js';

@Injectable()
export class AuditInterceptor implements NestInterceptor {
  constructor(
    @Inject(WEB_ACCESS) private readonly options: WebAccessOptions,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const route = this.reflector.get<BoundRoute>(ROUTE, context.getHandler());
    const { caller } = requestOf(context).aifi!;
    return from(this.#run(route, caller, next));
  }

  async #run(route: BoundRoute, caller: CallerOfRequest, next: CallHandler): Promise<unknown> {
    let answer: unknown;
    try {
      answer = await lastValueFrom(next.handle(), { defaultValue: undefined });
    } catch (error) {
      await this.#recordFault(route, caller, error);
      throw error;
    }
    await this.#recordSuccess(route, caller);
    // Fields that a contract does not name do not leave.
    const { response } = route.contract;
    return response && answer !== undefined ? response.parse(answer) : answer;
  }

  async #recordSuccess(route: BoundRoute, caller: CallerOfRequest): Promise<void> {
    const { audited, action } = ruleOf(route.act);
    // Sign-in writes its records with the session itself.
    if (!audited || caller.isRecorded || route.act.startsWith('session.')) return;
    if (action !== 'R') throw new AifiError('INTERNAL', 'a change has left no record');
    const subject = caller.subject ?? { objectType: 'route', objectId: route.id };
    await this.options.audit.append(caller.draftOf(subject, 'success', null));
  }

  async #recordFault(route: BoundRoute, caller: CallerOfRequest, error: unknown): Promise<void> {
    if (caller.principal.kind === 'anonymous') return;
    const { code } = AifiError.from(error);
    const outcome = ERROR_CATALOGUE[code].cause === 'user' ? 'refused' : 'failed';
    // A refusal of somebody known is always on record, a fault only of what is recorded anyway.
    if (outcome === 'failed' && !ruleOf(route.act).audited) return;
    if (outcome === 'refused') this.options.onRefused?.(code);
    const subject = caller.subject ?? { objectType: 'route', objectId: route.id };
    await this.options.audit.append(caller.draftOf(subject, outcome, code));
  }
}

/**
 * ApprovalsService: requests for a second person, decisions and their end.
 * Decides who may ask and who may agree, by the access table; each step is one transaction with its
 * record. Invariant: the one who agrees is another person, with fresh authentication.
 * Source: security specification 5; reliability specification H17.
 */
import { Inject, Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import {
  ACTS_BY_TWO,
  covers,
  decide,
  mayApprove,
  type Act,
  type ActByTwo,
} from '@aifi/access-authorisation';
import {
  decideRequest,
  endApproval,
  openRequest,
  stateAt,
  type Approval,
} from '@aifi/access-approvals';
import type { accessRoutes, ApprovalView, RouteInput, RouteOutput } from '@aifi/contracts-rest';
import { AifiError } from '@aifi/shared-kernel';
import type { AuditSubject, Caller } from './caller.js';
import { WEB_ACCESS, type WebAccessOptions } from './web-access-options.js';

type Routes = typeof accessRoutes;

@Injectable()
export class ApprovalsService {
  constructor(@Inject(WEB_ACCESS) private readonly options: WebAccessOptions) {}

  async list(
    caller: Caller,
    { query }: RouteInput<Routes['listApprovals']>,
  ): Promise<RouteOutput<Routes['listApprovals']>> {
    const { approvals, clock } = this.options;
    const nowMs = clock.nowMs();
    const page = await approvals.list({ ...query, siteIds: caller.sites(), nowMs });
    return { ...page, items: page.items.map((item) => viewAt(item, nowMs)) };
  }

  async request(
    caller: Caller,
    { body }: RouteInput<Routes['requestApproval']>,
  ): Promise<ApprovalView> {
    const act = this.#actOfServer(body.act);
    requireMayAsk(caller, act, body.siteId);
    const { approvals, acts, clock } = this.options;
    const by = { id: caller.userId, name: caller.userName };
    const answer = await acts.perform(caller, body, async (tx) => {
      const nowMs = clock.nowMs();
      const request = openRequest({ ...body, act, id: randomUUID(), by, nowMs });
      await approvals.insert(tx, request);
      return { answer: viewAt(request, nowMs), subject: subjectOf(request, body.reason) };
    });
    this.options.changes.notify('approvals');
    return answer;
  }

  decide(caller: Caller, input: RouteInput<Routes['decideApproval']>): Promise<ApprovalView> {
    const { decision, reason } = input.body;
    return this.#change(caller, input, (approval, nowMs) => {
      const by = { id: caller.userId, name: caller.userName };
      const decided = decideRequest(approval, decision, { by, reason, nowMs });
      if (!mayApprove(caller.principal, approval.act as Act, approval.siteId)) {
        throw new AifiError('FORBIDDEN', 'no role of the caller may agree to this');
      }
      return decided;
    });
  }

  end(caller: Caller, input: RouteInput<Routes['endApproval']>): Promise<ApprovalView> {
    return this.#change(caller, input, (approval, nowMs) => {
      const isOwn = approval.requestedBy.id === caller.userId;
      const mayAgree = mayApprove(caller.principal, approval.act as Act, approval.siteId);
      if (!isOwn && !mayAgree) {
        throw new AifiError('FORBIDDEN', 'only who asked or may agree can end this');
      }
      return endApproval(approval, { nowMs });
    });
  }

  async #change(
    caller: Caller,
    { params, body }: { params: { approvalId: string }; body: { reason: string } },
    step: (approval: Approval, nowMs: number) => Approval,
  ): Promise<ApprovalView> {
    const { approvals, acts, clock } = this.options;
    caller.about({ objectType: 'approval', objectId: params.approvalId });
    const answer = await acts.perform(caller, { params, body }, async (tx) => {
      const approval = await approvals.find(tx, params.approvalId);
      if (!approval) throw new AifiError('NOT_FOUND', 'there is no such request');
      caller.requireSite(approval.siteId);
      caller.about(subjectOf(approval, body.reason));
      const nowMs = clock.nowMs();
      const changed = step(approval, nowMs);
      await approvals.update(tx, changed);
      return { answer: viewAt(changed, nowMs), subject: subjectOf(changed, body.reason) };
    });
    this.options.changes.notify('approvals');
    return answer;
  }

  /** An act by two that one of this server's routes does. */
  #actOfServer(name: string): ActByTwo {
    const own = Object.values(this.options.routeActs);
    const act = ACTS_BY_TWO.find((candidate) => candidate === name && own.includes(candidate));
    if (!act) throw new AifiError('INVALID_ARGUMENT', 'the request does not match: act');
    return act as ActByTwo;
  }
}

function requireMayAsk(caller: Caller, act: Act, siteId: string): void {
  // The step-up was asked for by the request itself; who may ask does not depend on it.
  const fresh = { ...caller.principal, steppedUpAtMs: 0 } as Caller['principal'];
  const decision = decide(fresh, act, 0);
  if (!decision.ok) throw new AifiError('FORBIDDEN', 'no role of the caller may ask for this');
  if (!covers(decision.value.reach, siteId)) {
    throw new AifiError('NOT_FOUND', 'there is no such object');
  }
}

const viewAt = (approval: Approval, nowMs: number): ApprovalView => ({
  ...approval,
  state: stateAt(approval, nowMs),
});

function subjectOf(approval: Approval, reason: string): AuditSubject {
  const { id, siteId, act, objectId, state, requestedBy, decidedBy } = approval;
  return {
    ...{ objectType: 'approval', objectId: id, siteId, reason },
    responsibleUserId: decidedBy ? requestedBy.id : null,
    detail: { act, about: objectId, state },
  };
}

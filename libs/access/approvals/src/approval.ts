/**
 * Approval: the state machine of an act that needs two persons.
 * Decides who may agree (never the one who asked), until when, and what time does to a request.
 * Pure: stores and clocks are the caller's. Invariants: REFUSED, WITHDRAWN, EXPIRED and ENDED are
 * final; a grant always has an end. Source: security specification 5 (acts marked A); H17.
 */
import { APPROVAL_REQUEST_MS_MAX, ruleOf, type Act } from '@aifi/access-authorisation';
import type { ApprovalState } from '@aifi/contracts-rest';
import { AifiError } from '@aifi/shared-kernel';
import type { Approval } from './approval-store.js';

export interface Person {
  readonly id: string;
  readonly name: string;
}
export interface NewApproval {
  readonly id: string;
  readonly act: Act;
  readonly siteId: string;
  readonly objectId: string;
  readonly reason: string;
  readonly by: Person;
  readonly nowMs: number;
}
/** What somebody says about a request, and when. */
export interface Statement {
  readonly by: Person;
  readonly reason: string;
  readonly nowMs: number;
}

export function openRequest({ by, nowMs, ...request }: NewApproval): Approval {
  if (ruleOf(request.act).grantMs === undefined) {
    throw new AifiError('INVALID_ARGUMENT', 'this act needs no second person');
  }
  return {
    ...request,
    state: 'REQUESTED',
    requestedBy: by,
    requestedAtMs: nowMs,
    expiresAtMs: nowMs + APPROVAL_REQUEST_MS_MAX,
    ...{ decidedBy: null, decidedAtMs: null, decisionReason: null },
    ...{ grantedUntilMs: null, endedAtMs: null },
  };
}

/** The state as of a time: a request can run out, a grant always does. */
export function stateAt(approval: Approval, nowMs: number): ApprovalState {
  const { state, expiresAtMs, grantedUntilMs } = approval;
  if (state === 'REQUESTED' && nowMs >= expiresAtMs) return 'EXPIRED';
  if (state === 'APPROVED' && nowMs >= (grantedUntilMs ?? 0)) return 'ENDED';
  return state;
}

/** STATE_CONFLICT when it is no longer open; FORBIDDEN for the person who asked. */
export function decideRequest(
  approval: Approval,
  decision: 'approve' | 'refuse',
  { by, reason, nowMs }: Statement,
): Approval {
  if (stateAt(approval, nowMs) !== 'REQUESTED') {
    throw new AifiError('STATE_CONFLICT', 'the request is no longer open');
  }
  if (approval.requestedBy.id === by.id) {
    throw new AifiError('FORBIDDEN', 'the second person must be another person');
  }
  const decided = { ...approval, decidedBy: by, decidedAtMs: nowMs, decisionReason: reason };
  if (decision === 'refuse') return { ...decided, state: 'REFUSED' };
  const grantMs = ruleOf(approval.act as Act).grantMs ?? 0;
  return { ...decided, state: 'APPROVED', grantedUntilMs: nowMs + grantMs };
}

/** Withdraws a request or ends a grant before its time. STATE_CONFLICT when it is over already. */
export function endApproval(approval: Approval, { nowMs }: Pick<Statement, 'nowMs'>): Approval {
  const state = stateAt(approval, nowMs);
  if (state === 'REQUESTED') return { ...approval, state: 'WITHDRAWN', endedAtMs: nowMs };
  if (state === 'APPROVED') return { ...approval, state: 'ENDED', endedAtMs: nowMs };
  throw new AifiError('STATE_CONFLICT', 'the request or grant is over already');
}

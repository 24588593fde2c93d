/**
 * Who is offered the decision on a request, and what becomes of requests on a page.
 * Decides only what a page offers: the server decides by the access table whether it may be done.
 * Source: rows `linkage`, `vault-erasure` and `hub-pixels` of the access table
 * (libs/access/authorisation).
 */
import type { ApprovalView, SessionView } from '@aifi/contracts-rest';

/** Roles with the letter A, by act. */
const APPROVERS: Readonly<Record<string, readonly string[]>> = {
  'pixels.read': ['central-operator', 'raio'],
  'linkage.read': ['hospital-it', 'privacy-officer'],
  'vault.erase': ['hospital-it', 'privacy-officer'],
};

export function maySecond({ roles, user, acts }: SessionView, approval: ApprovalView): boolean {
  const approvers = APPROVERS[approval.act] ?? roles;
  return (
    acts.includes('approval.decide') &&
    approval.requestedBy.id !== user.id &&
    roles.some((role) => approvers.includes(role))
  );
}

export interface SortedApprovals {
  readonly toDecide: readonly ApprovalView[];
  readonly running: readonly ApprovalView[];
  readonly own: readonly ApprovalView[];
  readonly past: readonly ApprovalView[];
}

/** Each request in one list: what waits, what runs, one's own, and the rest. */
export function sortApprovals(
  approvals: readonly ApprovalView[],
  session: SessionView,
): SortedApprovals {
  const isOwn = ({ requestedBy }: ApprovalView): boolean => requestedBy.id === session.user.id;
  return {
    toDecide: approvals.filter((one) => one.state === 'REQUESTED' && !isOwn(one)),
    running: approvals.filter((one) => one.state === 'APPROVED'),
    own: approvals.filter((one) => isOwn(one) && one.state !== 'APPROVED'),
    past: approvals.filter(
      (one) => !isOwn(one) && one.state !== 'APPROVED' && one.state !== 'REQUESTED',
    ),
  };
}

/** The newest request of a person for an act on an object, as of now; undefined: none. */
export function latestRequest(
  approvals: readonly ApprovalView[],
  wanted: Pick<ApprovalView, 'act' | 'siteId' | 'objectId'> & { readonly userId: string },
): ApprovalView | undefined {
  return approvals
    .filter(
      ({ act, siteId, objectId, requestedBy }) =>
        act === wanted.act &&
        siteId === wanted.siteId &&
        objectId === wanted.objectId &&
        requestedBy.id === wanted.userId,
    )
    .sort((a, b) => b.requestedAtMs - a.requestedAtMs)[0];
}

/** What a request is at this moment: time passes while a page is open. */
export function stateNow(
  { state, expiresAtMs, grantedUntilMs }: ApprovalView,
  nowMs: number,
): ApprovalView['state'] {
  if (state === 'REQUESTED' && nowMs >= expiresAtMs) return 'EXPIRED';
  return state === 'APPROVED' && nowMs >= (grantedUntilMs ?? 0) ? 'ENDED' : state;
}

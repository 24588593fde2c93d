/**
 * approvals: requests for a second person, seen, made, decided and ended.
 * Decides the columns and what the next step is. Invariant: each order carries a key of its own, so
 * that an answer that was lost on its way is not a second order.
 */
import { accessRoutes, type ApprovalView } from '@aifi/contracts-rest';
import { askPages, tell, type Answer } from './api-client.js';
import type { Command } from './command-line.js';
import type { ApprovalDocument, ApprovalsDocument } from './documents.js';
import { columns, Times } from './plain-values.js';
import { faultOf } from './server-fault.js';
import type { Terminal } from './terminal.js';

const { listApprovals, requestApproval } = accessRoutes;
const PATH = listApprovals.path.slice(1);
const LIMIT = 50;

export async function approvalsDocument(
  { server, options }: Command,
  { fetch }: Terminal,
): Promise<ApprovalsDocument> {
  const filter = { state: options.state, limit: Number(options.limit ?? LIMIT) };
  const address = { url: server, path: PATH };
  const answer = await askPages(fetch, address, listApprovals.response, filter);
  const items = answer.kind === 'found' ? [...answer.document.items] : [];
  return { schema: 'aifictl.approvals.v1', server, items, fault: faultOf(answer) };
}

export async function changeApproval(
  command: Command,
  terminal: Terminal,
): Promise<ApprovalDocument> {
  const { server } = command;
  const { path, body } = orderOf(command);
  const order = { body, key: terminal.newKey() };
  const { response } = requestApproval;
  const answer: Answer<ApprovalView> = await tell(
    terminal.fetch,
    { url: server, path },
    order,
    response,
  );
  const approval = answer.kind === 'found' ? answer.document : null;
  return { schema: 'aifictl.approval.v1', server, approval, fault: faultOf(answer) };
}

function orderOf({ name, id, options }: Command): { path: string; body: object } {
  const { reason, site: siteId, object: objectId } = options;
  const one = `${PATH}/${encodeURIComponent(id)}`;
  if (name === 'approvals request') {
    return { path: PATH, body: { act: id, siteId, objectId, reason } };
  }
  if (name === 'approvals end') return { path: `${one}/end`, body: { reason } };
  const decision = name === 'approvals approve' ? 'approve' : 'refuse';
  return { path: `${one}/decision`, body: { decision, reason } };
}

export function renderApprovals(document: ApprovalsDocument, timeZone: string): string {
  const { items, fault, server } = document;
  if (fault !== null) return `! ${server} ${fault}\n`;
  if (items.length === 0) return 'none\n';
  const times = new Times(timeZone, 0);
  const rows = items.map((one) => [
    one.id,
    one.state,
    one.act,
    one.siteId,
    one.objectId,
    one.requestedBy.name,
    times.dated(one.requestedAtMs),
    one.decidedBy?.name ?? '-',
    one.reason,
  ]);
  const titles = ['id', 'state', 'act', 'site', 'object', 'asked by', `at (${timeZone})`];
  return `${columns([[...titles, 'decided by', 'reason'], ...rows]).join('\n')}\n`;
}

export function renderApproval(document: ApprovalDocument, timeZone: string): string {
  const { approval, fault, server } = document;
  if (approval === null) return `! ${server} ${fault}\n`;
  const times = new Times(timeZone, 0);
  const { id, act, siteId, objectId, state } = approval;
  return `${id}: ${act} of ${objectId} at ${siteId} is ${state}\n${nextStep(approval, times)}`;
}

/** What follows; empty when nothing does. */
function nextStep(approval: ApprovalView, times: Times): string {
  const { id, state, expiresAtMs, grantedUntilMs, decidedBy } = approval;
  const zone = `(${times.timeZone})`;
  if (state === 'REQUESTED') {
    const until = times.dated(expiresAtMs);
    return `  another person agrees before ${until} ${zone}: aifictl approvals approve ${id}\n`;
  }
  if (state === 'APPROVED' && grantedUntilMs !== null) {
    const words = `${decidedBy?.name ?? 'a second person'} agreed`;
    return `  ${words}: it may be done until ${times.dated(grantedUntilMs)} ${zone}\n`;
  }
  return '';
}

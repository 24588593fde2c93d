/**
 * pixel-holds and jobs retry: images that wait for a person, what the person decides, and jobs that
 * were stopped. Decides the columns, and that a decision names the digest of the file as the list
 * shows it now. Invariants: nobody releases here what they have not looked at: the gateway's page
 * shows the images, and the server refuses until they were seen; each order carries a key of its
 * own; no patient in any output.
 */
import { gatewayRoutes, type PixelHoldView } from '@aifi/contracts-rest';
import { ask, askPages, query, tell, type Answer } from './api-client.js';
import type { Command } from './command-line.js';
import type { JobRetryDocument, PixelDecisionDocument, PixelHoldsDocument } from './documents.js';
import { columns, Times } from './plain-values.js';
import { faultOf } from './server-fault.js';
import type { Terminal } from './terminal.js';

const { pixelHolds, releasePixelHold, retryJob } = gatewayRoutes;
const PATH = pixelHolds.path.slice(1);
const LIMIT = 50;

export async function pixelHoldsDocument(
  { server, options }: Command,
  { fetch }: Terminal,
): Promise<PixelHoldsDocument> {
  const filter = { jobId: options.job, limit: Number(options.limit ?? LIMIT) };
  const address = { url: server, path: PATH };
  const answer = await askPages(fetch, address, pixelHolds.response, filter);
  const { items, nextCursor } = answer.kind === 'found' ? answer.document : NOTHING;
  return {
    ...{ schema: 'aifictl.pixel-holds.v1', server, items: [...items] },
    ...{ more: nextCursor !== null, fault: faultOf(answer) },
  };
}
const NOTHING = { items: [], nextCursor: null };

export async function decisionDocument(
  { name, id, server, options }: Command,
  terminal: Terminal,
): Promise<PixelDecisionDocument> {
  const schema = 'aifictl.pixel-decision.v1';
  const found = await holdOf(server, id, terminal);
  if (found.kind !== 'found') {
    return { schema, server, id, decision: null, fault: faultOf(found) };
  }
  const { sha256 } = found.document;
  const step = name === 'pixel-holds release' ? 'release' : 'rejection';
  const path = `${PATH}/${encodeURIComponent(id)}/${step}`;
  const order = { body: { sha256, reason: options.reason }, key: terminal.newKey() };
  const { response } = releasePixelHold;
  const answer = await tell(terminal.fetch, { url: server, path }, order, response);
  const decision = answer.kind === 'found' ? answer.document : null;
  return { schema, server, id, decision, fault: faultOf(answer) };
}

/** What waits under this number now. */
async function holdOf(
  url: string,
  holdId: string,
  { fetch }: Terminal,
): Promise<Answer<PixelHoldView>> {
  const path = `${PATH}${query({ holdId, limit: 1 })}`;
  const answer = await ask(fetch, { url, path }, pixelHolds.response);
  if (answer.kind !== 'found') return answer;
  const [hold] = answer.document.items;
  return hold ? { kind: 'found', document: hold } : { kind: 'absent' };
}

export async function retryDocument(
  { id, server, options }: Command,
  terminal: Terminal,
): Promise<JobRetryDocument> {
  const path = `api/v1/jobs/${encodeURIComponent(id)}/retry`;
  const order = { body: { reason: options.reason }, key: terminal.newKey() };
  const { response } = retryJob;
  const answer = await tell(terminal.fetch, { url: server, path }, order, response);
  const retry = answer.kind === 'found' ? answer.document : null;
  return { schema: 'aifictl.job-retry.v1', server, id, retry, fault: faultOf(answer) };
}

export function renderPixelHolds(document: PixelHoldsDocument, timeZone: string): string {
  const { items, fault, server, more } = document;
  if (fault !== null) return `! ${server} ${fault}\n`;
  if (items.length === 0) return 'none\n';
  const times = new Times(timeZone, 0);
  const rows = items.map((one) => [
    one.id,
    times.dated(one.heldAtMs),
    one.lane,
    one.product,
    one.reason,
    String(one.findings.length),
    String(one.files),
    `${times.dated(one.deadlineAtMs)}${one.isLate ? ' (passed)' : ''}`,
    one.jobId,
    one.studyInstanceUid ?? 'not for your role',
  ]);
  const titles = ['id', `since (${timeZone})`, 'lane', 'product', 'reason', 'marks', 'files'];
  const table = columns([[...titles, 'deadline', 'job', 'study'], ...rows]);
  return `${[...table, ...(more ? ['there are more: --limit'] : [])].join('\n')}\n`;
}

export function renderDecision({ server, id, decision, fault }: PixelDecisionDocument): string {
  if (decision === null) return `! ${server} ${fault}\n`;
  const { isDecided, state, waiting, isTakenUp } = decision;
  if (!isDecided) return `! ${id} was decided before: ${state}\n`;
  if (state === 'REJECTED') return `${id} is rejected: the study is reported as not analysed\n`;
  if (isTakenUp) return `${id} is released: the study goes on\n`;
  if (waiting > 0) return `${id} is released; of the same job ${waiting} still to look at\n`;
  return `! ${id} is released, but the study does not go on: a newer revision is ahead\n`;
}

export function renderRetry({ server, id, retry, fault }: JobRetryDocument): string {
  if (retry === null) return `! ${server} ${fault}\n`;
  if (retry.isTakenUp) return `${id} is tried again\n`;
  const why = 'it waits for a person, ended otherwise or was overtaken';
  return `! ${id} was not taken up (${retry.state}): ${why}\n`;
}

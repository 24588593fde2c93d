/**
 * study request, study requests: "run this AI on this study" at a gateway, and what came of it.
 * Decides how an answer reads: SELECTED, or what stays in the way in words.
 * Invariants: an order carries a key of its own; no patient in any output.
 * Source: features specification 37 (manual send).
 */
import { z } from 'zod';
import { gatewayRoutes, productRequestSchema } from '@aifi/contracts-rest';
import { isUid } from '@aifi/shared-kernel';
import { ask, tell } from './api-client.js';
import { UsageError, type Command } from './command-line.js';
import { columns, Times } from './plain-values.js';
import { faultOf } from './server-fault.js';
import type { Terminal } from './terminal.js';

const { requestProduct, productRequests } = gatewayRoutes;

export const studyRequestDocumentSchema = z.object({
  schema: z.literal('aifictl.study-request.v1'),
  server: z.string(),
  study: z.string(),
  request: requestProduct.response.nullable(),
  fault: z.string().nullable(),
});
export type StudyRequestDocument = z.infer<typeof studyRequestDocumentSchema>;
export const studyRequestsDocumentSchema = z.object({
  schema: z.literal('aifictl.study-requests.v1'),
  server: z.string(),
  study: z.string(),
  /** Newest first. */
  items: z.array(productRequestSchema),
  fault: z.string().nullable(),
});
export type StudyRequestsDocument = z.infer<typeof studyRequestsDocumentSchema>;

export async function studyRequest(
  { server, id: study, options }: Command,
  terminal: Terminal,
): Promise<StudyRequestDocument> {
  const { product, reason } = options;
  const body = { product, ...(reason !== undefined && { reason }), from: 'command-line' };
  const order = { body, key: terminal.newKey() };
  const address = { url: server, path: pathOf(study) };
  const answer = await tell(terminal.fetch, address, order, requestProduct.response);
  const request = answer.kind === 'found' ? answer.document : null;
  return { schema: 'aifictl.study-request.v1', server, study, request, fault: faultOf(answer) };
}

export async function studyRequests(
  { server, id: study }: Command,
  { fetch }: Terminal,
): Promise<StudyRequestsDocument> {
  const answer = await ask(fetch, { url: server, path: pathOf(study) }, productRequests.response);
  const items = answer.kind === 'found' ? answer.document.items : [];
  return { schema: 'aifictl.study-requests.v1', server, study, items, fault: faultOf(answer) };
}

function pathOf(study: string): string {
  if (!isUid(study)) throw new UsageError('a study is named by its StudyInstanceUID');
  return productRequests.path.slice(1).replace(':studyInstanceUid', study);
}

export function renderStudyRequest({
  request,
  study,
  server,
  fault,
}: StudyRequestDocument): string {
  if (!request) return `! ${server} ${fault}\n`;
  const { product, isNew } = request;
  return isNew
    ? `${product} is asked for on ${study}; aifictl study requests ${study} tells what came of it\n`
    : `${product} was asked for on ${study} already, and is not answered yet\n`;
}

export function renderStudyRequests(
  { items, server, fault }: StudyRequestsDocument,
  timeZone: string,
): string {
  if (fault !== null) return `! ${server} ${fault}\n`;
  if (items.length === 0) return 'none\n';
  const times = new Times(timeZone, 0);
  const rows = items.map(({ product, source, requestedAtMs, answer, words }) => [
    times.toSecond(requestedAtMs),
    product,
    source,
    [answer ?? 'not answered yet', words?.en].filter(Boolean).join(': '),
  ]);
  const lines = columns([[`asked (${timeZone})`, 'product', 'by', 'answer'], ...rows]);
  return `${lines.join('\n')}\n`;
}

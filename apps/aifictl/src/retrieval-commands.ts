/**
 * study fetch and retrieval: studies that a gateway fetches from its PACS.
 * Decides the columns, and that an accession number is read from a file, never from the command
 * line, where other users and the shell's history would see it.
 * Invariants: an order carries a key of its own; no patient and no accession number in any output.
 * Source: features specification 4.
 */
import { z } from 'zod';
import { gatewayRoutes, retrievalSchema, type RetrievalView } from '@aifi/contracts-rest';
import { askPages, tell } from './api-client.js';
import { UsageError, type Command } from './command-line.js';
import { columns, Times } from './plain-values.js';
import { faultOf } from './server-fault.js';
import type { Terminal } from './terminal.js';

const { retrievals, requestRetrieval, withdrawRetrieval } = gatewayRoutes;
const PATH = retrievals.path.slice(1);
const LIMIT = 50;
/** The PACS is asked whose number it is. @unit ms */
const LOOK_UP_MS_MAX = 60_000;

export const retrievalsDocumentSchema = z.object({
  schema: z.literal('aifictl.retrievals.v1'),
  server: z.string(),
  /** Newest first; of `study fetch` those that were ordered. */
  items: z.array(retrievalSchema),
  more: z.boolean(),
  fault: z.string().nullable(),
});
export type RetrievalsDocument = z.infer<typeof retrievalsDocumentSchema>;
export const retrievalWithdrawalDocumentSchema = z.object({
  schema: z.literal('aifictl.retrieval-withdrawal.v1'),
  server: z.string(),
  id: z.string(),
  withdrawn: z.boolean(),
  fault: z.string().nullable(),
});
export type RetrievalWithdrawalDocument = z.infer<typeof retrievalWithdrawalDocumentSchema>;

export async function retrievalsDocument(
  { server, options }: Command,
  { fetch }: Terminal,
): Promise<RetrievalsDocument> {
  const filter = { state: options.state, limit: Number(options.limit ?? LIMIT) };
  const answer = await askPages(fetch, { url: server, path: PATH }, retrievals.response, filter);
  const { items, nextCursor } = answer.kind === 'found' ? answer.document : NOTHING;
  return {
    ...{ schema: 'aifictl.retrievals.v1', server, items: [...items] },
    ...{ more: nextCursor !== null, fault: faultOf(answer) },
  };
}
const NOTHING = { items: [], nextCursor: null };

export async function fetchDocument(
  { server, options }: Command,
  terminal: Terminal,
): Promise<RetrievalsDocument> {
  const { study, product, 'accession-file': file } = options;
  if ((study === undefined) === (file === undefined)) {
    throw new UsageError('study fetch takes --study or --accession-file');
  }
  const named =
    file === undefined
      ? { studyInstanceUid: study }
      : { accessionNumber: firstLine(file, terminal) };
  const body = { ...named, ...(product !== undefined && { product }), from: 'command-line' };
  const order = { body, key: terminal.newKey(), timeoutMs: LOOK_UP_MS_MAX };
  const address = { url: server, path: PATH };
  const answer = await tell(terminal.fetch, address, order, requestRetrieval.response);
  const items = answer.kind === 'found' ? answer.document.retrievals : [];
  const fault = faultOf(answer);
  return { schema: 'aifictl.retrievals.v1', server, items, more: false, fault };
}

function firstLine(path: string, { files }: Terminal): string {
  let text = '';
  try {
    text = files.readText(path);
  } catch {
    throw new UsageError('the file of --accession-file does not read');
  }
  const [line = ''] = text.split(/\r?\n/);
  if (line.trim() !== '') return line.trim();
  throw new UsageError('--accession-file has the accession number in its first line');
}

export async function withdrawalDocument(
  { server, id }: Command,
  terminal: Terminal,
): Promise<RetrievalWithdrawalDocument> {
  if (!/^[1-9]\d{0,14}$/.test(id)) throw new UsageError('an id is a number, as in retrieval list');
  const order = { body: {}, key: terminal.newKey() };
  const address = { url: server, path: `${PATH}/${id}/withdrawal` };
  const answer = await tell(terminal.fetch, address, order, withdrawRetrieval.response);
  const withdrawn = answer.kind === 'found' && answer.document.withdrawn;
  const schema = 'aifictl.retrieval-withdrawal.v1';
  return { schema, server, id, withdrawn, fault: faultOf(answer) };
}

export function renderRetrievals(document: RetrievalsDocument, timeZone: string): string {
  const { items, fault, server, more } = document;
  if (fault !== null) return `! ${server} ${fault}\n`;
  if (items.length === 0) return 'none\n';
  const times = new Times(timeZone, 0);
  const rows = items.map((one) => [
    String(one.id),
    times.dated(one.createdAtMs),
    one.cause,
    one.product ?? '-',
    one.state,
    `${one.receivedInstances ?? '-'}/${one.expectedInstances ?? '-'}`,
    String(one.attempts),
    one.studyInstanceUid,
    reasonWords(one),
  ]);
  const titles = ['id', `since (${timeZone})`, 'cause', 'product', 'state', 'images', 'fetches'];
  const table = columns([[...titles, 'study', 'reason'], ...rows]);
  return `${[...table, ...(more ? ['there are more: --limit'] : [])].join('\n')}\n`;
}

const reasonWords = ({ reason, words }: RetrievalView): string =>
  reason === null ? '-' : words === null ? reason : `${reason} (${words.en})`;

export function renderWithdrawal(document: RetrievalWithdrawalDocument): string {
  const { server, id, withdrawn, fault } = document;
  if (fault !== null) return `! ${server} ${fault}\n`;
  return withdrawn ? `${id} is not fetched any more\n` : `! ${id} had ended already\n`;
}

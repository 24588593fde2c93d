/**
 * dead-letters: what a gateway's PACS would not take, and how it is sent again.
 * Decides the columns and what counts as done: one letter that could not be sent again is not.
 * Invariants: each order carries a key of its own, so that an answer that was lost on its way is
 * not a second order; no patient in any output, as the interface has none.
 */
import { gatewayRoutes, type DeadLetterView } from '@aifi/contracts-rest';
import { askPages, tell } from './api-client.js';
import { UsageError, type Command } from './command-line.js';
import type { DeadLetterReplayDocument, DeadLettersDocument } from './documents.js';
import { columns, count, Times } from './plain-values.js';
import { faultOf } from './server-fault.js';
import type { Terminal } from './terminal.js';

const { deadLetters, replayDeadLetters } = gatewayRoutes;
const PATH = deadLetters.path.slice(1);
const LIMIT = 50;
/** @unit ms */
const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

export async function deadLettersDocument(
  { server, options }: Command,
  { fetch }: Terminal,
): Promise<DeadLettersDocument> {
  const filter = { code: options.code, limit: Number(options.limit ?? LIMIT) };
  const { response } = deadLetters;
  const answer = await askPages(fetch, { url: server, path: PATH }, response, filter);
  const { items, nextCursor } = answer.kind === 'found' ? answer.document : NOTHING;
  return {
    ...{ schema: 'aifictl.dead-letters.v1', server, items: [...items] },
    ...{ more: nextCursor !== null, fault: faultOf(answer) },
  };
}
const NOTHING = { items: [], nextCursor: null };

export async function replayDocument(
  command: Command,
  terminal: Terminal,
): Promise<DeadLetterReplayDocument> {
  const { server, id } = command;
  const one = `${PATH}/${encodeURIComponent(id)}/replay`;
  const [path, body] = id === '' ? [`${PATH}/replay`, selectionOf(command)] : [one, {}];
  const order = { body, key: terminal.newKey() };
  const { response } = replayDeadLetters;
  const answer = await tell(terminal.fetch, { url: server, path }, order, response);
  const { replayed, skipped } = answer.kind === 'found' ? answer.document : NEITHER;
  return {
    ...{ schema: 'aifictl.dead-letter-replay.v1', server, id: id === '' ? null : id },
    ...{ replayed, skipped, fault: faultOf(answer) },
  };
}
const NEITHER = { replayed: 0, skipped: 0 };

/** Without a filter it is all of them, and says so. */
function selectionOf({ options }: Command): object {
  const { code, 'older-than': age } = options;
  if (code === undefined && age === undefined) return { all: true };
  return {
    ...(code !== undefined && { code }),
    ...(age !== undefined && { olderThanMs: durationMs(age) }),
  };
}

/** `2h` as milliseconds. Throws UsageError. */
export function durationMs(text: string): number {
  const [, number, unit] = /^([1-9]\d{0,4})([smhd])$/.exec(text) ?? [];
  const ms = Number(number) * UNITS[unit as keyof typeof UNITS];
  if (ms <= 366 * UNITS.d) return ms;
  throw new UsageError('--older-than is a time such as 30m, 2h or 7d, at most 366d');
}

/** Whether what was asked has been done. */
export const isReplayed = ({ id, replayed, fault }: DeadLetterReplayDocument): boolean =>
  fault === null && (id === null || replayed > 0);

export function renderDeadLetters(document: DeadLettersDocument, timeZone: string): string {
  const { items, fault, server, more } = document;
  if (fault !== null) return `! ${server} ${fault}\n`;
  if (items.length === 0) return 'none\n';
  const times = new Times(timeZone, 0);
  const rows = items.map((one) => [
    one.id,
    times.dated(one.sinceMs),
    one.product ?? '-',
    one.kind,
    reasonWords(one),
    one.dimseStatus ?? '-',
    String(one.attempts),
    String(one.replays),
    one.jobId,
    one.studyInstanceUid ?? 'not for your role',
  ]);
  const titles = ['id', `since (${timeZone})`, 'product', 'object', 'reason', 'PACS', 'attempts'];
  const table = columns([[...titles, 'sent again', 'job', 'study'], ...rows]);
  return `${[...table, ...(more ? ['there are more: --limit'] : [])].join('\n')}\n`;
}

const reasonWords = ({ code, words }: DeadLetterView): string =>
  words === null ? code : `${code} (${words.en})`;

export function renderReplay(document: DeadLetterReplayDocument): string {
  const { server, id, replayed, skipped, fault } = document;
  if (fault !== null) return `! ${server} ${fault}\n`;
  if (id !== null) {
    return replayed > 0
      ? `${id} goes to the PACS again\n`
      : `! ${id} was not sent again: it is no dead letter any more, or was overtaken\n`;
  }
  if (replayed + skipped === 0) return 'nothing to send again\n';
  const notes =
    skipped === 0 ? [] : [`${count(skipped, 'object')} left out: settled meanwhile, or overtaken`];
  return `${[`${count(replayed, 'object')} to go to the PACS again`, ...notes].join('\n')}\n`;
}

/**
 * audit search and export: the trail of one server.
 * Decides the columns of a record and that an export is a file for its user's eyes only.
 * Invariant: an export is the server's bytes, unchanged, or it is said to have failed.
 */
import { createHash } from 'node:crypto';
import { auditRoutes } from '@aifi/contracts-rest';
import { ask, askPages, query, refusalOf } from './api-client.js';
import { UsageError, type Command } from './command-line.js';
import type { AuditExportDocument, AuditSearchDocument } from './documents.js';
import { columns, Times } from './plain-values.js';
import { faultOf } from './server-fault.js';
import type { Terminal } from './terminal.js';

const LIMIT = 50;
/** A chain of years over a slow line. @unit ms */
const EXPORT_MS_MAX = 3_600_000;

function filterOf({ options }: Command): Record<string, string | number | undefined> {
  const { from, to, act, user: userId, outcome, object: objectId, site: siteId } = options;
  const ms = (time: string | undefined): number | undefined =>
    time === undefined ? undefined : Date.parse(time);
  return { fromMs: ms(from), toMs: ms(to), act, userId, outcome, objectId, siteId };
}

export async function auditSearch(
  command: Command,
  { fetch }: Terminal,
): Promise<AuditSearchDocument> {
  const { server, options } = command;
  const { path, response } = auditRoutes.searchAudit;
  const filter = { ...filterOf(command), limit: Number(options.limit ?? LIMIT) };
  const answer = await askPages(fetch, { url: server, path: path.slice(1) }, response, filter);
  const { items, nextCursor } = answer.kind === 'found' ? answer.document : NOTHING;
  return {
    ...{ schema: 'aifictl.audit-search.v1', server, items: [...items] },
    ...{ more: nextCursor !== null, fault: faultOf(answer) },
  };
}
const NOTHING = { items: [], nextCursor: null };

export function renderAuditSearch(document: AuditSearchDocument, timeZone: string): string {
  const { server, items, more, fault } = document;
  if (fault !== null) return `! ${server} ${fault}\n`;
  if (items.length === 0) return 'none\n';
  const times = new Times(timeZone, 0);
  const rows = items.map((one) => [
    times.dated(one.atMs),
    one.userName,
    one.role ?? '-',
    one.act,
    one.code === null ? one.outcome : `${one.outcome} (${one.code})`,
    one.siteId,
    `${one.objectType} ${one.objectId}`,
    one.reason ?? '-',
    `${one.chain} ${one.sequence}`,
  ]);
  const titles = [`at (${timeZone})`, 'who', 'as', 'act', 'outcome', 'site', 'object', 'reason'];
  const rest = more ? ['there are more: --limit, --from, --to'] : [];
  return `${[...columns([[...titles, 'record'], ...rows]), ...rest].join('\n')}\n`;
}

/** The export goes to `--out`, or to standard output without it. */
export async function auditExport(
  command: Command,
  terminal: Terminal,
): Promise<AuditExportDocument> {
  const { server, options, json } = command;
  const { out, anchors } = options;
  if (json && out === undefined) throw new UsageError('audit export --json needs --out');
  const base = { schema: 'aifictl.audit-export.v1', server, file: out ?? null } as const;
  const failed = (fault: string): AuditExportDocument => ({
    ...{ ...base, bytes: 0, sha256: null, anchors: null, fault },
  });
  const response = await exported(command, terminal);
  if (typeof response === 'string') return failed(response);
  const sha256 = createHash('sha256');
  let bytes = 0;
  const content = hashed(response, (chunk) => {
    sha256.update(chunk);
    bytes += chunk.length;
  });
  try {
    if (out === undefined) await printed(content, terminal);
    else await terminal.files.write(out, content);
  } catch {
    return failed('broke off in the middle, or the file cannot be written: export again');
  }
  const fault = anchors === undefined ? null : await writeAnchors(command, anchors, terminal);
  return { ...base, bytes, sha256: sha256.digest('hex'), anchors: anchors ?? null, fault };
}

async function exported(command: Command, { fetch }: Terminal): Promise<Response | string> {
  const { server, options } = command;
  const { path } = auditRoutes.exportAudit;
  const words = query({ ...filterOf(command), format: options.format });
  try {
    const signal = AbortSignal.timeout(EXPORT_MS_MAX);
    const response = await fetch(`${server}${path}${words}`, { signal, redirect: 'error' });
    return response.ok ? response : await refusalOf(response);
  } catch {
    return 'does not answer';
  }
}

async function* hashed(
  { body }: Response,
  see: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  if (!body) return;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    see(chunk);
    yield chunk;
  }
}

async function printed(content: AsyncIterable<Uint8Array>, { out }: Terminal): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of content) out(decoder.decode(chunk, { stream: true }));
  out(decoder.decode());
}

async function writeAnchors(
  { server }: Command,
  file: string,
  { fetch, files }: Terminal,
): Promise<string | null> {
  const { path, response } = auditRoutes.auditAnchors;
  const answer = await ask(fetch, { url: server, path: path.slice(1) }, response);
  if (answer.kind !== 'found') return faultOf(answer);
  const text = `${JSON.stringify(answer.document, null, 2)}\n`;
  await files.write(file, once(Buffer.from(text)));
  return null;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

export function renderAuditExport(document: AuditExportDocument): string {
  const { server, file, bytes, sha256, anchors, fault } = document;
  const lines = [
    ...(file !== null && sha256 !== null ? [`${file}: ${bytes} bytes, sha256 ${sha256}`] : []),
    ...(anchors !== null && fault === null ? [`${anchors}: signed anchors`] : []),
    ...(fault === null ? [] : [`! ${server} ${fault}`]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

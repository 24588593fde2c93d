/**
 * mapping: the hospital's procedure codes at one gateway: import, export, versions, coverage.
 * Decides how a plan reads, and that a file with a wrong line is no success.
 * Invariants: an order carries a key of its own; an export is the gateway's bytes, unchanged.
 * Source: governance specification 4.3.
 */
import {
  CATALOGUE_PROBLEMS,
  gatewayRoutes,
  type CataloguePlanView,
  type CatalogueVersionView,
} from '@aifi/contracts-rest';
import { ask, query, refusalOf, tell } from './api-client.js';
import { UsageError, type Command } from './command-line.js';
import type {
  MappingCoverageDocument,
  MappingDocument,
  MappingExportDocument,
  MappingImportDocument,
} from './intake-documents.js';
import { columns, count, Times } from './plain-values.js';
import { faultOf } from './server-fault.js';
import { tableFile } from './table-file.js';
import type { Terminal } from './terminal.js';

const routes = gatewayRoutes;
/** A few thousand codes are checked and written. @unit ms */
const IMPORT_MS_MAX = 30_000;

export async function mappingImport(
  { server, id: file, options }: Command,
  terminal: Terminal,
): Promise<MappingImportDocument> {
  const isDryRun = options['dry-run'] === 'true';
  const base = { schema: 'aifictl.mapping-import.v1', server, file, isDryRun } as const;
  const body = { file: tableFile(file, terminal) };
  const order = { body, key: terminal.newKey(), timeoutMs: IMPORT_MS_MAX };
  if (isDryRun) {
    const { path, response } = routes.checkCatalogue;
    const answer = await tell(
      terminal.fetch,
      { url: server, path: path.slice(1) },
      order,
      response,
    );
    const plan = answer.kind === 'found' ? answer.document : null;
    return { ...base, plan, version: null, fault: faultOf(answer) };
  }
  const { path, response } = routes.importCatalogue;
  const answer = await tell(terminal.fetch, { url: server, path: path.slice(1) }, order, response);
  if (answer.kind !== 'found')
    return { ...base, plan: null, version: null, fault: faultOf(answer) };
  const { version, ...plan } = answer.document;
  return { ...base, plan, version, fault: null };
}

export async function mappingList(
  { server }: Command,
  { fetch }: Terminal,
): Promise<MappingDocument> {
  const { path, response } = routes.catalogue;
  const answer = await ask(fetch, { url: server, path: path.slice(1) }, response);
  const versions = answer.kind === 'found' ? answer.document.items : [];
  return { schema: 'aifictl.mapping.v1', server, versions, fault: faultOf(answer) };
}

export async function mappingRollback(
  { server, id, options }: Command,
  terminal: Terminal,
): Promise<MappingDocument> {
  if (!/^[1-9]\d{0,8}$/.test(id)) throw new UsageError('a version is a number, as in mapping list');
  const { path, response } = routes.rollBackCatalogue;
  const body = { version: Number(id), reason: options.reason };
  const order = { body, key: terminal.newKey() };
  const answer = await tell(terminal.fetch, { url: server, path: path.slice(1) }, order, response);
  const versions = answer.kind === 'found' ? [answer.document] : [];
  return { schema: 'aifictl.mapping.v1', server, versions, fault: faultOf(answer) };
}

export async function mappingCoverage(
  { server, options }: Command,
  { fetch }: Terminal,
): Promise<MappingCoverageDocument> {
  const { path, response } = routes.catalogueCoverage;
  const address = { url: server, path: `${path.slice(1)}${query({ days: options.days })}` };
  const answer = await ask(fetch, address, response);
  const coverage = answer.kind === 'found' ? answer.document : null;
  return { schema: 'aifictl.mapping-coverage.v1', server, coverage, fault: faultOf(answer) };
}

/** To `--out`, or to standard output without it. */
export async function mappingExport(
  { server, options, json }: Command,
  terminal: Terminal,
): Promise<MappingExportDocument> {
  const { out, version } = options;
  if (json && out === undefined) throw new UsageError('mapping export --json needs --out');
  const base = { schema: 'aifictl.mapping-export.v1', server, file: out ?? null } as const;
  const failed = (fault: string): MappingExportDocument => ({ ...base, bytes: 0, fault });
  try {
    const url = `${server}${routes.exportCatalogue.path}${query({ version })}`;
    const signal = AbortSignal.timeout(IMPORT_MS_MAX);
    const response = await terminal.fetch(url, { signal, redirect: 'error' });
    if (response.status === 404) return failed('does not know this version');
    if (!response.ok) return failed(await refusalOf(response));
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (out === undefined) terminal.out(new TextDecoder().decode(bytes));
    else await terminal.files.write(out, oneChunk(bytes));
    return { ...base, bytes: bytes.length, fault: null };
  } catch {
    return failed('does not answer, or the file cannot be written');
  }
}
async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Imported, or nothing to change; of a dry run whether it would be. */
export const isImportGood = ({ plan, fault }: MappingImportDocument): boolean =>
  fault === null && plan?.errors === 0;

export function renderMappingImport(document: MappingImportDocument): string {
  const { server, plan, version, isDryRun, fault } = document;
  if (fault !== null || !plan) return `! ${server} ${fault}\n`;
  const { codes, added, changed, removed } = plan;
  const lines = [`${count(codes, 'code')}: ${added} new, ${changed} changed, ${removed} gone`];
  lines.push(...findingsOf(plan));
  if (plan.errors > 0) lines.push(`! not imported: ${count(plan.errors, 'wrong line')}`);
  else if (version) lines.push(`version ${version.version} is in force`);
  else lines.push(isDryRun ? 'dry run: nothing was changed' : 'nothing to change');
  return `${lines.join('\n')}\n`;
}

function findingsOf({ findings, errors, warnings }: CataloguePlanView): string[] {
  const lines = findings.map(({ line, column, problem, isError }) => {
    const place = column === null ? `line ${line}` : `line ${line}, ${column}`;
    return `${isError ? '!' : ' '} ${place}: ${CATALOGUE_PROBLEMS[problem].en}`;
  });
  const more = errors + warnings - findings.length;
  return more > 0 ? [...lines, `  and ${more} more`] : lines;
}

export function renderMapping(document: MappingDocument, timeZone: string): string {
  const { server, versions, fault } = document;
  if (fault !== null) return `! ${server} ${fault}\n`;
  if (versions.length === 0) return 'none\n';
  const times = new Times(timeZone, 0);
  const rows = versions.map((one) => [
    String(one.version),
    times.dated(one.createdAtMs),
    kindOf(one),
    String(one.codes),
    one.sha256.slice(0, 12),
    one.isKept ? 'yes' : 'no',
  ]);
  const titles = ['version', `since (${timeZone})`, 'made by', 'codes', 'digest', 'kept'];
  return `${columns([titles, ...rows]).join('\n')}\n`;
}
const kindOf = ({ kind, ofVersion }: CatalogueVersionView): string =>
  kind === 'import' ? 'import' : `rollback to ${ofVersion}`;

export function renderMappingCoverage({
  server,
  coverage,
  fault,
}: MappingCoverageDocument): string {
  if (fault !== null || !coverage) return `! ${server} ${fault}\n`;
  const { days, studies, withCode, mapped, unmapped, isWhole } = coverage;
  const share = withCode === 0 ? '-' : `${Math.floor((100 * mapped) / withCode)} %`;
  const more = isWhole ? '' : ' (there were more)';
  const lines = [
    `${count(studies, 'study')} in ${days === 1 ? 'a day' : `${days} days`}${more}`,
    `with a procedure code: ${withCode}; of those in the catalogue: ${mapped} (${share})`,
  ];
  if (unmapped.length > 0) {
    const rows = unmapped.map((one) => [one.code, String(one.studies)]);
    lines.push(...columns([['not in the catalogue', 'studies'], ...rows]));
  }
  return `${lines.join('\n')}\n`;
}

export const renderMappingExport = ({
  server,
  file,
  bytes,
  fault,
}: MappingExportDocument): string =>
  fault !== null ? `! ${server} ${fault}\n` : `${file}: ${count(bytes, 'byte')}\n`;

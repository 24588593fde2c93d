/**
 * objection: what patients object to, at one gateway: one patient, or a list.
 * Decides that a number is read from a file, never from the command line, and that a list is looked
 * at whole before a line of it is set.
 * Invariants: no patient number in any output; each order carries a key of its own.
 * Source: governance specification 4.3 (OBJECTION); GDPR Art. 21.
 */
import {
  gatewayRoutes,
  OBJECTION_PROBLEMS,
  OBJECTION_WORDS,
  objectionKindSchema,
  type ObjectionListView,
} from '@aifi/contracts-rest';
import { tell } from './api-client.js';
import { UsageError, type Command } from './command-line.js';
import type { ObjectionDocument, ObjectionListDocument } from './intake-documents.js';
import { columns, count, Times } from './plain-values.js';
import { patientOf } from './register-commands.js';
import { faultOf } from './server-fault.js';
import { tableParts, type TablePart } from './table-file.js';
import type { Terminal } from './terminal.js';

const routes = gatewayRoutes;
const IMPORT_MS_MAX = 30_000;
/** Bad lines that are told of the whole file. */
const FINDINGS_MAX = 100;

export async function objectionDocument(
  { name, server, options }: Command,
  terminal: Terminal,
): Promise<ObjectionDocument> {
  const { kind, from, until, reason } = options;
  const patient = patientOf(options['patient-file'] ?? '', terminal);
  const schema = 'aifictl.objection.v1';
  const order = (body: object) => ({ body: { ...patient, ...body }, key: terminal.newKey() });
  const to = (path: string) => ({ url: server, path: path.slice(1) });
  if (name === 'objection show') {
    const { path, response } = routes.findObjections;
    const answer = await tell(terminal.fetch, to(path), order({}), response);
    const found = answer.kind === 'found' ? answer.document : null;
    const state = found && { ...found, jobsEnded: 0, jobsAtHub: 0 };
    return { schema, server, state, fault: faultOf(answer) };
  }
  const isSet = name === 'objection set';
  const { path, response } = isSet ? routes.setObjection : routes.withdrawObjection;
  const period = { sinceMs: msOf(from), untilMs: msOf(until) };
  const body = { kinds: kindsOf(kind ?? ''), ...(isSet ? period : { reason }) };
  const answer = await tell(terminal.fetch, to(path), order(body), response);
  const state = answer.kind === 'found' ? answer.document : null;
  return { schema, server, state, fault: faultOf(answer) };
}

const msOf = (time: string | undefined): number | undefined =>
  time === undefined ? undefined : Date.parse(time);

function kindsOf(text: string): string[] {
  const kinds = text.split(',').map((each) => each.trim());
  if (kinds.every((each) => objectionKindSchema.safeParse(each).success)) return kinds;
  throw new UsageError(`--kind is ${Object.keys(OBJECTION_WORDS).join(', ')}`);
}

export async function objectionImport(
  { server, id: file, options }: Command,
  terminal: Terminal,
): Promise<ObjectionListDocument> {
  const isDryRun = options['dry-run'] === 'true';
  const skipBadLines = options['skip-bad-lines'] === 'true';
  const base = { schema: 'aifictl.objection-list.v1', server, file, isDryRun } as const;
  const parts = tableParts(file, terminal);
  const check = async ({ file }: TablePart) => tellList({ server, terminal }, 'check', { file });
  const take = async ({ file }: TablePart) =>
    tellList({ server, terminal }, 'import', { file, skipBadLines });
  const checked = await eachPart(parts, check);
  const isHeld = checked.fault === null && checked.list !== null && checked.list.bad > 0;
  if (isDryRun || checked.fault !== null || (isHeld && !skipBadLines)) {
    return { ...base, ...checked };
  }
  return { ...base, ...(await eachPart(parts, take)) };
}

interface Asked {
  readonly server: string;
  readonly terminal: Terminal;
}
function tellList({ server, terminal }: Asked, what: 'check' | 'import', body: object) {
  const { path, response } =
    what === 'check' ? routes.checkObjectionList : routes.importObjectionList;
  const order = { body, key: terminal.newKey(), timeoutMs: IMPORT_MS_MAX };
  return tell(terminal.fetch, { url: server, path: path.slice(1) }, order, response);
}

type Told = Pick<ObjectionListDocument, 'list' | 'fault'>;
/** One after the other; what was taken before a part failed stays taken, and is told. */
async function eachPart(
  parts: readonly TablePart[],
  send: (part: TablePart) => ReturnType<typeof tellList>,
): Promise<Told> {
  let list: ObjectionListView | null = null;
  for (const part of parts) {
    const answer = await send(part);
    if (answer.kind !== 'found') return { list, fault: faultOf(answer) };
    list = together(list, answer.document, part.linesBefore);
  }
  return { list, fault: null };
}

function together(
  all: ObjectionListView | null,
  one: ObjectionListView,
  linesBefore: number,
): ObjectionListView {
  const findings = one.findings.map((each) => ({ ...each, line: each.line + linesBefore }));
  if (!all) return { ...one, findings };
  return {
    ...{ lines: all.lines + one.lines, bad: all.bad + one.bad, added: all.added + one.added },
    ...{ unchanged: all.unchanged + one.unchanged, jobsEnded: all.jobsEnded + one.jobsEnded },
    // The last part sees the jobs of all of them.
    ...{ jobsAtHub: one.jobsAtHub, isImported: all.isImported && one.isImported },
    findings: [...all.findings, ...findings].slice(0, FINDINGS_MAX),
  };
}

export const isListGood = ({ list, fault, isDryRun }: ObjectionListDocument): boolean =>
  fault === null && list !== null && (isDryRun ? list.bad === 0 : list.isImported);

export function renderObjection(document: ObjectionDocument, timeZone: string): string {
  const { server, state, fault } = document;
  if (fault !== null || !state) return `! ${server} ${fault}\n`;
  const { inForce, history, jobsEnded, jobsAtHub } = state;
  const now = inForce.map((kind) => OBJECTION_WORDS[kind].en).join(', ');
  const lines = [`in force: ${now || 'none'}`, ...jobLines(jobsEnded, jobsAtHub)];
  const times = new Times(timeZone, 0);
  const day = (atMs: number | null): string => (atMs === null ? '-' : times.dated(atMs));
  const rows = history.map((one) => [
    ...[times.dated(one.recordedAtMs), one.event, one.kind, one.source],
    ...[day(one.sinceMs), day(one.untilMs)],
  ]);
  const titles = [`at (${timeZone})`, 'what', 'kind', 'by', 'from', 'until'];
  if (rows.length > 0) lines.push(...columns([titles, ...rows]));
  return `${lines.join('\n')}\n`;
}

export function renderObjectionList(document: ObjectionListDocument): string {
  const { server, list, isDryRun, fault } = document;
  const lines: string[] = fault === null ? [] : [`! ${server} ${fault}`];
  if (list) {
    const verb = isDryRun || !list.isImported ? 'would be set' : 'set';
    lines.push(
      `${count(list.lines, 'line')}: ${list.added} ${verb}, ${list.unchanged} set already`,
    );
    for (const { line, column, problem } of list.findings) {
      lines.push(`! line ${line}, ${column}: ${OBJECTION_PROBLEMS[problem].en}`);
    }
    const more = list.bad - list.findings.length;
    if (more > 0) lines.push(`  and ${more} more`);
    lines.push(...jobLines(list.jobsEnded, list.jobsAtHub));
    const isHeld = !isDryRun && !list.isImported && fault === null;
    if (isHeld) lines.push('! not imported: correct these lines, or --skip-bad-lines');
  }
  return `${lines.join('\n')}\n`;
}

function jobLines(ended: number, atHub: number): string[] {
  return [
    ...(ended > 0 ? [`${count(ended, 'job')} ended`] : []),
    ...(atHub > 0 ? [`${count(atHub, 'job')} at the hub already: these go on`] : []),
  ];
}

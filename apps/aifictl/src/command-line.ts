/**
 * Command line: arguments and environment to one command.
 * Decides what is asked of whom. Invariants: a wrong argument is an error, never a guess; options
 * win over the environment; a command that changes something names one server.
 */
import { parseArgs } from 'node:util';
import { AUDIT_FORMATS, AUDIT_OUTCOMES, USAGE } from './usage.js';

export { AUDIT_FORMATS, AUDIT_OUTCOMES, USAGE };

/** Whom a command asks: every server named, the hub, one gateway, one server, or nobody. */
type Asks = 'any' | 'hub' | 'gateway' | 'one' | 'nobody';
interface CommandForm {
  readonly asks: Asks;
  /** What its one argument is called; absent: it takes none. */
  readonly argument?: string;
  /** What its second argument is called. */
  readonly second?: string;
  readonly options?: readonly OptionName[];
  readonly needs?: readonly OptionName[];
}
const FILTERS = ['from', 'to', 'act', 'user', 'outcome', 'object', 'site'] as const;
const DECISION = { asks: 'one', argument: 'id', options: ['reason'], needs: ['reason'] } as const;
const OF_PATIENT = { asks: 'gateway', needs: ['patient-file'] } as const;
const REASONED = { ...DECISION, asks: 'gateway' } as const;

export const COMMANDS = {
  trace: { asks: 'any', argument: 'StudyInstanceUID or job id' },
  status: { asks: 'any' },
  sites: { asks: 'hub' },
  models: { asks: 'hub' },
  studies: { asks: 'hub', options: ['site', 'state', 'study', 'limit'] },
  'product status': { asks: 'hub' },
  'product stop': {
    ...{ asks: 'hub', argument: 'product', needs: ['reason'] },
    options: ['reason', 'version', 'site', 'code'],
  },
  'product resume': {
    ...{ asks: 'hub', argument: 'product', needs: ['reason'] },
    options: ['reason', 'version', 'site'],
  },
  'dead-letters list': { asks: 'gateway', options: ['code', 'limit'] },
  'dead-letters replay': { asks: 'gateway', argument: 'id' },
  'dead-letters replay-all': { asks: 'gateway', options: ['code', 'older-than'] },
  'pixel-holds list': { asks: 'gateway', options: ['job', 'limit'] },
  'pixel-holds release': REASONED,
  'pixel-holds reject': REASONED,
  'jobs retry': REASONED,
  'register recall': {
    ...{ asks: 'gateway', options: ['product', 'version', 'limit'], needs: ['product'] },
  },
  'register show': { asks: 'gateway', argument: 'SOPInstanceUID' },
  'vault code': { asks: 'gateway', options: ['patient-file'], needs: ['patient-file'] },
  'vault erase': {
    ...{ asks: 'gateway', options: ['patient-file', 'reason', 'results'] },
    needs: ['patient-file', 'reason'],
  },
  'study request': {
    ...{ asks: 'gateway', argument: 'StudyInstanceUID', options: ['product', 'reason'] },
    needs: ['product'],
  },
  'study requests': { asks: 'gateway', argument: 'StudyInstanceUID' },
  'study fetch': { asks: 'gateway', options: ['study', 'accession-file', 'product'] },
  'retrieval list': { asks: 'gateway', options: ['state', 'limit'] },
  'retrieval withdraw': { asks: 'gateway', argument: 'id' },
  'mapping import': { asks: 'gateway', argument: 'catalogue file', options: ['dry-run'] },
  'mapping export': { asks: 'gateway', options: ['version', 'out'] },
  'mapping list': { asks: 'gateway' },
  'mapping coverage': { asks: 'gateway', options: ['days'] },
  'mapping rollback': { ...REASONED, argument: 'version' },
  'objection show': { ...OF_PATIENT, options: ['patient-file'] },
  'objection set': {
    ...{ ...OF_PATIENT, options: ['patient-file', 'kind', 'from', 'until'] },
    needs: ['patient-file', 'kind'],
  },
  'objection withdraw': {
    ...{ ...OF_PATIENT, options: ['patient-file', 'kind', 'reason'] },
    needs: ['patient-file', 'kind', 'reason'],
  },
  'objection import': {
    ...{ asks: 'gateway', argument: 'list', options: ['dry-run', 'skip-bad-lines'] },
  },
  'site enrol': { asks: 'hub', argument: 'site', options: ['gateway'] },
  'site certificates': { asks: 'hub', argument: 'site' },
  'site revoke': {
    ...{ asks: 'hub', argument: 'site', second: 'serial number' },
    ...{ options: ['reason'], needs: ['reason'] },
  },
  'authority show': { asks: 'hub' },
  'authority rotate': { asks: 'hub', options: ['reason'], needs: ['reason'] },
  'gateway join': { asks: 'gateway', options: ['token', 'hub'], needs: ['token'] },
  'gateway link': { asks: 'gateway' },
  'gateway check': { asks: 'gateway', options: ['store'] },
  'self-test run': { asks: 'gateway' },
  'self-test status': { asks: 'gateway' },
  login: { asks: 'one', options: ['step-up'] },
  logout: { asks: 'one' },
  whoami: { asks: 'any' },
  'approvals list': { asks: 'one', options: ['state', 'limit'] },
  'approvals request': {
    ...{ asks: 'one', argument: 'act' },
    ...{ options: ['site', 'object', 'reason'], needs: ['site', 'object', 'reason'] },
  },
  'approvals approve': DECISION,
  'approvals refuse': DECISION,
  'approvals end': DECISION,
  'audit search': { asks: 'one', options: [...FILTERS, 'limit'] },
  'audit export': { asks: 'one', options: [...FILTERS, 'format', 'out', 'anchors'] },
  'audit verify': { asks: 'nobody', argument: 'export file', options: ['anchors'] },
  pseudonymise: {
    ...{ asks: 'nobody', options: ['in', 'out', 'key', 'profile', 'site', 'report'] },
    needs: ['in', 'out', 'key', 'report'],
  },
  'pseudonymise verify': {
    ...{ asks: 'nobody', argument: 'folder', options: ['originals', 'profile'] },
  },
} as const satisfies Record<string, CommandForm>;
export type CommandName = keyof typeof COMMANDS;

const TEXT_OPTIONS = [
  ...[...FILTERS, 'state', 'study', 'limit', 'reason', 'format', 'out', 'anchors'],
  ...['code', 'older-than', 'in', 'key', 'profile', 'originals'],
  ...['job', 'product', 'version', 'patient-file', 'results', 'token'],
  ...['kind', 'until', 'days', 'accession-file'],
] as const;
type TextOption =
  | (typeof FILTERS)[number]
  | ('state' | 'study' | 'limit' | 'reason' | 'format' | 'out' | 'anchors')
  | ('code' | 'older-than' | 'in' | 'key' | 'profile' | 'originals')
  | ('job' | 'product' | 'version' | 'patient-file' | 'results' | 'token')
  | ('kind' | 'until' | 'days' | 'accession-file');
const FLAGS = ['step-up', 'dry-run', 'skip-bad-lines', 'store'] as const;
/**
 * `report`: the file of --json, where that names one. `gateway` and `hub` are addresses of who is
 * asked, unless a command has them for its own: the number of a gateway, the hub to join.
 */
type OptionName = TextOption | (typeof FLAGS)[number] | 'report' | 'gateway' | 'hub';

export interface Command {
  readonly name: CommandName;
  /** The one argument; empty for commands without. */
  readonly id: string;
  /** The second argument; empty for commands without. */
  readonly second: string;
  readonly json: boolean;
  readonly gateways: readonly string[];
  readonly hub: string | undefined;
  /** The server of a command that asks one; empty otherwise. */
  readonly server: string;
  readonly tokenFile: string | undefined;
  readonly options: Readonly<Partial<Record<OptionName, string>>>;
}
/** A wrong use, in words. */
export class UsageError extends Error {}

type Environment = Readonly<Record<string, string | undefined>>;

/** The command; 'help' when that was asked. Throws UsageError. */
export function parseCommandLine(
  args: readonly string[],
  environment: Environment,
): Command | 'help' {
  const { values, positionals } = parsed(args);
  if (values['help']) return 'help';
  const { name, id, second } = nameAndArgument(positionals);
  const options: Partial<Record<OptionName, string>> = {};
  const form: CommandForm = COMMANDS[name];
  if (typeof values['json'] === 'string') options.report = values['json'];
  for (const [key, value] of Object.entries(values)) {
    const option = form.options?.find((known) => known === key);
    if ((SHARED_OPTIONS.includes(key) && !option) || value === undefined) continue;
    if (!option) throw new UsageError(`${name} has no option --${key}`);
    options[option] = String(value);
  }
  for (const needed of form.needs ?? []) {
    const asked = needed === 'report' ? 'json' : needed;
    if (!options[needed]) throw new UsageError(`${name} needs --${asked}`);
  }
  checkValues(options);
  const peers = peersOf(form, values, environment);
  requirePeers(name, form.asks, peers);
  const tokenFile = textOf(values['token-file']) ?? nonEmpty(environment['AIFI_TOKEN_FILE']);
  const isOne = form.asks === 'one' || form.asks === 'gateway';
  const server = isOne ? (peers.hub ?? peers.gateways[0] ?? '') : '';
  const json = values['json'] === true;
  return { name, id, second, json, ...peers, server, tokenFile, options };
}

const SHARED_OPTIONS = ['json', 'help', 'gateway', 'hub', 'token-file'];

type Values = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;
function parsed(args: readonly string[]): { values: Values; positionals: string[] } {
  const texts = TEXT_OPTIONS.map((name) => [name, { type: 'string' }] as const);
  const flags = FLAGS.map((name) => [name, { type: 'boolean' }] as const);
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...(Object.fromEntries(texts) as Record<TextOption, { type: 'string' }>),
        json: { type: writesReport(args) ? 'string' : 'boolean' },
        help: { type: 'boolean', short: 'h' },
        gateway: { type: 'string', multiple: true },
        hub: { type: 'string' },
        'token-file': { type: 'string' },
        ...(Object.fromEntries(flags) as Record<(typeof FLAGS)[number], { type: 'boolean' }>),
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** The one command whose --json names a file. */
function writesReport([first, second]: readonly string[]): boolean {
  return first === 'pseudonymise' && second !== 'verify';
}

interface Named {
  readonly name: CommandName;
  readonly id: string;
  readonly second: string;
}
function nameAndArgument(positionals: readonly string[]): Named {
  const [first = '', next = ''] = positionals;
  const name = [`${first} ${next}`, first].find((words) => isCommand(words));
  if (!name || !isCommand(name)) {
    throw new UsageError(`the command is one of ${Object.keys(COMMANDS).join(', ')}`);
  }
  const [id = '', ...more] = positionals.slice(name.split(' ').length);
  const { argument, second: secondArgument }: CommandForm = COMMANDS[name];
  const [second = '', ...rest] = secondArgument ? more : ['', ...more];
  if (secondArgument && second === '') {
    throw new UsageError(`${name} takes one ${argument} and one ${secondArgument}`);
  }
  if ((argument !== undefined) !== (id !== '') || rest.length > 0) {
    throw new UsageError(argument ? `${name} takes one ${argument}` : `${name} takes no argument`);
  }
  return { name, id, second };
}

const isCommand = (name: string): name is CommandName => Object.hasOwn(COMMANDS, name);

function checkValues(options: Command['options']): void {
  const { from, to, until, days, limit, format, outcome, results, gateway } = options;
  if (gateway !== undefined && !/^[1-9]\d{0,3}$/.test(gateway)) {
    throw new UsageError('--gateway is the number of a gateway here, from 1 to 9999');
  }
  for (const time of [from, to, until]) {
    if (time !== undefined && Number.isNaN(Date.parse(time))) {
      throw new UsageError('a time is written as 2026-11-20 or 2026-11-20T10:22:00Z');
    }
  }
  if (limit !== undefined && !/^[1-9]\d{0,5}$/.test(limit)) {
    throw new UsageError('--limit is a number from 1 to 999999');
  }
  if (days !== undefined && !/^([1-9]|[1-8]\d|90)$/.test(days)) {
    throw new UsageError('--days is a number from 1 to 90');
  }
  requireOneOf('format', format, AUDIT_FORMATS);
  requireOneOf('outcome', outcome, AUDIT_OUTCOMES);
  requireOneOf('results', results, ['keep', 'erase']);
}
function requireOneOf(name: string, value: string | undefined, words: readonly string[]): void {
  if (value === undefined || words.includes(value)) return;
  throw new UsageError(`--${name} is one of ${words.join(', ')}`);
}

interface Peers {
  readonly gateways: readonly string[];
  readonly hub: string | undefined;
}
function peersOf(form: CommandForm, values: Values, environment: Environment): Peers {
  const { asks } = form;
  if (asks === 'nobody') return { gateways: [], hub: undefined };
  const isNumber = form.options?.includes('gateway');
  const given = isNumber ? [] : (values['gateway'] as string[] | undefined);
  const isOneGiven = asks === 'one' && (given !== undefined || values['hub'] !== undefined);
  const fallback = isOneGiven ? {} : environment;
  const named = fallback['AIFI_GATEWAY_URLS'] ?? fallback['AIFI_GATEWAY_URL'] ?? '';
  const gateways = (given ?? named.split(',').filter((text) => text !== '')).map(url);
  // What only gateways know is asked of no hub, whatever the environment names.
  if (asks === 'gateway') return { gateways, hub: undefined };
  const hubText = textOf(values['hub']) ?? nonEmpty(fallback['AIFI_HUB_URL']);
  return { gateways, hub: hubText === undefined ? undefined : url(hubText) };
}

const textOf = (value: Values[string]): string | undefined =>
  typeof value === 'string' ? nonEmpty(value) : undefined;
const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

function url(text: string): string {
  const parsedUrl = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
  if (!parsedUrl || !/^https?:$/.test(parsedUrl.protocol)) {
    throw new UsageError('an address is an http or https URL');
  }
  return parsedUrl.href.replace(/\/+$/, '');
}

function requirePeers(name: CommandName, asks: Asks, { gateways, hub }: Peers): void {
  if (asks === 'hub' && hub === undefined) {
    throw new UsageError(`${name} asks the hub: give --hub or AIFI_HUB_URL`);
  }
  const count = gateways.length + (hub === undefined ? 0 : 1);
  if (asks === 'gateway' && count !== 1) {
    throw new UsageError(`${name} is for one gateway: give --gateway or AIFI_GATEWAY_URL`);
  }
  if (asks !== 'nobody' && count === 0) {
    throw new UsageError('nobody to ask: give --gateway or --hub');
  }
  if (asks === 'one' && count > 1) {
    throw new UsageError(`${name} is for one server: give --hub or --gateway`);
  }
}

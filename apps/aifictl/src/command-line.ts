/**
 * Command line: arguments and environment to one command.
 * Decides what is asked of whom. Invariants: a wrong argument is an error, never a guess; options
 * win over the environment; a command that changes something names one server.
 */
import { parseArgs } from 'node:util';

/** As the contract says, which takes longer to load than the rest of an offline command. */
export const AUDIT_FORMATS: readonly string[] = ['ndjson', 'fhir', 'dicom', 'csv'];
export const AUDIT_OUTCOMES: readonly string[] = ['success', 'refused', 'failed', 'unavailable'];

export const USAGE = `aifictl: what happened to a study, and whether gateways and hub are well

  aifictl trace <StudyInstanceUID | jobId>   every hop of a study, and what happens next
  aifictl status                             gateways and hub, and what was refused at the door
  aifictl sites                              sites of the hub: last seen, open jobs, deployments
  aifictl models                             models of the hub and the sites that have them
  aifictl studies                            jobs of pseudonymous studies at the hub, newest first
      [--site SITE] [--state STATE] [--study PSEUDONYM] [--limit N]
  aifictl product status                     products that a kill switch has stopped
  aifictl product stop <product> --reason TEXT [--version V] [--site SITE] [--code CODE]
  aifictl product resume <product> --reason TEXT [--version V] [--site SITE]
                                             by another person than who stopped it

  aifictl dead-letters list [--code CODE] [--limit N]
                                             results that a gateway's PACS would not take
  aifictl dead-letters replay <id>           send one of them to the PACS again
  aifictl dead-letters replay-all [--code CODE] [--older-than 2h]
                                             all of them, or those of one reason or age

  aifictl pixel-holds list [--job ID] [--limit N]
                                             images that wait for a person at a gateway
  aifictl pixel-holds release | reject <id> --reason TEXT
                                             decide on them; to release, look at them first, on
                                             the gateway's page
  aifictl jobs retry <job id> --reason TEXT  try again what was stopped for pixels or identity
  aifictl register recall --product P [--version V] [--limit N]
                                             results of a product in a gateway's PACS
  aifictl register show <SOPInstanceUID>     what one result was made from and by
  aifictl vault code --patient-file FILE     the code under which two persons agree to erase
  aifictl vault erase --patient-file FILE --reason TEXT [--results keep|erase]
                                             FILE: patient number, then issuer, a line each

  aifictl site enrol <site> [--gateway N]    a one-time token for a gateway, shown once
  aifictl site certificates <site>           certificates of the gateways of a site
  aifictl site revoke <site> <serial> --reason TEXT
                                             end a certificate now
  aifictl authority show | rotate --reason TEXT
                                             who signs gateways; sign with a new one from now on
  aifictl gateway join --token T [--hub HOST:PORT]
                                             join the hub; T: the token, @FILE that holds it, or -
                                             for standard input: not in the list of processes
  aifictl gateway link                       certificate, proxy and last contact of a gateway

  aifictl login [--step-up]                  sign in at one server, in a browser of your choice;
                                             --step-up: anew, for acts that ask for it
  aifictl logout                             forget that sign-in
  aifictl whoami                             who you are to each server, and what it allows
  aifictl approvals list [--state STATE] [--limit N]
  aifictl approvals request <act> --site SITE --object ID --reason TEXT
  aifictl approvals approve | refuse | end <id> --reason TEXT
  aifictl audit search [--from TIME] [--to TIME] [--act ACT] [--user ID] [--outcome OUTCOME]
      [--object ID] [--site SITE] [--limit N]
  aifictl audit export [the same filters] [--format ${AUDIT_FORMATS.join('|')}] [--out FILE]
      [--anchors FILE]                       --anchors: the signed anchors as well
  aifictl audit verify <export file> [--anchors FILE]
  aifictl pseudonymise --in DIR --out DIR --key FILE [--profile P] --json REPORT [--site SITE]
                                             the gateway's engine over a folder, offline;
                                             P: a contract, a product's manifest, or a contract
                                             with blocks of a gateway's configuration
  aifictl pseudonymise verify DIR [--originals DIR] [--profile P]
                                             whether a folder may be called pseudonymised, and
                                             which checks could not be made

  --gateway URL   a gateway's own interface; may be given more than once
  --hub URL       the hub's interface
  --token-file F  a bearer token for the one server that is asked, or lines "URL TOKEN"
  --json          one JSON document on standard output (shapes: apps/aifictl/README.md)
  --help

Without options: AIFI_GATEWAY_URLS (separated by commas) or AIFI_GATEWAY_URL, AIFI_HUB_URL, and
AIFI_TOKEN_FILE. Times: 2026-11-20 or 2026-11-20T10:22:00Z.
Exit codes: 0 found, healthy or done; 1 not found, not healthy or refused; 2 wrong use.
`;

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
] as const;
type TextOption =
  | (typeof FILTERS)[number]
  | ('state' | 'study' | 'limit' | 'reason' | 'format' | 'out' | 'anchors')
  | ('code' | 'older-than' | 'in' | 'key' | 'profile' | 'originals')
  | ('job' | 'product' | 'version' | 'patient-file' | 'results' | 'token');
/**
 * `report`: the file of --json, where that names one. `gateway` and `hub` are addresses of who is
 * asked, unless a command has them for its own: the number of a gateway, the hub to join.
 */
type OptionName = TextOption | 'step-up' | 'report' | 'gateway' | 'hub';

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
        'step-up': { type: 'boolean' },
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
  const { from, to, limit, format, outcome, results, gateway } = options;
  if (gateway !== undefined && !/^[1-9]\d{0,3}$/.test(gateway)) {
    throw new UsageError('--gateway is the number of a gateway here, from 1 to 9999');
  }
  for (const time of [from, to]) {
    if (time !== undefined && Number.isNaN(Date.parse(time))) {
      throw new UsageError('a time is written as 2026-11-20 or 2026-11-20T10:22:00Z');
    }
  }
  if (limit !== undefined && !/^[1-9]\d{0,5}$/.test(limit)) {
    throw new UsageError('--limit is a number from 1 to 999999');
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

/**
 * Command line: arguments and environment to one command.
 * Decides what is asked of whom. Invariants: a wrong argument is an error, never a guess; options
 * win over the environment.
 */
import { parseArgs } from 'node:util';

export const USAGE = `aifictl: what happened to a study, and whether gateways and hub are well

  aifictl trace <StudyInstanceUID | jobId>   every hop of a study, and what happens next
  aifictl status                             gateways and hub, and what was refused at the door
  aifictl sites                              sites of the hub: last seen, open jobs, deployments
  aifictl models                             models of the hub and the sites that have them

  --gateway URL   a gateway's own interface; may be given more than once
  --hub URL       the hub's interface
  --json          one JSON document on standard output (shapes: apps/aifictl/README.md)
  --help

Without options: AIFI_GATEWAY_URLS (separated by commas) or AIFI_GATEWAY_URL, and AIFI_HUB_URL.
Exit codes: 0 found and healthy, 1 not found or not healthy, 2 wrong use.
`;

export const COMMANDS = ['trace', 'status', 'sites', 'models'] as const;
export type CommandName = (typeof COMMANDS)[number];
export interface Command {
  readonly name: CommandName;
  /** StudyInstanceUID or job id of `trace`; empty for the others. */
  readonly id: string;
  readonly json: boolean;
  readonly gateways: readonly string[];
  readonly hub: string | undefined;
}
/** A wrong use, in words. */
export class UsageError extends Error {}

/** The command; 'help' when that was asked. Throws UsageError. */
export function parseCommandLine(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Command | 'help' {
  const { values, positionals } = parsed(args);
  if (values.help) return 'help';
  const [name, id = '', ...rest] = positionals;
  if (!isCommand(name)) throw new UsageError(`the command is one of ${COMMANDS.join(', ')}`);
  if ((name === 'trace') !== (id !== '') || rest.length > 0) {
    throw new UsageError('trace takes one StudyInstanceUID or job id, the others take nothing');
  }
  const named = environment['AIFI_GATEWAY_URLS'] ?? environment['AIFI_GATEWAY_URL'] ?? '';
  const gateways = (values.gateway ?? named.split(',').filter((text) => text !== '')).map(url);
  const hubText = values.hub ?? environment['AIFI_HUB_URL'];
  const hub = hubText === undefined || hubText === '' ? undefined : url(hubText);
  const command = { name, id, json: values.json ?? false, gateways, hub };
  requirePeers(command);
  return command;
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        gateway: { type: 'string', multiple: true },
        hub: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

const isCommand = (name: string | undefined): name is CommandName =>
  COMMANDS.some((command) => command === name);

function url(text: string): string {
  const parsedUrl = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
  if (!parsedUrl || !/^https?:$/.test(parsedUrl.protocol)) {
    throw new UsageError('an address is an http or https URL');
  }
  return parsedUrl.href.replace(/\/+$/, '');
}

function requirePeers({ name, gateways, hub }: Command): void {
  if ((name === 'sites' || name === 'models') && hub === undefined) {
    throw new UsageError(`${name} asks the hub: give --hub or AIFI_HUB_URL`);
  }
  if (gateways.length === 0 && hub === undefined) {
    throw new UsageError('nobody to ask: give --gateway or --hub');
  }
}

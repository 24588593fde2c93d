/**
 * runAifictl: one call of the program, from arguments to exit code.
 * Decides what goes to standard output: the answer as text or as one JSON document, nothing else.
 */
import {
  parseCommandLine,
  USAGE,
  UsageError,
  type Command,
  type CommandName,
} from './command-line.js';
import type { OfflineCommand, Printed } from './online-commands.js';
import { EXIT, type ExitCode, type Terminal } from './terminal.js';

export async function runAifictl(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  try {
    const command = parseCommandLine(args, terminal.environment);
    if (command === 'help') {
      terminal.out(USAGE);
      return EXIT.ok;
    }
    return await run(command, terminal);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    terminal.error(`aifictl: ${error.message}\n\n${USAGE}`);
    return EXIT.usage;
  }
}

async function run(command: Command, terminal: Terminal): Promise<ExitCode> {
  const printed = await answered(command, terminal);
  if (!printed) return EXIT.negative;
  const { document, text, good } = printed;
  terminal.out(command.json ? `${JSON.stringify(document, null, 2)}\n` : text);
  return good ? EXIT.ok : EXIT.negative;
}

async function answered(command: Command, terminal: Terminal): Promise<Printed | undefined> {
  const { name } = command;
  if (isOffline(name)) return OFFLINE_COMMANDS[name](command);
  const { runOnline } = await import('./online-commands.js');
  return runOnline({ ...command, name }, terminal);
}
function isOffline(name: CommandName): name is OfflineCommand {
  return name in OFFLINE_COMMANDS;
}

const OFFLINE_COMMANDS: Readonly<Record<OfflineCommand, (command: Command) => Promise<Printed>>> = {
  // The engine is loaded for these only.
  pseudonymise: async (command) => {
    const offline = await import('./pseudonymise-command.js');
    const document = await offline.pseudonymise(command);
    const good = document.totals.quarantined === 0;
    return { document, text: offline.renderPseudonymise(document), good };
  },
  'pseudonymise verify': async (command) => {
    const offline = await import('./pseudonymise-verify.js');
    const document = await offline.pseudonymiseVerify(command);
    return { document, text: offline.renderPseudonymiseVerify(document), good: document.passed };
  },
};

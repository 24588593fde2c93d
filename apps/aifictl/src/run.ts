/**
 * runAifictl: one call of the program, from arguments to exit code.
 * Decides what goes to standard output: the answer as text or as one JSON document, nothing else.
 */
import { parseCommandLine, USAGE, UsageError, type Command } from './command-line.js';
import { modelsDocument, renderModels, renderSites, sitesDocument } from './overview-commands.js';
import { renderStatus } from './render-status.js';
import { renderTrace } from './render-trace.js';
import { statusDocument } from './status-command.js';
import { EXIT, type ExitCode, type Terminal } from './terminal.js';
import { traceDocument } from './trace-command.js';

export async function runAifictl(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let command: Command | 'help';
  try {
    command = parseCommandLine(args, terminal.environment);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    terminal.error(`aifictl: ${error.message}\n\n${USAGE}`);
    return EXIT.usage;
  }
  if (command === 'help') {
    terminal.out(USAGE);
    return EXIT.ok;
  }
  const { document, text, good } = await answer(command, terminal);
  terminal.out(command.json ? `${JSON.stringify(document, null, 2)}\n` : text);
  return good ? EXIT.ok : EXIT.negative;
}

interface Printed {
  readonly document: object;
  readonly text: string;
  readonly good: boolean;
}

async function answer(command: Command, terminal: Terminal): Promise<Printed> {
  const { timeZone } = terminal;
  // The command line has made sure of the hub where one is needed.
  const hub = command.hub ?? '';
  switch (command.name) {
    case 'trace': {
      const document = await traceDocument(command, terminal);
      return { document, text: renderTrace(document, timeZone), good: document.found };
    }
    case 'status': {
      const document = await statusDocument(command, terminal);
      return { document, text: renderStatus(document, timeZone), good: document.healthy };
    }
    case 'sites': {
      const document = await sitesDocument(hub, terminal);
      const good = document.unreachable.length === 0;
      return { document, text: renderSites(document, timeZone), good };
    }
    case 'models': {
      const document = await modelsDocument(hub, terminal);
      return { document, text: renderModels(document), good: document.unreachable.length === 0 };
    }
  }
}

/**
 * runAifictl: one call of the program, from arguments to exit code.
 * Decides what goes to standard output: the answer as text or as one JSON document, nothing else.
 */
import * as approvals from './approvals-commands.js';
import * as audit from './audit-commands.js';
import { auditVerify, renderAuditVerify } from './audit-verify.js';
import { signedFetch } from './bearer.js';
import {
  parseCommandLine,
  USAGE,
  UsageError,
  type Command,
  type CommandName,
} from './command-line.js';
import * as letters from './dead-letters-commands.js';
import * as overview from './overview-commands.js';
import * as holds from './pixel-holds-commands.js';
import * as register from './register-commands.js';
import { renderStatus } from './render-status.js';
import { renderTrace } from './render-trace.js';
import * as session from './session-commands.js';
import { statusDocument } from './status-command.js';
import { renderStudies, studiesDocument } from './studies-command.js';
import { EXIT, type ExitCode, type Terminal } from './terminal.js';
import { traceDocument } from './trace-command.js';

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
  // A sign-in asks as nobody: what was there before does not matter.
  const isLogin = command.name === 'login';
  const own = isLogin ? terminal : { ...terminal, fetch: signedFetch(command, terminal) };
  const printed = await COMMANDS[command.name](command, own);
  if (!printed) return EXIT.negative;
  const { document, text, good } = printed;
  terminal.out(command.json ? `${JSON.stringify(document, null, 2)}\n` : text);
  return good ? EXIT.ok : EXIT.negative;
}

interface Printed {
  readonly document: object;
  readonly text: string;
  readonly good: boolean;
}
/** Undefined: nothing to print, the reason was told on standard error. */
type Run = (command: Command, terminal: Terminal) => Promise<Printed | undefined>;

const decide: Run = async (command, terminal) => {
  const document = await approvals.changeApproval(command, terminal);
  const text = approvals.renderApproval(document, terminal.timeZone);
  return { document, text, good: document.fault === null };
};

const replay: Run = async (command, terminal) => {
  const document = await letters.replayDocument(command, terminal);
  return { document, text: letters.renderReplay(document), good: letters.isReplayed(document) };
};

const decidePixels: Run = async (command, terminal) => {
  const document = await holds.decisionDocument(command, terminal);
  const good = document.decision?.isDecided === true;
  return { document, text: holds.renderDecision(document), good };
};

const erasure: Run = async (command, terminal) => {
  const document = await register.erasureDocument(command, terminal);
  return { document, text: register.renderErasure(document), good: document.fault === null };
};

const COMMANDS: Readonly<Record<CommandName, Run>> = {
  trace: async (command, terminal) => {
    const document = await traceDocument(command, terminal);
    return { document, text: renderTrace(document, terminal.timeZone), good: document.found };
  },
  status: async (command, terminal) => {
    const document = await statusDocument(command, terminal);
    return { document, text: renderStatus(document, terminal.timeZone), good: document.healthy };
  },
  sites: async ({ hub = '' }, terminal) => {
    const document = await overview.sitesDocument(hub, terminal);
    const good = document.unreachable.length === 0;
    return { document, text: overview.renderSites(document, terminal.timeZone), good };
  },
  models: async ({ hub = '' }, terminal) => {
    const document = await overview.modelsDocument(hub, terminal);
    const good = document.unreachable.length === 0;
    return { document, text: overview.renderModels(document), good };
  },
  studies: async (command, terminal) => {
    const document = await studiesDocument(command, terminal);
    const text = renderStudies(document, terminal.timeZone);
    return { document, text, good: document.fault === null };
  },
  login: async (command, terminal) => {
    const document = await session.login(command, terminal);
    return document && { document, text: session.renderLogin(document), good: true };
  },
  logout: async (command, terminal) => {
    const document = session.logout(command, terminal);
    return { document, text: session.renderLogout(document), good: true };
  },
  whoami: async (command, terminal) => {
    const document = await session.whoami(command, terminal);
    const good = document.servers.every((one) => one.session !== null);
    return { document, text: session.renderWhoami(document), good };
  },
  'approvals list': async (command, terminal) => {
    const document = await approvals.approvalsDocument(command, terminal);
    const text = approvals.renderApprovals(document, terminal.timeZone);
    return { document, text, good: document.fault === null };
  },
  'approvals request': decide,
  'approvals approve': decide,
  'approvals refuse': decide,
  'approvals end': decide,
  'dead-letters list': async (command, terminal) => {
    const document = await letters.deadLettersDocument(command, terminal);
    const text = letters.renderDeadLetters(document, terminal.timeZone);
    return { document, text, good: document.fault === null };
  },
  'pixel-holds list': async (command, terminal) => {
    const document = await holds.pixelHoldsDocument(command, terminal);
    const text = holds.renderPixelHolds(document, terminal.timeZone);
    return { document, text, good: document.fault === null };
  },
  'pixel-holds release': decidePixels,
  'pixel-holds reject': decidePixels,
  'jobs retry': async (command, terminal) => {
    const document = await holds.retryDocument(command, terminal);
    const good = document.retry?.isTakenUp === true;
    return { document, text: holds.renderRetry(document), good };
  },
  'register recall': async (command, terminal) => {
    const document = await register.recallDocument(command, terminal);
    const text = register.renderRegister(document, terminal.timeZone);
    return { document, text, good: document.fault === null };
  },
  'register show': async (command, terminal) => {
    const document = await register.showDocument(command, terminal);
    const text = register.renderRegister(document, terminal.timeZone);
    return { document, text, good: document.fault === null };
  },
  'vault code': erasure,
  'vault erase': erasure,
  'dead-letters replay': replay,
  'dead-letters replay-all': replay,
  'audit search': async (command, terminal) => {
    const document = await audit.auditSearch(command, terminal);
    const text = audit.renderAuditSearch(document, terminal.timeZone);
    return { document, text, good: document.fault === null };
  },
  'audit export': async (command, terminal) => {
    const document = await audit.auditExport(command, terminal);
    const text = audit.renderAuditExport(document);
    const isPiped = document.file === null && document.sha256 !== null;
    if (isPiped) terminal.error(text);
    return { document, text: isPiped ? '' : text, good: document.fault === null };
  },
  'audit verify': async (command, terminal) => {
    const document = await auditVerify(command, terminal);
    return { document, text: renderAuditVerify(document), good: document.ok };
  },
  // The engine is loaded for these only: the other commands ask services and know no DICOM.
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

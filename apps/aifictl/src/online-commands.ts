/**
 * Commands that ask services: each of them to a document, its text and whether that is good.
 * Decides which command asks with which token. They know no DICOM, and the commands that work
 * offline know nothing of them: neither loads the other.
 */
import * as approvals from './approvals-commands.js';
import * as audit from './audit-commands.js';
import { auditVerify, renderAuditVerify } from './audit-verify.js';
import { signedFetch } from './bearer.js';
import type { Command, CommandName } from './command-line.js';
import * as link from './link-commands.js';
import * as letters from './dead-letters-commands.js';
import * as mapping from './mapping-commands.js';
import * as objections from './objection-commands.js';
import * as overview from './overview-commands.js';
import * as holds from './pixel-holds-commands.js';
import * as products from './product-commands.js';
import * as register from './register-commands.js';
import { renderStatus } from './render-status.js';
import { renderTrace } from './render-trace.js';
import * as session from './session-commands.js';
import * as setup from './setup-commands.js';
import { statusDocument } from './status-command.js';
import { renderStudies, studiesDocument } from './studies-command.js';
import * as fetching from './retrieval-commands.js';
import * as requests from './study-commands.js';
import type { Terminal } from './terminal.js';
import { traceDocument } from './trace-command.js';

export interface Printed {
  readonly document: object;
  readonly text: string;
  readonly good: boolean;
}
/** Undefined: nothing to print, the reason was told on standard error. */
type Run = (command: Command, terminal: Terminal) => Promise<Printed | undefined>;

/** Those that need no service. */
export type OfflineCommand = 'pseudonymise' | 'pseudonymise verify';
export type OnlineCommand = Exclude<CommandName, OfflineCommand>;

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

const objection: Run = async (command, terminal) => {
  const document = await objections.objectionDocument(command, terminal);
  const text = objections.renderObjection(document, terminal.timeZone);
  return { document, text, good: document.fault === null };
};

const switchProduct =
  (verb: 'stop' | 'resume'): Run =>
  async (command, terminal) => {
    const document = await products.switchDocument(command, terminal, verb);
    const good = document.fault === null;
    return { document, text: products.renderSwitch(document), good };
  };

const selfTest: Run = async (command, terminal) => {
  const document = await setup.selfTestDocument(command, terminal);
  const text = setup.renderSelfTest(document, terminal.timeZone);
  return { document, text, good: setup.isProbeGood(document) };
};

const authority: Run = async (command, terminal) => {
  const document = await link.authorityDocument(command, terminal);
  const text = link.renderAuthority(document, terminal.timeZone);
  return { document, text, good: document.fault === null };
};

/** A sign-in asks as nobody: what was there before does not matter. */
export async function runOnline(
  command: Command & { readonly name: OnlineCommand },
  terminal: Terminal,
): Promise<Printed | undefined> {
  const isLogin = command.name === 'login';
  const own = isLogin ? terminal : { ...terminal, fetch: signedFetch(command, terminal) };
  return ONLINE_COMMANDS[command.name](command, own);
}

const ONLINE_COMMANDS: Readonly<Record<OnlineCommand, Run>> = {
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
  'product status': async (command, terminal) => {
    const document = await products.stopsDocument(command, terminal);
    const text = products.renderStops(document, terminal.timeZone);
    return { document, text, good: document.fault === null };
  },
  'product stop': switchProduct('stop'),
  'product resume': switchProduct('resume'),
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
  'study request': async (command, terminal) => {
    const document = await requests.studyRequest(command, terminal);
    return { document, text: requests.renderStudyRequest(document), good: !document.fault };
  },
  'study requests': async (command, terminal) => {
    const document = await requests.studyRequests(command, terminal);
    const text = requests.renderStudyRequests(document, terminal.timeZone);
    return { document, text, good: document.fault === null };
  },
  'study fetch': async (command, terminal) => {
    const document = await fetching.fetchDocument(command, terminal);
    const text = fetching.renderRetrievals(document, terminal.timeZone);
    return { document, text, good: document.fault === null };
  },
  'retrieval list': async (command, terminal) => {
    const document = await fetching.retrievalsDocument(command, terminal);
    const text = fetching.renderRetrievals(document, terminal.timeZone);
    return { document, text, good: document.fault === null };
  },
  'retrieval withdraw': async (command, terminal) => {
    const document = await fetching.withdrawalDocument(command, terminal);
    return { document, text: fetching.renderWithdrawal(document), good: document.withdrawn };
  },
  'mapping import': async (command, terminal) => {
    const document = await mapping.mappingImport(command, terminal);
    const good = mapping.isImportGood(document);
    return { document, text: mapping.renderMappingImport(document), good };
  },
  'mapping export': async (command, terminal) => {
    const document = await mapping.mappingExport(command, terminal);
    const isPiped = document.file === null && document.fault === null;
    const text = isPiped ? '' : mapping.renderMappingExport(document);
    return { document, text, good: document.fault === null };
  },
  'mapping list': async (command, terminal) => {
    const document = await mapping.mappingList(command, terminal);
    const text = mapping.renderMapping(document, terminal.timeZone);
    return { document, text, good: document.fault === null };
  },
  'mapping rollback': async (command, terminal) => {
    const document = await mapping.mappingRollback(command, terminal);
    const text = mapping.renderMapping(document, terminal.timeZone);
    return { document, text, good: document.fault === null };
  },
  'mapping coverage': async (command, terminal) => {
    const document = await mapping.mappingCoverage(command, terminal);
    const text = mapping.renderMappingCoverage(document);
    return { document, text, good: document.fault === null };
  },
  'objection show': objection,
  'objection set': objection,
  'objection withdraw': objection,
  'objection import': async (command, terminal) => {
    const document = await objections.objectionImport(command, terminal);
    const good = objections.isListGood(document);
    return { document, text: objections.renderObjectionList(document), good };
  },
  'site enrol': async (command, terminal) => {
    const document = await link.enrolDocument(command, terminal);
    const text = link.renderEnrol(document, terminal.timeZone);
    return { document, text, good: document.fault === null };
  },
  'site certificates': async (command, terminal) => {
    const document = await link.certificatesDocument(command, terminal);
    const text = link.renderCertificates(document, terminal.timeZone);
    return { document, text, good: document.fault === null };
  },
  'site revoke': async (command, terminal) => {
    const document = await link.revokeDocument(command, terminal);
    return { document, text: link.renderRevocation(document), good: document.fault === null };
  },
  'authority show': authority,
  'authority rotate': authority,
  'gateway join': async (command, terminal) => {
    const document = await link.joinDocument(command, terminal);
    const text = link.renderLink(document, terminal.timeZone);
    return { document, text, good: document.fault === null };
  },
  'gateway check': async (command, terminal) => {
    const document = await setup.setupCheckDocument(command, terminal);
    const text = setup.renderSetupCheck(document, terminal.timeZone);
    return { document, text, good: setup.isSetUp(document) };
  },
  'self-test run': selfTest,
  'self-test status': selfTest,
  'gateway link': async (command, terminal) => {
    const document = await link.gatewayLinkDocument(command, terminal);
    const text = link.renderLink(document, terminal.timeZone);
    const isWell = document.link !== null && document.link.finding === null;
    return { document, text, good: isWell && document.link?.mode !== 'not-joined' };
  },
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
};

/**
 * Link: enrolment at the hub, joining and the state of the link at a gateway.
 * Decides how a token gets to the gateway without standing in the list of processes, and that a
 * refusal is followed by what the gateway found: whose certificate, which setting, what to ask for.
 * Invariants: a token is printed once, where it was made; it is never in a fault.
 */
import {
  exemptionLines,
  gatewayRoutes,
  hubRoutes,
  linkFindingWords,
  type GatewayLinkView,
  type LinkFinding,
} from '@aifi/contracts-rest';
import { ask, tell } from './api-client.js';
import { UsageError, type Command } from './command-line.js';
import type {
  AuthorityDocument,
  CertificatesDocument,
  GatewayLinkDocument,
  JoinTokenDocument,
  RevocationDocument,
} from './link-documents.js';
import { columns, Times } from './plain-values.js';
import { faultOf } from './server-fault.js';
import type { Terminal } from './terminal.js';

const { link, joinLink } = gatewayRoutes;
const sitePath = (site: string): string => `api/v1/sites/${encodeURIComponent(site)}`;

export async function enrolDocument(
  { id, hub = '', options }: Command,
  { fetch, newKey }: Terminal,
): Promise<JoinTokenDocument> {
  const gateway = Number(options.gateway ?? '1');
  const address = { url: hub, path: `${sitePath(id)}/join-tokens` };
  const order = { body: { gateway }, key: newKey() };
  const answer = await tell(fetch, address, order, hubRoutes.issueJoinToken.response);
  const token = answer.kind === 'found' ? answer.document : null;
  return { schema: 'aifictl.join-token.v1', hub, token, fault: faultOf(answer) };
}

export async function certificatesDocument(
  { id, hub = '' }: Command,
  { fetch }: Terminal,
): Promise<CertificatesDocument> {
  const address = { url: hub, path: `${sitePath(id)}/certificates` };
  const answer = await ask(fetch, address, hubRoutes.certificates.response);
  const found = answer.kind === 'found' ? answer.document : { certificates: [], bindings: [] };
  return { schema: 'aifictl.certificates.v1', hub, site: id, ...found, fault: faultOf(answer) };
}

export async function revokeDocument(
  { id, second, hub = '', options }: Command,
  { fetch, newKey }: Terminal,
): Promise<RevocationDocument> {
  const serial = second.replaceAll(':', '').toLowerCase();
  const path = `${sitePath(id)}/certificates/${encodeURIComponent(serial)}/revoke`;
  const order = { body: { reason: options.reason }, key: newKey() };
  const answer = await tell(fetch, { url: hub, path }, order, hubRoutes.revokeCertificate.response);
  const certificate = answer.kind === 'found' ? answer.document : null;
  return { schema: 'aifictl.revocation.v1', hub, certificate, fault: faultOf(answer) };
}

/** `authority show` and `authority rotate`. */
export async function authorityDocument(
  { name, hub = '', options }: Command,
  { fetch, newKey }: Terminal,
): Promise<AuthorityDocument> {
  const { authority, rotateAuthority } = hubRoutes;
  const order = { body: { reason: options.reason }, key: newKey() };
  const at = (path: string): { url: string; path: string } => ({ url: hub, path: path.slice(1) });
  const answer =
    name === 'authority rotate'
      ? await tell(fetch, at(rotateAuthority.path), order, rotateAuthority.response)
      : await ask(fetch, at(authority.path), authority.response);
  const { authorities } = answer.kind === 'found' ? answer.document : { authorities: [] };
  return { schema: 'aifictl.authority.v1', hub, authorities, fault: faultOf(answer) };
}

export async function gatewayLinkDocument(
  { server }: Command,
  { fetch }: Terminal,
): Promise<GatewayLinkDocument> {
  const answer = await ask(fetch, { url: server, path: link.path.slice(1) }, link.response);
  const found = answer.kind === 'found' ? answer.document : null;
  return { schema: 'aifictl.gateway-link.v1', server, link: found, fault: faultOf(answer) };
}

/** Joins; when that fails, asks what the gateway found. */
export async function joinDocument(
  command: Command,
  terminal: Terminal,
): Promise<GatewayLinkDocument> {
  const { server, options } = command;
  const token = tokenOf(options.token ?? '', terminal);
  const body = { token, ...(options.hub !== undefined && { hub: options.hub }) };
  const address = { url: server, path: joinLink.path.slice(1) };
  // The gateway itself gives a hub half a minute to answer.
  const patience = { body, key: terminal.newKey(), timeoutMs: JOIN_TIMEOUT_MS };
  const answer = await tell(terminal.fetch, address, patience, joinLink.response);
  const schema = 'aifictl.gateway-link.v1';
  if (answer.kind === 'found') return { schema, server, link: answer.document, fault: null };
  const after = await gatewayLinkDocument(command, terminal);
  return { ...after, fault: faultOf(answer) };
}
/** @unit ms */
const JOIN_TIMEOUT_MS = 60_000;

/** The token itself, or the first line of `@FILE`. Throws UsageError. */
function tokenOf(text: string, { files }: Terminal): string {
  const path = text === '-' ? '/dev/stdin' : text.startsWith('@') ? text.slice(1) : undefined;
  if (path === undefined) return text.trim();
  try {
    return files.readText(path).trim().split(/\r?\n/)[0] ?? '';
  } catch {
    throw new UsageError('the file of --token does not read');
  }
}

export function renderEnrol({ hub, token, fault }: JoinTokenDocument, timeZone: string): string {
  if (!token) return `! ${hub} ${fault}\n`;
  const times = new Times(timeZone, 0);
  return [
    `token for gateway ${token.gateway} of ${token.siteId}, good once until`,
    `${times.dated(token.expiresAtMs)} (${timeZone}); it is not shown again:`,
    '',
    token.token,
    '',
    'on the gateway: aifictl gateway join --gateway URL --token @FILE, or its page "Link"',
    '',
  ].join('\n');
}

export function renderCertificates(document: CertificatesDocument, timeZone: string): string {
  const { hub, certificates, bindings, fault } = document;
  if (fault !== null) return `! ${hub} ${fault}\n`;
  const times = new Times(timeZone, 0);
  const rows = certificates.map((one) => [
    one.serial,
    String(one.gateway),
    one.state,
    times.dated(one.notBeforeMs),
    times.dated(one.validUntilMs),
    one.revocationReason ?? '',
  ]);
  const titles = ['serial', 'gateway', 'state', `from (${timeZone})`, 'accepted until', 'reason'];
  const bound = bindings.map(({ gateway, issuer, endedAtMs }) => {
    const end = endedAtMs === null ? '' : ', ended';
    return `bound: gateway ${gateway} to a certificate of ${issuer}${end}`;
  });
  const table = rows.length === 0 ? ['no certificate'] : columns([titles, ...rows]);
  return `${[...table, ...bound].join('\n')}\n`;
}

export function renderRevocation({ hub, certificate, fault }: RevocationDocument): string {
  if (!certificate) return `! ${hub} ${fault}\n`;
  return `revoked: ${certificate.serial} of gateway ${certificate.gateway}\n`;
}

export function renderAuthority(document: AuthorityDocument, timeZone: string): string {
  const { hub, authorities, fault } = document;
  if (fault !== null) return `! ${hub} ${fault}\n`;
  const times = new Times(timeZone, 0);
  const rows = authorities.map(({ id, state, createdAtMs, notAfterMs }) => [
    ...[id, state, times.dated(createdAtMs), times.dated(notAfterMs)],
  ]);
  return `${columns([['SHA-256', 'state', `from (${timeZone})`, 'until'], ...rows]).join('\n')}\n`;
}

export function renderLink(document: GatewayLinkDocument, timeZone: string): string {
  const { server, link: view, fault } = document;
  const refusal = fault === null ? [] : [`! ${server} ${fault}`];
  const lines = view ? [...linkLines(view, new Times(timeZone, 0)), ...findingLines(view)] : [];
  return `${[...refusal, ...lines].join('\n')}\n`;
}

function linkLines(view: GatewayLinkView, times: Times): string[] {
  const { certificate: own, proxy, trustAnchors, lastContactAtMs } = view;
  const at = (ms: number | null): string =>
    ms === null ? 'never since its start' : times.dated(ms);
  const state = view.mode === 'not-joined' ? 'not joined' : `link ${view.state}`;
  return [
    `${state}: ${view.hub} (${view.serverName})`,
    ...(proxy ? [`proxy: ${proxy.url}${proxy.isAuthenticated ? ', with a name' : ''}`] : []),
    ...(own
      ? [
          `certificate: ${own.serialNumber}, gateway ${own.gateway ?? '?'}, ` +
            `${own.daysLeft} days left${own.alarm === 'none' ? '' : ` (${own.alarm})`}`,
          `renewed: ${own.renewAtMs === null ? 'by hand, it is a file' : at(own.renewAtMs)}`,
        ]
      : []),
    ...trustAnchors.map(({ subject, fingerprint }) => `authority: ${subject}, ${fingerprint}`),
    `last contact: ${at(lastContactAtMs)} (${times.timeZone})`,
  ];
}

function findingLines({ finding }: GatewayLinkView): string[] {
  if (!finding) return [];
  return [
    `! ${finding.code}: ${linkFindingWords(finding.code)?.en ?? 'see the page of the gateway'}`,
    ...detailLines(finding),
    ...exemptionLines(finding).map((line) => `  ${line}`),
  ];
}

function detailLines({ setting, status, presented, exemption }: LinkFinding): string[] {
  return [
    ...(setting === null ? [] : [`  setting: ${setting}`]),
    ...(status === null ? [] : [`  answered with HTTP ${status}`]),
    ...(presented && !exemption ? [`  shown: ${presented.subject}, by ${presented.issuer}`] : []),
  ];
}

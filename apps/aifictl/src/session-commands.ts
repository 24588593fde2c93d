/**
 * login, logout and whoami: the sign-in of a person at a server, and what it is good for.
 * Decides what is said of a sign-in: name, roles, sites; never a token. Invariant: what is kept was
 * accepted by the server, not only given by its provider.
 */
import { accessRoutes } from '@aifi/contracts-rest';
import { ask, type Answer } from './api-client.js';
import { signedFetch } from './bearer.js';
import type { Command } from './command-line.js';
import type { LoginDocument, LogoutDocument, ServerSession, WhoamiDocument } from './documents.js';
import { signInByDevice, SignInFault } from './provider.js';
import type { Terminal } from './terminal.js';

/** @returns undefined when it did not come about; the reason was told. */
export async function login(
  command: Command,
  terminal: Terminal,
): Promise<LoginDocument | undefined> {
  const { server } = command;
  const show = ({ address, code }: { address: string; code: string }): void =>
    terminal.error(
      `To sign in at ${server}, open\n  ${address}\nand compare the code: ${code}\nWaiting ...\n`,
    );
  const stepUp = command.options['step-up'] !== undefined;
  try {
    terminal.tokens.write(await signInByDevice(server, { stepUp, show }, terminal));
  } catch (error) {
    if (!(error instanceof SignInFault)) throw error;
    terminal.error(`aifictl: ${server} ${error.message}\n`);
    return undefined;
  }
  const own = { ...command, tokenFile: undefined };
  const who = await sessionOf(server, signedFetch(own, terminal));
  if (who.session === null) {
    terminal.tokens.remove(server);
    terminal.error(`aifictl: ${server} ${who.why}\n`);
    return undefined;
  }
  return { schema: 'aifictl.login.v1', url: server, session: who.session };
}

export function renderLogin({ url, session }: LoginDocument): string {
  return `signed in: ${sessionWords({ url, session, why: null })}\n`;
}

export function logout({ server }: Command, { tokens }: Terminal): LogoutDocument {
  return { schema: 'aifictl.logout.v1', url: server, wasSignedIn: tokens.remove(server) };
}

export function renderLogout({ url, wasSignedIn }: LogoutDocument): string {
  const words = wasSignedIn ? 'forgotten' : 'there was none';
  return `sign-in at ${url}: ${words}\n`;
}

export async function whoami(
  { gateways, hub }: Command,
  { fetch }: Terminal,
): Promise<WhoamiDocument> {
  const urls = [...(hub === undefined ? [] : [hub]), ...gateways];
  const servers = await Promise.all(urls.map((url) => sessionOf(url, fetch)));
  return { schema: 'aifictl.whoami.v1', servers };
}

export function renderWhoami({ servers }: WhoamiDocument): string {
  return servers
    .map((one) => `${one.session === null ? `! ${one.url} ${one.why}` : sessionWords(one)}\n`)
    .join('');
}

async function sessionOf(url: string, fetcher: typeof fetch): Promise<ServerSession> {
  const { path, response } = accessRoutes.session;
  const answer = await ask(fetcher, { url, path: path.slice(1) }, response);
  if (answer.kind !== 'found') return { url, session: null, why: whyNot(answer) };
  const { user, roles, siteIds, acts, steppedUpUntilMs, purpose, server } = answer.document;
  const session = { user, roles, siteIds, acts, steppedUpUntilMs, purpose, server };
  return { url, session, why: null };
}

const whyNot = (answer: Exclude<Answer<unknown>, { kind: 'found' }>): string =>
  answer.kind === 'absent' ? 'is not a server of this version' : answer.why;

function sessionWords({ url, session }: ServerSession): string {
  if (session === null) return url;
  const { user, roles, siteIds, server, purpose } = session;
  const sites = siteIds.length === 0 ? 'no site of its own' : siteIds.join(', ');
  const may = roles.length === 0 ? 'no role' : roles.join(', ');
  return `${user.name} at the ${server} ${url} (${purpose}): ${may}; ${sites}`;
}

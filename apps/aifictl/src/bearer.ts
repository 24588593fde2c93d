/**
 * Bearer: puts the right token on each question.
 * Decides which token goes to which server: one from a file for scripts, or the saved sign-in,
 * refreshed shortly before it ends. Invariants: a token goes only to the server that it is for and
 * never over plain HTTP to another machine; without one the server says itself what it wants.
 * Source: RFC 6750; RFC 9700 (tokens are for one audience).
 */
import { UsageError, type Command } from './command-line.js';
import { isConfidential, refreshed } from './provider.js';
import type { Terminal } from './terminal.js';

/** A token that ends sooner is not sent. @unit ms */
const LEEWAY_MS = 30_000;

/** `fetch` that signs what goes to the servers of the command. Throws UsageError. */
export function signedFetch(command: Command, terminal: Terminal): typeof fetch {
  const { gateways, hub, tokenFile } = command;
  const servers = [...gateways, ...(hub === undefined ? [] : [hub])];
  const given = tokenFile === undefined ? undefined : tokensOfFile(tokenFile, servers, terminal);
  const tokens = new Map<string, Promise<string | undefined>>();
  const tokenOf = (server: string): Promise<string | undefined> => {
    const known = tokens.get(server);
    if (known) return known;
    const found = given ? Promise.resolve(given.get(server)) : savedToken(server, terminal);
    tokens.set(server, found);
    return found;
  };
  return async (input, init) => {
    const server = servers.find((url) => String(input).startsWith(`${url}/`));
    const mayCarry = server !== undefined && isConfidential(server);
    const token = mayCarry ? await tokenOf(server) : undefined;
    if (token === undefined) return terminal.fetch(input, init);
    const headers = { ...(init?.headers as object), authorization: `Bearer ${token}` };
    return terminal.fetch(input, { ...init, headers });
  };
}

async function savedToken(server: string, terminal: Terminal): Promise<string | undefined> {
  const saved = terminal.tokens.read(server);
  if (!saved || saved.expiresAtMs - terminal.nowMs() > LEEWAY_MS) return saved?.accessToken;
  const renewed = await refreshed(saved, terminal);
  if (renewed) terminal.tokens.write(renewed);
  else terminal.tokens.remove(server);
  return renewed?.accessToken;
}

/** One token for the one server that is asked, or lines of address and token. */
function tokensOfFile(
  path: string,
  servers: readonly string[],
  { files }: Terminal,
): ReadonlyMap<string, string> {
  let text: string;
  try {
    text = files.readText(path);
  } catch {
    throw new UsageError('the token file cannot be read');
  }
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
  const filled = lines.filter(([first]) => first !== '');
  const [[single, ...rest] = []] = filled;
  if (filled.length === 1 && single !== undefined && rest.length === 0) {
    // A token is for one server: any other would learn it.
    const [only] = servers;
    if (servers.length !== 1 || only === undefined) {
      throw new UsageError('a file with one token is for one server: use lines "URL TOKEN"');
    }
    return new Map([[only, single]]);
  }
  return new Map(
    filled.map(([server, token, ...more]) => {
      if (!server || !token || more.length > 0) {
        throw new UsageError('a line of the token file is "URL TOKEN"');
      }
      return [server.replace(/\/+$/, ''), token];
    }),
  );
}

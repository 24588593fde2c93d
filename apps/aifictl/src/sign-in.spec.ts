/**
 * Goal: a person signs in by a code, is told in words why something is refused, and a token goes to
 * no server but its own. Method: the whole program with made-up answers of server and provider.
 */
import { describe, expect, it } from '@jest/globals';
import type { SessionView } from '@aifi/contracts-rest';
import { aProblem, aStatus, aTerminal, T0, type TestAnswer } from '../test/answers.js';
import { loginDocumentSchema, whoamiDocumentSchema } from './documents.js';
import { runAifictl } from './run.js';
import type { SavedTokens } from './tokens.js';

const HUB = 'https://hub.example';
const GATEWAY = 'https://gateway.example';
const ISSUER = 'https://login.example/realms/aifi';
const session: SessionView = {
  user: { id: 'anna', name: 'Anna de Vries' },
  ...{ roles: ['central-operator'], siteIds: [], acts: ['health.read'] },
  ...{ steppedUpUntilMs: null, expiresAtMs: 0, csrfToken: '', purpose: 'demonstration' },
  server: 'hub',
};
const saved = (changes: Partial<SavedTokens> = {}): SavedTokens => ({
  ...{ schema: 'aifictl.tokens.v1', server: HUB, issuer: ISSUER, accessToken: 'old' },
  ...{ refreshToken: 'refresh', expiresAtMs: T0 + 60_000, ...changes },
});
const sessionFor =
  (...tokens: string[]) =>
  ({ headers }: RequestInit): Response => {
    const given = new Headers(headers).get('authorization') ?? '';
    const isKnown = tokens.includes(given.replace('Bearer ', ''));
    return isKnown ? Response.json(session) : aProblem(401, 'UNAUTHENTICATED')();
  };
const about = (resource: string) => ({
  ...{ resource, authorization_servers: [ISSUER], bearer_methods_supported: ['header'] },
});
const device = {
  ...{ device_code: 'secret-of-the-device', user_code: 'BCDF-GHJK', expires_in: 600 },
  // Seconds; the real ones are five.
  ...{ verification_uri: `${ISSUER}/device`, interval: 0.001 },
};
const granted = { access_token: 'new', token_type: 'Bearer', expires_in: 300, refresh_token: 'r2' };

function world(changes: Readonly<Record<string, TestAnswer>> = {}) {
  return aTerminal({
    [`${HUB}/.well-known/oauth-protected-resource`]: about(HUB),
    [`${ISSUER}/.well-known/openid-configuration`]: {
      ...{ issuer: ISSUER, token_endpoint: `${ISSUER}/token` },
      device_authorization_endpoint: `${ISSUER}/device-code`,
    },
    [`${ISSUER}/device-code`]: device,
    [`${ISSUER}/token`]: granted,
    [`${HUB}/api/v1/session`]: sessionFor('new', 'old'),
    ...changes,
  });
}

describe('aifictl login', () => {
  it('shows address and code, waits for the person, and says who that is', async () => {
    let polls = 0;
    const terminal = world({
      [`${ISSUER}/token`]: () => {
        polls += 1;
        if (polls > 2) return Response.json(granted);
        return Response.json({ error: 'authorization_pending' }, { status: 400 });
      },
    });
    expect(await runAifictl(['login', '--hub', HUB], terminal)).toBe(0);
    expect(terminal.complained()).toBe(
      `To sign in at ${HUB}, open\n  ${ISSUER}/device\nand compare the code: BCDF-GHJK\n` +
        'Waiting ...\n',
    );
    expect(terminal.printed()).toBe(
      `signed in: Anna de Vries at the hub ${HUB} (demonstration): central-operator; ` +
        'no site of its own\n',
    );
    expect(terminal.saved.get(HUB)).toEqual(
      saved({ accessToken: 'new', refreshToken: 'r2', expiresAtMs: T0 + 300_000 }),
    );
  });
  it('prints one document of the stated shape, without a token', async () => {
    const terminal = world();
    expect(await runAifictl(['login', '--hub', HUB, '--json'], terminal)).toBe(0);
    const printed: unknown = JSON.parse(terminal.printed());
    expect(loginDocumentSchema.parse(printed)).toEqual(printed);
    expect(terminal.printed() + terminal.complained()).not.toMatch(/new|r2|secret/);
  });
  it('asks for the stronger sign-in when told to', async () => {
    const terminal = world();
    await runAifictl(['login', '--step-up', '--hub', HUB], terminal);
    const order = terminal.asked.find(({ address }) => address === `${ISSUER}/device-code`);
    expect(new URLSearchParams(order?.body).get('acr_values')).toBe('aifi-step-up');
  });
  it.each<[string, string, Record<string, TestAnswer>]>([
    [
      'calls itself https://other.example: use that address',
      'a server that is another one',
      { [`${HUB}/.well-known/oauth-protected-resource`]: about('https://other.example') },
    ],
    [
      'names no provider: is this the address?',
      'a server without a sign-in',
      { [`${HUB}/.well-known/oauth-protected-resource`]: null },
    ],
    [
      'has a provider that does not answer',
      'a provider that is away',
      { [`${ISSUER}/.well-known/openid-configuration`]: undefined },
    ],
    [
      'has a provider where the sign-in was refused',
      'a person who says no',
      {
        [`${ISSUER}/token`]: () => Response.json({ error: 'access_denied' }, { status: 400 }),
      },
    ],
    [
      'asks who you are: sign in with aifictl login',
      'a server that does not take the token',
      { [`${HUB}/api/v1/session`]: sessionFor() },
    ],
  ])('says "%s" of %s, and keeps nothing', async (words, _, changes) => {
    const terminal = world(changes);
    expect(await runAifictl(['login', '--hub', HUB], terminal)).toBe(1);
    expect(terminal.complained()).toContain(`aifictl: ${HUB} ${words}\n`);
    expect(terminal.printed()).toBe('');
    expect(terminal.saved.size).toBe(0);
  });
  it('gives nothing to a server or a provider of another machine over plain HTTP', async () => {
    const plain = 'http://hub.example';
    const terminal = world();
    expect(await runAifictl(['login', '--hub', plain], terminal)).toBe(1);
    expect(terminal.complained()).toContain('is not on https');
    const other = { ...about(HUB), authorization_servers: ['http://login.example'] };
    const second = world({ [`${HUB}/.well-known/oauth-protected-resource`]: other });
    expect(await runAifictl(['login', '--hub', HUB], second)).toBe(1);
    expect(second.complained()).toContain('has a provider that is not on https');
  });
  it('is forgotten by logout', async () => {
    const terminal = world();
    terminal.saved.set(HUB, saved());
    await runAifictl(['logout', '--hub', HUB], terminal);
    await runAifictl(['logout', '--hub', HUB], terminal);
    expect(terminal.printed()).toBe(
      `sign-in at ${HUB}: forgotten\nsign-in at ${HUB}: there was none\n`,
    );
    expect(terminal.asked).toEqual([]);
  });
});

describe('aifictl whoami', () => {
  it('tells each server apart, and where nobody is signed in', async () => {
    const terminal = world({ [`${GATEWAY}/api/v1/session`]: sessionFor('other') });
    terminal.saved.set(HUB, saved());
    const args = ['whoami', '--hub', HUB, '--gateway', GATEWAY];
    expect(await runAifictl(args, terminal)).toBe(1);
    expect(terminal.printed()).toBe(
      `Anna de Vries at the hub ${HUB} (demonstration): central-operator; no site of its own\n` +
        `! ${GATEWAY} asks who you are: sign in with aifictl login\n`,
    );
  });
  it('prints one document of the stated shape', async () => {
    const terminal = world();
    terminal.saved.set(HUB, saved());
    expect(await runAifictl(['whoami', '--hub', HUB, '--json'], terminal)).toBe(0);
    const printed: unknown = JSON.parse(terminal.printed());
    expect(whoamiDocumentSchema.parse(printed)).toEqual(printed);
    expect(terminal.printed()).not.toContain('csrf');
  });
});

describe('a saved sign-in', () => {
  it('is refreshed shortly before it ends, and saved again', async () => {
    const terminal = world();
    terminal.saved.set(HUB, saved({ expiresAtMs: T0 + 20_000 }));
    expect(await runAifictl(['whoami', '--hub', HUB], terminal)).toBe(0);
    expect(terminal.saved.get(HUB)).toMatchObject({ accessToken: 'new', refreshToken: 'r2' });
    const order = terminal.asked.find(({ address }) => address === `${ISSUER}/token`);
    expect(new URLSearchParams(order?.body).get('refresh_token')).toBe('refresh');
  });
  it('is forgotten when the provider has ended it', async () => {
    const ended = () => Response.json({ error: 'invalid_grant' }, { status: 400 });
    const terminal = world({ [`${ISSUER}/token`]: ended });
    terminal.saved.set(HUB, saved({ expiresAtMs: T0 }));
    expect(await runAifictl(['whoami', '--hub', HUB], terminal)).toBe(1);
    expect(terminal.printed()).toContain('asks who you are');
    expect(terminal.saved.size).toBe(0);
  });
  it('is kept while the provider does not answer', async () => {
    const terminal = world({ [`${ISSUER}/token`]: undefined });
    terminal.saved.set(HUB, saved({ expiresAtMs: T0 }));
    expect(await runAifictl(['whoami', '--hub', HUB], terminal)).toBe(1);
    expect(terminal.saved.size).toBe(1);
  });
});

describe('a token', () => {
  const statusOf = (url: string) => ({ [`${url}/api/v1/status`]: aStatus() });
  const sent = (terminal: ReturnType<typeof world>): (string | null)[] =>
    terminal.asked.map(({ headers }) => headers.get('authorization'));

  it('goes to its own server only', async () => {
    const terminal = world(statusOf(GATEWAY));
    terminal.saved.set(HUB, saved());
    await runAifictl(['status', '--gateway', GATEWAY], terminal);
    expect(sent(terminal)).toEqual([null]);
  });
  it('of a file is for the one server that is asked', async () => {
    const terminal = world(statusOf(GATEWAY));
    terminal.disk.set('token', 'from-file\n');
    await runAifictl(['status', '--gateway', GATEWAY, '--token-file', 'token'], terminal);
    expect(sent(terminal)).toEqual(['Bearer from-file']);
    const args = ['status', '--gateway', GATEWAY, '--hub', HUB, '--token-file', 'token'];
    expect(await runAifictl(args, terminal)).toBe(2);
    expect(terminal.asked).toHaveLength(1);
  });
  it('of a file with lines is for the server of its line', async () => {
    const terminal = world(statusOf(GATEWAY));
    terminal.disk.set('tokens', `${HUB} of-hub\n${GATEWAY}/ of-gateway\n`);
    await runAifictl(['status', '--gateway', GATEWAY, '--token-file', 'tokens'], terminal);
    expect(sent(terminal)).toEqual(['Bearer of-gateway']);
  });
  it('never goes over plain HTTP to another machine', async () => {
    const plain = 'http://gateway.example';
    const terminal = world(statusOf(plain));
    terminal.disk.set('token', 'from-file');
    await runAifictl(['status', '--gateway', plain, '--token-file', 'token'], terminal);
    expect(sent(terminal)).toEqual([null]);
  });
  it.each([
    ['is not there', undefined],
    ['has a line with more', `${HUB} a b`],
  ])('file that %s is a wrong use', async (_, content) => {
    const terminal = world();
    if (content !== undefined) terminal.disk.set('token', content);
    expect(await runAifictl(['whoami', '--hub', HUB, '--token-file', 'token'], terminal)).toBe(2);
  });
});

describe('a refusal', () => {
  it.each([
    [401, 'UNAUTHENTICATED', 'asks who you are: sign in with aifictl login'],
    [401, 'STEP_UP_REQUIRED', 'asks for a fresh sign-in first: aifictl login --step-up'],
    [403, 'FORBIDDEN', 'refuses: no role of yours allows this'],
    [
      ...([403, 'APPROVAL_REQUIRED'] as const),
      'wants a second person to agree first: aifictl approvals request',
    ],
    [409, 'STATE_CONFLICT', 'refuses: fixed words of STATE_CONFLICT'],
    [500, 'INTERNAL', 'answers with HTTP 500'],
  ])('%d %s is said as "%s"', async (status, code, words) => {
    const terminal = aTerminal({ [`${HUB}/api/v1/sites`]: aProblem(status, code) });
    expect(await runAifictl(['sites', '--hub', HUB], terminal)).toBe(1);
    expect(terminal.printed()).toBe(`! the hub at ${HUB} ${words}\n`);
  });
});

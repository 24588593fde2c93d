/**
 * Goal: enrolment and the link read well, a token is asked for once and told to the gateway alone,
 * and a refusal says what to change. Method: the whole program with made-up answers.
 */
import { describe, expect, it } from '@jest/globals';
import type { GatewayLinkView } from '@aifi/contracts-rest';
import { aProblem, aTerminal, GATEWAY, HUB, T0 } from '../test/answers.js';
import { gatewayLinkDocumentSchema, joinTokenDocumentSchema } from './link-documents.js';
import { runAifictl } from './run.js';

const SERIAL = '0123456789abcdef'.repeat(2);
const TOKEN = 'aifi-join.of-a-test-of-the-command-line';
const FINGERPRINT = 'f'.repeat(64);
const view = (changes: Partial<GatewayLinkView> = {}): GatewayLinkView => ({
  ...{ mode: 'joined', state: 'up', hub: 'hub.example:443', serverName: 'hub.example' },
  proxy: { url: 'http://proxy.example:3128', isAuthenticated: true },
  certificate: {
    ...{ serialNumber: SERIAL, gateway: 1, notBeforeMs: T0, notAfterMs: T0, daysLeft: 12 },
    ...{ alarm: 'urgent', renewAtMs: T0 },
  },
  trustAnchors: [{ subject: 'CN=hub', fingerprint: FINGERPRINT, notAfterMs: T0 }],
  ...{ signingKeys: 1, joinedAtMs: T0, lastContactAtMs: T0, trustCheckedAtMs: null },
  ...{ finding: null, ...changes },
});
const inspected = view({
  ...{ mode: 'not-joined', state: 'down', certificate: null, trustAnchors: [] },
  lastContactAtMs: null,
  finding: {
    ...{ code: 'LINK_INSPECTED', atMs: T0, host: 'hub.example', port: 443 },
    ...{ setting: null, status: null },
    presented: {
      ...{ subject: 'hub.example', issuer: 'Firewall CA', fingerprint: FINGERPRINT },
      ...{ notBeforeMs: T0, notAfterMs: T0, names: '' },
    },
    exemption: { host: 'hub.example', port: 443, sni: 'hub.example', alpn: ['h2'] },
  },
});

describe('aifictl site enrol', () => {
  it('asks for a token of the gateway that is numbered and prints it once', async () => {
    const answer = { siteId: 'site-a', gateway: 2, token: TOKEN, expiresAtMs: T0 };
    const answers = { [`${HUB}/api/v1/sites/site-a/join-tokens`]: answer };
    const args = ['site', 'enrol', 'site-a', '--gateway', '2', '--hub', HUB];
    const [text, json] = [aTerminal(answers), aTerminal(answers)];
    expect(await runAifictl(args, text)).toBe(0);
    expect(text.printed().split(TOKEN)).toHaveLength(2);
    expect(JSON.parse(text.asked[0]!.body!)).toEqual({ gateway: 2 });
    expect(await runAifictl([...args, '--json'], json)).toBe(0);
    const document = joinTokenDocumentSchema.parse(JSON.parse(json.printed()));
    expect(document).toMatchObject({ token: answer, fault: null });
  });
  it('takes a number for the gateway, and a site', async () => {
    for (const args of [['site-a', '--gateway', 'http://g'], [], ['a', 'b']]) {
      expect(await runAifictl(['site', 'enrol', ...args, '--hub', HUB], aTerminal({}))).toBe(2);
    }
  });
});

describe('aifictl site revoke', () => {
  it('names site and serial number, as a certificate is shown by others too', async () => {
    const path = `${HUB}/api/v1/sites/site-a/certificates/${SERIAL}/revoke`;
    const terminal = aTerminal({ [path]: aProblem(404, 'NOT_FOUND') });
    const shown = SERIAL.toUpperCase().replace(/(..)(?=.)/g, '$1:');
    const args = ['site', 'revoke', 'site-a', shown, '--reason', 'the box was stolen'];
    expect(await runAifictl([...args, '--hub', HUB], terminal)).toBe(1);
    expect(terminal.asked.map(({ address }) => address)).toEqual([path]);
    const without = ['site', 'revoke', 'site-a', '--reason', 'the box was stolen', '--hub', HUB];
    expect(await runAifictl(without, aTerminal({}))).toBe(2);
  });
});

describe('aifictl gateway link', () => {
  it('tells certificate, proxy and authority, and that the end is near', async () => {
    const terminal = aTerminal({ [`${GATEWAY}/api/v1/link`]: view() });
    expect(await runAifictl(['gateway', 'link', '--gateway', GATEWAY], terminal)).toBe(0);
    expect(terminal.printed().split('\n')).toEqual([
      'link up: hub.example:443 (hub.example)',
      'proxy: http://proxy.example:3128, with a name',
      `certificate: ${SERIAL}, gateway 1, 12 days left (urgent)`,
      'renewed: 2026-11-20 10:22:00',
      `authority: CN=hub, ${FINGERPRINT}`,
      'last contact: 2026-11-20 10:22:00 (UTC)',
      '',
    ]);
  });
});

describe('aifictl gateway join', () => {
  const args = ['gateway', 'join', '--gateway', GATEWAY, '--token', TOKEN];
  it('tells the token to the gateway, with the hub that is meant', async () => {
    const terminal = aTerminal({ [`${GATEWAY}/api/v1/link/join`]: view() });
    expect(await runAifictl([...args, '--hub', 'hub.example:443'], terminal)).toBe(0);
    const body = { token: TOKEN, hub: 'hub.example:443' };
    expect(JSON.parse(terminal.asked[0]!.body!)).toEqual(body);
    expect(terminal.printed()).not.toContain(TOKEN);
  });
  it('says what was found on the way, and what to ask the network people for', async () => {
    const answers = {
      [`${GATEWAY}/api/v1/link/join`]: aProblem(502, 'LINK_INSPECTED'),
      [`${GATEWAY}/api/v1/link`]: inspected,
    };
    const [text, json] = [aTerminal(answers), aTerminal(answers)];
    expect(await runAifictl(args, text)).toBe(1);
    const printed = text.printed();
    expect(printed).toContain('! LINK_INSPECTED: something between this gateway and the hub opens');
    expect(printed).toContain('  destination: hub.example, TCP port 443\n  do not decrypt');
    expect(printed).toContain(`  seen instead: issuer Firewall CA, SHA-256 ${FINGERPRINT}`);
    expect(await runAifictl([...args, '--json'], json)).toBe(1);
    const document = gatewayLinkDocumentSchema.parse(JSON.parse(json.printed()));
    expect(document.link?.finding?.exemption).toMatchObject({ sni: 'hub.example' });
  });
});

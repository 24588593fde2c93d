/**
 * Goal: a gateway joins with a token, once, keeps what it got, and believes nobody it should not.
 * Method: real TLS with a hub of the test's own; everything that it sends is varied.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createPlainServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { linkFindingWords } from '@aifi/contracts-rest';
import { siteId } from '@aifi/shared-kernel';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { EchoStream, openLink } from '../test/link-under-test.js';
import { TestAuthority } from '../test/test-authority.js';
import { TestHub, type TestHubOptions } from '../test/test-hub.js';
import { formatJoinToken, parseJoinToken } from './join-token.js';
import type { JoinedLink } from './joined-link.js';

let folder: TemporaryFolder;
const open: { stop(): Promise<void> }[] = [];
beforeEach(() => {
  folder = temporaryFolder('link');
});
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.stop();
  folder.remove();
});

async function hubOf(options: TestHubOptions = {}): Promise<TestHub> {
  const hub = await TestHub.start(options);
  open.push(hub);
  return hub;
}
async function linkOf(address: string, place = {}): Promise<JoinedLink> {
  const link = await openLink({ settings: { address }, dataFolder: folder.path, place });
  open.push({ stop: () => link.close() });
  return link;
}
const identityPath = (): string => join(folder.path, 'link', 'identity.json');
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );

describe('joining', () => {
  it('gives the gateway a certificate with which its calls go through, without a restart', async () => {
    const hub = await hubOf();
    const link = await linkOf(hub.address);
    expect(link.view()).toMatchObject({ mode: 'not-joined', state: 'down', certificate: null });
    const before = new EchoStream(link);
    await expect(before.echo()).rejects.toMatchObject({ code: 14 });
    await link.join(await hub.token());
    const stream = new EchoStream(link);
    await stream.echo();
    expect(link.view()).toMatchObject({
      ...{ mode: 'joined', state: 'up', signingKeys: 1, finding: null },
      certificate: { daysLeft: 89, alarm: 'none', gateway: 1 },
    });
    expect(link.signingKeys().map((key) => key.asymmetricKeyType)).toEqual(['ed25519']);
  });

  it('keeps the key for this user alone, and finds it again after a restart', async () => {
    const hub = await hubOf();
    const link = await linkOf(hub.address);
    await link.join(await hub.token());
    expect(statSync(identityPath()).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder.path, 'link')).mode & 0o777).toBe(0o700);
    await link.close();
    const again = await linkOf(hub.address);
    await new EchoStream(again).echo();
    const identity = JSON.parse(readFileSync(identityPath(), 'utf8')) as { certificate: string };
    const { serialNumber } = new X509Certificate(identity.certificate);
    expect(hub.seen).toEqual([serialNumber.toLowerCase()]);
  });

  it('takes a token once', async () => {
    const hub = await hubOf();
    const token = await hub.token();
    const link = await linkOf(hub.address);
    await link.join(token);
    expect(await codeOf(link.join(token))).toBe('JOIN_REFUSED');
    expect(link.view()).toMatchObject({ mode: 'joined', finding: { code: 'JOIN_REFUSED' } });
    await new EchoStream(link).echo();
  });

  it('says what to do when the answer was lost', async () => {
    const hub = await hubOf({ isMuteAfterToken: true });
    const link = await linkOf(hub.address);
    expect(await codeOf(link.join(await hub.token()))).toBe('JOIN_OUTCOME_UNKNOWN');
    expect(existsSync(identityPath())).toBe(false);
    expect(linkFindingWords('JOIN_OUTCOME_UNKNOWN')?.en).toContain('ask for a new token');
    expect(await codeOf(link.join(await hub.token()))).toBe('JOIN_REFUSED');
  });

  it.each<[string, TestHubOptions, object]>([
    ['another site', { siteId: 'site-b' }, {}],
    ['another purpose', { purpose: 'clinical' }, {}],
    ['a time that has not come', { gatewayDates: { fromDays: 1 } }, {}],
    ['a time that is over', { gatewayDates: { fromDays: -2, toDays: -1 } }, {}],
  ])('keeps nothing of an answer for %s', async (_, options) => {
    const hub = await hubOf(options);
    const link = await linkOf(hub.address, { siteId: siteId('site-a') });
    expect(await codeOf(link.join(await hub.token()))).toBe('UNTRUSTED');
    expect(existsSync(identityPath())).toBe(false);
    expect(link.isJoined).toBe(false);
  });

  it('keeps nothing of a configuration that the named keys did not sign', async () => {
    const hub = await hubOf();
    hub.signer = generateKeyPairSync('ed25519').privateKey;
    const link = await linkOf(hub.address);
    expect(await codeOf(link.join(await hub.token()))).toBe('UNTRUSTED');
    expect(link.isJoined).toBe(false);
  });

  it("keeps nothing of a configuration that leaves out the token's authority", async () => {
    const hub = await hubOf();
    hub.trustAnchors = [(await TestAuthority.make('another')).pem];
    const link = await linkOf(hub.address);
    expect(await codeOf(link.join(await hub.token()))).toBe('UNTRUSTED');
  });

  it('tells nobody the secret whose authority is not the one of the token', async () => {
    const hub = await hubOf();
    const link = await linkOf(hub.address);
    const token = { ...parseJoinToken(await hub.token()), ca: 'a'.repeat(64) };
    expect(await codeOf(link.join(formatJoinToken(token)))).toBe('LINK_INSPECTED');
    expect(hub.tokens.size).toBe(1);
    expect(link.view().finding).toMatchObject({
      presented: { issuer: 'test hub authority' },
      exemption: { host: 'localhost', port: hub.port, sni: 'localhost', alpn: expect.any(Array) },
    });
  });

  it('refuses what is no token, or one for another hub, unless the hub is named', async () => {
    const hub = await hubOf();
    const link = await linkOf(hub.address);
    const elsewhere = formatJoinToken({ ...parseJoinToken(await hub.token()), hub: 'other:1' });
    for (const text of ['', 'aifi-join.e30', 'x'.repeat(5_000), elsewhere]) {
      expect(await codeOf(link.join(text))).toBe('JOIN_TOKEN_INVALID');
    }
    expect(await codeOf(link.join(elsewhere, 'third:2'))).toBe('JOIN_TOKEN_INVALID');
    await link.join(elsewhere, hub.address);
    expect(link.isJoined).toBe(true);
  });
});

describe('an identity that does not read', () => {
  it('is a fault and never a gateway that has not joined', async () => {
    const link = await linkOf('localhost:1');
    await link.close();
    writeFileSync(identityPath(), '{"schema":"aifi.gateway-identity.v1"}');
    expect(
      await codeOf(openLink({ settings: { address: 'localhost:1' }, dataFolder: folder.path })),
    ).toBe('CONFIG_INVALID');
  });
});

describe('who answers instead of the hub', () => {
  it.each<[string, TestHubOptions, string]>([
    [
      'an expired certificate',
      { serverDates: { fromDays: -9, toDays: -1 } },
      'LINK_CERTIFICATE_TIME',
    ],
    ['one of tomorrow', { serverDates: { fromDays: 1, toDays: 9 } }, 'LINK_CERTIFICATE_TIME'],
    ['another name', { names: ['elsewhere.example'] }, 'LINK_WRONG_NAME'],
  ])('%s is told as that', async (_, options, code) => {
    const hub = await hubOf(options);
    const link = await linkOf(hub.address);
    expect(await codeOf(link.join(await hub.token()))).toBe(code);
    expect(hub.tokens.size).toBe(1);
    expect(link.view().finding).toMatchObject({ code, presented: { subject: 'test' } });
  });

  it('a page of a network is told as no TLS', async () => {
    const hub = await hubOf();
    const page = createPlainServer((socket) => {
      socket.on('error', () => undefined).resume();
      socket.end('HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\n\r\n');
    });
    await new Promise<void>((done) => page.listen(0, '127.0.0.1', done));
    open.push({ stop: () => new Promise((done) => page.close(() => done())) });
    const address = `localhost:${(page.address() as AddressInfo).port}`;
    const link = await linkOf(address);
    expect(await codeOf(link.join(await hub.token(), address))).toBe('LINK_NOT_TLS');
  });

  it('nobody is told as nobody', async () => {
    const hub = await hubOf();
    const token = await hub.token();
    await hub.stop();
    open.splice(open.indexOf(hub), 1);
    const link = await linkOf(hub.address);
    expect(await codeOf(link.join(token))).toBe('PEER_UNAVAILABLE');
  });
});

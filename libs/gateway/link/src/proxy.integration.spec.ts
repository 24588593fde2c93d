/**
 * Goal: the link goes through the proxies that hospitals have, mTLS from end to end, and says which
 * setting to change when it does not. Method: a real squid in each of its roles; a forwarder that
 * opens the encryption with an authority of its own, as an inspecting firewall does.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { chmodSync, writeFileSync } from 'node:fs';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { exemptionLines } from '@aifi/contracts-rest';
import { hasPeers, temporaryFolder } from '@aifi/shared-testing';
import { EchoStream, openLink } from '../test/link-under-test.js';
import { startSquid, type RunningSquid } from '../test/squid.js';
import { TestAuthority } from '../test/test-authority.js';
import { TestHub } from '../test/test-hub.js';
import type { JoinedLink } from './joined-link.js';
import type { ProxySettings } from './link-settings.js';

const account = { userName: 'gateway', password: 'a password: with colon' };
const folder = temporaryFolder('link-proxy');
const squids: Record<string, RunningSquid> = {};
let hub: TestHub;
let folders = 0;

const file = (name: string, content: string): string => {
  const path = join(folder.path, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
};
const url = (name: string, scheme = 'http'): string =>
  `${scheme}://localhost:${squids[name]!.port}`;
async function withLink<T>(
  settings: { address?: string; proxy?: ProxySettings },
  work: (link: JoinedLink) => Promise<T>,
): Promise<T> {
  const dataFolder = join(folder.path, String((folders += 1)));
  const address = settings.address ?? hub.address;
  const link = await openLink({ settings: { ...settings, address }, dataFolder });
  try {
    return await work(link);
  } finally {
    await link.close();
  }
}
let tokens = 0;
async function freshToken(): Promise<string> {
  const secret = `secret-of-a-token-${(tokens += 1)}`;
  hub.tokens.add(secret);
  return hub.token(secret);
}
const joinFault = (proxy: ProxySettings, address?: string): Promise<unknown> =>
  withLink({ proxy, ...(address !== undefined && { address }) }, async (link) => {
    const token = await freshToken();
    await expect(link.join(token, address)).rejects.toThrow();
    return link.view().finding;
  });

(hasPeers('squid') ? describe : describe.skip)('through squid', () => {
  beforeAll(async () => {
    hub = await TestHub.start();
    const authority = await TestAuthority.make('authority of the proxy');
    const own = await authority.server(['localhost']);
    const tls = {
      certificateFile: file('proxy.pem', own.certificate),
      keyFile: file('proxy-key.pem', own.key),
    };
    file('proxy-ca.pem', authority.pem);
    file('other-ca.pem', hub.authority.pem);
    file('password', `${account.password}\n`);
    file('wrong', 'not the password\n');
    const allowedPorts = [hub.port];
    [squids['open'], squids['known'], squids['tls'], squids['closed']] = await Promise.all([
      startSquid({ allowedPorts: [hub.port, 1] }),
      startSquid({ allowedPorts, account }),
      startSquid({ allowedPorts, account, tls }),
      startSquid({ allowedPorts: [443] }),
    ]);
  }, 30_000);
  afterAll(async () => {
    await Promise.all(Object.values(squids).map((one) => one.stop()));
    await hub.stop();
    folder.remove();
  }, 30_000);

  const known = (password: string): ProxySettings => ({
    ...{ url: url('known'), userName: account.userName },
    passwordFile: join(folder.path, password),
  });
  const overTls = (ca: string): ProxySettings => ({
    ...known('password'),
    ...{ url: url('tls', 'https'), caFile: join(folder.path, ca) },
  });

  it.each<[string, () => ProxySettings]>([
    ['without a name', () => ({ url: url('open') })],
    ['with basic authentication', () => known('password')],
    ['over TLS to the proxy', () => overTls('proxy-ca.pem')],
  ])('joins, calls and dials %s', async (_, proxy) => {
    await withLink({ proxy: proxy() }, async (link) => {
      await link.join(await freshToken());
      const stream = new EchoStream(link);
      await stream.echo();
      const socket = await link.dial('aifi-objects/1');
      expect(socket).toMatchObject({ authorized: true, alpnProtocol: 'aifi-objects/1' });
      socket.destroy();
      expect(link.view()).toMatchObject({ state: 'up', finding: null });
      await stream.end();
    });
  });

  it('the proxy sees host and port of the hub and nothing of what is said', () => {
    // Who only looked whether it listens asked for nothing.
    const all = squids['open']!.requests().trim().split('\n');
    const lines = all.filter((line) => !line.includes('transaction-end-before-headers'));
    for (const line of lines) expect(line).toContain(`CONNECT localhost:${hub.port}`);
    expect(lines.length).toBeGreaterThanOrEqual(3);
  });

  it.each<[string, () => ProxySettings, object]>([
    [
      'a wrong password',
      () => known('wrong'),
      { code: 'LINK_PROXY_AUTHENTICATION', status: 407, setting: 'hub.proxy.userName' },
    ],
    [
      'no password where one is wanted',
      () => ({ url: url('known') }),
      { code: 'LINK_PROXY_AUTHENTICATION', status: 407 },
    ],
    [
      'a proxy that refuses',
      () => ({ url: url('closed') }),
      { code: 'LINK_PROXY_REFUSED', status: 403 },
    ],
    [
      'an authority that is not the one of the proxy',
      () => overTls('other-ca.pem'),
      { code: 'LINK_PROXY_UNTRUSTED', setting: 'hub.proxy.caFile' },
    ],
    [
      'no proxy at all',
      () => ({ url: 'http://localhost:1' }),
      { code: 'LINK_PROXY_FAILED', status: null, setting: 'hub.proxy.url' },
    ],
  ])('%s is told as that', async (_, proxy, finding) => {
    expect(await joinFault(proxy())).toMatchObject(finding);
  });

  it('a hub that the proxy does not reach is told as that', async () => {
    const finding = await joinFault({ url: url('open') }, 'localhost:1');
    expect(finding).toMatchObject({ code: 'LINK_PROXY_FAILED', status: 503 });
  });

  it('a password that others may read is not used', async () => {
    chmodSync(file('open-to-others', `${account.password}\n`), 0o644);
    await withLink({ proxy: known('open-to-others') }, async (link) => {
      const joining = link.join(await freshToken());
      await expect(joining).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    });
  });

  it('no password is in a file, a fault or the view of the link', async () => {
    await withLink({ proxy: known('password') }, async (link) => {
      expect(link.view().proxy).toEqual({ url: url('known'), isAuthenticated: true });
      expect(JSON.stringify(link.view())).not.toContain('colon');
    });
  });
});

describe('TLS inspection', () => {
  let firewall: TestAuthority;
  let forwarder: ReturnType<typeof createServer>;
  let port: number;
  let other: TestHub;
  const told: string[] = [];

  beforeAll(async () => {
    other = await TestHub.start();
    firewall = await TestAuthority.make('Hospital Firewall CA');
    const shown = await firewall.server(['localhost']);
    forwarder = createServer({ key: shown.key, cert: shown.certificate }, (near) => {
      near.on('error', () => undefined).on('data', (chunk: Buffer) => told.push(String(chunk)));
      const far = connect({ port: other.port, host: '127.0.0.1', rejectUnauthorized: false });
      far.on('error', () => near.destroy());
      near.once('close', () => far.destroy());
      near.pipe(far).pipe(near);
    });
    forwarder.on('tlsClientError', () => undefined);
    await new Promise<void>((done) => forwarder.listen(0, '127.0.0.1', done));
    port = (forwarder.address() as AddressInfo).port;
  });
  afterAll(async () => {
    await new Promise((done) => forwarder.close(done));
    await other.stop();
  });

  it('is found before the secret is sent, with the exemption to ask for', async () => {
    const address = `localhost:${port}`;
    await withLink({ address }, async (link) => {
      await expect(link.join(await other.token(), address)).rejects.toMatchObject({
        code: 'LINK_INSPECTED',
      });
      const finding = link.view().finding!;
      const fingerprint = finding.presented!.fingerprint;
      expect(finding.presented!.issuer).toBe('Hospital Firewall CA');
      expect(exemptionLines(finding)).toEqual([
        `destination: localhost, TCP port ${port}`,
        expect.stringContaining('do not decrypt'),
        'server name (SNI): localhost',
        'application protocols (ALPN): h2, aifi-objects/1, aifi-join/1',
        `seen instead: issuer Hospital Firewall CA, SHA-256 ${fingerprint}`,
      ]);
    });
    expect(told).toEqual([]);
    expect(other.tokens.size).toBe(1);
  });

  it('that begins after joining is found by the watch, and ends when it ends', async () => {
    await withLink({ address: other.address }, async (link) => {
      await link.join(await other.token());
      const { watch } = link;
      const { server } = other;
      const shown = await firewall.server(['localhost']);
      other.present({ key: shown.key, certificate: shown.certificate });
      await watch.dialNow(new AbortController().signal);
      expect(watch.finding).toMatchObject({ code: 'LINK_INSPECTED' });
      other.present(server);
      await watch.dialNow(new AbortController().signal);
      expect(watch.finding).toBeNull();
    });
  });
});

/**
 * Goal: a certificate is renewed at two thirds of its life, and authorities and keys of the hub
 * change, without a stream that ends. Method: real TLS and gRPC, time moved by hand.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { EchoStream, openLink } from '../test/link-under-test.js';
import { TestAuthority } from '../test/test-authority.js';
import { TestHub } from '../test/test-hub.js';
import type { JoinedLink } from './joined-link.js';

const DAY_MS = 86_400_000;
let folder: TemporaryFolder;
let hub: TestHub;
let clock: FakeClock;
let link: JoinedLink;
beforeEach(async () => {
  folder = temporaryFolder('renewal');
  hub = await TestHub.start();
  clock = new FakeClock(Date.now());
  link = await openLink({ settings: { address: hub.address }, dataFolder: folder.path, clock });
  await link.join(await hub.token());
});
afterEach(async () => {
  await link.close();
  await hub.stop();
  folder.remove();
});
const identity = (): { key: string; certificate: string } =>
  JSON.parse(readFileSync(join(folder.path, 'link', 'identity.json'), 'utf8')) as never;
const pemOfKey = (key: ReturnType<typeof generateKeyPairSync>['publicKey']): string =>
  (key as unknown as { export(o: object): string }).export({ format: 'pem', type: 'spki' });

describe('renewal', () => {
  it('comes with thirty days left, for a new key, and no sooner', async () => {
    const { key, certificate } = identity();
    clock.advance(58 * DAY_MS);
    await link.keeper.look();
    expect(identity().certificate).toBe(certificate);
    clock.advance(2 * DAY_MS + 3_600_000);
    await link.keeper.look();
    expect(hub.renewals).toBe(1);
    expect(identity().certificate).not.toBe(certificate);
    expect(identity().key).not.toBe(key);
  });

  it('ends no stream: it goes on where it is, new calls use the new certificate', async () => {
    const stream = new EchoStream(link);
    await stream.echo();
    clock.advance(61 * DAY_MS);
    await link.keeper.look();
    await stream.echo();
    const next = new EchoStream(link);
    await next.echo();
    expect(stream.fault).toBeUndefined();
    expect(new Set(hub.seen).size).toBe(2);
    expect(link.channel.oldCalls).toBe(1);
    await stream.end();
    expect(link.channel.oldCalls).toBe(0);
    expect(stream.fault).toBeUndefined();
    await next.echo();
  });

  it('what is left on the old connection after a day is ended, before the hub does it', async () => {
    const stream = new EchoStream(link);
    await stream.echo();
    clock.advance(61 * DAY_MS);
    await link.keeper.look();
    clock.advance(DAY_MS + 1);
    await expect(stream.echo()).rejects.toMatchObject({ code: 14 });
    await new EchoStream(link).echo();
  });

  it('a hub that is away leaves everything as it was, and is asked again', async () => {
    const { certificate } = identity();
    await hub.stop();
    clock.advance(61 * DAY_MS);
    await link.keeper.look();
    expect(identity().certificate).toBe(certificate);
    expect(link.view().certificate).toMatchObject({ alarm: 'soon', daysLeft: 28 });
    hub = await TestHub.start();
  });
});

describe('trust', () => {
  it('follows a new authority while the old one is still good, without a stream that ends', async () => {
    clock.advance(61 * DAY_MS);
    const stream = new EchoStream(link);
    await stream.echo();
    const [old, next] = [hub.authority, await TestAuthority.make('next authority')];
    hub.trustAnchors = [old.pem, next.pem];
    hub.issuedAtMs += 1;
    await hub.turnTo(next, [old, next]);
    await link.keeper.look();
    expect(link.view().trustAnchors.map(({ subject }) => subject)).toEqual([
      'CN=test hub authority',
      'CN=next authority',
    ]);
    expect(hub.renewals).toBe(1);
    await new EchoStream(link).echo();
    await stream.echo();
    hub.trustAnchors = [next.pem];
    hub.issuedAtMs += 1;
    clock.advance(3_700_000);
    await link.keeper.look();
    expect(link.view().trustAnchors).toHaveLength(1);
    await new EchoStream(link).echo();
    expect(stream.fault).toBeUndefined();
  });

  it('follows a new signing key only on the word of one that it trusts', async () => {
    const next = generateKeyPairSync('ed25519');
    const keys = [...hub.signingKeys, pemOfKey(next.publicKey)];
    hub.signingKeys = keys;
    hub.issuedAtMs += 1;
    hub.signer = next.privateKey;
    await link.keeper.look();
    expect(link.signingKeys()).toHaveLength(1);
    hub.signer = hub.signing.privateKey;
    clock.advance(3_700_000);
    await link.keeper.look();
    expect(link.signingKeys()).toHaveLength(2);
    hub.signer = next.privateKey;
    hub.signingKeys = [keys[1]!];
    hub.issuedAtMs += 1;
    clock.advance(3_700_000);
    await link.keeper.look();
    expect(link.signingKeys()).toHaveLength(1);
  });

  it('never goes back to an older configuration', async () => {
    hub.issuedAtMs = 0;
    hub.trustAnchors = [...hub.trustAnchors, (await TestAuthority.make('old')).pem];
    await link.keeper.look();
    expect(link.view().trustAnchors).toHaveLength(1);
  });

  it('is asked for at once when the hub says that it has another configuration', async () => {
    await link.keeper.look();
    const first = link.view().trustCheckedAtMs;
    clock.advance(60_000);
    link.onConfiguration(link.configurationSha256());
    await link.keeper.look();
    expect(link.view().trustCheckedAtMs).toBe(first);
    link.onConfiguration('0'.repeat(64));
    await link.keeper.look();
    expect(link.view().trustCheckedAtMs).toBe(first! + 60_000);
  });

  it('is asked for hourly', async () => {
    await link.keeper.look();
    const first = link.view().trustCheckedAtMs;
    clock.advance(50 * 60_000);
    await link.keeper.look();
    expect(link.view().trustCheckedAtMs).toBe(first);
    clock.advance(10 * 60_000);
    await link.keeper.look();
    expect(link.view().trustCheckedAtMs).toBe(first! + 3_600_000);
  });
});

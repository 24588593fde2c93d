/**
 * Goal: a gateway that dies at any step of joining, renewing or following the hub's trust has one
 * whole identity, the one before or the one after, or none and a token to ask for; and it sends no
 * token by itself, so none goes out again whose answer is on disk.
 * Method: the gateway's life runs in its own process against real TLS and gRPC of a hub that lives
 * in this one; it dies by kill -9 at a named point and the next life finds the same folder.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { linkFindingWords } from '@aifi/contracts-rest';
import {
  killedAt,
  HITS,
  livedOn,
  temporaryFolder,
  type TemporaryFolder,
} from '@aifi/shared-testing';
import { openLink } from '../test/link-under-test.js';
import { TestAuthority } from '../test/test-authority.js';
import { TestHub, type TestHubOptions } from '../test/test-hub.js';
import { IdentityFile, linkFolder, type LinkIdentity } from './identity-file.js';

/** Each step has a link of its own, as after a restart: a token to join with, or a look. */
const LIFE = `
const { JoinedLink } = await import('@aifi/gateway-link');
const { siteId, systemClock } = await import('@aifi/shared-kernel');
const { silentLogger } = await import('@aifi/shared-observability');
const { address, dataFolder, steps } = JSON.parse(process.argv[1]);
const look = async ({ keeper }) => {
  await keeper.look();
  return keeper.trustCheckedAtMs === null ? 'no answer' : 'answered';
};
const told = [];
for (const step of steps) {
  const link = await JoinedLink.open({
    settings: { address }, dataFolder, siteId: siteId('site-a'), purpose: 'demonstration',
    gatewayVersion: '0.1.0', clock: systemClock, logger: silentLogger, random: () => 0,
  });
  const { mode } = link.view();
  const end = step === 'look' ? await look(link)
    : await link.join(step).then(() => 'done', ({ code }) => code);
  told.push(mode + ': ' + end);
  await link.close();
}
process.stdout.write(JSON.stringify(told));`;
const TEST_MS = 120_000;
const SECRETS = { first: 'a-secret-of-one-token', second: 'a-secret-of-a-second-token' };

let folder: TemporaryFolder;
let hub: TestHub;
let tokens: { readonly first: string; readonly second: string };
beforeEach(() => {
  folder = temporaryFolder('link-drill');
});
afterEach(async () => {
  await hub.stop();
  folder.remove();
});

async function startHub(options: TestHubOptions = {}): Promise<void> {
  hub = await TestHub.start(options);
  hub.tokens = new Set(Object.values(SECRETS));
  const { first, second } = SECRETS;
  tokens = { first: await hub.token(first), second: await hub.token(second) };
}
async function joinHere(): Promise<void> {
  const link = await openLink({ settings: { address: hub.address }, dataFolder: folder.path });
  await link.join(tokens.first);
  await link.close();
}
const argsOf = (steps: readonly string[]): string[] => [
  JSON.stringify({ address: hub.address, dataFolder: folder.path, steps }),
];
const killed = (point: string, steps: readonly string[]): Promise<void> =>
  killedAt(`gateway.link.${point}`, LIFE, argsOf(steps));
const lived = async (...steps: string[]): Promise<string[]> =>
  JSON.parse(await livedOn(LIFE, argsOf(steps))) as string[];

const bytes = (): string => readFileSync(join(linkFolder(folder.path), 'identity.json'), 'utf8');
const serialOf = ({ certificate }: LinkIdentity): string =>
  new X509Certificate(certificate).serialNumber.toLowerCase();
const isSpent = (which: keyof typeof SECRETS): boolean => !hub.tokens.has(SECRETS[which]);

/** Nothing of an identity, and nothing that was to become one. */
function expectNoIdentity(): void {
  expect(readdirSync(linkFolder(folder.path))).toEqual([]);
}
/** The identity on disk, when all that is in it belongs together and nothing lies beside it. */
function wholeIdentity(): LinkIdentity {
  const path = linkFolder(folder.path);
  expect(readdirSync(path)).toEqual(['identity.json']);
  expect(statSync(join(path, 'identity.json')).mode & 0o777).toBe(0o600);
  const identity = new IdentityFile(path).read()!;
  const own = new X509Certificate(identity.certificate);
  expect(own.checkPrivateKey(createPrivateKey(identity.key))).toBe(true);
  const issuers = identity.trustAnchors.map((pem) => new X509Certificate(pem));
  expect(issuers.some(({ publicKey }) => own.verify(publicKey))).toBe(true);
  const { trustAnchors, signingKeys, configuration } = identity;
  const document = Buffer.from(configuration.document, 'base64').toString();
  expect(JSON.parse(document)).toMatchObject({ trustAnchors, signingKeys });
  return identity;
}
/** A life finds all in order: the hub answers to this identity, and nothing is written. */
async function expectAtRest(): Promise<void> {
  const [before, joins, made, seen] = [bytes(), hub.joins, hub.issued.length, hub.seen.length];
  expect(await lived('look')).toEqual(['joined: answered']);
  expect([bytes(), hub.joins, hub.issued.length]).toEqual([before, joins, made]);
  expect(new Set(hub.seen.slice(seen))).toEqual(new Set([serialOf(wholeIdentity())]));
}

interface Moment {
  readonly point: string;
  /** The hub has answered. */
  readonly isAnswered: boolean;
  readonly isKept: boolean;
}
const momentsOf = (change: 'join' | 'renewal'): Moment[] =>
  [
    { point: `before-${change}-sent`, isAnswered: false, isKept: false },
    { point: `after-${change}-answered`, isAnswered: true, isKept: false },
    { point: `before-${change}-written`, isAnswered: true, isKept: false },
    { point: `after-${change}-written`, isAnswered: true, isKept: true },
  ].flatMap((moment) => HITS.map(() => moment));

describe('a gateway that is killed as it joins', () => {
  it.each(momentsOf('join'))(
    'is joined, joins, or needs a new token: $point',
    async ({ point, isAnswered, isKept }) => {
      await startHub();
      await killed(point, [tokens.first]);
      expect([hub.joins, isSpent('first')]).toEqual([isAnswered ? 1 : 0, isAnswered]);
      if (isKept) wholeIdentity();
      else expectNoIdentity();

      if (!isKept) {
        const ends = isAnswered ? ['JOIN_REFUSED', 'done'] : ['done'];
        const given = [tokens.first, tokens.second].slice(0, ends.length);
        const told = await lived('look', ...given);
        expect(told).toEqual(['no answer', ...ends].map((end) => `not-joined: ${end}`));
      }
      // One request for each token that a person gave, and none from a life that has its answer.
      expect(hub.joins).toBe(isAnswered && !isKept ? 3 : 1);
      expect(serialOf(wholeIdentity())).toBe(hub.issued.at(-1));
      await expectAtRest();
    },
    TEST_MS,
  );

  it('is told what to do about a token that is used up', () => {
    expect(linkFindingWords('JOIN_REFUSED')?.en).toContain('ask the operator of the hub for a new');
  });
});

describe('a gateway that is killed as it joins again', () => {
  // The second passage: the first is that of joining at all, in the same life.
  it.each(momentsOf('join'))(
    'has the identity before or the one after, and needs no token to go on: $point',
    async ({ point, isAnswered, isKept }) => {
      await startHub();
      await killed(`${point}#2`, [tokens.first, tokens.second]);
      expect(isSpent('second')).toBe(isAnswered);
      expect(hub.issued).toHaveLength(isAnswered ? 2 : 1);
      expect(serialOf(wholeIdentity())).toBe(hub.issued[isKept ? 1 : 0]);
      await expectAtRest();

      const before = bytes();
      expect(await lived(tokens.second)).toEqual([
        `joined: ${isAnswered ? 'JOIN_REFUSED' : 'done'}`,
      ]);
      expect(bytes() === before).toBe(isAnswered);
      expect(serialOf(wholeIdentity())).toBe(hub.issued[isAnswered && !isKept ? 0 : 1]);
    },
    TEST_MS,
  );
});

describe('a gateway that is killed as it renews', () => {
  const cases = momentsOf('renewal').map((moment, index) => ({
    ...moment,
    passage: 1 + (index % 2),
  }));
  it.each(cases)(
    'goes on with the certificate before or the one after, then renews once: $point#$passage',
    async ({ point, passage, isAnswered, isKept }) => {
      const isDue = (): boolean => hub.renewals < passage;
      await startHub({
        gatewayDates: {
          get fromDays() {
            return isDue() ? -62 : -0.01;
          },
          get toDays() {
            return isDue() ? 28 : 90;
          },
        },
      });
      await joinHere();
      await killed(`${point}#${passage}`, Array(passage).fill('look'));
      expect(hub.renewals).toBe(isAnswered ? passage : passage - 1);
      const found = wholeIdentity();
      expect(serialOf(found)).toBe(hub.issued[isKept ? passage : passage - 1]);

      const seen = hub.seen.length;
      expect(await lived('look')).toEqual(['joined: answered']);
      expect(hub.seen[seen]).toBe(serialOf(found));
      const next = wholeIdentity();
      expect(serialOf(next)).toBe(hub.issued.at(-1));
      // What was answered to a life that died is asked for again, with a new key.
      expect(hub.renewals).toBe(isAnswered && !isKept ? passage + 1 : passage);
      expect(next.key === found.key).toBe(isKept);
      expect(hub.joins).toBe(1);
      await expectAtRest();
    },
    TEST_MS,
  );
});

describe('a gateway that is killed as it follows the trust of the hub', () => {
  const cases = [
    { point: 'before-trust-written', isKept: false },
    { point: 'after-trust-written', isKept: true },
  ].flatMap((moment) => HITS.map((hit) => ({ ...moment, passage: 1 + (hit % 2) })));
  it.each(cases)(
    'trusts as before or as after, whole, and then as the hub says: $point#$passage',
    async ({ point, passage, isKept }) => {
      await startHub();
      await joinHere();
      const { key, certificate, trustAnchors } = wholeIdentity();
      const [old, next] = [hub.authority, await TestAuthority.make('next authority')];
      const another = generateKeyPairSync('ed25519').publicKey;
      const addKey = (): void => {
        hub.signingKeys = [...hub.signingKeys, pemOfKey(another)];
      };
      const addAuthority = (): void => {
        hub.trustAnchors = [old.pem, next.pem];
      };
      const changes = [addKey, addAuthority].slice(-passage);
      hub.beforeTrust = () => {
        const change = changes.shift();
        if (!change) return;
        change();
        hub.issuedAtMs += 1;
      };
      await killed(`${point}#${passage}`, Array(passage).fill('look'));
      expect(changes).toEqual([]);
      const found = wholeIdentity();
      expect(found.trustAnchors).toEqual(isKept ? [old.pem, next.pem] : trustAnchors);
      expect(found.signingKeys).toEqual(hub.signingKeys);

      expect(await lived('look')).toEqual(['joined: answered']);
      const followed = wholeIdentity();
      const document = hub.configuration().document.toString('base64');
      expect(followed.configuration.document).toBe(document);
      expect([followed.key, followed.certificate]).toEqual([key, certificate]);
      // The hub itself is now of the authority that was new.
      await hub.turnTo(next, [old, next]);
      await expectAtRest();
    },
    TEST_MS,
  );
});

const pemOfKey = (key: ReturnType<typeof generateKeyPairSync>['publicKey']): string =>
  (key as unknown as { export(o: object): string }).export({ format: 'pem', type: 'spki' });

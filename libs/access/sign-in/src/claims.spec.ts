/**
 * Goal: claims never say more than a provider meant; what one owner sealed stays the owner's.
 * Method: claims of every shape; small parts alone.
 */
import { describe, expect, it } from '@jest/globals';
import { FakeClock } from '@aifi/shared-testing';
import { personOf } from './claims.js';
import { cookieNames, readCookie } from './cookies.js';
import { InTurn } from './in-turn.js';
import { Seal } from './seal.js';
import { SeenOnce } from './seen-once.js';

const { session: SESSION_COOKIE, login: LOGIN_COOKIE } = cookieNames('https://hub.example');

describe(personOf.name, () => {
  const hub = { rolesClaim: 'roles', sitesClaim: 'sites' };
  const gateway = { ...hub, ownSite: 'site-a' };
  const sites = (claim: unknown, names: typeof hub) =>
    personOf({ sub: 'anna', sites: claim }, names).siteIds;

  it.each([
    ['a list', ['auditor', 'raio'], ['auditor', 'raio']],
    ['a string with spaces', 'auditor raio', ['auditor', 'raio']],
    ['unknown words', ['root', 'Auditor', 'auditor '], []],
    ['other shapes', { auditor: true }, []],
    ['a number', 7, []],
    ['nothing', undefined, []],
  ])('reads roles from %s', (_, roles, wanted) => {
    expect(personOf({ sub: 'anna', roles }, hub).roles).toEqual(wanted);
  });

  it('reads a claim by its name first, then by its path, and never from a prototype', () => {
    const names = { ...hub, rolesClaim: 'realm_access.roles' };
    expect(personOf({ sub: 'a', realm_access: { roles: ['raio'] } }, names).roles).toEqual([
      'raio',
    ]);
    expect(personOf({ sub: 'a', 'realm_access.roles': ['auditor'] }, names).roles).toEqual([
      'auditor',
    ]);
    expect(personOf({ sub: 'a' }, { ...hub, rolesClaim: 'constructor.name' }).roles).toEqual([]);
  });

  it('keeps the sites of the claim at a hub; without one the person is national', () => {
    expect(sites(['site-a', 'site-b', 'site-a', 'bad site', 7], hub)).toEqual(['site-a', 'site-b']);
    expect(sites(undefined, hub)).toEqual([]);
  });

  it('takes people without a claim for the own ones at a gateway, and others for others', () => {
    expect(sites(undefined, gateway)).toEqual(['site-a']);
    expect(sites(['site-b', 'site-a'], gateway)).toEqual(['site-a']);
    expect(sites(['site-b'], gateway)).toEqual(['site-b']);
    expect(sites([], gateway)).toEqual([]);
  });

  it('bounds sites and names, and refuses a subject that is none', () => {
    const many = Array.from({ length: 201 }, (_, index) => `site-${index}`);
    expect(() => sites(many, hub)).toThrow('too many sites');
    expect(personOf({ sub: 'a', name: 'x'.repeat(900) }, hub).userName).toHaveLength(256);
    expect(personOf({ sub: 'a', name: ' ', preferred_username: 'b' }, hub).userName).toBe('b');
    for (const sub of [undefined, '', 7, 'a b', 'x'.repeat(256)]) {
      expect(() => personOf({ sub }, hub)).toThrow('no usable subject');
    }
  });
});

describe(Seal.name, () => {
  const key = new Uint8Array(32).fill(1);
  it('opens for the purpose and owner it was closed for, and for nothing else', () => {
    const sut = new Seal(key, 'tokens');
    const sealed = sut.close('text', 'owner');
    expect(sut.open(sealed, 'owner')).toBe('text');
    expect(sut.close('text', 'owner')).not.toBe(sealed);
    expect(sut.open(sealed, 'other')).toBeUndefined();
    expect(new Seal(key, 'login').open(sealed, 'owner')).toBeUndefined();
    expect(new Seal(new Uint8Array(32), 'tokens').open(sealed, 'owner')).toBeUndefined();
  });
  it('finds every changed byte', () => {
    const sut = new Seal(key, 'login');
    const bytes = Buffer.from(sut.close('text', 'owner'), 'base64url');
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect(sut.open(changed.toString('base64url'), 'owner')).toBeUndefined();
    }
    for (const text of ['', 'x', 'A'.repeat(37)]) expect(sut.open(text, 'owner')).toBeUndefined();
  });
});

describe(readCookie.name, () => {
  it('finds the one that has exactly the name', () => {
    const header = `a=1; x${SESSION_COOKIE}=2; ${SESSION_COOKIE}=3;${LOGIN_COOKIE}=4`;
    expect(readCookie(header, SESSION_COOKIE)).toBe('3');
    expect(readCookie(header, LOGIN_COOKIE)).toBe('4');
    expect(readCookie(undefined, LOGIN_COOKIE)).toBeUndefined();
  });
  it('takes none when there are two', () => {
    expect(readCookie(`${SESSION_COOKIE}=1; ${SESSION_COOKIE}=2`, SESSION_COOKIE)).toBeUndefined();
  });
});

describe(SeenOnce.name, () => {
  it('lets an identifier be used once in its life', () => {
    const clock = new FakeClock();
    const sut = new SeenOnce(clock, 1_000);
    expect([sut.use('a'), sut.use('a'), sut.use('b')]).toEqual([true, false, true]);
    clock.advance(1_000);
    expect(sut.use('a')).toBe(true);
  });
  it('stays bounded and forgets the oldest first', () => {
    const sut = new SeenOnce(new FakeClock(), 1_000);
    for (let id = 0; id <= 20_000; id += 1) sut.use(String(id));
    expect([sut.has('0'), sut.has('1'), sut.has('20000')]).toEqual([false, true, true]);
  });
});

describe(InTurn.name, () => {
  it('runs work of one key in order and of others beside it, also after a failure', async () => {
    const sut = new InTurn();
    const said: string[] = [];
    const say = (words: string) => async () => {
      await Promise.resolve();
      said.push(words);
    };
    const failing = sut.run('a', () => Promise.reject(new Error('first')));
    const work = [sut.run('a', say('second')), sut.run('a', say('third')), sut.run('b', say('b'))];
    await expect(failing).rejects.toThrow('first');
    await Promise.all(work);
    expect(said.indexOf('second')).toBeLessThan(said.indexOf('third'));
    expect(said).toContain('b');
  });
});

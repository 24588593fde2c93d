/**
 * Goal: a session and the record of its act are there together or not at all.
 * Method: the port's rules against real SQLite.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import type { SessionRecord } from '@aifi/access-sign-in';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { draft } from '../test/fake-caller.js';
import { openGatewayAccess, type GatewayAccess } from './gateway-access.js';
import { GatewaySessionStore } from './session.store.js';

const session = (part: Partial<SessionRecord> = {}): SessionRecord => ({
  ...{ idHash: 'a'.repeat(64), userId: 'anne', userName: 'Anne', csrfToken: 't' },
  ...{ roles: ['radiologist'], siteIds: ['site-a'], createdAtMs: 1, lastSeenAtMs: 2 },
  ...{ checkedAtMs: 3, steppedUpAtMs: null, providerSessionId: 'p1', sealedTokens: 'sealed' },
  ...part,
});
const START = draft({ act: 'session.start' });
const END = draft({ act: 'session.end' });

describe(GatewaySessionStore.name, () => {
  let folder: TemporaryFolder;
  let access: GatewayAccess;
  const path = (): string => join(folder.path, 'access.db');
  const open = (): GatewayAccess =>
    openGatewayAccess({ path: path(), siteId: 'site-a', clock: new FakeClock() });
  const acts = async (): Promise<string[]> =>
    (await access.trail.search({ limit: 50 })).items.map(({ act }) => act).reverse();
  beforeEach(() => {
    folder = temporaryFolder('sessions');
    access = open();
  });
  afterEach(async () => {
    await access.database.close();
    folder.remove();
  });

  it('keeps a session as it was given, over a restart, with its record', async () => {
    await access.sessions.insert(session(), START);
    await access.database.close();
    access = open();
    expect(await access.sessions.find(session().idHash)).toEqual(session());
    expect(await access.sessions.find('b'.repeat(64))).toBeUndefined();
    expect(await acts()).toEqual(['session.start']);
  });
  it('leaves no record of a session that could not be made', async () => {
    await access.sessions.insert(session(), START);
    await expect(access.sessions.insert(session(), START)).rejects.toThrow();
    expect(await acts()).toEqual(['session.start']);
  });
  it('changes what is named and nothing else', async () => {
    await access.sessions.insert(session(), START);
    const patch = { lastSeenAtMs: 9, steppedUpAtMs: 9, siteIds: [] };
    expect(await access.sessions.update(session().idHash, patch)).toBe(true);
    expect(await access.sessions.find(session().idHash)).toEqual(session(patch));
    expect(await acts()).toEqual(['session.start']);
  });
  it('changes and ends a session once, and records an end of nothing never', async () => {
    await access.sessions.insert(session(), START);
    expect(await access.sessions.end(session().idHash, END)).toBe(true);
    expect(await access.sessions.end(session().idHash, END)).toBe(false);
    const step = draft({ act: 'session.step-up' });
    expect(await access.sessions.update(session().idHash, { checkedAtMs: 9 }, step)).toBe(false);
    expect(await acts()).toEqual(['session.start', 'session.end']);
  });
  it('ends the sessions of a provider session or a user, one record each', async () => {
    const ids = ['1', '2', '3'].map((id) => id.repeat(64));
    await access.sessions.insert(session({ idHash: ids[0]! }), START);
    await access.sessions.insert(session({ idHash: ids[1]!, providerSessionId: 'p2' }), START);
    await access.sessions.insert(
      session({ idHash: ids[2]!, userId: 'ben', providerSessionId: null }),
      START,
    );
    const recordOf = ({ userId }: SessionRecord) => draft({ act: 'session.revoke', userId });
    expect(await access.sessions.endWhere({ providerSessionId: 'p1' }, recordOf)).toBe(1);
    expect(await access.sessions.endWhere({ userId: 'ben' }, recordOf)).toBe(1);
    expect(await access.sessions.endWhere({}, recordOf)).toBe(0);
    expect(await access.sessions.find(ids[1]!)).toBeDefined();
    expect((await acts()).slice(3)).toEqual(['session.revoke', 'session.revoke']);
  });
  it('sweeps out what was not seen for long, without a record', async () => {
    await access.sessions.insert(session({ lastSeenAtMs: 10 }), START);
    expect(await access.sessions.purge(10)).toBe(0);
    expect(await access.sessions.purge(11)).toBe(1);
    expect(await acts()).toEqual(['session.start']);
  });
});

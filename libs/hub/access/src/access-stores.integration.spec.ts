/**
 * Goal: sessions, approvals and acts keep their promises on the real database.
 * Method: the stores over an embedded PostgreSQL; decisions race, keys repeat, transactions are cut
 * in the middle; records are counted after each.
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { decideRequest, openRequest, type Approval } from '@aifi/access-approvals';
import type { SessionRecord } from '@aifi/access-sign-in';
import { CallerOfRequest, type AuditSubject } from '@aifi/access-web';
import type { AuditDraft, AuditRecord } from '@aifi/contracts-rest';
import { sha256Hex, systemClock } from '@aifi/shared-kernel';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import {
  enrolSites,
  HubDatabase,
  removeServerFolder,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from '@aifi/hub-database';
import { HubAccess } from './hub-access.js';
import { createAnchorStage } from './anchor-stage.js';

const HOUR_MS = 3_600_000;
let folder: TemporaryFolder;
let server: EmbeddedPostgres;
let database: HubDatabase;
let clock: FakeClock;
let sut: HubAccess;

beforeAll(async () => {
  folder = temporaryFolder('hub-access');
  server = await startEmbeddedPostgres({ dataFolder: folder.path, clock: systemClock });
  database = await HubDatabase.open(server.urls);
  const site = { purpose: 'demonstration', deployments: [] } as const;
  const sites = ['site-a', 'site-b'].map((siteName) => ({ siteName, ...site }));
  await enrolSites(database, sites, async () => undefined);
  clock = new FakeClock(Date.UTC(2026, 10, 20, 12));
  sut = new HubAccess({ database, clock });
}, 180_000);

afterAll(async () => {
  await database?.close();
  await server?.stop();
  await removeServerFolder(folder.path);
  folder.remove();
}, 60_000);

const draft = (act: string, objectId: string): AuditDraft => ({
  ...{ act, action: 'E', outcome: 'success', code: null, userId: 'anne', userName: 'Anne' },
  ...{ userKind: 'person', role: null, responsibleUserId: null, siteId: '*' },
  ...{ objectType: 'session', objectId, patientId: null, reason: null },
  ...{ sourceAddress: '192.0.2.1', correlationId: randomUUID(), detail: {} },
});
async function recordsOf(objectId: string): Promise<AuditRecord[]> {
  return (await sut.audit.search({ objectId, limit: 200 })).items;
}

function session(userId: string, providerSessionId: string | null = null): SessionRecord {
  const nowMs = clock.nowMs();
  return {
    ...{ idHash: sha256Hex(randomUUID()), userId, userName: userId, roles: ['auditor'] },
    ...{ siteIds: [], csrfToken: 't', createdAtMs: nowMs, lastSeenAtMs: nowMs },
    ...{ checkedAtMs: nowMs, steppedUpAtMs: null, providerSessionId, sealedTokens: null },
  };
}

describe('sessions', () => {
  it('are kept as they were, and each start leaves one record', async () => {
    const made = { ...session('anne'), steppedUpAtMs: clock.nowMs(), sealedTokens: 'sealed' };
    await sut.sessions.insert(made, draft('session.start', made.idHash));
    await expect(sut.sessions.find(made.idHash)).resolves.toEqual(made);
    await expect(sut.sessions.find('other')).resolves.toBeUndefined();
    expect(await recordsOf(made.idHash)).toHaveLength(1);
  });

  it('change, with a record when there is one to write and a session to change', async () => {
    const made = session('anne');
    await sut.sessions.insert(made, draft('session.start', made.idHash));
    const patch = {
      ...{ roles: ['raio'], siteIds: ['site-a'], lastSeenAtMs: clock.nowMs() + 1 },
      ...{ checkedAtMs: clock.nowMs() + 2, steppedUpAtMs: clock.nowMs() + 3, sealedTokens: 'x' },
    };
    const stepUp = draft('session.step-up', made.idHash);
    await expect(sut.sessions.update(made.idHash, patch, stepUp)).resolves.toBe(true);
    await expect(sut.sessions.find(made.idHash)).resolves.toEqual({ ...made, ...patch });
    await expect(sut.sessions.update(made.idHash, {})).resolves.toBe(true);
    await expect(sut.sessions.update('gone', patch, stepUp)).resolves.toBe(false);
    expect(await recordsOf(made.idHash)).toHaveLength(2);
  });

  it('end once, with one record', async () => {
    const made = session('anne');
    await sut.sessions.insert(made, draft('session.start', made.idHash));
    const end = (): Promise<boolean> =>
      sut.sessions.end(made.idHash, draft('session.end', made.idHash));
    const ends = await Promise.all([end(), end(), end()]);
    expect(ends.filter(Boolean)).toHaveLength(1);
    expect(await recordsOf(made.idHash)).toHaveLength(2);
  });

  it('end together by provider session or user, each with its record, and never all', async () => {
    const sessions = [session('ben', 'p1'), session('ben', 'p2'), session('cleo', 'p3')];
    for (const one of sessions) {
      await sut.sessions.insert(one, draft('session.start', one.idHash));
    }
    const recordOf = (one: SessionRecord): AuditDraft => draft('session.revoke', one.idHash);
    await expect(sut.sessions.endWhere({}, recordOf)).resolves.toBe(0);
    await expect(sut.sessions.endWhere({ providerSessionId: 'p1' }, recordOf)).resolves.toBe(1);
    await expect(sut.sessions.endWhere({ userId: 'ben' }, recordOf)).resolves.toBe(1);
    const left = await Promise.all(sessions.map(({ idHash }) => sut.sessions.find(idHash)));
    expect(left.map((one) => one?.userId)).toEqual([undefined, undefined, 'cleo']);
    for (const { idHash, userId } of sessions) {
      expect(await recordsOf(idHash)).toHaveLength(userId === 'ben' ? 2 : 1);
    }
  });

  it('that nobody uses are purged without a record', async () => {
    const made = session('dora');
    await sut.sessions.insert(made, draft('session.start', made.idHash));
    await expect(sut.sessions.purge(clock.nowMs())).resolves.toBe(0);
    await sut.sessions.purge(clock.nowMs() + 1);
    await expect(sut.sessions.find(made.idHash)).resolves.toBeUndefined();
    expect(await recordsOf(made.idHash)).toHaveLength(1);
  });
});

const request = (siteId: string, objectId: string, requestedBy = 'anne'): Approval =>
  openRequest({
    ...{ id: randomUUID(), act: 'pixels.read', siteId, objectId, reason: 'a reason to look' },
    ...{ by: { id: requestedBy, name: requestedBy }, nowMs: clock.nowMs() },
  });
const insert = (approval: Approval): Promise<void> =>
  database.withAccess((sql) => sut.approvals.insert(sql, approval));

describe('approvals', () => {
  it('are decided once, when two decide at the same time', async () => {
    const asked = request('site-a', '2.25.1');
    await insert(asked);
    const decide = (by: string, decision: 'approve' | 'refuse'): Promise<string> =>
      database
        .withAccess(async (sql) => {
          const found = await sut.approvals.find(sql, asked.id);
          const nowMs = clock.nowMs();
          const person = { id: by, name: by };
          const decided = decideRequest(found!, decision, { by: person, reason: 'seen', nowMs });
          await sut.approvals.update(sql, decided);
          return decided.state;
        })
        .catch((error: { code: string }) => error.code);
    const states = await Promise.all([decide('ben', 'approve'), decide('cleo', 'refuse')]);
    expect(states).toContain('STATE_CONFLICT');
    const { items } = await sut.approvals.list({
      ...{ siteIds: ['site-a'], nowMs: clock.nowMs(), limit: 5 },
    });
    expect(states).toContain(items[0]!.state);
  });

  it('are refused by the database itself when the same person decides', async () => {
    const asked = request('site-a', '2.25.2');
    await insert(asked);
    const own = { ...asked, state: 'APPROVED', decidedBy: asked.requestedBy } as Approval;
    const granted = { ...own, decidedAtMs: 1, grantedUntilMs: clock.nowMs() + HOUR_MS };
    const update = database.withAccess((sql) => sut.approvals.update(sql, granted));
    await expect(update).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  it('give a grant to the person who asked, for that object, until it ends', async () => {
    const asked = request('site-b', '2.25.3');
    await insert(asked);
    const nowMs = clock.nowMs();
    const ben = { by: { id: 'ben', name: 'Ben' }, reason: 'agreed', nowMs };
    const approved = decideRequest(asked, 'approve', ben);
    await database.withAccess((sql) => sut.approvals.update(sql, approved));
    const grant = { act: 'pixels.read', siteId: 'site-b', objectId: '2.25.3', userId: 'anne' };
    await expect(sut.approvals.findGrant({ ...grant, nowMs })).resolves.toEqual(approved);
    for (const other of [
      { ...grant, userId: 'ben' },
      { ...grant, siteId: 'site-a' },
      { ...grant, objectId: '2.25.4' },
      { ...grant, act: 'linkage.read' },
    ]) {
      await expect(sut.approvals.findGrant({ ...other, nowMs })).resolves.toBeUndefined();
    }
    const late = { ...grant, nowMs: nowMs + HOUR_MS };
    await expect(sut.approvals.findGrant(late)).resolves.toBeUndefined();
  });

  it('are listed newest first, page by page, by site and by what time has made of them', async () => {
    clock.advance(HOUR_MS);
    const asked = ['2.25.5', '2.25.6', '2.25.7'].map((uid) => request('site-b', uid));
    for (const one of asked) await insert(one);
    const query = { siteIds: ['site-b'], state: 'REQUESTED', limit: 2 } as const;
    const first = await sut.approvals.list({ ...query, nowMs: clock.nowMs() });
    expect(first.items).toHaveLength(2);
    const second = await sut.approvals.list({
      ...{ ...query, nowMs: clock.nowMs(), cursor: first.nextCursor! },
    });
    expect(second.nextCursor).toBeNull();
    const seen = [...first.items, ...second.items].map(({ id }) => id);
    expect(seen.sort()).toEqual(asked.map(({ id }) => id).sort());
    const late = asked[0]!.expiresAtMs;
    const open = await sut.approvals.list({ ...query, nowMs: late });
    expect(open.items).toEqual([]);
    const expired = await sut.approvals.list({ ...query, state: 'EXPIRED', nowMs: late });
    expect(expired.items).toHaveLength(2);
    const none = await sut.approvals.list({ siteIds: [], nowMs: late, limit: 5 });
    expect(none.items).toEqual([]);
    const all = await sut.approvals.list({ siteIds: undefined, nowMs: late, limit: 50 });
    expect(new Set(all.items.map(({ siteId }) => siteId))).toEqual(new Set(['site-a', 'site-b']));
  });

  it('do not exist for a site that the hub does not have', async () => {
    const asked = request('site-x', '2.25.8');
    await expect(insert(asked)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

function caller(idempotencyKey: string | null, userId = 'anne'): CallerOfRequest {
  const steppedUpAtMs = clock.nowMs();
  return new CallerOfRequest({
    principal: {
      ...{ kind: 'person' as const, userId, userName: userId, steppedUpAtMs },
      ...{ roles: ['central-operator'] as const, siteIds: [] },
    },
    allowed: { role: 'central-operator', reach: { kind: 'all' }, reasonRequired: false },
    act: 'approval.request',
    ...{ homeSite: '*', idempotencyKey, sourceAddress: '192.0.2.1' },
    ...{ correlationId: randomUUID(), sink: sut.acts },
  });
}
const about = (objectId: string): AuditSubject => ({
  ...{ objectType: 'approval', objectId, siteId: 'site-a' },
});

describe('acts', () => {
  it('repeated with one key are done once, recorded once and answered alike', async () => {
    const key = randomUUID();
    let done = 0;
    const perform = async (): Promise<{ id: string }> => {
      const by = caller(key);
      const answer = await sut.acts.perform(by, { a: 1 }, async (sql) => {
        done += 1;
        const asked = request('site-a', key);
        await sut.approvals.insert(sql, asked);
        return { answer: { id: asked.id }, subject: about(key) };
      });
      expect(by.isRecorded).toBe(true);
      return answer;
    };
    const answers = await Promise.all([perform(), perform(), perform()]);
    answers.push(await perform());
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(done).toBe(1);
    expect(await recordsOf(key)).toHaveLength(1);
  });

  it('with the same key and another request are refused; other users have their own keys', async () => {
    const key = randomUUID();
    const work = () => ({ answer: 'done', subject: about(key) });
    await sut.acts.perform(caller(key), { a: 1 }, work);
    const other = sut.acts.perform(caller(key), { a: 2 }, work);
    await expect(other).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    await expect(sut.acts.perform(caller(key, 'ben'), { a: 2 }, work)).resolves.toBe('done');
    expect(await recordsOf(key)).toHaveLength(2);
  });

  it('that fail leave no effect, no record and no key', async () => {
    const key = randomUUID();
    const asked = request('site-a', key);
    const failing = sut.acts.perform(caller(key), {}, async (sql) => {
      await sut.approvals.insert(sql, asked);
      throw new Error('in the middle');
    });
    await expect(failing).rejects.toThrow();
    await database.withAccess(async (sql) => {
      expect(await sut.approvals.find(sql, asked.id)).toBeUndefined();
    });
    expect(await recordsOf(key)).toEqual([]);
    const again = await sut.acts.perform(caller(key), {}, () => ({
      ...{ answer: 2, subject: about(key) },
    }));
    expect(again).toBe(2);
  });

  it('whose connection is killed in the middle leave neither effect nor record', async () => {
    const key = randomUUID();
    const asked = request('site-a', key);
    const cut = sut.acts.perform(caller(key), {}, async (sql) => {
      await sut.approvals.insert(sql, asked);
      const { pid } = (await sql.row<{ pid: number }>('SELECT pg_backend_pid() AS pid'))!;
      await killBackend(pid);
      return { answer: 1, subject: about(key) };
    });
    await expect(cut).rejects.toMatchObject({ code: 'PEER_UNAVAILABLE' });
    await database.withAccess(async (sql) => {
      expect(await sut.approvals.find(sql, asked.id)).toBeUndefined();
    });
    expect(await recordsOf(key)).toEqual([]);
  });

  it('forget a key after a day: by purging, and when it is used again before that', async () => {
    const [old, purged] = [randomUUID(), randomUUID()];
    let done = 0;
    const perform = (key: string): Promise<number> =>
      sut.acts.perform(caller(key), {}, () => ({ answer: (done += 1), subject: about(key) }));
    await perform(old);
    await perform(purged);
    clock.advance(24 * HOUR_MS);
    await expect(perform(old)).resolves.toBe(3);
    await expect(sut.acts.purgeKeys()).resolves.toBeGreaterThanOrEqual(1);
    await expect(perform(purged)).resolves.toBe(4);
    await expect(perform(old)).resolves.toBe(3);
  });
});

/** A role may end its own connections; resolves when that one has gone. */
async function killBackend(pid: number): Promise<void> {
  const client = new pg.Client({ connectionString: server.urls.accessUrl });
  await client.connect();
  await client.query('SELECT pg_terminate_backend($1, 5000)', [pid]);
  await client.end();
}

describe(createAnchorStage.name, () => {
  it('signs each chain once a day, looks again each minute and clears old keys', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const made: number[] = [];
    const stop = new AbortController();
    const stage = createAnchorStage({
      ...{ database, acts: sut.acts, clock, signingKey: privateKey },
      onAnchors: (count) => made.push(count),
      onFault: (error) => {
        throw error as Error;
      },
    });
    const chains = (await sut.audit.heads()).length;
    const running = stage.run(stop.signal);
    const until = async (count: number): Promise<void> => {
      for (let look = 0; look < 500 && made.length < count; look += 1) {
        await systemClock.sleep(10);
        clock.advance(1);
      }
    };
    await until(1);
    expect(made).toEqual([chains]);
    clock.advance(60_000);
    await systemClock.sleep(100);
    expect(made).toEqual([chains]);
    clock.advance(24 * HOUR_MS);
    await until(2);
    expect(made).toEqual([chains, chains]);
    stop.abort();
    await running;
    const anchors = await sut.audit.anchors();
    expect(new Set(anchors.map(({ day }) => day)).size).toBe(2);
  }, 30_000);
});

/**
 * Goal: the audit trail has no gap, keeps what it was given and cannot be changed unseen.
 * Method: records of several writers at once on a real PostgreSQL; edits and deletions tried by
 * every role and then forced by the superuser; chains are verified from rows that are read back.
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { verifyAnchor, verifyChain } from '@aifi/access-audit';
import type { AuditDraft, AuditRecord } from '@aifi/contracts-rest';
import { systemClock, type SiteId } from '@aifi/shared-kernel';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import {
  appendAudit,
  enrolSites,
  HubDatabase,
  makeAnchors,
  readAnchors,
  removeServerFolder,
  startEmbeddedPostgres,
  type ConfiguredSite,
  type EmbeddedPostgres,
  type Sql,
} from '@aifi/hub-database';
import { auditSearchSql } from './audit-store.js';
import { HubAccess } from './hub-access.js';
import { cutAudit } from './retention.js';

const NOW_MS = Date.UTC(2026, 10, 20, 12);
const YEAR_MS = 366 * 24 * 3_600_000;
const SITES: readonly ConfiguredSite[] = ['site-a', 'site-b', 'site-old'].map((siteName) => ({
  ...{ siteName, purpose: 'demonstration', deployments: [] },
}));
const [siteA, siteB] = ['site-a', 'site-b'] as unknown as [SiteId, SiteId];
const { privateKey, publicKey } = generateKeyPairSync('ed25519');

let folder: TemporaryFolder;
let server: EmbeddedPostgres;
let database: HubDatabase;
let sut: HubAccess;
const clock = new FakeClock(NOW_MS);

beforeAll(async () => {
  folder = temporaryFolder('hub-audit');
  server = await startEmbeddedPostgres({ dataFolder: folder.path, clock: systemClock });
  database = await HubDatabase.open(server.urls);
  await enrolSites(database, SITES, async () => undefined);
  sut = new HubAccess({ database, clock });
}, 180_000);

afterAll(async () => {
  await database?.close();
  await server?.stop();
  await removeServerFolder(folder.path);
  folder.remove();
}, 60_000);

const draft = (siteId: string, objectId: string, more: Partial<AuditDraft> = {}): AuditDraft => ({
  ...{ act: 'study.read', action: 'R', outcome: 'success', code: null, userId: 'anne' },
  ...{ userName: 'Anne', userKind: 'person', role: 'raio', responsibleUserId: null, siteId },
  ...{ objectType: 'study', objectId, patientId: objectId, reason: null },
  ...{ sourceAddress: '192.0.2.1', correlationId: randomUUID(), detail: { count: 1 } },
  ...more,
});
async function chainRecords(chain: string): Promise<AuditRecord[]> {
  const records = [];
  for await (const record of sut.audit.stream({ chain })) records.push(record);
  return records;
}
async function as<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
function superuserUrl(): string {
  const text = readFileSync(join(folder.path, 'postgres-passwords.json'), 'utf8');
  const { postgres } = JSON.parse(text) as { postgres: string };
  return `postgres://postgres:${postgres}@127.0.0.1:${server.port}/aifi`;
}

describe('appending', () => {
  it('by many at once gives one chain without a gap, also from inside a site', async () => {
    const before = (await chainRecords('hub:site-a')).length;
    const one = (index: number): Promise<unknown> => {
      const append = (sql: Sql): Promise<AuditRecord> =>
        appendAudit(sql, draft('site-a', `many-${index}`), NOW_MS);
      return index % 2 === 0 ? database.withAccess(append) : database.withSite(siteA, append);
    };
    await Promise.all(Array.from({ length: 60 }, (_, index) => one(index)));
    const records = await chainRecords('hub:site-a');
    expect(records).toHaveLength(before + 60);
    expect(records.map(({ sequence }) => sequence)).toEqual(records.map((_, index) => index + 1));
    await expect(verifyChain(records)).resolves.toMatchObject({ ok: true });
  });

  it('leaves nothing when its transaction fails, and the next one no gap', async () => {
    const failing = database.withAccess(async (sql) => {
      await appendAudit(sql, draft('site-b', 'lost'), NOW_MS);
      throw new Error('after the record');
    });
    await expect(failing).rejects.toThrow();
    await sut.acts.append(draft('site-b', 'kept'));
    const records = await chainRecords('hub:site-b');
    expect(records.map(({ objectId }) => objectId)).not.toContain('lost');
    expect(records.at(-1)).toMatchObject({ objectId: 'kept', sequence: records.length });
    await expect(verifyChain(records)).resolves.toMatchObject({ ok: true });
  });

  it('keeps text that no database keeps as it is, and the hash still holds', async () => {
    const odd = { reason: 'a\0b \ud800 end', detail: { note: '\udfff\0', ratio: 1e21, no: false } };
    await sut.acts.append(draft('site-b', 'odd', odd));
    const records = await chainRecords('hub:site-b');
    expect(records.at(-1)).toMatchObject({ objectId: 'odd', reason: 'a\ufffdb \ufffd end' });
    await expect(verifyChain(records)).resolves.toMatchObject({ ok: true });
  });

  it('puts names that are no site into the chain across sites, and never starts another', async () => {
    await sut.acts.append(draft('site-zz', 'unknown'));
    await sut.acts.append(draft('*', 'across'));
    const chains = (await sut.audit.heads()).map(({ chain }) => chain);
    expect(chains).not.toContain('hub:site-zz');
    const records = await chainRecords('hub:*');
    expect(records.map(({ siteId }) => siteId)).toEqual(['site-zz', '*']);
    await expect(verifyChain(records)).resolves.toMatchObject({ ok: true });
    const asked = await sut.audit.search({ siteId: 'site-zz', limit: 5 });
    expect(asked.items.map(({ objectId }) => objectId)).toEqual(['unknown']);
  });

  it('refuses a record for another chain than the own site, or out of order', async () => {
    const foreign = database.withSite(siteA, (sql) =>
      appendAudit(sql, draft('site-b', 'foreign'), NOW_MS),
    );
    await expect(foreign).rejects.toMatchObject({ code: 'INTERNAL' });
    const [last] = (await chainRecords('hub:site-a')).slice(-1);
    const insert = `INSERT INTO audit_record
      SELECT site_id, sequence + $2, at, act, action, outcome, code, user_id, user_name, user_kind,
        role, responsible_user_id, subject_site_id, object_type, object_id, patient_id, reason,
        source_address, correlation_id, detail, hash, 'x'
      FROM audit_record WHERE site_id = 'site-a' AND sequence = $1`;
    for (const [sequence, step] of [
      [last!.sequence, 2],
      [last!.sequence - 1, 2],
      [last!.sequence - 1, 1],
    ]) {
      const forged = database.withAccess((sql) => sql.run(insert, sequence!, step!));
      await expect(forged).rejects.toMatchObject({ code: 'INTERNAL' });
    }
    await expect(verifyChain(await chainRecords('hub:site-a'))).resolves.toMatchObject({
      ok: true,
    });
  });
});

describe('the trail', () => {
  const CHANGES = [
    `UPDATE audit_record SET user_id = 'x' WHERE site_id = 'site-a'`,
    `DELETE FROM audit_record WHERE site_id = 'site-a'`,
    'TRUNCATE audit_record',
    `DELETE FROM audit_head`,
    'TRUNCATE audit_head',
    `UPDATE audit_anchor SET hash = 'x'`,
    'DELETE FROM audit_anchor',
    'TRUNCATE audit_anchor',
  ];

  it.each(CHANGES)('refuses every role to %s', async (statement) => {
    await database.withAccess((sql) => makeAnchors(sql, privateKey, NOW_MS));
    const { appUrl, jobsUrl, accessUrl, ownerUrl } = server.urls;
    for (const url of [appUrl, jobsUrl, accessUrl]) {
      const refused = as(url, (client) => client.query(statement));
      await expect(refused).rejects.toMatchObject({ code: '42501' });
    }
    // Without row-level security on the way, as an administrator would: the trigger refuses.
    const refused = as(superuserUrl(), (client) => client.query(statement));
    await expect(refused).rejects.toMatchObject({ code: '42501' });
    const before = (await chainRecords('hub:site-a')).length;
    await as(ownerUrl, (client) => client.query(statement)).catch(() => undefined);
    expect(await chainRecords('hub:site-a')).toHaveLength(before);
  });

  it.each([
    ['edited', `UPDATE audit_record SET user_name = 'Nobody' WHERE sequence = 3 AND site_id = $1`],
    ['deleted', `DELETE FROM audit_record WHERE sequence = 3 AND site_id = $1`],
  ])('shows a record that was %s by force', async (kind, statement) => {
    await as(superuserUrl(), async (client) => {
      await client.query('BEGIN');
      await client.query('SET LOCAL session_replication_role = replica');
      const { rowCount } = await client.query(statement, ['site-a']);
      expect(rowCount).toBe(1);
      await client.query('COMMIT');
    });
    const verdict = await verifyChain(await chainRecords('hub:site-a'));
    expect(verdict).toMatchObject({ ok: false, broken: { chain: 'hub:site-a', kind } });
  });
});

describe('anchors', () => {
  it('are signed for each chain once a day, and a site sees its own only', async () => {
    const day = 24 * 3_600_000;
    const made = await database.withAccess((sql) => makeAnchors(sql, privateKey, NOW_MS + day));
    expect(made).toBe((await sut.audit.heads()).length);
    const again = await database.withAccess((sql) => makeAnchors(sql, privateKey, NOW_MS + day));
    expect(again).toBe(0);
    for (const anchor of await sut.audit.anchors()) {
      expect(() => verifyAnchor(anchor, publicKey)).not.toThrow();
    }
    const own = await database.withSite(siteB, (sql) => readAnchors(sql, { limit: 10 }));
    expect(own.map(({ chain }) => chain)).toEqual(['hub:site-b', 'hub:site-b']);
    const later = { limit: 10, fromDay: '2026-11-21' };
    const second = await database.withSite(siteB, (sql) => readAnchors(sql, later));
    expect(second.map((anchor) => anchor.day)).toEqual(['2026-11-21']);
  });
});

describe('searching', () => {
  it('finds by each filter, newest first, page by page, within what the caller may see', async () => {
    for (let index = 0; index < 5; index += 1) {
      clock.advance(1_000);
      const userId = index % 2 === 0 ? 'ben' : 'cleo';
      const outcome = index === 4 ? 'refused' : 'success';
      await sut.acts.append(draft('site-b', `found-${index}`, { userId, outcome }));
    }
    const fromMs = NOW_MS + 1;
    const act = 'study.read';
    const ids = async (query: object): Promise<string[]> =>
      (await sut.audit.search({ act, fromMs, limit: 50, ...query })).items.map((r) => r.objectId);
    await expect(ids({})).resolves.toEqual([4, 3, 2, 1, 0].map((index) => `found-${index}`));
    await expect(ids({ userId: 'cleo' })).resolves.toEqual(['found-3', 'found-1']);
    await expect(ids({ outcome: 'refused' })).resolves.toEqual(['found-4']);
    await expect(ids({ toMs: NOW_MS + 2_000 })).resolves.toEqual(['found-0']);
    await expect(ids({ onlyUserId: 'cleo', userId: 'ben' })).resolves.toEqual([]);
    await expect(ids({ siteIds: ['site-a'] })).resolves.toEqual([]);
    await expect(ids({ siteIds: [] })).resolves.toEqual([]);
    await expect(ids({ siteIds: ['site-a'], siteId: 'site-b' })).resolves.toEqual([]);
    await expect(ids({ act: 'audit.search' })).resolves.toEqual([]);
    const first = await sut.audit.search({ act, fromMs, limit: 3, siteIds: ['site-a', 'site-b'] });
    const rest = {
      act,
      fromMs,
      limit: 3,
      siteIds: ['site-a', 'site-b'],
      cursor: first.nextCursor!,
    };
    const second = await sut.audit.search(rest);
    expect(second.nextCursor).toBeNull();
    expect([...first.items, ...second.items].map(({ objectId }) => objectId)).toHaveLength(5);
    for (const cursor of ['x', Buffer.from('[1,"gateway:site-a",1]').toString('base64url')]) {
      const read = sut.audit.search({ limit: 3, cursor });
      await expect(read).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
  });

  it.each([
    [{}, 'audit_record_newest'],
    [{ siteIds: ['site-a'] }, 'audit_record_of_site'],
    [{ onlyUserId: 'u7' }, 'audit_record_by_user'],
    [{ objectId: 'o77' }, 'audit_record_of_object'],
  ])('asks the index for %j', async (query, index) => {
    await fillOnce();
    const [statement, values] = auditSearchSql({ limit: 50, ...query });
    const plan = await as(server.urls.accessUrl, (client) =>
      client.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${statement}`, [...values]),
    );
    const text = plan.rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(text).toContain(` ${index} `);
    expect(text).not.toMatch(/Seq Scan|Sort/);
  });

  it('streams whole chains in order, in batches, and from a place of a chain', async () => {
    await fillOnce();
    const all: string[] = [];
    for await (const { chain, sequence } of sut.audit.stream({})) {
      all.push(`${chain} ${String(sequence).padStart(9, '0')}`);
    }
    expect(all.length).toBeGreaterThan(FILLED);
    expect(all).toEqual(all.toSorted());
    expect(new Set(all).size).toBe(all.length);
    const rest = [];
    for await (const { sequence } of sut.audit.stream({ chain: 'hub:site-b', afterSequence: 3 })) {
      rest.push(sequence);
    }
    expect(rest[0]).toBe(4);
  });
});

const FILLED = 20_000;
let isFilled = false;
/** Many rows of a third site, put there without their chain: for plans and batches. */
async function fillOnce(): Promise<void> {
  if (isFilled) return;
  isFilled = true;
  await as(superuserUrl(), async (client) => {
    await client.query('BEGIN');
    await client.query('SET LOCAL session_replication_role = replica');
    await client.query(
      `INSERT INTO audit_record SELECT CASE i % 20 WHEN 0 THEN 'site-a' ELSE 'site-fill' END,
         1000000 + i, to_timestamp(i), 'act', 'R', 'success', NULL, 'u' || i % 200, 'u', 'person',
         NULL, NULL, 'site-fill', 'study', 'o' || i % 100, NULL, NULL, '', '', '{}', $2, $2
       FROM generate_series(1, $1::int) AS i`,
      [FILLED, '0'.repeat(64)],
    );
    await client.query('COMMIT');
    await client.query('ANALYZE audit_record');
  });
}

describe('retention', () => {
  const chain = 'hub:site-old';
  const cut = (lastSequence: number): Promise<number> =>
    cutAudit(database, {
      chain,
      lastSequence,
      correlationId: randomUUID(),
      atMs: systemClock.nowMs(),
    });

  it('cuts at an old anchor only, leaves a record of it, and the rest still verifies', async () => {
    const oldMs = systemClock.nowMs() - 6 * YEAR_MS;
    // The enrolment of the site is the first record, and young: the chain of its own is aged.
    await as(superuserUrl(), async (client) => {
      await client.query('SET session_replication_role = replica');
      await client.query(`DELETE FROM audit_record WHERE site_id = 'site-old'`);
      await client.query(`DELETE FROM audit_anchor WHERE site_id = 'site-old'`);
      await client.query(`DELETE FROM audit_head WHERE site_id = 'site-old'`);
    });
    const append = (atMs: number, objectId: string): Promise<AuditRecord> =>
      database.withAccess((sql) => appendAudit(sql, draft('site-old', objectId), atMs));
    for (const objectId of ['old-1', 'old-2', 'old-3']) await append(oldMs, objectId);
    await expect(cut(2)).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    await database.withAccess((sql) => makeAnchors(sql, privateKey, oldMs));
    await append(systemClock.nowMs(), 'young');
    await database.withAccess((sql) => makeAnchors(sql, privateKey, systemClock.nowMs() - YEAR_MS));
    // Not at an anchor; at an anchor over a young record; at one that does not exist.
    for (const last of [2, 4, 5]) {
      await expect(cut(last)).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    }
    expect(await chainRecords(chain)).toHaveLength(4);
    await expect(cut(3)).resolves.toBe(3);
    const records = await chainRecords(chain);
    expect(records.map(({ sequence }) => sequence)).toEqual([4, 5]);
    expect(records[1]).toMatchObject({ act: 'audit.cut', userKind: 'system', action: 'D' });
    const anchors = await sut.audit.anchors();
    const { sequence, hash } = anchors.find((a) => a.chain === chain && a.sequence === 3)!;
    const from = new Map([[chain, { sequence, hash }]]);
    await expect(verifyChain(records, from)).resolves.toMatchObject({ ok: true, count: 2 });
  });

  it('is not for the roles of sites and of the queue', async () => {
    for (const url of [server.urls.appUrl, server.urls.jobsUrl]) {
      const refused = as(url, (client) => client.query(`SELECT audit_cut('site-old', 4)`));
      await expect(refused).rejects.toMatchObject({ code: '42501' });
    }
  });
});

describe('shipping positions', () => {
  it('are kept for each receiver and chain', async () => {
    await expect(sut.shipping.get('a:1', 'hub:site-a')).resolves.toBe(0);
    await sut.shipping.set('a:1', 'hub:site-a', 7);
    await sut.shipping.set('a:1', 'hub:site-a', 9);
    await sut.shipping.set('b:1', 'hub:site-a', 1);
    await expect(sut.shipping.get('a:1', 'hub:site-a')).resolves.toBe(9);
    await expect(sut.shipping.get('a:1', 'hub:*')).resolves.toBe(0);
  });
});

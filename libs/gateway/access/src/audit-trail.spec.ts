/**
 * Goal: a chain without gaps that nobody can edit unseen, searched by every filter, kept five
 * years.
 * Method: real SQLite; the chain's own verifier over whole, edited and cut chains; attacks through
 * the same connection and, behind the triggers, through another one.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  retentionCut,
  verifyAnchor,
  verifyChain,
  writeCursor,
  type AuditSearch,
} from '@aifi/access-audit';
import type { AuditRecord } from '@aifi/contracts-rest';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { draft } from '../test/fake-caller.js';
import { anchorDay, createAnchorStage, cutTrail, publicKeyPemOf } from './anchor-stage.js';
import { auditSearchSql } from './audit-queries.js';
import { PATIENTS_DETAIL } from './audit-trail.js';
import { openGatewayAccess, type GatewayAccess } from './gateway-access.js';

const DAY_MS = 86_400_000;
const { privateKey } = generateKeyPairSync('ed25519');

let folder: TemporaryFolder;
let access: GatewayAccess;
let clock: FakeClock;
const path = (): string => join(folder.path, 'access.db');
beforeEach(() => {
  folder = temporaryFolder('trail');
  clock = new FakeClock();
  access = openGatewayAccess({ path: path(), siteId: 'site-a', clock });
});
afterEach(async () => {
  await access.database.close();
  folder.remove();
});

async function records(count: number, part: Parameters<typeof draft>[0] = {}): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    await access.trail.sink.append(draft({ objectId: `1.${i}`, ...part }));
    clock.advance(1_000);
  }
}
async function all(): Promise<AuditRecord[]> {
  const found: AuditRecord[] = [];
  for await (const record of access.trail.stream({})) found.push(record);
  return found;
}
const anchoring = () => ({
  ...{ database: access.database, trail: access.trail, acts: access.acts, clock },
  ...{ signingKey: privateKey, onFault: (error: unknown) => Promise.reject(error) },
});

describe('the chain', () => {
  it('verifies, from the first record on, without a gap', async () => {
    await Promise.all(Array.from({ length: 20 }, () => records(1)));
    const verdict = await verifyChain(await all());
    expect(verdict).toMatchObject({ ok: true, count: 20 });
    expect((await all()).map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    expect(await access.trail.heads()).toMatchObject([{ chain: 'gateway:site-a', sequence: 20 }]);
  });
  it('goes on where it was after a restart', async () => {
    await records(2);
    await access.database.close();
    access = openGatewayAccess({ path: path(), siteId: 'site-a', clock });
    await records(2);
    expect(await verifyChain(await all())).toMatchObject({ ok: true, count: 4 });
  });
  it.each([
    ['UPDATE of a record', `UPDATE audit_record SET record = '{}' WHERE sequence = 1`],
    ['DELETE of a record', 'DELETE FROM audit_record WHERE sequence = 2'],
    ['DELETE of the last record', 'DELETE FROM audit_record WHERE sequence = 3'],
    ['REPLACE of a record', 'REPLACE INTO audit_record SELECT chain, 1, record FROM audit_record'],
    [
      'INSERT with a gap',
      `INSERT INTO audit_record (chain, sequence, record)
       SELECT chain, 9, record FROM audit_record WHERE sequence = 1`,
    ],
    ['DELETE of the head', 'DELETE FROM audit_head'],
    ['another head', `UPDATE audit_head SET sequence = 1`],
    ['UPDATE of an anchor', `UPDATE audit_anchor SET anchor = '{}'`],
    ['DELETE of an anchor', 'DELETE FROM audit_anchor'],
    [
      'a cut of what is young',
      `INSERT INTO audit_cut VALUES ('gateway:site-a', 2, 'x', 1700000000000, 1700000000001)`,
    ],
  ])('refuses %s', async (_name, statement) => {
    await records(3);
    await anchorDay(anchoring());
    const attack = access.database.transaction(({ sql }) => sql.run(statement));
    await expect(attack).rejects.toThrow();
    expect(await verifyChain(await all())).toMatchObject({ ok: true, count: 3 });
  });
  it.each([
    [
      'edited',
      `UPDATE audit_record SET record = json_set(record, '$.userId', 'ben')
                WHERE sequence = 2`,
    ],
    ['deleted', 'DELETE FROM audit_record WHERE sequence = 2'],
  ])('shows a record that was %s behind the triggers', async (kind, statement) => {
    await records(4);
    const raw = new DatabaseSync(path());
    raw.exec('DROP TRIGGER audit_record_is_immutable; DROP TRIGGER audit_record_keeps_rows');
    raw.exec(statement);
    raw.close();
    expect(await verifyChain(await all())).toMatchObject({ ok: false, broken: { kind } });
  });
});

describe('search', () => {
  const search = (query: object) => access.trail.search({ limit: 50, ...query });

  it('answers newest first and stays in place while records come in', async () => {
    await records(7);
    const pages: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await search({ limit: 3, cursor });
      pages.push(...page.items.map(({ sequence }) => sequence));
      cursor = page.nextCursor ?? undefined;
      await records(1);
    } while (cursor !== undefined);
    expect(pages).toEqual([7, 6, 5, 4, 3, 2, 1]);
  });
  it('finds by each filter what it names, and nothing else', async () => {
    await records(1, { act: 'study.read', userId: 'anne' });
    const secondMs = clock.nowMs();
    await records(1, { act: 'alerts.read', userId: 'ben', outcome: 'refused', objectId: 'x' });
    const sequences = async (query: object): Promise<number[]> =>
      (await search(query)).items.map(({ sequence }) => sequence);
    expect(await sequences({ act: 'alerts.read' })).toEqual([2]);
    expect(await sequences({ userId: 'anne' })).toEqual([1]);
    expect(await sequences({ outcome: 'refused' })).toEqual([2]);
    expect(await sequences({ objectId: 'x' })).toEqual([2]);
    expect(await sequences({ fromMs: secondMs })).toEqual([2]);
    expect(await sequences({ toMs: secondMs })).toEqual([1]);
    expect(await sequences({ siteId: 'site-b' })).toEqual([]);
    expect(await sequences({ onlyUserId: 'anne' })).toEqual([1]);
    expect(await sequences({ onlyUserId: 'anne', userId: 'ben' })).toEqual([]);
    expect(await sequences({ siteIds: ['site-b'] })).toEqual([]);
  });
  it('refuses a cursor that is none', async () => {
    await expect(search({ cursor: 'x' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
  it.each<[string, Partial<AuditSearch>, string]>([
    ['nothing', {}, 'audit_record_newest'],
    ['an act', { act: 'a' }, 'audit_record_by_act'],
    ['a user', { userId: 'a' }, 'audit_record_by_user'],
    ['the own acts', { onlyUserId: 'a' }, 'audit_record_by_user'],
    ['an object', { objectId: 'a' }, 'audit_record_by_object'],
    ['a time', { fromMs: 1, toMs: 2 }, 'audit_record_newest'],
  ])('by %s reads its index and sorts nothing', (_name, query, index) => {
    const cursor = writeCursor({ atMs: 1, chain: 'gateway:site-a', sequence: 1 });
    const [statement, values] = auditSearchSql({ limit: 50, cursor, ...query });
    const plan = access.database.read((sql) =>
      sql.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${statement}`, ...values),
    );
    const steps = plan.map(({ detail }) => detail).join('; ');
    expect(steps).toContain(index);
    expect(steps).not.toContain('TEMP B-TREE');
  });
});

describe('the records of one patient', () => {
  it('are those that name him, and the lists that showed him', async () => {
    await records(1, { patientId: '0012345' });
    await records(1, { detail: { [PATIENTS_DETAIL]: JSON.stringify(['7', '0012345']) } });
    await records(1, { patientId: '12345' });
    expect(access.trail.about('0012345').map(({ sequence }) => sequence)).toEqual([2, 1]);
  });
});

describe('the daily anchor', () => {
  it('is one for a day, signed, and names the end of the chain', async () => {
    expect(await anchorDay(anchoring())).toBe(false);
    await records(2);
    expect(await anchorDay(anchoring())).toBe(true);
    await records(1);
    expect(await anchorDay(anchoring())).toBe(false);
    clock.advance(DAY_MS);
    expect(await anchorDay(anchoring())).toBe(true);
    const anchors = await access.trail.anchors();
    expect(anchors.map(({ sequence }) => sequence)).toEqual([2, 3]);
    const publicKey = createPublicKey(publicKeyPemOf(privateKey));
    anchors.forEach((anchor) => verifyAnchor(anchor, publicKey));
    const foreign = generateKeyPairSync('ed25519').publicKey;
    expect(() => verifyAnchor(anchors[0]!, foreign)).toThrow();
  });
  it('is made at the first look, when the gateway was away at midnight', async () => {
    await records(1);
    const abort = new AbortController();
    const running = createAnchorStage(anchoring()).run(abort.signal);
    while ((await access.trail.anchors()).length === 0) await new Promise(setImmediate);
    abort.abort();
    await running;
  });
});

describe('retention', () => {
  it('keeps every record for five years, and then cuts at an anchor, leaving a record', async () => {
    await records(3);
    await anchorDay(anchoring());
    const madeMs = clock.nowMs();
    await records(1, { patientId: '7' });
    while (retentionCut(clock.nowMs()) <= madeMs) {
      expect(await cutTrail(anchoring())).toBe(0);
      clock.advance(100 * DAY_MS);
    }
    expect(await cutTrail(anchoring())).toBe(3);
    expect(await cutTrail(anchoring())).toBe(0);
    const rest = await all();
    expect(rest.map(({ sequence, act }) => [sequence, act])).toEqual([
      [4, 'study.read'],
      [5, 'audit.cut'],
    ]);
    const anchors = await access.trail.anchors();
    const from = new Map([['gateway:site-a', { sequence: 3, hash: anchors[0]!.hash }]]);
    const verdict = await verifyChain(rest, { from });
    expect(verdict).toMatchObject({ ok: true, count: 2 });
    expect(access.trail.about('7')).toHaveLength(1);
  });
});

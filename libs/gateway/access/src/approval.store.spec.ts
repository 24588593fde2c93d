/**
 * Goal: a grant is found for the person who asked, for its object, while it lasts, and never else.
 * Method: the machine of libs/access/approvals over real SQLite.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { decideRequest, endApproval, openRequest, type Approval } from '@aifi/access-approvals';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { GatewayApprovalStore } from './approval.store.js';
import { openGatewayAccess, type GatewayAccess } from './gateway-access.js';

const HOUR_MS = 3_600_000;
const ANNE = { id: 'anne', name: 'Anne' };
const BEN = { id: 'ben', name: 'Ben' };
const request = (nowMs: number, part: { siteId?: string } = {}): Approval =>
  openRequest({
    ...{ id: randomUUID(), act: 'linkage.read', siteId: 'site-a', objectId: 'job-1' },
    ...{ reason: 'the patient calls', by: ANNE, nowMs, ...part },
  });

describe(GatewayApprovalStore.name, () => {
  let folder: TemporaryFolder;
  let access: GatewayAccess;
  beforeEach(() => {
    folder = temporaryFolder('approvals');
    const clock = new FakeClock();
    access = openGatewayAccess({ path: join(folder.path, 'a.db'), siteId: 'site-a', clock });
  });
  afterEach(async () => {
    await access.database.close();
    folder.remove();
  });
  const insert = (row: Approval) =>
    access.database.transaction((tx) => access.approvals.insert(tx, row));
  const update = (row: Approval) =>
    access.database.transaction((tx) => access.approvals.update(tx, row));
  const find = (id: string) => access.database.transaction((tx) => access.approvals.find(tx, id));
  const grant = (part: object = {}) =>
    access.approvals.findGrant({
      ...{ act: 'linkage.read', siteId: 'site-a', objectId: 'job-1', userId: 'anne', nowMs: 30 },
      ...part,
    });
  async function granted(): Promise<Approval> {
    const asked = request(10);
    await insert(asked);
    const says = { by: BEN, reason: 'agreed by telephone', nowMs: 20 };
    const row = decideRequest(asked, 'approve', says);
    await update(row);
    return row;
  }

  it('keeps a request and its decision as they were given', async () => {
    const row = await granted();
    expect(await find(row.id)).toEqual(row);
    expect(await find(randomUUID())).toBeUndefined();
    await expect(update({ ...row, id: randomUUID() })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
  it('finds a grant for who asked, what it is about and as long as it lasts', async () => {
    const row = await granted();
    expect(await grant()).toEqual(row);
    expect(await grant({ nowMs: 20 + HOUR_MS - 1 })).toEqual(row);
    for (const other of [
      ...[{ nowMs: 20 + HOUR_MS }, { userId: 'ben' }, { objectId: 'job-2' }],
      ...[{ act: 'pixels.read' }, { siteId: 'site-b' }],
    ]) {
      expect(await grant(other)).toBeUndefined();
    }
    await update(endApproval(row, { nowMs: 25 }));
    expect(await grant()).toBeUndefined();
  });
  it('takes no request about another site, and shows nothing to its people', async () => {
    const other = insert(request(10, { siteId: 'site-b' }));
    await expect(other).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await insert(request(10));
    const list = (siteIds: string[] | undefined) =>
      access.approvals.list({ siteIds, nowMs: 20, limit: 10 });
    expect((await list(['site-b'])).items).toEqual([]);
    expect((await list(undefined)).items).toHaveLength(1);
    expect((await list(['site-a'])).items).toHaveLength(1);
  });
  it('lists newest first, page by page, by the state that time has made', async () => {
    for (const atMs of [1, 2, 2, 3]) await insert(request(atMs));
    const seen: number[] = [];
    let cursor: string | undefined;
    do {
      const query = { siteIds: undefined, nowMs: 20, limit: 1, cursor };
      const page = await access.approvals.list(query);
      seen.push(...page.items.map(({ requestedAtMs }) => requestedAtMs));
      cursor = page.nextCursor ?? undefined;
      await insert(request(50));
    } while (cursor !== undefined);
    expect(seen).toEqual([3, 2, 2, 1]);
    const late = { siteIds: undefined, nowMs: 3 + 24 * HOUR_MS, limit: 10 };
    expect((await access.approvals.list({ ...late, state: 'EXPIRED' })).items).toHaveLength(4);
    expect((await access.approvals.list({ ...late, state: 'REQUESTED' })).items).toHaveLength(4);
  });
  it('never keeps an agreement of who asked, whatever the caller says', async () => {
    const asked = request(10);
    await insert(asked);
    const forged = { ...asked, state: 'APPROVED', decidedBy: ANNE, grantedUntilMs: 99 } as const;
    await expect(update(forged)).rejects.toThrow();
  });
});

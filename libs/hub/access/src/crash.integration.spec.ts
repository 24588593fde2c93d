/**
 * Goal: an act and its record survive together or not at all, when the process dies by kill -9.
 * Method: a stand-in for the hub performs one act in its own process and kills itself at a named
 * point; then the same request comes again with its key, as a page would send it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { systemClock } from '@aifi/shared-kernel';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { verifyChain } from '@aifi/access-audit';
import {
  enrolSites,
  HubDatabase,
  removeServerFolder,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from '@aifi/hub-database';
import { HubAccess } from './hub-access.js';

// The effect is an approval; its id is the key, so that both can be looked for.
const STAND_IN = `
const [{ HubAccess }, { HubDatabase }, { CallerOfRequest }, kernel] = await Promise.all([
  import('@aifi/hub-access'), import('@aifi/hub-database'), import('@aifi/access-web'),
  import('@aifi/shared-kernel')]);
const [urls, key, point] = process.argv.slice(1);
const database = await HubDatabase.open(JSON.parse(urls));
const access = new HubAccess({ database, clock: kernel.systemClock });
const person = { id: 'anne', name: 'Anne' };
const caller = new CallerOfRequest({
  principal: { kind: 'person', userId: 'anne', userName: 'Anne', roles: [], siteIds: [],
    steppedUpAtMs: null },
  act: 'approval.request', allowed: { role: null, reach: { kind: 'all' } }, homeSite: '*',
  sourceAddress: '', correlationId: key, idempotencyKey: key, sink: access.acts });
kernel.armCrashPoint(point);
const answer = await access.acts.perform(caller, { key }, async (sql) => {
  await access.approvals.insert(sql, { id: key, act: 'pixels.read', siteId: 'site-a',
    objectId: key, reason: 'a reason', state: 'REQUESTED', requestedBy: person, requestedAtMs: 1,
    expiresAtMs: 2, decidedBy: null, decidedAtMs: null, decisionReason: null,
    grantedUntilMs: null, endedAtMs: null });
  return { answer: { by: process.pid }, subject: { objectType: 'approval', objectId: key } };
});
process.stdout.write(JSON.stringify(answer));
await database.close();`;

let folder: TemporaryFolder;
let server: EmbeddedPostgres;
let database: HubDatabase;
let access: HubAccess;

beforeAll(async () => {
  folder = temporaryFolder('hub-crash');
  server = await startEmbeddedPostgres({ dataFolder: folder.path, clock: systemClock });
  database = await HubDatabase.open(server.urls);
  const site = { siteName: 'site-a', purpose: 'demonstration', deployments: [] } as const;
  await enrolSites(database, [site], async () => undefined);
  access = new HubAccess({ database, clock: systemClock });
}, 180_000);

afterAll(async () => {
  await database?.close();
  await server?.stop();
  await removeServerFolder(folder.path);
  folder.remove();
}, 60_000);

interface Ended {
  readonly signal: string | null;
  readonly said: string;
  readonly pid: number;
}
async function performOnce(key: string, point = ''): Promise<Ended> {
  const words = ['--input-type=module', '-e', STAND_IN, JSON.stringify(server.urls), key, point];
  const child = spawn(process.execPath, words, {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: import.meta.dirname,
  });
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { signal, said, pid: child.pid! };
}

/** How often the effect and its record are there. */
async function counts(key: string): Promise<{ effects: number; records: number }> {
  const effect = await database.withAccess((sql) => access.approvals.find(sql, key));
  const { items } = await access.audit.search({ objectId: key, limit: 10 });
  return { effects: effect ? 1 : 0, records: items.length };
}

describe('a process that is killed while it performs an act', () => {
  it('before the commit leaves nothing, and the repeat does it', async () => {
    const key = randomUUID();
    const killed = await performOnce(key, 'hub.access.before-commit');
    expect(killed).toMatchObject({ signal: 'SIGKILL', said: '' });
    await expect(counts(key)).resolves.toEqual({ effects: 0, records: 0 });
    const repeat = await performOnce(key);
    expect(repeat).toMatchObject({ signal: null, said: JSON.stringify({ by: repeat.pid }) });
    await expect(counts(key)).resolves.toEqual({ effects: 1, records: 1 });
  }, 60_000);

  it('after the commit leaves all, and the repeat gets the first answer', async () => {
    const key = randomUUID();
    const killed = await performOnce(key, 'hub.access.after-commit');
    expect(killed).toMatchObject({ signal: 'SIGKILL', said: '' });
    await expect(counts(key)).resolves.toEqual({ effects: 1, records: 1 });
    const repeat = await performOnce(key);
    expect(repeat).toMatchObject({ signal: null, said: JSON.stringify({ by: killed.pid }) });
    await expect(counts(key)).resolves.toEqual({ effects: 1, records: 1 });
  }, 60_000);

  it('leaves a chain that verifies', async () => {
    const verdict = await verifyChain(access.audit.stream({}));
    expect(verdict).toMatchObject({ ok: true });
  });
});

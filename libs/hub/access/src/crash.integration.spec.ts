/**
 * Goal: every audited act of the hub and its record survive together or not at all, when the
 * process dies by kill -9 on either side of the commit.
 * Method: a stand-in for the hub does one act in its own process, by the store that does it, and
 * kills itself at the commit; then the same request comes again, as a page would send it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  ACTS,
  HUB_ROUTE_ACTS,
  ruleOf,
  SIGN_IN_ROUTE_ACTS,
  type Act,
} from '@aifi/access-authorisation';
import type { Approval } from '@aifi/access-approvals';
import type { SessionRecord } from '@aifi/access-sign-in';
import { systemClock, type Sha256 } from '@aifi/shared-kernel';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { verifyChain } from '@aifi/access-audit';
import {
  appendAudit,
  enrolSites,
  HubDatabase,
  listDeployments,
  makeAnchors,
  readSite,
  removeServerFolder,
  startEmbeddedPostgres,
  systemDraft,
  type ConfiguredSite,
  type EmbeddedPostgres,
} from '@aifi/hub-database';
import { HubAccess } from './hub-access.js';

// Armed after the database is open, so that only the act's own transaction can trip the point.
const STAND_IN = `
const [{ HubAccess, cutAudit }, { HubDatabase, enrolSites }, { CallerOfRequest }, kernel] =
  await Promise.all([import('@aifi/hub-access'), import('@aifi/hub-database'),
    import('@aifi/access-web'), import('@aifi/shared-kernel')]);
const [urls, act, key, input, point] = process.argv.slice(1);
const given = JSON.parse(input);
const database = await HubDatabase.open(JSON.parse(urls));
const { acts, approvals, sessions } = new HubAccess({ database, clock: kernel.systemClock });
const caller = new CallerOfRequest({
  principal: { kind: 'person', userId: 'anne', userName: 'Anne', roles: [], siteIds: [],
    steppedUpAtMs: null },
  act, allowed: { role: null, reach: { kind: 'all' } }, homeSite: '*', sourceAddress: '',
  correlationId: key, idempotencyKey: key, sink: acts });
const subject = { objectType: 'thing', objectId: key, siteId: 'site-a' };
const perform = (work) => acts.perform(caller, { key }, async (sql) => {
  await work(sql);
  return { answer: { by: process.pid }, subject };
});
const publish = (sql, { siteId }) => sql.run(
  \`INSERT INTO routing_rules (site_id, sequence, content_sha256, rules, rules_sha256, signature)
   SELECT $1, 1, 'c', '\\\\x00', 'r', '\\\\x00'
   WHERE NOT EXISTS (SELECT FROM routing_rules)\`, siteId);
const enrol = () => enrolSites(database, [given], publish);
const WAYS = {
  'session.start': () => sessions.insert(given, caller.draft(subject)),
  'session.step-up': () => sessions.update(key, { steppedUpAtMs: 5 }, caller.draft(subject)),
  'session.end': () => sessions.end(key, caller.draft(subject)),
  'session.revoke': () => sessions.endWhere({ providerSessionId: key },
    () => caller.draft(subject)),
  'study.read': () => acts.append(caller.draft(subject)),
  'pixels.read': () => caller.record(subject),
  'approval.request': () => perform((sql) => approvals.insert(sql, given)),
  'approval.decide': () => perform((sql) => approvals.update(sql, given)),
  'approval.end': () => perform((sql) => approvals.update(sql, given)),
  'site.enrol': enrol,
  'site.change': enrol,
  'audit.cut': () => cutAudit(database, given),
};
kernel.armCrashPoint(point);
const answer = await WAYS[act]();
process.stdout.write(JSON.stringify(answer ?? 'done'));
await database.close();`;

let folder: TemporaryFolder;
let server: EmbeddedPostgres;
let database: HubDatabase;
let access: HubAccess;

beforeAll(async () => {
  folder = temporaryFolder('hub-crash');
  server = await startEmbeddedPostgres({ dataFolder: folder.path, clock: systemClock });
  database = await HubDatabase.open(server.urls);
  await enrol({ siteName: 'site-a', purpose: 'demonstration', deployments: [] });
  access = new HubAccess({ database, clock: systemClock });
}, 180_000);

afterAll(async () => {
  await database?.close();
  await server?.stop();
  await removeServerFolder(folder.path);
  folder.remove();
}, 60_000);

const enrol = (site: ConfiguredSite): Promise<void> =>
  enrolSites(database, [site], async () => undefined);

/** One way in which the hub keeps an act: what is there before, and what the act leaves. */
interface Kind {
  readonly act: Act;
  /** Acts that go the same way as this one, through the same function. */
  readonly sameWay?: readonly Act[];
  /** Acts of the records that one transaction leaves. @default the act alone */
  readonly leaves?: readonly Act[];
  /** What asking again after a success does; absent: it would be another act. */
  readonly repeat?: 'first answer' | 'nothing';
  /** Makes what the act needs; returns what the stand-in is given. */
  prepare(key: string): Promise<unknown>;
  /** Whether the effect is there; absent: a read has none. */
  hasEffect?(key: string): Promise<boolean>;
  /** Acts of the records of this act. @default those about the key */
  recorded?(key: string): Promise<string[]>;
}

const sessionOf = (key: string): SessionRecord => ({
  ...{ idHash: key, userId: 'anne', userName: 'Anne', roles: [], siteIds: [], csrfToken: 'c' },
  ...{ createdAtMs: 1, lastSeenAtMs: 1, checkedAtMs: 1, steppedUpAtMs: null },
  ...{ providerSessionId: key, sealedTokens: null },
});
async function prepareSession(key: string): Promise<object> {
  const about = { siteId: 'site-a', objectType: 'session', objectId: 'x', correlationId: '' };
  await access.sessions.insert(
    sessionOf(key),
    systemDraft('session.start', { ...about, detail: {} }),
  );
  return {};
}
const hasSession = async (key: string): Promise<boolean> =>
  (await access.sessions.find(key)) !== undefined;
const hasNoSession = async (key: string): Promise<boolean> => !(await hasSession(key));

const ASKED = { state: 'REQUESTED', decidedBy: null, grantedUntilMs: null } as const;
const GRANTED: Partial<Approval> = {
  ...{ state: 'APPROVED', decidedBy: { id: 'bert', name: 'Bert' }, grantedUntilMs: 3 },
};
const ENDED: Partial<Approval> = { ...GRANTED, state: 'ENDED', endedAtMs: 2 };
const approvalOf = (id: string, then: Partial<Approval>): Approval => ({
  ...{ id, act: 'pixels.read', siteId: 'site-a', objectId: id, reason: 'a reason', ...ASKED },
  ...{ requestedBy: { id: 'anne', name: 'Anne' }, requestedAtMs: 1, expiresAtMs: 2 },
  ...{ decidedAtMs: null, decisionReason: null, endedAtMs: null, ...then },
});
const isApproval =
  (state: Approval['state']) =>
  async (key: string): Promise<boolean> =>
    (await database.withAccess((sql) => access.approvals.find(sql, key)))?.state === state;
/** From one state of an approval to another. */
const step = (from: Partial<Approval>, to: Partial<Approval>) => async (key: string) => {
  await database.withAccess((sql) => access.approvals.insert(sql, approvalOf(key, from)));
  return approvalOf(key, to);
};

const deployment = { product: 'fracture', version: '1.0.0', modelDigest: 'a'.repeat(64) as Sha256 };
const siteNameOf = (key: string): string => `site-${key.slice(0, 8)}`;
const siteOf = (key: string, purpose: ConfiguredSite['purpose']): ConfiguredSite => ({
  ...{ siteName: siteNameOf(key), purpose, deployments: [{ ...deployment, state: 'active' }] },
});
const isSite =
  (purpose: ConfiguredSite['purpose']) =>
  (key: string): Promise<boolean> =>
    database.withConfiguredSite(siteNameOf(key), async (sql) => {
      const site = await readSite(sql);
      const rules = await sql.rows('SELECT 1 FROM routing_rules');
      const isWhole = (await listDeployments(sql)).length === 1 && rules.length === 1;
      return site?.purpose === purpose && isWhole;
    });
/** Of the last enrolment of the site; what prepared it is before them. */
async function siteRecords(key: string, prepared = 0): Promise<string[]> {
  const acts: string[] = [];
  const chain = `hub:${siteNameOf(key)}`;
  for await (const { act } of access.audit.stream({ chain, afterSequence: prepared })) {
    acts.push(act);
  }
  // A name that is no site yet leaves its records elsewhere, if it leaves any.
  const { items } = await access.audit.search({ objectId: siteNameOf(key), limit: 10 });
  return acts.concat(items.filter((item) => item.chain !== chain).map(({ act }) => act));
}

const DAY_MS = 24 * 3_600_000;
const { privateKey } = generateKeyPairSync('ed25519');
// The chain across sites is all old here: nothing else writes to it.
let oldMs = systemClock.nowMs() - 6 * 366 * DAY_MS;
async function prepareCut(key: string): Promise<object> {
  oldMs += DAY_MS;
  const about = { siteId: '*', objectType: 'study', objectId: key, correlationId: '' };
  const draft = systemDraft('study.read', { ...about, detail: {} });
  const { sequence } = await database.withAccess((sql) => appendAudit(sql, draft, oldMs));
  await database.withAccess((sql) => makeAnchors(sql, privateKey, oldMs));
  return { chain: 'hub:*', lastSequence: sequence, correlationId: key, atMs: oldMs };
}
async function isCut(key: string): Promise<boolean> {
  const { items } = await access.audit.search({ objectId: key, limit: 1 });
  return items.length === 0;
}
async function cutRecords(key: string): Promise<string[]> {
  const { items } = await access.audit.search({ objectId: 'hub:*', limit: 100 });
  return items.filter((item) => item.correlationId === key).map(({ act }) => act);
}

const nothing = async (): Promise<object> => ({});
const KINDS: readonly Kind[] = [
  { act: 'session.start', prepare: async (key) => sessionOf(key), hasEffect: hasSession },
  {
    ...{ act: 'session.step-up', prepare: prepareSession },
    hasEffect: async (key) => (await access.sessions.find(key))?.steppedUpAtMs === 5,
  },
  { act: 'session.end', repeat: 'nothing', prepare: prepareSession, hasEffect: hasNoSession },
  { act: 'session.revoke', repeat: 'nothing', prepare: prepareSession, hasEffect: hasNoSession },
  {
    ...{ act: 'study.read', prepare: nothing },
    sameWay: ['study-list.read', 'audit.search', 'audit.export'],
  },
  { act: 'pixels.read', prepare: nothing },
  {
    ...{ act: 'approval.request', repeat: 'first answer' },
    sameWay: [
      ...(['join-token.issue', 'certificate.revoke', 'authority.rotate'] as const),
      ...(['binding.create', 'binding.end', 'gateway.take-over'] as const),
      ...(['product.stop', 'product.resume'] as const),
    ],
    prepare: async (key) => approvalOf(key, ASKED),
    hasEffect: isApproval('REQUESTED'),
  },
  {
    ...{ act: 'approval.decide', repeat: 'first answer' },
    ...{ prepare: step(ASKED, GRANTED), hasEffect: isApproval('APPROVED') },
  },
  {
    ...{ act: 'approval.end', repeat: 'first answer' },
    ...{ prepare: step(GRANTED, ENDED), hasEffect: isApproval('ENDED') },
  },
  {
    ...{ act: 'site.enrol', repeat: 'nothing' },
    sameWay: ['gateway.join', 'authority.create', 'authority.retire'],
    leaves: ['site.enrol', 'deployment.change', 'rules.publish'],
    prepare: async (key) => siteOf(key, 'demonstration'),
    ...{ hasEffect: isSite('demonstration'), recorded: siteRecords },
  },
  {
    ...{ act: 'site.change', repeat: 'nothing', leaves: ['site.change', 'rules.publish'] },
    prepare: async (key) => {
      await enrol(siteOf(key, 'demonstration'));
      return siteOf(key, 'clinical');
    },
    // Enrolment and deployment were recorded when it was prepared.
    ...{ hasEffect: isSite('clinical'), recorded: (key) => siteRecords(key, 2) },
  },
  { act: 'audit.cut', prepare: prepareCut, hasEffect: isCut, recorded: cutRecords },
];

interface Ended {
  readonly signal: string | null;
  readonly said: string;
  readonly pid: number;
}
/** One act in a process of its own. */
class Doing {
  readonly key = randomUUID();
  #given: unknown;
  constructor(private readonly kind: Kind) {}

  async prepare(): Promise<void> {
    this.#given = await this.kind.prepare(this.key);
    expect(await this.left()).toEqual(this.nothing);
  }
  async run(point = ''): Promise<Ended> {
    const input = [JSON.stringify(server.urls), this.kind.act, this.key];
    const words = ['--input-type=module', '-e', STAND_IN, ...input, JSON.stringify(this.#given)];
    const child = spawn(process.execPath, [...words, point], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: import.meta.dirname,
    });
    let said = '';
    child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
    const [, signal] = (await once(child, 'close')) as [number | null, string | null];
    return { signal, said, pid: child.pid! };
  }
  /** The effect, and the records by their acts. */
  async left(): Promise<{ effect: boolean | undefined; records: string[] }> {
    const { hasEffect, recorded, act } = this.kind;
    const effect = await hasEffect?.(this.key);
    if (recorded) return { effect, records: await recorded(this.key) };
    const { items } = await access.audit.search({ objectId: this.key, act, limit: 10 });
    return { effect, records: items.map((item) => item.act) };
  }
  get nothing(): object {
    return { effect: this.kind.hasEffect && false, records: [] };
  }
  get all(): object {
    const { leaves, act, hasEffect } = this.kind;
    return { effect: hasEffect && true, records: leaves ?? [act] };
  }
}

describe('a process that is killed while it does an act', () => {
  it.each([...KINDS])(
    'before the commit leaves nothing, and again does it: $act',
    async (kind) => {
      const sut = new Doing(kind);
      await sut.prepare();
      const killed = await sut.run('hub.database.before-commit');
      expect(killed).toMatchObject({ signal: 'SIGKILL', said: '' });
      expect(await sut.left()).toEqual(sut.nothing);
      const again = await sut.run();
      expect(again.signal).toBeNull();
      if (kind.repeat === 'first answer') expect(JSON.parse(again.said)).toEqual({ by: again.pid });
      else expect(again.said).not.toBe('');
      expect(await sut.left()).toEqual(sut.all);
    },
    60_000,
  );

  it.each([...KINDS])(
    'after the commit leaves all, once: $act',
    async (kind) => {
      const sut = new Doing(kind);
      await sut.prepare();
      const killed = await sut.run('hub.database.after-commit');
      expect(killed).toMatchObject({ signal: 'SIGKILL', said: '' });
      expect(await sut.left()).toEqual(sut.all);
      if (kind.repeat === undefined) return;
      const again = await sut.run();
      expect(again.signal).toBeNull();
      if (kind.repeat === 'first answer')
        expect(JSON.parse(again.said)).toEqual({ by: killed.pid });
      expect(await sut.left()).toEqual(sut.all);
    },
    60_000,
  );

  it('leaves chains that verify', async () => {
    // The chain across sites begins after its last cut.
    const anchors = await access.audit.anchors('*');
    const from = new Map(anchors.map(({ chain, sequence, hash }) => [chain, { sequence, hash }]));
    expect(from.size).toBe(1);
    expect(await verifyChain(access.audit.stream({}), from)).toMatchObject({ ok: true });
  });
});

describe('the kinds of act', () => {
  it('are all that the hub audits', () => {
    // What only a gateway does by itself.
    const ofGateways = /^(study\.export|result\.store|vault\..*|keys\..*)$/;
    const bySystem = (Object.keys(ACTS) as Act[]).filter(
      (act) => ruleOf(act).by === 'system' && !ofGateways.test(act),
    );
    const ofRoutes = [...Object.values(HUB_ROUTE_ACTS), ...Object.values(SIGN_IN_ROUTE_ACTS)];
    const audited = [...ofRoutes, ...bySystem].filter((act) => ruleOf(act).audited);
    const covered = KINDS.flatMap(({ act, sameWay, leaves }) => [
      ...[act, ...(sameWay ?? []), ...(leaves ?? [])],
    ]);
    expect(new Set(covered)).toEqual(new Set(audited));
  });
});

/**
 * Every audited act of the gateway, as its store does it: what must be there before, the act, and
 * how its effect is counted. Decides nothing; the test that kills the process and its child share
 * it. Node runs this file as it is, so it imports packages and types only.
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { decideRequest, endApproval, openRequest, type Approval } from '@aifi/access-approvals';
import type { Act } from '@aifi/access-authorisation';
import type { SessionRecord } from '@aifi/access-sign-in';
import { GATEWAY_MIGRATIONS, GatewayDatabase, recordJournal } from '@aifi/gateway-database';
import type { VaultAct, VaultActName } from '@aifi/gateway-vault';
import { armCrashPoint } from '@aifi/shared-kernel';
import { FakeClock } from '@aifi/shared-testing';
import type * as Library from '../src/index.js';
import type * as Fakes from './fake-caller.js';

/** What an act works on: stores, and the key that a repeat has again. */
export interface Ground {
  readonly access: Library.GatewayAccess;
  readonly library: typeof Library;
  readonly fakes: typeof Fakes;
  readonly clock: FakeClock;
  readonly path: string;
}
export interface AuditedAct {
  readonly act: Act;
  /** Acts of the same code path. */
  readonly alike?: readonly Act[];
  readonly before?: (on: Ground) => Promise<unknown>;
  readonly perform: (on: Ground) => Promise<unknown>;
  /** SQL: how often it had its effect. */
  readonly effect: string;
  /** Effects and records of one act, if not 1. */
  readonly each?: number;
  /** What asking again does: the answer of the first, nothing any more, or another act. */
  readonly again: 'same-answer' | 'nothing' | 'another';
}

const SIX_YEARS_MS = 6 * 366 * 86_400_000;
const ANNE = { id: 'anne', name: 'Anne' };
const BEN = { id: 'ben', name: 'Ben' };
const REASON = 'the patient calls';
const UID = '1.2';

const session = (idHash: string): SessionRecord => ({
  ...{ idHash, userId: 'anne', userName: 'Anne', roles: ['radiologist'], siteIds: ['site-a'] },
  ...{ csrfToken: 'c', createdAtMs: 1, lastSeenAtMs: 1, checkedAtMs: 1, steppedUpAtMs: null },
  ...{ providerSessionId: 'p-1', sealedTokens: null },
});
const signIn = ({ access, fakes }: Ground, idHash: string): Promise<void> =>
  access.sessions.insert(session(idHash), fakes.draft({ act: 'session.start' }));

const SESSIONS: readonly AuditedAct[] = [
  {
    ...{ act: 'session.start', again: 'another', effect: 'SELECT COUNT(*) AS n FROM session' },
    perform: (on) => signIn(on, randomUUID()),
  },
  {
    ...{ act: 'session.step-up', again: 'another' },
    effect: 'SELECT COALESCE(stepped_up_ms, 0) AS n FROM session',
    before: (on) => signIn(on, 's-1'),
    perform: async ({ access, fakes }) => {
      const steppedUpAtMs = ((await access.sessions.find('s-1'))?.steppedUpAtMs ?? 0) + 1;
      const record = fakes.draft({ act: 'session.step-up' });
      return access.sessions.update('s-1', { steppedUpAtMs }, record);
    },
  },
  {
    ...{ act: 'session.end', again: 'nothing', effect: 'SELECT 1 - COUNT(*) AS n FROM session' },
    before: (on) => signIn(on, 's-1'),
    perform: ({ access, fakes }) => access.sessions.end('s-1', fakes.draft({ act: 'session.end' })),
  },
  {
    ...{ act: 'session.revoke', again: 'nothing', each: 2 },
    effect: 'SELECT 2 - COUNT(*) AS n FROM session',
    before: async (on) => {
      await signIn(on, 's-1');
      await signIn(on, 's-2');
    },
    perform: ({ access, fakes }) =>
      access.sessions.endWhere({ providerSessionId: 'p-1' }, () =>
        fakes.draft({ act: 'session.revoke' }),
      ),
  },
];

const setFlag = ({ access }: Ground, tx: Library.AccessTx) =>
  access.flags.set(tx, {
    ...{ patientId: '7', issuer: null, kind: 'vip', setBy: 'anne', atMs: 1 },
  });
const mask = (on: Ground) => on.access.database.transaction((tx) => setFlag(on, tx));
const alert = ({ access }: Ground, tx: Library.AccessTx): void =>
  access.alerts.raise(tx, {
    ...{ atMs: 1, masked: 'vip', userId: 'anne', userName: 'Anne', studyInstanceUid: UID },
    reason: REASON,
  });
/** An opening of a masked patient, as the application makes it. */
const opening = (act: 'identity.open' | 'linkage.read' | 'pixel-hold.open'): AuditedAct => ({
  ...{ act, again: 'another', effect: 'SELECT COUNT(*) AS n FROM alert', before: mask },
  perform: (on) =>
    on.access.database.transaction((tx) => {
      if (on.access.flags.maskOf({ patientId: '7', issuer: null }, tx)) alert(on, tx);
      on.access.trail.append(tx, on.fakes.draft({ act, patientId: '7' }));
    }),
});

const READS: readonly AuditedAct[] = [
  {
    ...{ act: 'hospital-study.read', again: 'another' },
    alike: [
      ...(['hospital-study-list.read', 'patient-flags.read', 'alerts.read'] as const),
      ...(['audit.search', 'audit.export', 'patient-extract.read'] as const),
      ...(['dead-letters.read', 'pixel-holds.read', 'results-register.read'] as const),
      ...(['patient-code.read', 'reconciliation.read', 'retrievals.read'] as const),
      'objections.read',
    ],
    effect: 'SELECT COALESCE(MAX(sequence), 0) AS n FROM audit_head',
    perform: ({ access, fakes }) =>
      access.trail.sink.append(fakes.draft({ act: 'hospital-study.read' })),
  },
  opening('identity.open'),
  opening('linkage.read'),
  opening('pixel-hold.open'),
];

/** An act with an Idempotency-Key. */
const keyed =
  (
    act: Act,
    work: (on: Ground, tx: Library.AccessTx) => Promise<{ id: string }> | { id: string },
  ) =>
  (on: Ground): Promise<unknown> =>
    on.access.acts.perform(on.fakes.callerOf({ key: 'key-00001', act }), { act }, async (tx) => {
      const answer = await work(on, tx);
      return { answer, subject: { objectType: 'object', objectId: answer.id } };
    });
const request = ({ clock }: Ground, id: string): Approval =>
  openRequest({
    ...{ id, act: 'linkage.read', siteId: 'site-a', objectId: 'job-1', reason: REASON },
    ...{ by: ANNE, nowMs: clock.nowMs() },
  });
const asked = (on: Ground) =>
  on.access.database.transaction((tx) => on.access.approvals.insert(tx, request(on, 'a-1')));
async function change(
  { access }: Ground,
  tx: Library.AccessTx,
  next: (approval: Approval) => Approval,
): Promise<Approval> {
  const approval = await access.approvals.find(tx, 'a-1');
  if (!approval) throw new Error('nobody has asked');
  const changed = next(approval);
  await access.approvals.update(tx, changed);
  return changed;
}

const CHANGES: readonly AuditedAct[] = [
  {
    ...{ act: 'approval.request', again: 'same-answer' },
    effect: 'SELECT COUNT(*) AS n FROM approval',
    perform: keyed('approval.request', async (on, tx) => {
      const approval = request(on, randomUUID());
      await on.access.approvals.insert(tx, approval);
      return approval;
    }),
  },
  {
    ...{ act: 'approval.decide', again: 'same-answer', before: asked },
    effect: `SELECT COUNT(*) AS n FROM approval WHERE state = 'APPROVED'`,
    perform: keyed('approval.decide', (on, tx) => {
      const says = { by: BEN, reason: 'agreed by telephone', nowMs: on.clock.nowMs() };
      return change(on, tx, (approval) => decideRequest(approval, 'approve', says));
    }),
  },
  {
    ...{ act: 'approval.end', again: 'same-answer', before: asked },
    effect: 'SELECT COUNT(*) AS n FROM approval WHERE ended_ms IS NOT NULL',
    perform: keyed('approval.end', (on, tx) =>
      change(on, tx, (approval) => endApproval(approval, { nowMs: on.clock.nowMs() })),
    ),
  },
  {
    ...{ act: 'patient-flag.set', again: 'same-answer' },
    effect: 'SELECT COUNT(*) AS n FROM patient_flag',
    perform: keyed('patient-flag.set', setFlag),
  },
  {
    ...{ act: 'patient-flag.remove', again: 'same-answer', before: mask },
    effect: 'SELECT COUNT(*) AS n FROM patient_flag WHERE removed_ms IS NOT NULL',
    perform: keyed('patient-flag.remove', ({ access }, tx) => {
      const id = access.flags.list({ limit: 1 }).items[0]?.id ?? '';
      return access.flags.remove(tx, id, { userId: 'anne', atMs: 2 });
    }),
  },
  {
    ...{ act: 'alert.acknowledge', again: 'same-answer' },
    effect: 'SELECT COUNT(*) AS n FROM alert WHERE acknowledged_ms IS NOT NULL',
    before: (on) => on.access.database.transaction((tx) => alert(on, tx)),
    perform: keyed('alert.acknowledge', ({ access }, tx) => {
      const id = access.alerts.list({ limit: 1 }).items[0]?.id ?? '';
      return access.alerts.acknowledge(tx, id, { userId: 'ben', atMs: 2 });
    }),
  },
];

/** The effect is in the pipeline's database: here its order counts, and that it is carried out. */
const ORDERED: readonly AuditedAct[] = [
  {
    ...{ act: 'dead-letter.replay', again: 'same-answer' },
    alike: [
      ...(['pixel-hold.release', 'pixel-hold.reject', 'job.retry', 'vault.erase'] as const),
      ...(['missed-study.dismiss', 'link.join', 'missed-study.fetch'] as const),
      ...(['retrieval.request', 'retrieval.withdraw', 'product.request'] as const),
      ...(['catalogue.import', 'catalogue.roll-back', 'consent.receive'] as const),
      ...(['objection-list.import', 'objection.set', 'objection.withdraw'] as const),
      ...(['setup.change', 'setup.check', 'probe.run'] as const),
    ],
    effect: 'SELECT COUNT(*) AS n FROM idempotency',
    perform: ({ access, fakes }) =>
      access.acts.order(
        fakes.callerOf({ key: 'key-00001', act: 'dead-letter.replay' }),
        { all: true },
        {
          ...{ order: { id: 'order-1' }, carryOut: async (order) => order },
          subject: { objectType: 'dead-letter', objectId: '*' },
        },
      ),
  },
];

const openJournal = ({ path }: Ground): GatewayDatabase =>
  GatewayDatabase.open(join(dirname(path), 'gateway.db'), GATEWAY_MIGRATIONS);
/** What the pipeline did by itself, recorded from its journal. */
const journalled = (
  act: 'study.export' | 'result.store',
  row: { readonly stage: 'uplink' | 'deliver'; readonly event: string },
): AuditedAct => ({
  ...{ act, again: 'nothing', effect: 'SELECT COUNT(*) AS n FROM audit_of_journal' },
  before: async (on) => {
    const journal = openJournal(on);
    await journal.write((sql) => {
      sql.run(`INSERT INTO study VALUES (1, '1.2', 1, 1)`);
      recordJournal(sql, { studyId: 1, jobId: 'j', atMs: 1, ...row });
    });
    journal.close();
  },
  perform: async (on) => {
    const journal = openJournal(on);
    const { database, trail } = on.access;
    const patientNumberOf = async () => '7';
    await on.library.recordJournalRows({
      ...{ journal, database, trail, clock: on.clock, patientNumberOf },
      onFault: () => undefined,
    });
    journal.close();
  },
});
/** An act of the vault, recorded from its chain; the others have the same path. */
const OF_THE_VAULT = [
  ...(['vault.expire', 'vault.erase-again', 'vault.back-up', 'vault.restore'] as const),
  ...(['vault.check', 'keys.rotate', 'keys.retire', 'keys.wrap'] as const),
];
const vaultAct = (sequence: number, act: VaultActName): VaultAct => ({
  ...{ sequence, atMs: 1, act, actor: 'gateway', jobId: null, studyUid: null, detail: {} },
  hash: `h${sequence}`,
});
const lookedAt = (acts: readonly VaultAct[]) => (on: Ground) => {
  const { database, trail } = on.access;
  const actsAfter = (after: number) => acts.filter(({ sequence }) => sequence > after);
  return on.library.recordVaultActs({
    ...{ vault: { actsAfter }, database, trail, clock: on.clock, onFault: () => undefined },
  });
};
const anchoring = ({ access, clock }: Ground): Library.AnchorDependencies => ({
  ...{ database: access.database, trail: access.trail, acts: access.acts, clock },
  ...{ signingKey: generateKeyPairSync('ed25519').privateKey, onFault: () => undefined },
});

const SYSTEM: readonly AuditedAct[] = [
  {
    ...{ act: 'audit.cut', again: 'nothing', effect: 'SELECT COUNT(*) AS n FROM audit_cut' },
    before: async (on) => {
      await on.access.trail.sink.append(on.fakes.draft());
      await on.library.anchorDay(anchoring(on));
    },
    perform: (on) => {
      on.clock.advance(SIX_YEARS_MS);
      return on.library.cutTrail(anchoring(on));
    },
  },
  journalled('study.export', { stage: 'uplink', event: 'uploaded' }),
  journalled('result.store', { stage: 'deliver', event: 'delivered' }),
  {
    ...{ act: 'vault.open', alike: OF_THE_VAULT, again: 'nothing' },
    effect: 'SELECT COUNT(*) AS n FROM audit_of_vault_act',
    perform: async (on) => void (await lookedAt([vaultAct(1, 'opened')])(on)),
  },
  {
    ...{ act: 'vault.replace', again: 'nothing' },
    effect: 'SELECT COUNT(*) AS n FROM vault_act_cursor WHERE sequence = 1',
    before: lookedAt([vaultAct(1, 'linked'), vaultAct(2, 'linked')]),
    perform: async (on) => void (await lookedAt([vaultAct(1, 'linked')])(on)),
  },
];

export const AUDITED_ACTS: readonly AuditedAct[] = [
  ...SESSIONS,
  ...READS,
  ...CHANGES,
  ...ORDERED,
  ...SYSTEM,
];

/**
 * In a child process: does one act on the compiled library and gives the answer as JSON. The crash
 * point is armed when all is open, so it kills the act and nothing before it.
 */
export async function doAct(path: string, act: string, crashAt?: string): Promise<string> {
  const at = (file: string): string => new URL(file, import.meta.url).href;
  const library = (await import(at('../dist/index.js'))) as typeof Library;
  const fakes = (await import(at('fake-caller.ts'))) as typeof Fakes;
  const audited = AUDITED_ACTS.find((each) => each.act === act);
  if (!audited) throw new Error('no such act');
  const clock = new FakeClock();
  const access = library.openGatewayAccess({ path, siteId: 'site-a', clock });
  armCrashPoint(crashAt);
  const answer = await audited.perform({ access, library, fakes, clock, path });
  await access.database.close();
  return JSON.stringify(answer ?? null);
}

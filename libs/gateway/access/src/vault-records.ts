/**
 * Records of what is done with the vault and its keys, by stages and by commands on the machine.
 * Decides which acts of the vault have a record: those that no person's act or row of the journal
 * stands for. An act is known by its hash in the vault's chain, never by its number: a restored
 * vault counts on from its backup. A vault that lacks the act read last is another copy: that is a
 * record of its own, and all of its acts are looked at again.
 * Invariants: one record for each act, in one transaction with the place up to which was read; no
 * patient and no study in it. Source: NEN 7513; security specification 5; reliability P7.
 */
import { ruleOf, type Act } from '@aifi/access-authorisation';
import type { AuditDraft } from '@aifi/contracts-rest';
import { GATEWAY_ACTOR, type Vault, type VaultAct, type VaultActName } from '@aifi/gateway-vault';
import { pollingStage, Wake, type Clock, type Stage } from '@aifi/shared-kernel';
import type { AccessDatabase, AccessTx } from './access-database.js';
import type { AuditTrail } from './audit-trail.js';

/** Acts of one look: a result leaves a few. */
const ACTS_MAX = 500;
/** A record follows its act within this time. @unit ms */
const LOOK_MS = 1_000;
/** Object of acts that are of no job. */
const WHOLE = { objectType: 'vault', objectId: 'vault' } as const;

export interface VaultRecordsDependencies {
  readonly vault: Pick<Vault, 'actsAfter'>;
  readonly database: AccessDatabase;
  readonly trail: AuditTrail;
  readonly clock: Clock;
  readonly onFault: (error: unknown) => void;
}

interface Cursor {
  readonly sequence: number;
  readonly hash: string;
}

export function createVaultRecords(dependencies: VaultRecordsDependencies): Stage {
  const { clock, onFault } = dependencies;
  const runOnce = (): Promise<number> => recordVaultActs(dependencies);
  return pollingStage({
    ...{ name: 'vault-records', clock, wake: new Wake(), intervalMs: LOOK_MS, runOnce, onFault },
  });
}

/** Records the next acts of the vault; how many were read. */
export async function recordVaultActs(sut: VaultRecordsDependencies): Promise<number> {
  const { vault, database, trail, clock } = sut;
  const cursor = database.read((sql) =>
    sql.get<Cursor & object>('SELECT sequence, act_hash AS hash FROM vault_act_cursor'),
  );
  // The act read last is read again: it says whether this is the vault of last time.
  const [last, ...next] = cursor ? vault.actsAfter(cursor.sequence - 1, ACTS_MAX + 1) : [];
  const isReplaced = cursor !== undefined && last?.hash !== cursor.hash;
  const acts = cursor && !isReplaced ? next : vault.actsAfter(0, ACTS_MAX);
  if (acts.length === 0 && !isReplaced) return 0;
  await database.transaction((tx) => {
    if (isReplaced) trail.append(tx, replacedDraft(trail, cursor), clock.nowMs());
    for (const act of acts) recordOnce(tx, trail, act);
    moveCursor(tx, acts.at(-1));
  });
  return acts.length;
}

function recordOnce(tx: AccessTx, trail: AuditTrail, act: VaultAct): void {
  const name = recordedActOf(act);
  if (!name) return;
  const known = tx.sql.get('SELECT 1 FROM audit_of_vault_act WHERE act_hash = ?', act.hash);
  if (known) return;
  const { chain, sequence } = trail.append(tx, draftOf(trail, name, act), act.atMs);
  tx.sql.run('INSERT INTO audit_of_vault_act VALUES (?, ?, ?)', act.hash, chain, sequence);
}

/** Undefined: the vault has no act, and what comes next is read from its first. */
function moveCursor({ sql }: AccessTx, last: VaultAct | undefined): void {
  sql.run('DELETE FROM vault_act_cursor');
  if (last) sql.run('INSERT INTO vault_act_cursor VALUES (1, ?, ?)', last.sequence, last.hash);
}

/** Null: a row of the journal or a person's own act has the record. */
const RECORDED: Readonly<Record<VaultActName, Act | null>> = {
  // study.export, and result.store
  ...{ linked: null, registered: null },
  // What the hospital itself said of a patient: kept in the vault, and told to nobody.
  'identity-changed': null,
  ...{ opened: 'vault.open', expired: 'vault.expire', erased: 'vault.erase-again' },
  ...{ exported: 'vault.back-up', restored: 'vault.restore', checked: 'vault.check' },
  ...{ rotated: 'keys.rotate', retired: 'keys.retire', wrapped: 'keys.wrap' },
};

function recordedActOf({ act, actor, detail }: VaultAct): Act | null {
  // Under linkage.read and vault.erase: these records came before the act.
  if (act === 'opened' && actor !== GATEWAY_ACTOR) return null;
  if (act === 'erased' && detail['cause'] !== 'applied-again') return null;
  // A newer release may know more acts than this one.
  return RECORDED[act] ?? null;
}

function draftOf(trail: AuditTrail, name: Act, act: VaultAct): AuditDraft {
  const { actor, jobId, sequence } = act;
  const who =
    actor === GATEWAY_ACTOR
      ? ({ userName: 'vault', userKind: 'system' } as const)
      : ({ userName: actor, userKind: 'person' } as const);
  return {
    ...{ act: name, action: ruleOf(name).action, outcome: 'success', code: null },
    ...{ userId: actor, ...who, role: null, responsibleUserId: null, siteId: trail.siteId },
    ...(jobId ? { objectType: 'job', objectId: jobId } : WHOLE),
    ...{ patientId: null, reason: null, sourceAddress: '' },
    correlationId: jobId ?? `vault-act-${sequence}`,
    detail: { ...act.detail, vaultAct: sequence },
  };
}

const replacedDraft = (trail: AuditTrail, { sequence }: Cursor): AuditDraft => ({
  ...{ act: 'vault.replace', action: ruleOf('vault.replace').action, outcome: 'success' },
  ...{ code: null, userId: 'gateway', userName: 'vault', userKind: 'system', role: null },
  ...{ responsibleUserId: null, siteId: trail.siteId, ...WHOLE, patientId: null, reason: null },
  ...{ sourceAddress: '', correlationId: `vault-act-${sequence}` },
  // Up to where the acts of the vault that is gone have their records.
  detail: { recordedThrough: sequence },
});

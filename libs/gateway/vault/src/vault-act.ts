/**
 * Acts of the vault: what was linked, opened, changed, erased, exported.
 * Decides that each is a row in the act's own transaction, in one chain of HMACs, and that it names
 * no patient: the study is a blind index, which a reader may resolve while the vault still can.
 * Invariant: rows only come on; a changed, missing or exchanged row breaks the chain from there.
 * Source: NEN 7513; security specification 5; reliability specification P7.
 */
import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import type { Sql } from '@aifi/gateway-database';
import { canonicalJson, type JobId, type OriginalUid } from '@aifi/shared-kernel';
import type { BlindIndex } from './blind-index.js';

export type VaultActName =
  | 'linked'
  | 'identity-changed'
  | 'opened'
  | 'registered'
  | 'expired'
  | 'erased'
  | 'exported'
  | 'restored'
  | 'rotated'
  | 'checked'
  | 'retired'
  | 'wrapped';

/** Counts, codes and sources; never a value of a patient. */
export type VaultActDetail = Readonly<Record<string, string | number>>;

export interface VaultAct {
  readonly sequence: number;
  readonly atMs: number;
  readonly act: VaultActName;
  /** `gateway`, the account of a person, or `machine:` and an account of the machine. */
  readonly actor: string;
  readonly jobId: JobId | null;
  /** Null: of no study, or the vault no longer knows it. */
  readonly studyUid: OriginalUid | null;
  readonly detail: VaultActDetail;
  /** Its place in the chain, in hexadecimal: the same act in every copy of the vault, no other. */
  readonly hash: string;
}
export interface VaultActDraft {
  readonly atMs: number;
  readonly act: VaultActName;
  readonly actor?: string;
  readonly jobId?: JobId;
  readonly studyIndex?: Uint8Array;
  readonly detail?: VaultActDetail;
}

export const GATEWAY_ACTOR = 'gateway';

export interface ActRow {
  readonly sequence: number;
  readonly at_ms: number;
  readonly act: VaultActName;
  readonly actor: string;
  readonly job_id: JobId | null;
  readonly study_index: Uint8Array | null;
  readonly detail: string;
  readonly hash: Uint8Array;
}
const COLUMNS = 'sequence, at_ms, act, actor, job_id, study_index, detail, hash';
/** Rows of one look at the chain. */
const ROWS_MAX = 1_000;

export class VaultActs {
  readonly #key: KeyObject;

  constructor(index: BlindIndex) {
    this.#key = createSecretKey(index.derivedKey('acts'));
  }

  append(sql: Sql, { atMs, act, actor, jobId, studyIndex, detail }: VaultActDraft): void {
    const last = sql.get<ActRow>(`SELECT ${COLUMNS} FROM vault_act ORDER BY sequence DESC LIMIT 1`);
    const row = {
      ...{ sequence: (last?.sequence ?? 0) + 1, at_ms: atMs, act, actor: actor ?? GATEWAY_ACTOR },
      ...{ job_id: jobId ?? null, study_index: studyIndex ?? null },
      detail: canonicalJson(detail ?? {}),
    };
    sql.run(
      `INSERT INTO vault_act (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[row.sequence, row.at_ms, row.act, row.actor, row.job_id, row.study_index, row.detail],
      this.#hashOf(row, last?.hash),
    );
  }

  after(sql: Sql, sequence: number, limit: number): ActRow[] {
    return sql.all<ActRow>(
      `SELECT ${COLUMNS} FROM vault_act WHERE sequence > ? ORDER BY sequence LIMIT ?`,
      ...[sequence, limit],
    );
  }

  /** Sequence of the first row that does not follow from the one before it; undefined: whole. */
  firstBroken(sql: Sql): number | undefined {
    let last: ActRow | undefined;
    for (;;) {
      const rows = this.after(sql, last?.sequence ?? 0, ROWS_MAX);
      for (const row of rows) {
        const expected = this.#hashOf(row, last?.hash);
        const follows = row.sequence === (last?.sequence ?? 0) + 1;
        if (!follows || row.hash.length !== expected.length) return row.sequence;
        if (!timingSafeEqual(row.hash, expected)) return row.sequence;
        last = row;
      }
      if (rows.length === 0) return undefined;
    }
  }

  #hashOf(row: Omit<ActRow, 'hash'>, before: Uint8Array | undefined): Buffer {
    const study = row.study_index && Buffer.from(row.study_index).toString('hex');
    const values = [row.sequence, row.at_ms, row.act, row.actor, row.job_id, study, row.detail];
    return createHmac('sha256', this.#key)
      .update(before ?? '')
      .update(canonicalJson(values))
      .digest();
  }
}

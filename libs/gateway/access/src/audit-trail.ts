/**
 * AuditTrail: the gateway's chain of audit records in access.db.
 * Decides where a record stands: in the act's own transaction, behind the last one of the chain. A
 * list that showed many patients is one record; each of them is found by it.
 * Invariants: no record without its act, no act without its record; readers see committed rows
 * only.
 * Source: security specification 5; NEN 7513; reliability specification H18.
 */
import { FIRST_PREVIOUS_HASH, sealRecord } from '@aifi/access-audit';
import type {
  AuditPage,
  AuditReader,
  AuditSearch,
  AuditStreamFilter,
  AuditWriter,
  ChainHead,
} from '@aifi/access-audit';
import type { AuditSink } from '@aifi/access-web';
import type { AuditAnchor, AuditDraft, AuditRecord } from '@aifi/contracts-rest';
import type { Clock } from '@aifi/shared-kernel';
import type { AccessDatabase, AccessTx } from './access-database.js';
import { recordsAbout, searchRecords, streamRecords } from './audit-queries.js';

/** Where `detail` of a list's record keeps the numbers of the patients that were shown (JSON). */
export const PATIENTS_DETAIL = 'patients';

export interface AuditTrailOptions {
  readonly database: AccessDatabase;
  readonly siteId: string;
  readonly clock: Clock;
}

export class AuditTrail implements AuditReader, AuditWriter<AccessTx> {
  readonly chain: string;
  readonly siteId: string;
  readonly #database: AccessDatabase;
  readonly #clock: Clock;

  constructor({ database, siteId, clock }: AuditTrailOptions) {
    this.#database = database;
    this.#clock = clock;
    this.siteId = siteId;
    this.chain = `gateway:${siteId}`;
  }

  append(tx: AccessTx, draft: AuditDraft, atMs = this.#clock.nowMs()): AuditRecord {
    const { chain } = this;
    const head = tx.sql.get<{ sequence: number; hash: string }>(
      'SELECT sequence, hash FROM audit_head WHERE chain = ?',
      chain,
    );
    const sequence = (head?.sequence ?? 0) + 1;
    const previousHash = head?.hash ?? FIRST_PREVIOUS_HASH;
    const record = sealRecord(draft, { chain, sequence, atMs, previousHash });
    tx.sql.run(
      'INSERT INTO audit_record (chain, sequence, record) VALUES (?, ?, ?)',
      ...[chain, sequence, JSON.stringify(record)],
    );
    tx.sql.run(
      `INSERT INTO audit_head (chain, sequence, hash) VALUES (?, ?, ?)
       ON CONFLICT (chain) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash`,
      ...[chain, sequence, record.hash],
    );
    for (const patientId of patientsOf(record)) {
      tx.sql.run('INSERT INTO audit_patient VALUES (?, ?, ?)', patientId, chain, sequence);
    }
    return record;
  }

  /** A record of its own: reads and refusals. */
  readonly sink: AuditSink = {
    append: async (draft) => {
      await this.#database.transaction((tx) => void this.append(tx, draft));
    },
  };

  async search(query: AuditSearch): Promise<AuditPage> {
    if (!this.#isReached(query.siteIds)) return { items: [], nextCursor: null };
    return this.#database.read((sql) => searchRecords(sql, query));
  }

  async *stream(filter: AuditStreamFilter): AsyncIterable<AuditRecord> {
    const { chain = this.chain } = filter;
    if (!this.#isReached(filter.siteIds)) return;
    yield* streamRecords(this.#database, { ...filter, chain });
  }

  /** Records of one patient, newest first, the lists that showed him among them. */
  about(patientId: string): AuditRecord[] {
    return this.#database.read((sql) => recordsAbout(sql, patientId));
  }

  async heads(): Promise<readonly ChainHead[]> {
    return this.#database.read((sql) =>
      sql.all<ChainHead & object>('SELECT chain, sequence, hash FROM audit_head ORDER BY chain'),
    );
  }

  async anchors(): Promise<readonly AuditAnchor[]> {
    const rows = this.#database.read((sql) =>
      sql.all<{ anchor: string }>('SELECT anchor FROM audit_anchor ORDER BY day, chain'),
    );
    return rows.map(({ anchor }) => JSON.parse(anchor) as AuditAnchor);
  }

  #isReached(siteIds: readonly string[] | undefined): boolean {
    return siteIds === undefined || siteIds.includes(this.siteId);
  }
}

function patientsOf({ patientId, detail }: AuditRecord): ReadonlySet<string> {
  const shown = detail[PATIENTS_DETAIL];
  const listed = typeof shown === 'string' ? (JSON.parse(shown) as string[]) : [];
  return new Set(patientId === null ? listed : [patientId, ...listed]);
}

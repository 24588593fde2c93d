/**
 * Anchors of the hub's chain about this site, kept where the hub cannot reach.
 * Decides when the hub contradicts itself: another hash for a day that is kept, or a later day that
 * is shorter than an earlier one. Invariant: what was kept first stays; the contradiction is kept
 * beside it. Source: security specification 5 (daily anchor sent to the hospital); hazard H18.
 */
import type { AuditAnchor } from '@aifi/contracts-rest';
import type { Clock } from '@aifi/shared-kernel';
import type { Sql } from '@aifi/gateway-database';
import type { AccessDatabase } from './access-database.js';

export type KeptAnchor = 'new' | 'known' | 'contradiction';
export interface HubAnchorStatus {
  readonly lastDay: string | null;
  readonly contradictions: number;
}
interface AnchorRow {
  readonly sequence: number;
  readonly hash: string;
}

export class HubAnchorStore {
  constructor(
    private readonly database: AccessDatabase,
    private readonly clock: Clock,
  ) {}

  /** Keeps one whose signature was verified. */
  keep(anchor: AuditAnchor): Promise<KeptAnchor> {
    const text = JSON.stringify(anchor);
    const { chain, day, sequence, hash } = anchor;
    return this.database.transaction(({ sql }) => {
      const kept = sameDay(sql, anchor);
      if (kept?.hash === hash && kept.sequence === sequence) return 'known';
      if (kept || contradicts(sql, anchor)) {
        sql.run(
          'INSERT OR IGNORE INTO hub_anchor_contradiction VALUES (?, ?, ?, ?, ?)',
          ...[chain, day, hash, text, this.clock.nowMs()],
        );
        return 'contradiction';
      }
      sql.run('INSERT INTO hub_anchor VALUES (?, ?, ?, ?, ?)', chain, day, sequence, hash, text);
      return 'new';
    });
  }

  status(): HubAnchorStatus {
    return this.database.read((sql) =>
      sql.get<HubAnchorStatus>(
        `SELECT (SELECT MAX(day) FROM hub_anchor) AS lastDay,
             (SELECT COUNT(*) FROM hub_anchor_contradiction) AS contradictions`,
      )!,
    );
  }

  /** Last day that is kept; undefined: none. */
  lastDay(): string | undefined {
    return this.status().lastDay ?? undefined;
  }

  /** Oldest first. */
  anchors(): AuditAnchor[] {
    const rows = this.database.read((sql) =>
      sql.all<{ anchor: string }>('SELECT anchor FROM hub_anchor ORDER BY day, chain'),
    );
    return rows.map(({ anchor }) => JSON.parse(anchor) as AuditAnchor);
  }
}

const sameDay = (sql: Sql, { chain, day }: AuditAnchor): AnchorRow | undefined =>
  sql.get<AnchorRow>(
    'SELECT sequence, hash FROM hub_anchor WHERE chain = ? AND day = ?',
    ...[chain, day],
  );

/** A chain only grows, and a record that two anchors name has one hash. */
function contradicts(sql: Sql, { chain, day, sequence, hash }: AuditAnchor): boolean {
  const found = sql.get(
    `SELECT 1 FROM hub_anchor WHERE chain = ?1 AND (
       (day < ?2 AND sequence > ?3) OR (day > ?2 AND sequence < ?3)
       OR (sequence = ?3 AND hash <> ?4)) LIMIT 1`,
    ...[chain, day, sequence, hash],
  );
  return found !== undefined;
}

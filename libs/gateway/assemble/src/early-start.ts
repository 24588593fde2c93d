/**
 * Early starts: a revision of the series that are whole already, for products that cannot wait.
 * Decides when to try: a series has become whole that was not tried before. Whether a product takes
 * it is asked of who selects, in the transaction that closes the revision, which is not made when
 * none does. Invariants: a product starts early once in a study; a complete revision follows.
 * Source: features specification 6; docs/adr/0026-revisions.md.
 */
import type { GatewayDatabase, Sql } from '@aifi/gateway-database';
import { AifiError, crashPoint, type Clock } from '@aifi/shared-kernel';
import type { StudyRow } from './arriving-studies.js';
import { closeRevision } from './close-revision.js';
import { settledSeries, type ArrivedSeries } from './completeness.js';
import { hasUnreadNote } from './rejection-notes.js';

/** Products that need not wait for the whole study. */
export interface EarlyProducts {
  /** False spares the looks. */
  readonly isAny: () => boolean;
  /** Those that take the revision as it is, in the transaction that makes it. */
  readonly takenBy: (sql: Sql, studyId: number, revision: number) => readonly string[];
}
export interface EarlyDependencies {
  readonly database: GatewayDatabase;
  readonly clock: Clock;
  readonly products: EarlyProducts;
  /** @unit ms */
  readonly earlyQuietMs: number;
}

/** Thrown to undo a revision that no product takes. */
class NobodyTakesIt extends Error {}

export class EarlyStarts {
  /** What was tried of each study that arrives, since the process began. */
  readonly #tried = new Map<number, string>();

  constructor(private readonly dependencies: EarlyDependencies) {}

  /** The number of the new revision; undefined when nothing starts. */
  async tryStart(study: StudyRow, series: readonly ArrivedSeries[]): Promise<number | undefined> {
    const { clock, products, earlyQuietMs } = this.dependencies;
    if (!products.isAny()) return undefined;
    const whole = settledSeries(series, { nowMs: clock.nowMs(), quietMs: earlyQuietMs });
    if (whole.length === 0) return undefined;
    const key = whole.map(({ seriesUid, instances }) => `${seriesUid} ${instances}`).join();
    if (this.#tried.get(study.studyId) === key) return undefined;
    crashPoint('gateway.assemble.before-early');
    const started = await this.#start(study, whole);
    crashPoint('gateway.assemble.after-early');
    if (started === 'unread') return undefined;
    this.#tried.set(study.studyId, key);
    return started;
  }

  /** The study has been closed as a whole. */
  forget(studyId: number): void {
    this.#tried.delete(studyId);
  }

  async #start(
    { studyId, revision: last }: StudyRow,
    whole: readonly ArrivedSeries[],
  ): Promise<number | 'unread' | undefined> {
    const { database, clock, products } = this.dependencies;
    const revision = last + 1;
    const series = whole.map(({ seriesUid }) => seriesUid);
    try {
      return await database.write((sql) => {
        if (hasUnreadNote(sql, studyId)) return 'unread';
        closeRevision(sql, { studyId, revision, early: { series }, atMs: clock.nowMs() });
        const begun = begunProducts(sql, studyId);
        const taken = products.takenBy(sql, studyId, revision).filter((id) => !begun.has(id));
        if (taken.length === 0) throw new NobodyTakesIt();
        sql.run(
          'UPDATE revision_manifest SET products = ? WHERE study_id = ? AND revision = ?',
          ...[JSON.stringify(taken), studyId, revision],
        );
        return revision;
      });
    } catch (error) {
      if (error instanceof NobodyTakesIt) return undefined;
      throw AifiError.from(error);
    }
  }
}

/** Products that have started in this study, early or not. */
function begunProducts(sql: Sql, studyId: number): ReadonlySet<string> {
  const rows = sql.all<{ product: string }>(
    `SELECT value AS product FROM revision_manifest, json_each(products)
      WHERE study_id = ?1 AND products IS NOT NULL
     UNION SELECT product FROM job WHERE study_id = ?1 AND series_uid IS NOT NULL`,
    studyId,
  );
  return new Set(rows.map(({ product }) => product));
}

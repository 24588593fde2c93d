/**
 * ObjectRecords in PostgreSQL.
 * Decides that one look-up serves the objects that follow, and one transaction the rows of all that
 * became durable together: both cost far more than what they do.
 * Invariant: every statement runs inside the site of the caller. Source: reliability specification
 * C3; docs/adr/0020-bulk-transport.md.
 */
import type { JobId, Sha256, SiteId } from '@aifi/shared-kernel';
import type { HubDatabase } from '@aifi/hub-database';
import {
  LISTED_MAX,
  type DurableObject,
  type ListedObject,
  type ObjectName,
  type ObjectRecords,
} from './object-records.js';

interface Row {
  readonly job_id: JobId;
  readonly sha256: Sha256;
  readonly size_bytes: string;
  readonly lane: 'acute' | 'routine';
}

export class PostgresObjectRecords implements ObjectRecords {
  constructor(private readonly database: HubDatabase) {}

  async listed(siteId: SiteId, { jobId, sha256 }: ObjectName): Promise<readonly ListedObject[]> {
    const rows = await this.database.withSite(siteId, (sql) =>
      sql.rows<Row>(
        `SELECT o.job_id, o.sha256, o.size_bytes, j.lane
         FROM job_object o JOIN study_job j USING (site_id, job_id)
         WHERE o.job_id = $1 AND o.position >= (
           SELECT min(position) FROM job_object WHERE job_id = $1 AND sha256 = $2)
         ORDER BY o.position LIMIT ${LISTED_MAX}`,
        jobId,
        sha256,
      ),
    );
    return rows.map((row) => ({
      ...{ jobId: row.job_id, sha256: row.sha256, lane: row.lane },
      sizeBytes: Number(row.size_bytes),
    }));
  }

  async stored(siteId: SiteId, objects: readonly DurableObject[], atMs: number): Promise<void> {
    await this.database.withSite(siteId, (sql) =>
      sql.run(
        `INSERT INTO study_object (site_id, sha256, size_bytes, stored_at)
         SELECT $1, o.sha256, o.size_bytes::bigint, $4
         FROM unnest($2::text[], $3::text[]) AS o(sha256, size_bytes)
         ORDER BY o.sha256
         ON CONFLICT (site_id, sha256) DO NOTHING`,
        siteId,
        objects.map((object) => object.sha256),
        objects.map((object) => String(object.sizeBytes)),
        new Date(atMs),
      ),
    );
  }
}

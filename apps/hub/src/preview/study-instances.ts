/**
 * Instances of one pseudonymous study that the hub holds.
 * Decides their numbers: in the order in which they were first declared, each object once. A later
 * job of the study adds at the end, so a number never changes its instance.
 * Invariant: read inside the site's own transaction (guard C3).
 */
import { readStudyJob, type HubDatabase, type Sql } from '@aifi/hub-database';
import { AifiError, LIMITS, type JobId, type Sha256, type SiteId } from '@aifi/shared-kernel';

export interface StudyInstance {
  readonly index: number;
  readonly sopInstancePseudonym: string;
  readonly sizeBytes: number;
  readonly sha256: Sha256;
}

// $1: the study. A number counts what was declared; what is not held (yet) has one as well.
const NUMBERED = `
WITH first_declared AS (
  SELECT DISTINCT ON (o.sha256) o.sha256, o.size_bytes, o.position, j.job_id, j.opened_at
  FROM study_job j JOIN job_object o USING (site_id, job_id)
  WHERE j.study_pseudonym = $1
  ORDER BY o.sha256, j.opened_at, j.job_id, o.position
), numbered AS (
  SELECT *, (row_number() OVER (ORDER BY opened_at, job_id, position) - 1)::int AS index
  FROM first_declared
)
SELECT n.index, n.sha256, n.size_bytes::float8 AS size_bytes, n.job_id, n.position
FROM numbered n JOIN study_object s ON s.sha256 = n.sha256`;

interface InstanceRow {
  readonly index: number;
  readonly sha256: Sha256;
  readonly size_bytes: number;
  readonly job_id: JobId;
  readonly position: number;
}

/** NOT_FOUND when the site has no such study. */
export function listStudyInstances(
  database: HubDatabase,
  siteId: SiteId,
  studyPseudonym: string,
): Promise<StudyInstance[]> {
  return database.withSite(siteId, async (sql) => {
    await requireStudy(sql, studyPseudonym);
    const rows = await sql.rows<InstanceRow>(
      `${NUMBERED} ORDER BY n.index LIMIT ${LIMITS.instancesPerStudyMax}`,
      studyPseudonym,
    );
    const names = await namesIn(sql, new Set(rows.map((row) => row.job_id)));
    return rows.map((row) => ({
      index: row.index,
      sopInstancePseudonym: names.get(row.job_id)?.[row.position] ?? '',
      sizeBytes: row.size_bytes,
      sha256: row.sha256,
    }));
  });
}

/** The object under a number. NOT_FOUND when there is none, or the hub does not hold it. */
export function studyInstanceAt(
  database: HubDatabase,
  siteId: SiteId,
  { studyPseudonym, index }: { readonly studyPseudonym: string; readonly index: number },
): Promise<{ readonly sha256: Sha256 }> {
  return database.withSite(siteId, async (sql) => {
    const row = await sql.row<InstanceRow>(
      `${NUMBERED} WHERE n.index = $2`,
      ...[studyPseudonym, index],
    );
    if (!row) throw new AifiError('NOT_FOUND', 'there is no such instance');
    return { sha256: row.sha256 };
  });
}

async function requireStudy(sql: Sql, studyPseudonym: string): Promise<void> {
  const row = await sql.row(
    'SELECT job_id FROM study_job WHERE study_pseudonym = $1 LIMIT 1',
    studyPseudonym,
  );
  if (!row) throw new AifiError('NOT_FOUND', 'no such study at this site');
}

/** Pseudonymous SOP Instance UIDs of each job, in the order of its manifest. */
async function namesIn(sql: Sql, jobIds: ReadonlySet<JobId>): Promise<Map<JobId, string[]>> {
  const names = new Map<JobId, string[]>();
  for (const jobId of jobIds) {
    const job = await readStudyJob(sql, jobId);
    names.set(jobId, job?.manifest.objects.map((object) => object.sopInstanceUid) ?? []);
  }
  return names;
}

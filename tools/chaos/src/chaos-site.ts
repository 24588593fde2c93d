/**
 * ChaosSite: one hospital of a run with everything that can be done to it.
 * Decides which edges have a fault proxy (PACS to gateway, gateway to PACS, gateway to hub) and
 * which sites are special, so that every crash point can be passed somewhere: two whose PACS gives
 * storage commitment and whose files do not stay, one whose gateway has a small disk.
 */
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import type { Hospital } from '@aifi/demo';
import type { ClockShift, FaultProxy, SmallDisk } from '@aifi/fault-injection';
import type { LostResult } from './lost-result.js';
import type { Supervisor } from './supervisor.js';

export type EdgeKind = 'dicom' | 'link' | 'pacs';

export interface ChaosSite {
  readonly hospital: Hospital;
  readonly index: number;
  readonly supervisor: Supervisor;
  readonly edges: Readonly<Record<EdgeKind, FaultProxy>>;
  readonly lostResult: LostResult;
  /** Undefined where libfaketime is missing. */
  readonly clock: ClockShift | undefined;
  /** Only of the site with a small disk, where mounting is allowed. */
  readonly disk: SmallDisk | undefined;
}

/** Sites that ask for storage commitment and remove files of finished studies after a minute. */
const SPECIAL_SITES = 2;
const ONLY_SPECIAL = [
  'gateway.deliver.commitment-on-record',
  'gateway.deliver.after-commitment-request',
  'gateway.deliver.after-lost',
];
const ONLY_SPECIAL_PREFIX = 'gateway.disk.';
/** Acute and routine alike: an hour's jump of the clock is no deadline. @unit ms */
const DEADLINE_MS = 6 * 3_600_000;

export const isSpecial = (siteIndex: number): boolean => siteIndex < SPECIAL_SITES;

/** True when a gateway is set up so that it passes the point. */
export function isPossibleAt(point: string, siteIndex: number): boolean {
  const needsSpecial = ONLY_SPECIAL.includes(point) || point.startsWith(ONLY_SPECIAL_PREFIX);
  return !needsSpecial || isSpecial(siteIndex);
}

/** Of the hub: what comes each minute or stays for a day is moved to seconds and minutes. */
export const HUB_SETTINGS: Readonly<Record<string, unknown>> = {
  control: { heartbeatMs: 2_000 },
  retention: { pixelHours: 1 / 60 },
};

/** Settings of a gateway beside those of every stack. */
export function gatewaySettings(siteIndex: number): Readonly<Record<string, unknown>> {
  const deadlines = { acuteMs: DEADLINE_MS, routineMs: DEADLINE_MS };
  if (!isSpecial(siteIndex)) return { deadlines };
  return {
    deadlines,
    // A minute: a gateway that starts anew removes what is finished.
    disk: { keepHours: 1 / 60 },
    pacs: { commitment: { waitMs: 2_000, timeoutMs: 20_000 } },
  };
}

export interface Backlog {
  /** Jobs without an end that wait for no person and were not overtaken by a newer revision. */
  readonly openJobs: number;
  /** Studies with images in no revision yet, or without jobs. */
  readonly assembling: number;
  /** Objects that the PACS has not proved to hold. */
  readonly owed: number;
}

/** The result of an older revision never follows that of a newer one: nothing is owed any more. */
const NOT_OVERTAKEN = `NOT EXISTS (
  SELECT 1 FROM job newer WHERE newer.study_id = job.study_id AND newer.product = job.product
    AND newer.revision > job.revision AND newer.state = 'RESULT_IN_PACS')`;

/** What a gateway has still to do, by its own tables, also while it is down. */
export function backlogOf({ hospital }: ChaosSite): Backlog | undefined {
  try {
    const database = new DatabaseSync(join(hospital.gatewayFolder, 'gateway.db'), {
      readOnly: true,
    });
    try {
      const count = (sql: string): number =>
        Number((database.prepare(sql).get() as { count: number }).count);
      return {
        openJobs: count(
          `SELECT COUNT(*) AS count FROM job
           WHERE terminal_ms IS NULL AND COALESCE(code, '') <> 'QUARANTINED_PIXELS'
             AND ${NOT_OVERTAKEN}`,
        ),
        assembling: count(
          // In no revision, or in one that waits for rules.
          `SELECT COUNT(DISTINCT study_id) AS count FROM instance WHERE revision IS NULL
             OR NOT EXISTS (SELECT 1 FROM job WHERE job.study_id = instance.study_id)`,
        ),
        owed: count(
          `SELECT (SELECT COUNT(*) FROM delivery JOIN job USING (job_id)
               WHERE delivery.state IN ('QUEUED', 'STORED') AND ${NOT_OVERTAKEN})
             + (SELECT COUNT(*) FROM status_object WHERE state IN ('QUEUED', 'STORED')) AS count`,
        ),
      };
    } finally {
      database.close();
    }
  } catch {
    // Not made yet, or its disk is full: nobody can say.
    return undefined;
  }
}

export const isSettled = (backlog: Backlog | undefined): boolean =>
  backlog !== undefined && backlog.openJobs + backlog.assembling + backlog.owed === 0;

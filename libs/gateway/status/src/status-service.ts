/**
 * Status: every study whose products have ended gets its one AI status object.
 * Decides when to write it, when to replace it, and when only the gateway's page may tell. It polls
 * beside the stages and hands its objects to deliver as they do.
 * Invariants: silence is never left (what has no object is told on the page); file first, then row,
 * jobs and journal together; no new issue while the former is on its way to the PACS.
 * Source: results specification 4.3a; architecture 2 (terminal states); hazards H5, H7, H8.
 */
import { join } from 'node:path';
import { STATUS_IMAGES_MAX } from '@aifi/dicom-evidence';
import type { GatewayDatabase } from '@aifi/gateway-database';
import {
  crashPoint,
  pollingStage,
  writeDurableFile,
  type Clock,
  type ReasonCode,
  type Stage,
  type Wake,
} from '@aifi/shared-kernel';
import { makeStatusObject, type StatusObjectDependencies } from './status-object.js';
import {
  contentSha256,
  nextIssue,
  StatusStore,
  type LaneDeadlines,
  type StudySnapshot,
} from './status.store.js';

/** @unit ms */
const POLL_INTERVAL_MS = 1_000;
/** Codes under which nothing of the study may be stored: its identity is in doubt (C5, C7). */
const IDENTITY_CODES: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  'IDENTITY_MISMATCH',
  'IDENTITY_UNEXPLAINED',
]);

export interface StatusDependencies extends StatusObjectDependencies {
  readonly database: GatewayDatabase;
  readonly deadlines: LaneDeadlines;
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly wake: Wake;
  /** Called after the commit of a new status object. */
  readonly onDone: () => void;
}

export function createStatusService(dependencies: StatusDependencies): Stage {
  const { database, deadlines, clock, wake } = dependencies;
  const logger = dependencies.logger.child({ stage: 'status' });
  const store = new StatusStore(database, deadlines);
  return pollingStage({
    name: 'status',
    clock,
    wake,
    intervalMs: POLL_INTERVAL_MS,
    onFault: (error) => logger.fault('status failed', error),
    runOnce: async (signal) => {
      let told = 0;
      for (const studyId of store.due(clock.nowMs())) {
        if (signal.aborted) break;
        try {
          if (await tell({ ...dependencies, logger }, store, store.snapshot(studyId))) told += 1;
        } catch (error) {
          // The next one must pass; this one is tried again at the next look.
          logger.fault('status of a study failed', error);
        }
      }
      return told;
    },
  });
}

/** True when the ends of the study's products are told now; false when that has to wait. */
async function tell(
  dependencies: StatusDependencies,
  store: StatusStore,
  snapshot: StudySnapshot,
): Promise<boolean> {
  const { clock, dataFolder, logger, onDone } = dependencies;
  const last = snapshot.objects[0];
  if (last?.contentSha256 === contentSha256(snapshot) && last.state !== 'SUPERSEDED') {
    await store.keep(snapshot, last.issue);
    return true;
  }
  if (last?.state === 'STORED' || (last?.state === 'QUEUED' && last.attempts > 0)) return false;
  const nowMs = clock.nowMs();
  const blocked = snapshot.jobs.find(({ code }) => code !== null && IDENTITY_CODES.has(code));
  const images = store.images(snapshot, STATUS_IMAGES_MAX);
  if (blocked?.code || images.length === 0) {
    const code = blocked?.code ?? 'INPUT_INCOMPLETE';
    await store.tellOnPage(snapshot, code, nowMs);
    logger.error('status is on the page only', { jobId: snapshot.jobs[0]!.jobId, code });
    return true;
  }
  const { bytes, ...object } = await makeStatusObject(dependencies, snapshot, images, nowMs);
  // One name per issue: what a crash left behind is written over.
  const name = `${snapshot.studyId}-${nextIssue(snapshot)}.dcm`;
  const file = await writeDurableFile(join(dataFolder, 'outgoing', 'status', name), bytes);
  crashPoint('gateway.status.before-commit');
  await store.issue(snapshot, { ...object, path: file.path, sha256: file.sha256 }, nowMs);
  crashPoint('gateway.status.after-commit');
  logger.info('study status issued', { jobId: object.jobId, count: snapshot.jobs.length });
  onDone();
  return true;
}

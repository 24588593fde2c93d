/**
 * followStudies: sends the demo studies through every hospital of a stack and watches them.
 * Decides that the modality stores into the PACS and the PACS sends to the gateway, as in a
 * hospital; a transfer that was cut (the gateway was killed) is asked for again.
 * Invariant: ends when every study is done, the deadline has passed or the signal aborts.
 */
import { systemClock } from '@aifi/shared-kernel';
import type { Hospital } from '../stack/hospital.js';
import type { DemoStudy } from '../studies/demo-study.js';
import { isDone, type StudyRun } from './study-run.js';

export interface FollowOptions {
  readonly hospitals: readonly Hospital[];
  /** The studies of a hospital: identities and UIDs of its own. */
  readonly studiesOf: (siteId: string) => readonly DemoStudy[];
  readonly deadlineMs: number;
  /** Silence of a transfer after which it is asked for again. @unit ms @default STALLED_MS */
  readonly stalledMs?: number;
  readonly onChange?: (runs: readonly StudyRun[]) => void;
  readonly signal?: AbortSignal;
}

/** Each look is a read on the gateway's audit trail: no faster than a person can follow. */
const POLL_MS = 500;
/** A PACS on the same machine that says nothing for so long was cut off. @unit ms */
const STALLED_MS = 20_000;

interface Tracked {
  readonly hospital: Hospital;
  run: StudyRun;
  received: number;
  /** Last sign of the transfer, monotonic. @unit ms */
  movedAtMs: number;
}

/** Stores the study into the hospital's PACS, as the modality that made it. */
export async function storeStudy(
  hospital: Hospital,
  study: DemoStudy,
  signal?: AbortSignal,
): Promise<void> {
  for (const instance of study.instances()) {
    if (signal?.aborted) return;
    await hospital.pacs.upload(instance);
  }
}

/** Runs all studies; resolves with what is known at the end. */
export async function followStudies(options: FollowOptions): Promise<readonly StudyRun[]> {
  const { hospitals, studiesOf, deadlineMs, onChange, signal } = options;
  const { stalledMs = STALLED_MS } = options;
  const until = systemClock.monotonicMs() + deadlineMs;
  const tracked: Tracked[] = hospitals.flatMap((hospital) =>
    studiesOf(hospital.siteId).map((study) => ({
      hospital,
      run: { siteId: hospital.siteId, study, sentAtMs: undefined, seen: undefined, journal: [] },
      received: 0,
      movedAtMs: 0,
    })),
  );
  const runs = (): StudyRun[] => tracked.map(({ run }) => run);
  const isOver = (): boolean => signal?.aborted === true || systemClock.monotonicMs() > until;
  onChange?.(runs());
  for (const item of tracked) {
    if (isOver()) return runs();
    await storeStudy(item.hospital, item.run.study, signal);
    if (isOver()) return runs();
    item.run = { ...item.run, sentAtMs: systemClock.nowMs() };
    await send(item);
    onChange?.(runs());
  }
  while (!isOver() && !tracked.every(({ run }) => isDone(run))) {
    await systemClock.sleep(POLL_MS, signal);
    await Promise.all(hospitals.map((hospital) => look(hospital, tracked, stalledMs)));
    onChange?.(runs());
  }
  for (const item of tracked) {
    const { studyInstanceUid } = item.run.study;
    item.run = { ...item.run, journal: await item.hospital.gateway.journal(studyInstanceUid) };
  }
  return runs();
}

async function send(item: Tracked): Promise<void> {
  item.movedAtMs = systemClock.monotonicMs();
  await item.hospital.pacs.send(item.run.study.studyInstanceUid, 'gateway');
}

async function look(
  hospital: Hospital,
  tracked: readonly Tracked[],
  stalledMs: number,
): Promise<void> {
  const studies = await hospital.gateway.studies();
  if (!studies) return;
  for (const item of tracked.filter((candidate) => candidate.hospital === hospital)) {
    const uid = item.run.study.studyInstanceUid;
    const seen = studies.find(({ studyInstanceUid }) => studyInstanceUid === uid);
    const received = seen?.receivedInstances ?? 0;
    item.run = { ...item.run, seen };
    if (received !== item.received) item.movedAtMs = systemClock.monotonicMs();
    item.received = received;
    const isCut = systemClock.monotonicMs() - item.movedAtMs > stalledMs;
    if (isCut && received < item.run.study.instanceCount) await send(item);
  }
}

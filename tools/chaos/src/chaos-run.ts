/**
 * ChaosRun: one study through both hospitals while a process dies at a point.
 * Decides what is sent: the same radiograph with the same UIDs under two patients, so that a mix-up
 * of hospitals cannot hide. Invariant: a run ends with every process up and nothing armed.
 */
import {
  DEMO_DATA_FOLDER,
  demoStudies,
  followStudies,
  isDone,
  type DemoStudy,
  type Stack,
} from '@aifi/demo';
import { AifiError, systemClock } from '@aifi/shared-kernel';
import { problemsOf } from './checks.js';
import { arm, type Point } from './points.js';

/** One run takes seconds; what takes longer is lost. @unit ms */
const DEADLINE_MS = 120_000;
/** A gateway that died in a transfer is up again by then. @unit ms */
const STALLED_MS = 2_000;

export interface ChaosOutcome {
  readonly point: Point;
  readonly durationMs: number;
  /** Empty: the run was as it should be. */
  readonly problems: readonly string[];
}

/** @param runId unlike that of any other run */
export async function runChaos(stack: Stack, point: Point, runId: string): Promise<ChaosOutcome> {
  const fromMs = systemClock.monotonicMs();
  const { hospitals } = stack.parts;
  const armed = await arm(stack, point);
  let isRecovered = false;
  armed.recovered.then(
    () => (isRecovered = true),
    // A process that does not come up again ends the runner where it is waited for, below.
    () => undefined,
  );
  const runs = await followStudies({
    hospitals,
    studiesOf: (siteId) => [studyOf(stack, runId, siteId)],
    deadlineMs: DEADLINE_MS,
    stalledMs: STALLED_MS,
  });
  const problems = runs.every(isDone) ? [] : ['not done in time'];
  // A process that died with its last step is still coming up; one that did not die never will.
  if (runs.every(isDone)) await Promise.race([armed.recovered, systemClock.sleep(STALLED_MS)]);
  if (!isRecovered) problems.push('the point was not reached');
  await armed.disarm();
  for (const run of runs) {
    const hospital = hospitals.find(({ siteId }) => siteId === run.siteId)!;
    problems.push(...(await problemsOf(hospital, run)));
  }
  return { point, durationMs: systemClock.monotonicMs() - fromMs, problems };
}

/** Two patients, one set of UIDs (T-MIS-3). */
function studyOf(stack: Stack, runId: string, siteId: string): DemoStudy {
  const products = stack.parts.products.map(({ product }) => product);
  const nowMs = systemClock.nowMs();
  const options = { runId: `${runId}/${siteId}`, uidsOf: runId, nowMs, products };
  const study = demoStudies(DEMO_DATA_FOLDER, options).find(({ expected }) =>
    expected.some((e) => e.product !== 'meshnet-tissue' && e.terminalState === 'RESULT_IN_PACS'),
  );
  if (!study) throw new AifiError('CONFIG_INVALID', 'no product takes a small study');
  return study;
}

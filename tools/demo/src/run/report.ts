/**
 * Report: the outcome of a demo run as JSON.
 * Decides the shape that scripts read: every study lists every product deployed at its site.
 * Source: issue 2, "Two commands".
 */
import type { GatewayResult } from '../stack/gateway-client.js';
import { deviations, type StudyRun } from './study-run.js';
import { timingsOf } from './timings.js';

export type ReportedObject = Pick<
  GatewayResult,
  'sopClassUid' | 'seriesInstanceUid' | 'sopInstanceUid'
>;
export interface ReportedProduct {
  readonly product: string;
  readonly version: string;
  readonly terminalState: string;
  readonly code: string | null;
  readonly results: readonly ReportedObject[];
}
export interface DemoReport {
  /** Every study reached its expected state. */
  readonly ok: boolean;
  readonly studies: readonly {
    readonly site: string;
    readonly name: string;
    readonly modality: string;
    readonly studyInstanceUid: string;
    readonly products: readonly ReportedProduct[];
    /** Null where no product is eligible (results specification 4.3a). */
    readonly statusObject: ReportedObject | null;
    readonly timingsMs: Readonly<Record<string, number>>;
  }[];
}

export function reportOf(runs: readonly StudyRun[]): DemoReport {
  const studies = runs.map(({ siteId, study, seen, sentAtMs, journal }) => ({
    site: siteId,
    name: study.name,
    modality: study.modality,
    studyInstanceUid: study.studyInstanceUid,
    products: (seen?.products ?? []).map(({ product, version, state, code, results }) => ({
      product,
      version,
      terminalState: state,
      code,
      results: results.map(reported),
    })),
    statusObject: seen?.statusObject ? reported(seen.statusObject) : null,
    timingsMs: sentAtMs === undefined ? {} : timingsOf(journal, sentAtMs),
  }));
  const ok = runs.length > 0 && runs.every((run) => deviations(run).length === 0);
  return { ok, studies };
}

function reported({
  sopClassUid,
  seriesInstanceUid,
  sopInstanceUid,
}: ReportedObject): ReportedObject {
  return { sopClassUid, seriesInstanceUid, sopInstanceUid };
}

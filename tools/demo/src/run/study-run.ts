/**
 * StudyRun: one demo study at one site, as seen from outside.
 * Decides which stage a study is in, how far it is, and whether it ended as expected; pure, from
 * the gateway's own account. Invariant: a study is done only when every deployed product is
 * terminal and the status object that it owes is in the PACS.
 * Source: architecture 2 (stages and states); results specification 4.3a.
 */
import { GATEWAY_STAGES, TERMINAL_STATES } from '@aifi/shared-kernel';
import type { GatewayProduct, GatewayStudy, JournalRow } from '../stack/gateway-client.js';
import type { DemoStudy } from '../studies/demo-study.js';

export interface StudyRun {
  readonly siteId: string;
  readonly study: DemoStudy;
  /** When the PACS was asked to send; undefined before. @unit ms */
  readonly sentAtMs: number | undefined;
  /** The gateway's account; undefined before the first instance. */
  readonly seen: GatewayStudy | undefined;
  /** Read when the run has ended; empty before. */
  readonly journal: readonly JournalRow[];
}
export interface Progress {
  /** A stage, `upload`, `hub`, `done`, or a state that waits for a person. */
  readonly step: string;
  /** 0..1 over the whole way. */
  readonly fraction: number;
}

/** Steps of the bar: the stages, with the hub between uplink and downlink. */
export const STEPS: readonly string[] = GATEWAY_STAGES.flatMap((stage) =>
  stage === 'uplink' ? [stage, 'hub'] : [stage],
);
/** Job state → the step that is at work on it, in the order of the data. */
const STEP_OF_STATE: Readonly<Record<string, string>> = {
  SELECTED: 'pseudonymise',
  SPOOLED: 'uplink',
  UPLOADED: 'hub',
  RETURNED: 'reidentify',
  REIDENTIFIED: 'deliver',
};
const isTerminal = (product: GatewayProduct): boolean =>
  (TERMINAL_STATES as readonly string[]).includes(product.state);

export function isDone({ seen, study }: Pick<StudyRun, 'seen' | 'study'>): boolean {
  const products = seen?.products ?? [];
  const isWhole = seen !== undefined && seen.receivedInstances >= study.instanceCount;
  if (!isWhole || products.length === 0 || !products.every(isTerminal)) return false;
  const isOwed = owesStatusObject(products.map(({ state }) => state));
  return !isOwed || seen.statusObject?.state === 'VERIFIED';
}

/** A study in which no product is eligible gets no status object (results specification 4.3a). */
function owesStatusObject(states: readonly string[]): boolean {
  return states.some((state) => state !== 'NOT_ELIGIBLE_LOGGED');
}

export function progressOf(run: StudyRun): Progress {
  const { seen, study, sentAtMs } = run;
  if (isDone(run)) return { step: 'done', fraction: 1 };
  if (sentAtMs === undefined) return { step: 'upload', fraction: 0 };
  const received = (seen?.receivedInstances ?? 0) / study.instanceCount;
  if (!seen || received < 1) return { step: 'receive', fraction: received / (STEPS.length + 1) };
  return at(stepAfterReceive(seen));
}

function stepAfterReceive(seen: GatewayStudy): string {
  if (seen.revision === 0) return 'assemble';
  const open = seen.products.filter((product) => !isTerminal(product));
  // All products are terminal: only the status object is still on its way to the PACS.
  if (open.length === 0) return seen.products.length === 0 ? 'select' : 'deliver';
  const steps = open.map(({ state }) => STEP_OF_STATE[state] ?? state);
  // The study is as far as the product that is furthest behind.
  return steps.sort((a, b) => STEPS.indexOf(a) - STEPS.indexOf(b))[0]!;
}

function at(step: string): Progress {
  return { step, fraction: Math.max(0, STEPS.indexOf(step)) / (STEPS.length + 1) };
}

/** Empty when the study ended as expected, otherwise what is wrong, one line each. */
export function deviations({ seen, study }: Pick<StudyRun, 'seen' | 'study'>): string[] {
  const products = seen?.products ?? [];
  const lines = study.expected.flatMap(({ product, terminalState, code }) => {
    const found = products.find((candidate) => candidate.product === product);
    if (!found) return [`${product}: no state, expected ${terminalState}`];
    if (found.state !== terminalState || found.code !== code) {
      const [is, should] = [describe(found.state, found.code), describe(terminalState, code)];
      return [`${product}: ${is}, expected ${should}`];
    }
    const hasResults = found.results.length > 0;
    if (hasResults !== (terminalState === 'RESULT_IN_PACS')) {
      return [`${product}: ${found.results.length} result objects in state ${found.state}`];
    }
    return [];
  });
  const known = new Set(study.expected.map(({ product }) => product));
  const unknown = products.filter(({ product }) => !known.has(product));
  const unexpected = unknown.map(({ product }) => `${product}: nobody expected this product`);
  return [...lines, ...unexpected, ...statusObjectDeviations(seen, study)];
}

function statusObjectDeviations(seen: GatewayStudy | undefined, study: DemoStudy): string[] {
  const isOwed = owesStatusObject(study.expected.map(({ terminalState }) => terminalState));
  const state = seen?.statusObject?.state;
  if (state === (isOwed ? 'VERIFIED' : undefined)) return [];
  return [`status object: ${state ?? 'none'}, expected ${isOwed ? 'VERIFIED' : 'none'}`];
}

function describe(state: string, code: string | null): string {
  return code === null ? state : `${state}(${code})`;
}

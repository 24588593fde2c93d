/**
 * Set-up: checks of a gateway against its PACS, and its probe.
 * Decides that the command waits for the checks to end, and that its exit code says whether all is
 * in order; without `--store` no object is sent.
 * Invariant: findings are told in the contract's words, with what to ask the PACS vendor.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  gatewayRoutes,
  SETUP_CHECKS,
  setupFindingWords,
  type ProbeRunView,
  type SetupView,
} from '@aifi/contracts-rest';
import { ask, tell, type Answer } from './api-client.js';
import type { Command } from './command-line.js';
import { columns, Times } from './plain-values.js';
import { faultOf } from './server-fault.js';
import type { SetupCheckDocument, SelfTestDocument } from './setup-documents.js';
import type { Terminal } from './terminal.js';

const { setup, runSetupChecks, probe, runProbe } = gatewayRoutes;
/** @unit ms */
const LOOK_EVERY_MS = 500;
/** Every check ends by its own deadline long before. */
const LOOKS_MAX = 600;
/** A probe has five steps of half a minute at most. @unit ms */
const PROBE_TIMEOUT_MS = 180_000;

const at = (url: string, path: string): { url: string; path: string } => ({
  ...{ url, path: path.slice(1) },
});

/** `gateway check`: all checks, and what they found. */
export async function setupCheckDocument(
  { server, options }: Command,
  { fetch, newKey }: Terminal,
): Promise<SetupCheckDocument> {
  const body = { checks: [...SETUP_CHECKS], mayStore: options.store === 'true' };
  const order = { body, key: newKey() };
  let answer: Answer<SetupView> = await tell(
    ...[fetch, at(server, runSetupChecks.path), order, runSetupChecks.response],
  );
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    if (answer.kind !== 'found' || !answer.document.isChecking) break;
    await sleep(LOOK_EVERY_MS);
    answer = await ask(fetch, at(server, setup.path), setup.response);
  }
  const found = answer.kind === 'found' ? answer.document : null;
  return { schema: 'aifictl.setup-check.v1', server, setup: found, fault: faultOf(answer) };
}

/** Undefined findings are none: only what failed is bad, a wait for the PACS is no fault. */
export const isSetUp = ({ setup: view }: SetupCheckDocument): boolean =>
  view !== null && !view.isChecking && view.checks.every(({ state }) => state !== 'failed');

export function renderSetupCheck(
  { server, setup: view, fault }: SetupCheckDocument,
  timeZone: string,
): string {
  if (!view) return `! ${server} ${fault}\n`;
  const times = new Times(timeZone, 0);
  const lines = view.checks.flatMap(({ name, state, findings, target, atMs }) => [
    `${state === 'failed' ? '! ' : ''}${name}: ${state}` +
      (target === null || atMs === null ? '' : ` (${target}, ${times.dated(atMs)} ${timeZone})`),
    ...findings.flatMap((finding) => {
      const words = setupFindingWords(finding)?.en;
      return words ? [`  ${words.seen}`, `  ${words.ask}`] : [`  ${finding.code}`];
    }),
  ]);
  return `${lines.join('\n')}\n`;
}

/** `self-test run` and `self-test status`. */
export async function selfTestDocument(
  { name, server }: Command,
  { fetch, newKey }: Terminal,
): Promise<SelfTestDocument> {
  const order = { body: {}, key: newKey(), timeoutMs: PROBE_TIMEOUT_MS };
  const answer =
    name === 'self-test run'
      ? await tell(fetch, at(server, runProbe.path), order, runProbe.response)
      : await ask(fetch, at(server, probe.path), probe.response);
  const found = answer.kind === 'found' ? answer.document : null;
  return { schema: 'aifictl.self-test.v1', server, probe: found, fault: faultOf(answer) };
}

/** The last run went well. */
export const isProbeGood = ({ probe: view }: SelfTestDocument): boolean =>
  view?.runs[0]?.failedAt === null;

const SHOWN_MAX = 10;
export function renderSelfTest(
  { server, probe: view, fault }: SelfTestDocument,
  timeZone: string,
): string {
  if (!view) return `! ${server} ${fault}\n`;
  if (view.runs.length === 0) return 'the probe has not run yet\n';
  const times = new Times(timeZone, 0);
  const rows = view.runs
    .slice(0, SHOWN_MAX)
    .map((run) => [
      ...[times.dated(run.atMs), `${(run.durationMs / 1_000).toFixed(1)} s`, outcomeOf(run)],
    ]);
  return `${columns([[`probe (${timeZone})`, 'took', 'outcome'], ...rows]).join('\n')}\n`;
}
const outcomeOf = ({ failedAt, code }: ProbeRunView): string =>
  failedAt === null ? 'ok' : `! failed at ${failedAt}: ${code}`;

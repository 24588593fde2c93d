/**
 * Tones: how good or bad a state is, for its colour and sign.
 * Decides nothing about the state itself. Invariant: a tone is always shown with the word of the
 * state and a sign, never as colour alone (WCAG 2.2, 1.4.1).
 */
import type { ApprovalState, AuditOutcome, SiteView } from '@aifi/contracts-rest';
import type { Tone } from './hops.js';

const JOB_TONES: Readonly<Record<string, Tone>> = {
  RESULT_IN_PACS: 'ok',
  ACKNOWLEDGED: 'ok',
  NOT_ANALYSED_NOTIFIED: 'warn',
  NOT_ELIGIBLE_LOGGED: 'quiet',
  HELD: 'bad',
  QUARANTINED: 'bad',
  DONE: 'ok',
  WAITING_FOR_RULES: 'warn',
};
export const jobTone = (state: string): Tone => JOB_TONES[state] ?? 'busy';

const PART_TONES: Readonly<Record<string, Tone>> = {
  VERIFIED: 'ok',
  DONE: 'ok',
  DEAD: 'bad',
  QUARANTINED: 'bad',
  LATE: 'warn',
  SUPERSEDED: 'quiet',
};
export const partTone = (state: string): Tone => PART_TONES[state] ?? 'busy';

const APPROVAL_TONES: Readonly<Record<ApprovalState, Tone>> = {
  REQUESTED: 'busy',
  APPROVED: 'ok',
  REFUSED: 'bad',
  WITHDRAWN: 'quiet',
  EXPIRED: 'warn',
  ENDED: 'quiet',
};
export const approvalTone = (state: ApprovalState): Tone => APPROVAL_TONES[state];

const OUTCOME_TONES: Readonly<Record<AuditOutcome, Tone>> = {
  success: 'ok',
  refused: 'warn',
  failed: 'bad',
  unavailable: 'bad',
};
export const outcomeTone = (outcome: AuditOutcome): Tone => OUTCOME_TONES[outcome];

export const deploymentTone = (state: string): Tone =>
  state === 'active' ? 'ok' : state === 'retired' ? 'quiet' : 'warn';

/** A gateway calls every few seconds; lastSeenAtMs is exact to half a minute. @unit ms */
export const SILENT_AFTER_MS = 3 * 60_000;
export type SiteHealth = 'healthy' | 'silent' | 'neverSeen' | 'inactive';

export function siteHealth({ state, lastSeenAtMs }: SiteView, nowMs: number): SiteHealth {
  if (state !== 'active') return 'inactive';
  if (lastSeenAtMs === null) return 'neverSeen';
  return nowMs - lastSeenAtMs > SILENT_AFTER_MS ? 'silent' : 'healthy';
}
export const HEALTH_TONES: Readonly<Record<SiteHealth, Tone>> = {
  healthy: 'ok',
  silent: 'bad',
  neverSeen: 'warn',
  inactive: 'quiet',
};

/**
 * clearanceOf: from a decision of the gate to what the engine is given of the pixels.
 * Decides once, for gateway, command and suites alike, what each decision comes to. Invariants: a
 * fault of the gate holds the image, it never passes; regions are blacked out before anything is
 * cleared; what is held passes only where a person can look. Words are fixed.
 * Source: pseudonymisation specification 1.5, 1.6; PS3.15 E.3.1.
 */
import { blackOut, type CleanedPixels } from '@aifi/dicom-pixels';
import { ok, type Refusal, type Result } from '@aifi/shared-kernel';
import type { PixelDecision, PixelFinding, PixelGate, PixelQuestion } from './pixel-gate.js';

/** What the engine takes: the pixels were examined, and regions of them may be gone. */
export interface ExaminedClearance {
  readonly isExamined: true;
  readonly cleaned?: CleanedPixels;
}
export type PixelOutcome =
  | { readonly kind: 'clearance'; readonly clearance: ExaminedClearance }
  | {
      readonly kind: 'hold';
      /** Fixed words. */
      readonly reason: string;
      readonly findings: readonly PixelFinding[];
    }
  | { readonly kind: 'refuse'; readonly refusal: Refusal };

/** Asks the gate, and blacks out what it says. `onGateFault` is told what the gate threw. */
export async function clearanceOf(
  gate: Pick<PixelGate, 'judge'>,
  question: PixelQuestion,
  onGateFault: (error: unknown) => void = () => undefined,
): Promise<PixelOutcome> {
  let decision: PixelDecision;
  try {
    decision = await gate.judge(question);
  } catch (error) {
    onGateFault(error);
    return { kind: 'hold', reason: 'the pixels could not be examined', findings: [] };
  }
  const { kind } = decision;
  if (kind === 'hold') return { kind, reason: decision.reason, findings: decision.findings };
  if (kind === 'refuse') return { kind, refusal: refusalOf(decision.reason) };
  if (kind === 'clear') return { kind: 'clearance', clearance: { isExamined: true } };
  const cleaned = await blackOut(question.path, decision.regions);
  if (!cleaned.ok) return { kind: 'refuse', refusal: cleaned.refusal };
  return { kind: 'clearance', clearance: { isExamined: true, cleaned: cleaned.value } };
}

/** Where nobody can look, what a person would have to decide does not pass. */
export function unattended(outcome: PixelOutcome): Result<ExaminedClearance> {
  if (outcome.kind === 'clearance') return ok(outcome.clearance);
  if (outcome.kind === 'refuse') return { ok: false, refusal: outcome.refusal };
  return { ok: false, refusal: refusalOf(outcome.reason) };
}

const refusalOf = (detail: string): Refusal => ({ code: 'QUARANTINED_PIXELS', detail });

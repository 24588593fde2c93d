/**
 * Result: the answer of a correct system that may say no.
 * Decides how an expected refusal is told from a fault: refusals are values, faults are exceptions.
 * Invariant: a refusal always carries a code of the closed table.
 * Source: docs/adr/0005-result-and-exceptions.md.
 */
import type { ReasonCode } from './reason-codes.js';

/** An expected "no": a code, and a detail that never holds identity. */
export interface Refusal {
  readonly code: ReasonCode;
  readonly detail?: string;
}
export type Result<T, R = Refusal> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: R };

export function ok<T>(value: T): Result<T, never> {
  return { ok: true, value };
}
export function refuse(code: ReasonCode, detail?: string): Result<never> {
  return { ok: false, refusal: detail === undefined ? { code } : { code, detail } };
}

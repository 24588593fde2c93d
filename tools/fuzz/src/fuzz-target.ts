/**
 * FuzzTarget: one pure function under test, with what must hold for every input.
 * Decides what counts as a refusal: the codes below are answers to bad input. Anything else that is
 * thrown, an INTERNAL of our own included, is a finding, and so is a broken property.
 */
import { AifiError, type ErrorCode } from '@aifi/shared-kernel';

export interface FuzzTarget {
  readonly name: string;
  /** Files whose coverage leads the search: path fragments from the root of the workspace. */
  readonly covers: readonly string[];
  readonly maxBytes: number;
  readonly tokens: readonly Uint8Array[];
  /** Throws when a property does not hold; what the function refuses is no fault. */
  run(input: Uint8Array): void | Promise<void>;
  /** Makes the outer lengths fit again, so that what is inside is reached. */
  repair?(input: Uint8Array): Uint8Array;
  /** A Part 10 file of what was accepted, for the comparison with another reader. */
  part10Of?(input: Uint8Array): Uint8Array | undefined;
  /** Valid inputs to start from. */
  seeds(): Iterable<Uint8Array>;
}

const REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'DICOM_MALFORMED',
  'DICOM_SOP_MISMATCH',
  'DICOM_SOP_CLASS_UNSUPPORTED',
  'INVALID_ARGUMENT',
  'INVALID_IDENTIFIER',
  'LIMIT_EXCEEDED',
]);

/** What a function made of its input: a value, or the code and words of its refusal. */
export type Outcome<T> =
  | { readonly accepted: true; readonly value: T }
  | { readonly accepted: false; readonly refusal: string };

export function refusalOf(error: unknown): { accepted: false; refusal: string } {
  if (!(error instanceof AifiError) || !REFUSALS.has(error.code)) throw error;
  return { accepted: false, refusal: `${error.code}: ${error.message}` };
}
export function outcomeOf<T>(act: () => T): Outcome<T> {
  try {
    return { accepted: true, value: act() };
  } catch (error) {
    return refusalOf(error);
  }
}
export async function outcomeOfAsync<T>(act: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { accepted: true, value: await act() };
  } catch (error) {
    return refusalOf(error);
  }
}

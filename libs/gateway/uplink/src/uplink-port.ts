/**
 * UplinkPort: what the uplink asks of the hub, apart from the bytes of objects.
 * Decides the border between the stage and the wire: an answer, or a refusal with the hub's code
 * that says whether coming again makes sense. A link that fails throws.
 * Invariant: a refusal is never mistaken for a broken link, nor the other way round.
 * Source: aifi/uplink/v1/uplink.proto; docs/adr/0005-result-and-exceptions.md.
 */
import { AifiError, ERROR_CATALOGUE, type ErrorCode } from '@aifi/shared-kernel';
import type { uplink } from '@aifi/contracts-proto';

export type UplinkAnswer<T> =
  | { readonly kind: 'answered'; readonly value: T }
  | { readonly kind: 'refused'; readonly code: ErrorCode };

export interface UplinkPort {
  /** PEER_UNAVAILABLE when the link fails; repeating the call gives the same answer. */
  openStudy(
    request: uplink.OpenStudyRequest,
    signal: AbortSignal,
  ): Promise<UplinkAnswer<uplink.OpenStudyResponse>>;
  closeStudy(
    request: uplink.CloseStudyRequest,
    signal: AbortSignal,
  ): Promise<UplinkAnswer<uplink.CloseStudyResponse>>;
}

/** Codes of the hub that are no answer to the question: it is away, or has no room just now. */
const LINK_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'PEER_UNAVAILABLE',
  'DEADLINE_EXCEEDED',
  'OUT_OF_RESOURCES',
]);

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_CATALOGUE, value);
}

/** The answer behind a code that the hub gave; throws when it says nothing about the request. */
export function refusal(code: ErrorCode, cause: unknown): UplinkAnswer<never> {
  if (!LINK_CODES.has(code)) return { kind: 'refused', code };
  throw new AifiError('PEER_UNAVAILABLE', 'the hub cannot answer now', { cause });
}

/** A handler of the hub called in this process, answered as the wire would answer it. */
export async function answerOf<T>(call: () => Promise<T>): Promise<UplinkAnswer<T>> {
  try {
    return { kind: 'answered', value: await call() };
  } catch (error) {
    return refusal(AifiError.from(error).code, error);
  }
}

/**
 * Branded identifiers: two plain strings can never be swapped.
 * Decides how an identifier of the platform is spelled and when it is refused.
 * Invariant: a branded value has passed its format check once, at the edge.
 * Source: PS3.5 9.1 (UID format), RFC 9562 (UUID), docs/adr/0003-data-dimension.md.
 */
import { AifiError } from './aifi-error.js';

declare const brand: unique symbol;
/** A string that carries a compile-time name. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** A hospital. At the hub it is made only from a client certificate (guard C1). */
export type SiteId = Brand<string, 'SiteId'>;
/** 128 random bits made by the gateway for one (study, revision, product), lower-case hex. */
export type JobId = Brand<string, 'JobId'>;
/** SHA-256 as 64 lower-case hex digits. */
export type Sha256 = Brand<string, 'Sha256'>;
/** A UID of the hospital: never leaves the gateway. */
export type OriginalUid = Brand<string, 'OriginalUid'>;
/** A UID made by the gateway's keyed derivation, or minted by the hub: carries no identity. */
export type PseudonymousUid = Brand<string, 'PseudonymousUid'>;

function checked<B>(value: string, pattern: RegExp, what: string): B {
  if (!pattern.test(value)) {
    // The value itself may be identifying, so it is never part of the message.
    throw new AifiError('INVALID_IDENTIFIER', `not a valid ${what}`);
  }
  return value as B;
}

// PS3.5 9.1: digits and dots, components without leading zero, at most 64 characters.
const UID = /^(?=.{1,64}$)(0|[1-9]\d*)(\.(0|[1-9]\d*))*$/;

export function jobId(value: string): JobId {
  return checked<JobId>(value, /^[0-9a-f]{32}$/, 'job id');
}
export function sha256(value: string): Sha256 {
  return checked<Sha256>(value, /^[0-9a-f]{64}$/, 'SHA-256');
}
export function originalUid(value: string): OriginalUid {
  return checked<OriginalUid>(value, UID, 'UID');
}
export function pseudonymousUid(value: string): PseudonymousUid {
  return checked<PseudonymousUid>(value, UID, 'UID');
}
/** True when the text is a UID by PS3.5 9.1. */
export function isUid(value: string): boolean {
  return UID.test(value);
}
/**
 * A site name as configured at the hospital's own gateway. The hub must not use this: there the
 * site comes from the certificate only (`libs/hub/identity`).
 */
export function siteId(value: string): SiteId {
  return checked<SiteId>(value, /^[a-z][a-z0-9-]{0,31}$/, 'site id');
}

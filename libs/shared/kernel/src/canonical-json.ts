/**
 * Canonical JSON: one byte sequence per value, so that it can be hashed and signed.
 * Decides key order and number form. Invariant: parse(canonicalJson(x)) equals x.
 * Source: RFC 8785 (JSON Canonicalization Scheme) for the subset without exotic numbers.
 */
import { AifiError } from './aifi-error.js';

export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [k: string]: Json };

/** UTF-8 text with keys in code-unit order, no white space; `undefined` members are left out. */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') {
    return JSON.stringify(value);
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new AifiError('INVALID_ARGUMENT', 'number is not finite');
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(',')}]`;
  if (typeof value === 'object') {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${members.join(',')}}`;
  }
  throw new AifiError('INVALID_ARGUMENT', `a ${typeof value} has no canonical form`);
}

/**
 * Who stores by STOW-RS: the caller that a connection and its request prove to be.
 * Decides by what is configured for the caller: every binding that is given must match, and over
 * TLS a certificate or a credential is always among what was shown. Invariants: a credential is
 * compared by its digest in constant time; nobody names himself.
 * Source: RFC 6750 2.1 (Bearer); PS3.15 B.13; security specification 5.
 */
import { timingSafeEqual } from 'node:crypto';
import { sha256Hex } from '@aifi/shared-kernel';
import type { Lane } from './receive.config.js';

/** A caller as the child knows it: of a credential it has the digest. */
export interface WebCaller {
  readonly name: string;
  readonly host: string | undefined;
  readonly certificateSha256: string | undefined;
  readonly tokenSha256: string | undefined;
  readonly plain: boolean;
  readonly lane: Lane;
}
/** What a connection shows of its peer. */
export interface WebPeer {
  readonly address: string;
  readonly isTls: boolean;
  /** Of a certificate that our authority signed. */
  readonly certificateSha256: string | undefined;
}
/** Longest credential that is looked at. */
const TOKEN_LENGTH_MAX = 4096;

/** The caller, or undefined when it is none of them. */
export function webCallerOf(
  callers: readonly WebCaller[],
  peer: WebPeer,
  authorization: string | undefined,
): WebCaller | undefined {
  const token = tokenSha256Of(authorization);
  return callers.find((caller) => isCaller(caller, peer, token));
}

function isCaller(caller: WebCaller, peer: WebPeer, token: string | undefined): boolean {
  const { host, certificateSha256, tokenSha256, plain } = caller;
  if (host !== undefined && host !== peer.address) return false;
  if (!peer.isTls) return plain && host !== undefined;
  if (certificateSha256 !== undefined && certificateSha256 !== peer.certificateSha256) return false;
  if (tokenSha256 !== undefined) return token !== undefined && isSame(tokenSha256, token);
  return peer.certificateSha256 !== undefined;
}

function tokenSha256Of(authorization = ''): string | undefined {
  if (authorization.length > TOKEN_LENGTH_MAX) return undefined;
  const [, token] = /^Bearer +([\w.~+/-]+=*)$/i.exec(authorization) ?? [];
  return token === undefined ? undefined : sha256Hex(token);
}
function isSame(one: string, other: string): boolean {
  return timingSafeEqual(Buffer.from(one), Buffer.from(other));
}

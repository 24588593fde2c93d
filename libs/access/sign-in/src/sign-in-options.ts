/**
 * SignInOptions: a resolved provider and what of this server sign-in needs.
 * Decides that unsafe settings are refused at start. One form for the embedded provider, which the
 * application starts itself, and for a hospital's own.
 * Invariants: the redirect address is ours, never read from a request; the audience of bearer
 * tokens differs from the client, or an ID token would pass for one. Source: RFC 9700 2.1 and 2.3.
 */
import type { AuditDraft } from '@aifi/contracts-rest';
import { AifiError, type Clock } from '@aifi/shared-kernel';
import { isConfidential, type Fetch } from './bounded-fetch.js';
import type { ClaimNames } from './claims.js';
import type { SessionStore } from './sign-in.js';

export interface ProviderSettings extends ClaimNames {
  /** As browsers see it and as tokens name it, to the letter. */
  readonly issuer: string;
  /** Where this server reads the metadata when it cannot reach the issuer's name. */
  readonly discoveryUrl?: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Audience that bearer tokens must name. */
  readonly audience: string;
  /** `acr` that a step-up must have. */
  readonly stepUpAcr: string;
}
export interface SignInOptions extends ProviderSettings {
  /** Origin of our pages. */
  readonly publicUrl: string;
  /** 32 random bytes that stay the same over restarts: other bytes end every session. */
  readonly sessionKey: Uint8Array;
  readonly sessions: SessionStore;
  /** Durable when it resolves. Records of what changes no session: refused sign-ins. */
  readonly recordAnonymous: (draft: AuditDraft) => Promise<void>;
  /** Site of the records: '*' at the hub, the own site at a gateway. */
  readonly homeSite: string;
  readonly clock: Clock;
  /** Replaces the network in tests. */
  readonly fetch?: Fetch;
}

export const CALLBACK_PATH = '/auth/callback';
/** Leeway between the provider's clock and ours. [policy] @unit s */
export const CLOCK_SKEW_SECONDS = 5;
/** How long a revocation may take to work here, at most. @source security specification 7 */
export const REVOCATION_MS_MAX = 60_000;

/** CONFIG_INVALID, for what would work and be unsafe. */
export function requireSafeOptions(options: SignInOptions): void {
  const { publicUrl, audience, clientId, clientSecret, issuer } = options;
  const must = (holds: boolean, words: string): void => {
    if (!holds) throw new AifiError('CONFIG_INVALID', words);
  };
  must(URL.canParse(publicUrl) && URL.canParse(issuer), 'publicUrl and issuer must be addresses');
  const page = new URL(publicUrl);
  must(page.origin === publicUrl.replace(/\/$/, ''), 'publicUrl must be an origin without a path');
  must(isConfidential(page), 'publicUrl must be HTTPS, or an address of this machine');
  must(audience !== clientId && audience !== '', 'audience and clientId must differ');
  must(clientSecret.length >= 16, 'the client secret must have 16 characters at least');
}

/** A path of this server, or INVALID_ARGUMENT: anything else would be an open redirect. */
export function localPath(path: string): string {
  const isLocal = /^\/(?![/\\])[!-[\]-~]{0,511}$/.test(path);
  if (isLocal && new URL(path, 'https://here.invalid').origin === 'https://here.invalid')
    return path;
  throw new AifiError('INVALID_ARGUMENT', 'returnTo must be a path of this server');
}

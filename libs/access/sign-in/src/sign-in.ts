/**
 * SignIn: who a request comes from, by session cookie or bearer token, and how a session begins,
 * is stepped up and ends. One interface for the embedded provider and for any OpenID provider.
 * Decides nothing about rights. Invariants: no token reaches the browser; a session is looked up at
 * the provider again after SESSION_CHECK_MS_MAX; what cannot be verified is nobody.
 * Source: OpenID Connect Core 1.0, RFC 7636 (PKCE), RFC 9700; security specification 5 and 7.
 */
import type { PersonPrincipal } from '@aifi/access-authorisation';
import type { AuditDraft } from '@aifi/contracts-rest';

/** [policy] @unit ms */
export const SESSION_MS_MAX = 8 * 3_600_000;
/** [policy] @unit ms */
export const SESSION_IDLE_MS_MAX = 15 * 60_000;
/** A session not confirmed by the provider for so long is confirmed before its next use; below the
 * 60 s in which a revocation must work. @unit ms */
export const SESSION_CHECK_MS_MAX = 45_000;

export interface SessionRecord {
  /** SHA-256 of the cookie's value, hex: whoever reads the table cannot use a session. */
  readonly idHash: string;
  readonly userId: string;
  readonly userName: string;
  readonly roles: readonly string[];
  readonly siteIds: readonly string[];
  readonly csrfToken: string;
  readonly createdAtMs: number;
  readonly lastSeenAtMs: number;
  readonly checkedAtMs: number;
  readonly steppedUpAtMs: number | null;
  /** `sid` claim of the provider's session; null: the provider has none. */
  readonly providerSessionId: string | null;
  /** Sealed with the server's session key (AES-256-GCM); null: none was given. */
  readonly sealedTokens: string | null;
}
export type SessionPatch = Partial<
  Pick<
    SessionRecord,
    'roles' | 'siteIds' | 'lastSeenAtMs' | 'checkedAtMs' | 'steppedUpAtMs' | 'sealedTokens'
  >
>;
/** Sessions and the records of their acts, each pair in one transaction. */
export interface SessionStore {
  insert(session: SessionRecord, record: AuditDraft): Promise<void>;
  find(idHash: string): Promise<SessionRecord | undefined>;
  /** False when the session has ended. */
  update(idHash: string, patch: SessionPatch, record?: AuditDraft): Promise<boolean>;
  /** Writes the record only when there was a session to end. */
  end(idHash: string, record: AuditDraft): Promise<boolean>;
  /** Sessions of a provider session, or of a user; `recordOf` makes one record for each. */
  endWhere(
    where: { readonly providerSessionId?: string; readonly userId?: string },
    recordOf: (session: SessionRecord) => AuditDraft,
  ): Promise<number>;
  /** Deletes sessions not seen since `beforeMs`; no record, they had ended by themselves. */
  purge(beforeMs: number): Promise<number>;
}

/** What of an HTTP request sign-in reads. */
export interface SignInRequest {
  readonly cookie: string | undefined;
  readonly authorization: string | undefined;
  readonly sourceAddress: string;
  readonly correlationId: string;
  /** An open page looks whether it may stay open: no use by a person, the idle time goes on. */
  readonly isPassive?: true;
}
/** Somebody signed in. `session` is absent for a bearer token. */
export interface SignedIn {
  readonly principal: PersonPrincipal;
  readonly session?: { readonly record: SessionRecord; readonly expiresAtMs: number };
}
/** What to answer: where to go, and which cookies to set (whole Set-Cookie values). */
export interface SignInAnswer {
  readonly location: string;
  readonly setCookies: readonly string[];
}

export interface SignIn {
  /** Undefined: no credentials. UNAUTHENTICATED: credentials that are not good (any more). */
  authenticate(request: SignInRequest): Promise<SignedIn | undefined>;
  /** Starts the code flow; step-up asks the provider to authenticate anew. */
  begin(
    kind: 'sign-in' | 'step-up',
    returnTo: string,
    request: SignInRequest,
  ): Promise<SignInAnswer>;
  /** The provider's answer. UNAUTHENTICATED (and a record) when it is not one for this browser. */
  complete(callbackUrl: URL, request: SignInRequest): Promise<SignInAnswer>;
  /** Ends the session here and says where the browser ends it at the provider. */
  end(request: SignInRequest): Promise<SignInAnswer>;
  /** OpenID Connect Back-Channel Logout 1.0. UNTRUSTED when the token does not verify. */
  backChannelLogout(logoutToken: string, request: SignInRequest): Promise<void>;
}

/**
 * createSignIn: sign-in with an OpenID provider, embedded or a hospital's own.
 * Decides how a session begins, is stepped up and ends; the parts decide what is verified.
 * Invariants: a new session id at every sign-in; a step-up is by the same person, at the asked
 * strength, after it was asked for; no token reaches the browser.
 * Source: OpenID Connect Core 1.0, 3.1; RP-Initiated Logout 1.0; RFC 9700; RFC 9470 (step-up).
 */
import { createHash, randomBytes } from 'node:crypto';
import * as openid from 'openid-client';
import { isRole, type PersonPrincipal } from '@aifi/access-authorisation';
import { AifiError } from '@aifi/shared-kernel';
import { BearerTokens } from './bearer-tokens.js';
import { personOf, type Claims, type Person } from './claims.js';
import { clearCookie, cookieNames, readCookie, setCookie, type CookieNames } from './cookies.js';
import { LoginTransactions, type LoginTransaction } from './login-transaction.js';
import { ProviderClient, type Tokens } from './provider-client.js';
import { Seal } from './seal.js';
import { SeenOnce } from './seen-once.js';
import { expiryOf, hashOf, hasEnded, SessionKeeper } from './session-keeper.js';
import { SessionRecords } from './session-records.js';
import {
  CALLBACK_PATH,
  CLOCK_SKEW_SECONDS,
  localPath,
  requireSafeOptions,
  type SignInOptions,
} from './sign-in-options.js';
import {
  SESSION_IDLE_MS_MAX,
  type SessionRecord,
  type SignedIn,
  type SignIn,
  type SignInAnswer,
  type SignInRequest,
} from './sign-in.js';
import { LOGOUT_TOKEN_SECONDS_MAX, TokenVerifier } from './token-verifier.js';

/** Ended sessions are swept out at a sign-in, at most so often. @unit ms */
const PURGE_MS = 5 * 60_000;
/** Nothing but the names of people and their rights. */
const SCOPE = 'openid profile';
const randomText = (): string => randomBytes(32).toString('base64url');

/**
 * Starts also while the provider is away: sign-in then answers PEER_UNAVAILABLE until it is back.
 * CONFIG_INVALID or UNTRUSTED for settings or metadata that are wrong.
 */
export async function createSignIn(options: SignInOptions): Promise<SignIn> {
  requireSafeOptions(options);
  const provider = new ProviderClient(options, options.clock, options.fetch);
  await provider.connect().catch((error: unknown) => {
    if (AifiError.from(error).code !== 'PEER_UNAVAILABLE') throw error;
  });
  return new OpenIdSignIn(options, provider);
}

/** Claims that were verified, and the tokens behind them. */
/** A code and a state; a longer answer would only make the provider refuse us. */
const CALLBACK_CHARACTERS_MAX = 4_096;

interface Authenticated {
  readonly claims: Claims;
  readonly person: Person;
  readonly tokens: Tokens;
}

class OpenIdSignIn implements SignIn {
  readonly #origin: string;
  readonly #cookies: CookieNames;
  readonly #verifier: TokenVerifier;
  readonly #transactions: LoginTransactions;
  readonly #records: SessionRecords;
  readonly #keeper: SessionKeeper;
  readonly #bearers: BearerTokens;
  readonly #logouts: SeenOnce;
  #purgedAtMs = 0;

  constructor(
    private readonly options: SignInOptions,
    private readonly provider: ProviderClient,
  ) {
    const { clock, sessionKey, sessions, homeSite, recordAnonymous } = options;
    this.#origin = new URL(options.publicUrl).origin;
    this.#cookies = cookieNames(options.publicUrl);
    this.#verifier = new TokenVerifier(options, provider.keys, clock);
    const verifier = this.#verifier;
    this.#transactions = new LoginTransactions(
      new Seal(sessionKey, 'login'),
      clock,
      this.#cookies.login,
    );
    this.#records = new SessionRecords(homeSite, clock, recordAnonymous);
    this.#keeper = new SessionKeeper({
      ...{ sessions, provider, verifier, names: options, records: this.#records, clock },
      seal: new Seal(sessionKey, 'tokens'),
    });
    this.#bearers = new BearerTokens({ settings: options, verifier, provider, clock });
    this.#logouts = new SeenOnce(clock, 2 * LOGOUT_TOKEN_SECONDS_MAX * 1_000);
  }

  async authenticate(request: SignInRequest): Promise<SignedIn | undefined> {
    // A caller with a token of its own is not judged by a cookie that happens to come along.
    if (request.authorization !== undefined) {
      return { principal: await this.#bearers.authenticate(request.authorization) };
    }
    const value = readCookie(request.cookie, this.#cookies.session);
    if (value === undefined) return undefined;
    const record = request.isPassive
      ? await this.#keeper.look(value, request)
      : await this.#keeper.use(value, request);
    const session = { record, expiresAtMs: expiryOf(record) };
    return { principal: principalOf(record), session };
  }

  async begin(
    kind: 'sign-in' | 'step-up',
    returnTo: string,
    request: SignInRequest,
  ): Promise<SignInAnswer> {
    const transaction: LoginTransaction = {
      ...{ kind, returnTo: localPath(returnTo), startedAtMs: this.options.clock.nowMs() },
      ...{ state: randomText(), nonce: randomText(), verifier: randomText() },
      session: kind === 'step-up' ? await this.#sessionOf(request) : null,
    };
    const { state, nonce, verifier } = transaction;
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    const location = await this.provider.authorizationUrl({
      ...{ response_type: 'code', redirect_uri: this.#origin + CALLBACK_PATH, scope: SCOPE },
      ...{ state, nonce, code_challenge: challenge, code_challenge_method: 'S256' },
      ...(kind === 'step-up' && { acr_values: this.options.stepUpAcr, max_age: '0' }),
    });
    return { location, setCookies: [this.#transactions.cookieFor(transaction)] };
  }

  async complete(callbackUrl: URL, request: SignInRequest): Promise<SignInAnswer> {
    const state = callbackUrl.searchParams.get('state');
    const transaction = this.#transactions.take(request.cookie, state);
    let setCookies: readonly string[] = [];
    try {
      if (!transaction) throw refusal('the answer is not one for this browser');
      const authenticated = await this.#redeem(transaction, callbackUrl);
      setCookies = transaction.session
        ? await this.#stepUp(transaction, authenticated, request)
        : await this.#start(authenticated, request);
    } catch (error) {
      await this.#refuse(transaction, request, error);
    }
    const location = transaction?.returnTo ?? '/';
    return { location, setCookies: [...setCookies, clearCookie(this.#cookies.login)] };
  }

  async end(request: SignInRequest): Promise<SignInAnswer> {
    const setCookies = [clearCookie(this.#cookies.session), clearCookie(this.#cookies.login)];
    const value = readCookie(request.cookie, this.#cookies.session) ?? '';
    const session = await this.options.sessions.find(hashOf(value));
    if (!session) return { location: '/', setCookies };
    const record = this.#records.own('session.end', session, request);
    await this.options.sessions.end(session.idHash, record);
    const idToken = this.#keeper.tokensOf(session)?.idToken;
    const location = await this.provider.endSessionUrl({
      ...(idToken !== undefined && { id_token_hint: idToken }),
      post_logout_redirect_uri: `${this.#origin}/`,
    });
    return { location: location ?? '/', setCookies };
  }

  async backChannelLogout(logoutToken: string, request: SignInRequest): Promise<void> {
    const { jti, sid, sub } = await this.#verifier.logoutToken(logoutToken);
    if (this.#logouts.has(jti)) throw new AifiError('UNTRUSTED', 'a logout token used before');
    const where = sid !== undefined ? { providerSessionId: sid } : { userId: sub ?? '' };
    await this.options.sessions.endWhere(where, (session) =>
      this.#records.revoked(session, request, 'signed out at the provider'),
    );
    // After the work: when that fails, the provider may send the same token again.
    this.#logouts.use(jti);
  }

  async #sessionOf(request: SignInRequest): Promise<LoginTransaction['session']> {
    const value = readCookie(request.cookie, this.#cookies.session);
    if (value === undefined) throw hasEnded();
    const { idHash, userId, userName } = await this.#keeper.use(value, request);
    return { idHash, userId, userName };
  }

  async #redeem(transaction: LoginTransaction, callbackUrl: URL): Promise<Authenticated> {
    if (callbackUrl.search.length > CALLBACK_CHARACTERS_MAX)
      throw refusal('the answer is too long');
    const callback = new URL(CALLBACK_PATH + callbackUrl.search, this.#origin);
    const tokens = await this.provider.redeem(callback, transaction);
    const claims = await this.#verifier.idToken(tokens.idToken);
    // Without one the session could not be confirmed, and no revocation would be seen.
    if (tokens.refreshToken === undefined) throw refusal('the provider gave no refresh token');
    return { claims, tokens, person: personOf(claims, this.options) };
  }

  async #start(
    { claims, person, tokens }: Authenticated,
    request: SignInRequest,
  ): Promise<string[]> {
    const { clock, sessions } = this.options;
    const nowMs = clock.nowMs();
    await this.#purge(nowMs);
    const value = randomText();
    const idHash = hashOf(value);
    const session: SessionRecord = {
      ...{ idHash, ...person, csrfToken: randomText(), steppedUpAtMs: null },
      ...{ createdAtMs: nowMs, lastSeenAtMs: nowMs, checkedAtMs: nowMs },
      providerSessionId: typeof claims['sid'] === 'string' ? claims['sid'] : null,
      sealedTokens: this.#keeper.sealTokens(tokens, idHash),
    };
    await sessions.insert(session, this.#records.own('session.start', session, request));
    await this.#endFormer(request);
    return [setCookie(this.#cookies.session, value)];
  }

  /** The browser forgets the former session, so nobody could end it any more. */
  async #endFormer(request: SignInRequest): Promise<void> {
    const value = readCookie(request.cookie, this.#cookies.session) ?? '';
    const former = await this.options.sessions.find(hashOf(value));
    if (!former) return;
    const detail = { because: 'signed in anew' };
    const record = this.#records.own('session.end', former, request, detail);
    await this.options.sessions.end(former.idHash, record);
  }

  async #stepUp(
    { session, startedAtMs }: LoginTransaction,
    { claims, person, tokens }: Authenticated,
    request: SignInRequest,
  ): Promise<string[]> {
    const value = readCookie(request.cookie, this.#cookies.session) ?? '';
    const idHash = hashOf(value);
    if (idHash !== session?.idHash) throw refusal('the session is not the one that asked');
    await this.#keeper.use(value, request);
    if (person.userId !== session.userId) throw refusal('another person came back');
    const steppedUpAtMs = this.#freshAuthentication(claims, startedAtMs);
    await this.#keeper.exclusively(idHash, async () => {
      const patch = {
        ...{ roles: person.roles, siteIds: person.siteIds, steppedUpAtMs },
        ...{ checkedAtMs: this.options.clock.nowMs() },
        sealedTokens: this.#keeper.sealTokens(tokens, idHash),
      };
      const record = this.#records.own('session.step-up', session, request);
      if (!(await this.options.sessions.update(idHash, patch, record))) throw hasEnded();
    });
    return [];
  }

  #freshAuthentication({ acr, auth_time: authTime }: Claims, startedAtMs: number): number {
    if (acr !== this.options.stepUpAcr) throw refusal('not as strong as was asked for');
    // Whole seconds at the provider, and its clock may be a little behind.
    const earliestMs = Math.floor(startedAtMs / 1_000) * 1_000 - CLOCK_SKEW_SECONDS * 1_000;
    if (typeof authTime !== 'number' || authTime * 1_000 < earliestMs) {
      throw refusal('not authenticated anew');
    }
    return Math.min(authTime * 1_000, this.options.clock.nowMs());
  }

  async #refuse(
    transaction: LoginTransaction | undefined,
    request: SignInRequest,
    error: unknown,
  ): Promise<never> {
    const fault = AifiError.from(error);
    // A defect or a store that is away is not a refusal: it goes on as what it is.
    if (fault.causeClass === 'bug') throw fault;
    const code = fault.code === 'PEER_UNAVAILABLE' ? fault.code : 'UNAUTHENTICATED';
    const known = transaction?.session ?? undefined;
    await this.#records.refused(known, request, { code, because: reasonOf(fault) });
    if (fault.code === code) throw fault;
    throw new AifiError(code, 'the sign-in did not succeed', { cause: fault });
  }

  async #purge(nowMs: number): Promise<void> {
    if (nowMs - this.#purgedAtMs < PURGE_MS) return;
    this.#purgedAtMs = nowMs;
    await this.options.sessions.purge(nowMs - SESSION_IDLE_MS_MAX);
  }
}

function principalOf({ userId, userName, roles, ...session }: SessionRecord): PersonPrincipal {
  return {
    ...{ kind: 'person', userId, userName, roles: roles.filter(isRole) },
    ...{ siteIds: session.siteIds, steppedUpAtMs: session.steppedUpAtMs },
  };
}

const refusal = (words: string): AifiError => new AifiError('UNAUTHENTICATED', words);

/** Our own words, or the provider's error code: never a text that somebody else chose. */
function reasonOf(fault: AifiError): string {
  const { cause } = fault;
  const isProviderSaying =
    cause instanceof openid.AuthorizationResponseError || cause instanceof openid.ResponseBodyError;
  return isProviderSaying && /^[a-z_]{1,40}$/.test(cause.error) ? cause.error : fault.message;
}

/**
 * SignInRig: sign-in with a fake provider and a browser's cookie jar, for tests.
 * Decides that a test reads as what people do: sign in, step up, come back later.
 * Invariant: never used outside tests; time is the process's, which a test may set.
 */
import type { AuditDraft } from '@aifi/contracts-rest';
import { systemClock } from '@aifi/shared-kernel';
import type { Claims } from './claims.js';
import { createSignIn } from './create-sign-in.js';
import { FAKE_CLIENT, FAKE_ISSUER, FakeProvider } from './fake-provider.js';
import { FakeSessionStore } from './memory-session-store.js';
import type { SignInOptions } from './sign-in-options.js';
import type { SignedIn, SignIn, SignInAnswer, SignInRequest } from './sign-in.js';

export const PUBLIC_URL = 'https://hub.example.test';

/** For `doNotFake` of Jest: everything but the date, so that a network goes on as it does. */
export const ALL_BUT_THE_DATE = [
  ...(['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'hrtime'] as const),
  ...(['setImmediate', 'clearImmediate', 'nextTick', 'queueMicrotask', 'performance'] as const),
];

/** The cookies of one browser. */
export class CookieJar {
  readonly cookies = new Map<string, string>();

  /** As a browser keeps them: an age of 0 removes. */
  keep({ setCookies }: SignInAnswer): void {
    for (const cookie of setCookies) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (/Max-Age=0/.test(cookie)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
  }
  get request(): SignInRequest {
    const pairs = [...this.cookies].map(([name, value]) => `${name}=${value}`);
    const cookie = pairs.length > 0 ? pairs.join('; ') : undefined;
    const origin = { sourceAddress: '192.0.2.7', correlationId: 'correlation-1' };
    return { cookie, authorization: undefined, ...origin };
  }
}

export class SignInRig {
  readonly jar = new CookieJar();
  readonly refusals: AuditDraft[] = [];

  private constructor(
    readonly provider: FakeProvider,
    readonly sessions: FakeSessionStore,
    readonly options: SignInOptions,
  ) {}
  sut!: SignIn;

  static async make(changes: Partial<SignInOptions> = {}): Promise<SignInRig> {
    const provider = await FakeProvider.make(systemClock);
    provider.people.set('anna', { name: 'Anna Smit', aifi_roles: ['radiologist'] });
    provider.people.set('ben', { name: 'Ben Bos', aifi_roles: ['auditor'] });
    const sessions = new FakeSessionStore();
    const rig: SignInRig = new SignInRig(provider, sessions, {
      ...{ issuer: FAKE_ISSUER, ...FAKE_CLIENT, audience: 'aifi-hub', stepUpAcr: 'aifi-step-up' },
      ...{ rolesClaim: 'aifi_roles', sitesClaim: 'aifi_sites', publicUrl: PUBLIC_URL },
      ...{ sessionKey: new Uint8Array(32).fill(7), sessions, homeSite: '*', clock: systemClock },
      recordAnonymous: async (draft) => void rig.refusals.push(draft),
      fetch: provider.fetch,
      ...changes,
    });
    rig.sut = await createSignIn(rig.options);
    return rig;
  }

  /** Goes to the provider and comes back to the callback. */
  async signIn(
    subject = 'anna',
    options: { kind?: 'sign-in' | 'step-up'; jar?: CookieJar; claims?: Claims } = {},
  ): Promise<SignInAnswer> {
    const { kind = 'sign-in', jar = this.jar, claims } = options;
    const begun = await this.sut.begin(kind, '/studies?page=2', jar.request);
    jar.keep(begun);
    const callback = this.provider.authorize(begun.location, subject, claims);
    const completed = await this.sut.complete(callback, jar.request);
    jar.keep(completed);
    return completed;
  }
  stepUp(subject = 'anna', claims: Claims = {}): Promise<SignInAnswer> {
    return this.signIn(subject, { kind: 'step-up', claims });
  }
  who(jar = this.jar): Promise<SignedIn | undefined> {
    return this.sut.authenticate(jar.request);
  }
  bearer(token: string): Promise<SignedIn | undefined> {
    return this.sut.authenticate({ ...this.jar.request, authorization: `Bearer ${token}` });
  }
  /** Acts of all records of the store. */
  get acts(): string[] {
    return this.sessions.records.map(({ act }) => act);
  }
}

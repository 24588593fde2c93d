/**
 * Sign-in for tests: a bearer token names a role and where its person works.
 * Decides nothing that is tested: it stands where a provider would, and answers at once.
 * Token: `<role>.<own|other|none>[.<name>]`; `stale.` before it: no fresh authentication.
 */
import { isRole, type PersonPrincipal } from '@aifi/access-authorisation';
import type { SignIn } from '@aifi/access-sign-in';
import { AifiError, systemClock } from '@aifi/shared-kernel';
import type { HubSignIn } from '../src/hub-sign-in.js';

export const OWN_SITE = 'site-a';
export const OTHER_SITE = 'site-b';
const SITES: Readonly<Record<string, readonly string[]>> = {
  own: [OWN_SITE],
  other: [OTHER_SITE],
  none: [],
};

function principalOf(token: string): PersonPrincipal {
  const isStale = token.startsWith('stale.');
  const [role = '', where = '', name = ''] = token.replace('stale.', '').split('.');
  const siteIds = SITES[where];
  if (!isRole(role) || !siteIds) throw new AifiError('UNAUTHENTICATED', 'no such person');
  const userId = [role, where, name].filter((part) => part !== '').join('.');
  const steppedUpAtMs = isStale ? null : systemClock.nowMs();
  return { kind: 'person', userId, userName: userId, roles: [role], siteIds, steppedUpAtMs };
}

const signIn: SignIn = {
  authenticate: async ({ authorization }) => {
    if (authorization === undefined) return undefined;
    return { principal: principalOf(authorization.replace(/^Bearer /, '')) };
  },
  begin: async () => ({ location: '/', setCookies: [] }),
  complete: async () => ({ location: '/', setCookies: [] }),
  end: async () => ({ location: '/', setCookies: [] }),
  backChannelLogout: async () => undefined,
};

export const openRoleSignIn = async (): Promise<HubSignIn> => ({
  ...{ signIn, issuer: 'http://localhost:1', close: async () => undefined },
});

/**
 * Addresses of sign-in and step-up, with the way back to this page.
 * Decides what may be in the way back: a path of this server that the contract takes; anything
 * else leads to the first page. Source: signInRoutes of libs/contracts/rest.
 */
import { signInRoutes } from '@aifi/contracts-rest';

export function signInAddress(kind: 'signIn' | 'stepUp', here: string): string {
  const { path, query } = signInRoutes[kind];
  const wish = query.safeParse({ returnTo: here });
  const returnTo = wish.success ? wish.data.returnTo : '/';
  return `${path}?${new URLSearchParams({ returnTo }).toString()}`;
}

/** Where the person is now. */
export const here = (): string => `${window.location.pathname}${window.location.search}`;

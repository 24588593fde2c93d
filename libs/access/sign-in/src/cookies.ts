/**
 * Cookies: the two that sign-in sets, and how they are read.
 * Decides their attributes. Invariants: `__Host-` (this host only, whole path, Secure), HttpOnly,
 * SameSite=Lax: Strict would lose the login on the way back from a provider on another site.
 * Source: RFC 6265bis 4.1.3; security specification 7.
 */
export interface CookieNames {
  readonly session: string;
  readonly login: string;
}

/**
 * Names for a server. A browser does not tell ports apart when it sends cookies: two servers of one
 * host, as in a demonstration, would overwrite each other's without the port in the name.
 */
export function cookieNames(publicUrl: string): CookieNames {
  const { port } = new URL(publicUrl);
  const suffix = port === '' ? '' : `-${port}`;
  return { session: `__Host-aifi-session${suffix}`, login: `__Host-aifi-login${suffix}` };
}

const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Lax';

/** Without a life it ends with the browser. */
export const setCookie = (name: string, value: string, lifeMs?: number): string =>
  `${name}=${value}; ${ATTRIBUTES}${lifeMs === undefined ? '' : `; Max-Age=${lifeMs / 1_000}`}`;
export const clearCookie = (name: string): string => setCookie(name, '', 0);

/** Undefined when it is absent, or there twice: then nobody knows which one is ours. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  const values = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return values.length === 1 ? values[0] : undefined;
}

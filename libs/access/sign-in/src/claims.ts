/**
 * Claims: what verified tokens say about a person, in the words of the access table.
 * Decides that an unknown role is no role, and how sites are read at a hub and at a gateway.
 * Invariants: only verified payloads come in; own properties only; every list and text is bounded.
 * Source: OpenID Connect Core 1.0, 5.1; security specification 5.
 */
import { ROLES, type Role } from '@aifi/access-authorisation';
import { AifiError } from '@aifi/shared-kernel';

export type Claims = Readonly<Record<string, unknown>>;
/** What of the provider's settings says where roles and sites are. */
export interface ClaimNames {
  readonly rolesClaim: string;
  readonly sitesClaim: string;
  /** Set at a gateway: the site that people without a sites claim belong to. */
  readonly ownSite?: string;
}
export interface Person {
  readonly userId: string;
  readonly userName: string;
  readonly roles: readonly Role[];
  readonly siteIds: readonly string[];
}

/** OpenID Connect Core 1.0, 2: `sub` has at most 255 ASCII characters. */
const SUBJECT = /^[\x21-\x7e]{1,255}$/;
/** Width of a user's name in a record. */
const NAME_CHARACTERS_MAX = 256;
/** Width of a site in a record. */
const SITE_ID = /^[\w.-]{1,64}$/;
/** More than there are hospitals of one group. */
const SITES_MAX = 200;

export function personOf(claims: Claims, names: ClaimNames): Person {
  const { sub } = claims;
  if (typeof sub !== 'string' || !SUBJECT.test(sub)) {
    throw new AifiError('UNTRUSTED', 'a token names no usable subject');
  }
  return {
    userId: sub,
    userName: nameOf(claims) ?? sub,
    roles: rolesOf(claimAt(claims, names.rolesClaim)),
    siteIds: sitesOf(claimAt(claims, names.sitesClaim), names.ownSite),
  };
}

function rolesOf(claim: unknown): Role[] {
  const said = wordsOf(claim);
  return ROLES.filter((role) => said.includes(role));
}

/**
 * Without a claim: national at the hub, the own people at a gateway. A claim without the own site
 * belongs to somebody of another hospital, who stays that here.
 */
function sitesOf(claim: unknown, ownSite: string | undefined): string[] {
  if (claim === undefined || claim === null) return ownSite === undefined ? [] : [ownSite];
  const sites = [...new Set(wordsOf(claim).filter((word) => SITE_ID.test(word)))];
  if (sites.length > SITES_MAX) throw new AifiError('UNTRUSTED', 'a token names too many sites');
  return ownSite !== undefined && sites.includes(ownSite) ? [ownSite] : sites;
}

/** A list of words, or one string with spaces between them, as `scope` is written. */
function wordsOf(claim: unknown): string[] {
  if (typeof claim === 'string') return claim.split(' ').filter((word) => word !== '');
  return Array.isArray(claim) ? claim.filter((word) => typeof word === 'string') : [];
}

/** A claim by its name, or by a path with dots such as `realm_access.roles`. */
function claimAt(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const step of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step))
      return undefined;
    value = (value as Claims)[step];
  }
  return value;
}

function nameOf({ name, preferred_username: preferred }: Claims): string | undefined {
  const said = [name, preferred].find((word) => typeof word === 'string' && word.trim() !== '');
  // Control and format characters would forge lines and directions wherever the name is shown.
  return (said as string | undefined)
    ?.replace(/[\p{Cc}\p{Cf}]/gu, '')
    .slice(0, NAME_CHARACTERS_MAX);
}

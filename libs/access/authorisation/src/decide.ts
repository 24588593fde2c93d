/**
 * decide: may this principal do this act, where, and under which role.
 * Decides by the access table alone; no match is a refusal. Pure.
 * Invariants: a role of a hospital never reaches beyond its own sites, whatever its cell says; a
 * refusal names no object of another site. Source: security specification 5 (default deny).
 */
import { cellOf, type AccessObject, type Grant, type Letter } from './access-table.js';
import { ruleOf, STEP_UP_MS_MAX, type Act } from './acts.js';
import type { PersonPrincipal, Principal } from './principal.js';
import { SITE_ROLES, type Role } from './roles.js';

/** Where an allowed act may be done. */
export type Reach =
  | { readonly kind: 'all' }
  | { readonly kind: 'sites'; readonly siteIds: readonly string[] }
  /** Only what the person did. */
  | { readonly kind: 'acts'; readonly userId: string };

export interface Allowed {
  /** The role that allows it; null for public acts and gateways. */
  readonly role: Role | null;
  readonly reach: Reach;
  /** Each use needs a reason. */
  readonly reasonRequired: boolean;
}
export type RefusalCode = 'UNAUTHENTICATED' | 'FORBIDDEN' | 'STEP_UP_REQUIRED';
export type Decision =
  | { readonly ok: true; readonly value: Allowed }
  | { readonly ok: false; readonly code: RefusalCode };
const refused = (code: RefusalCode): Decision => ({ ok: false, code });
const ok = (value: Allowed): Decision => ({ ok: true, value });

const everywhere = (role: Role | null): Allowed => ({
  ...{ role, reach: { kind: 'all' }, reasonRequired: false },
});

/** Widest first: whoever has several roles acts under the one that reaches furthest. */
const WIDTH = { all: 0, sites: 1, acts: 2 } as const;

/**
 * The decision. UNAUTHENTICATED: sign in first; STEP_UP_REQUIRED: authenticate anew; FORBIDDEN: no
 * role of the principal has it. `nowMs` is the time that a step-up is measured against.
 */
export function decide(principal: Principal, act: Act, nowMs: number): Decision {
  const { by, stepUp } = ruleOf(act);
  if (by === 'public') return ok(everywhere(null));
  // What the server does by itself is nobody's to ask for.
  if (by === 'system') return refused('FORBIDDEN');
  if (by === 'gateway') {
    if (principal.kind !== 'gateway') return refused('UNAUTHENTICATED');
    const reach: Reach = { kind: 'sites', siteIds: [principal.siteId] };
    return ok({ role: null, reach, reasonRequired: false });
  }
  if (principal.kind === 'anonymous') return refused('UNAUTHENTICATED');
  if (principal.kind === 'gateway') return refused('FORBIDDEN');
  const allowed = by === 'person' ? everywhere(null) : widest(principal, by);
  if (!allowed) return refused('FORBIDDEN');
  if (stepUp && !isSteppedUp(principal, nowMs)) return refused('STEP_UP_REQUIRED');
  return ok(allowed);
}

function widest(
  principal: PersonPrincipal,
  cell: { object: AccessObject; letter: Letter },
): Allowed | undefined {
  const found = principal.roles.flatMap((role) => {
    const grant = cellOf(cell.object, role);
    if (!grant?.letters.includes(cell.letter) || grant.scope === 'counts') return [];
    const reach = reachOf(grant, role, principal);
    return reach ? [{ role, reach, reasonRequired: grant.reason === true }] : [];
  });
  return found.sort(
    (a, b) =>
      WIDTH[a.reach.kind] - WIDTH[b.reach.kind] ||
      Number(a.reasonRequired) - Number(b.reasonRequired),
  )[0];
}

function reachOf(grant: Grant, role: Role, principal: PersonPrincipal): Reach | undefined {
  if (grant.scope === 'acts') return { kind: 'acts', userId: principal.userId };
  if (grant.scope === 'all' && !SITE_ROLES.includes(role)) return { kind: 'all' };
  const { siteIds } = principal;
  return siteIds.length > 0 ? { kind: 'sites', siteIds } : undefined;
}

export function isSteppedUp({ kind, steppedUpAtMs }: PersonPrincipal, nowMs: number): boolean {
  // A machine cannot authenticate anew: dangerous acts are for persons.
  if (kind === 'machine' || steppedUpAtMs === null) return false;
  return nowMs - steppedUpAtMs <= STEP_UP_MS_MAX;
}

/** Whether a reach covers a site. */
export const covers = (reach: Reach, siteId: string): boolean =>
  reach.kind === 'all' || (reach.kind === 'sites' && reach.siteIds.includes(siteId));

/** May this principal agree, as the second person, to an act at a site. */
export function mayApprove(principal: Principal, act: Act, siteId: string): Role | undefined {
  const { by } = ruleOf(act);
  if (principal.kind !== 'person' || typeof by === 'string') return undefined;
  const allowed = widest(principal, { object: by.object, letter: 'A' });
  return allowed && covers(allowed.reach, siteId) ? (allowed.role ?? undefined) : undefined;
}

/** Acts that the principal's roles allow somewhere: for navigation only. */
export function actsOf(principal: Principal, acts: readonly Act[]): Act[] {
  if (principal.kind === 'anonymous' || principal.kind === 'gateway') return [];
  const fresh = { ...principal, kind: 'person' as const, steppedUpAtMs: 0 };
  return acts.filter((act) => ruleOf(act).by !== 'public' && decide(fresh, act, 0).ok);
}

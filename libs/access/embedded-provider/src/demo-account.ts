/**
 * Demo accounts: one person for each role, and a second one where a role approves its own kind.
 * Decides names and subjects, the same in every run. National roles have no site; site roles exist
 * once for each site. Invariant: nobody real; the password is no secret and never guards anything
 * real. Source: security specification 5 (roles).
 */
import { ROLES, SITE_ROLES, type Role } from '@aifi/access-authorisation';

export interface DemoAccount {
  /** Subject of its tokens. */
  readonly id: string;
  readonly userName: string;
  readonly name: string;
  readonly roles: readonly Role[];
  /** Empty for national roles. */
  readonly siteIds: readonly string[];
  readonly password: string;
}

/** Shown on the sign-in page. */
export const DEMO_PASSWORD = 'demonstration';

/** Two people: what one of them asks for, the other approves. */
const TWICE: readonly Role[] = ['central-operator', 'hospital-it'];
const GIVEN_NAMES = [
  ...['Anna', 'Bram', 'Carla', 'Daan', 'Esra', 'Femke', 'Gijs', 'Hanna', 'Imran', 'Joris'],
  ...['Karin', 'Lotte', 'Mehmet', 'Nienke', 'Omar', 'Petra'],
];
const FAMILY_NAMES = ['de Vries', 'Bakker', 'Yilmaz', 'Visser', 'Smit', 'Meijer', 'El Amrani'];

export interface DemoAccountsOptions {
  readonly siteIds: readonly string[];
  /** Accounts of national roles too. @default true */
  readonly national?: boolean;
}

export function demoAccounts({ siteIds, national = true }: DemoAccountsOptions): DemoAccount[] {
  const nationalRoles = ROLES.filter((role) => !SITE_ROLES.includes(role));
  const ofNation = national ? nationalRoles.flatMap((role) => accountsOf(role, [])) : [];
  const ofSites = siteIds.flatMap((siteId, index) =>
    SITE_ROLES.flatMap((role) => accountsOf(role, [siteId], index)),
  );
  return [...ofNation, ...ofSites];
}

function accountsOf(role: Role, siteIds: readonly string[], siteIndex = 0): DemoAccount[] {
  return (TWICE.includes(role) ? ['', '-2'] : ['']).map((suffix) => {
    const userName = [role + suffix, ...siteIds].join('.');
    const place = ROLES.indexOf(role) + (suffix === '' ? 0 : ROLES.length);
    const given = GIVEN_NAMES[place % GIVEN_NAMES.length];
    const family = FAMILY_NAMES[(place + siteIndex) % FAMILY_NAMES.length];
    return {
      ...{ id: `demo-${userName}`, userName, name: `${given} ${family}`, roles: [role], siteIds },
      password: DEMO_PASSWORD,
    };
  });
}

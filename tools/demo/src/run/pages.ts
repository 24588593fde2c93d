/**
 * Pages: where a person looks when the studies have gone their way, and as whom.
 * Decides which accounts are named: the ones that a first look needs; the sign-in page of the
 * provider lists all of them. Invariant: accounts of the demonstration only; their password is no
 * secret. Source: libs/access/embedded-provider.
 */
import { DEMO_PASSWORD, demoAccounts } from '@aifi/access-embedded-provider';
import type { Role } from '@aifi/access-authorisation';
import type { Stack } from '../stack/stack.js';

export interface Pages {
  /** Console of the hub: national and site roles. */
  readonly hub: string;
  /** Page of each hospital's own gateway, by site. */
  readonly gateways: Readonly<Record<string, string>>;
}

/** Who can show most of the hub, and of a hospital, at a first look. */
const NATIONAL: readonly Role[] = ['central-operator', 'auditor'];
const OF_SITE: readonly Role[] = ['radiologist', 'hospital-it', 'privacy-officer'];

export function pagesOf({ parts }: Pick<Stack, 'parts'>): Pages {
  const gateways = parts.hospitals.map(({ siteId, gateway }) => [siteId, `${gateway.url}/`]);
  return { hub: `${parts.hubServer.url}/`, gateways: Object.fromEntries(gateways) };
}

/** One line per page: its address and as whom to sign in. */
export function pageLines({ hub, gateways }: Pages): string[] {
  const siteIds = Object.keys(gateways);
  const width = Math.max(...['hub', ...siteIds].map((name) => name.length));
  const line = (name: string, url: string, userNames: readonly string[]): string =>
    `${name.padEnd(width)}  ${url}  sign in as ${userNames.join(', ')}`;
  return [
    line('hub', hub, userNamesOf(NATIONAL, [])),
    ...siteIds.map((id) => line(id, gateways[id]!, userNamesOf(OF_SITE, [id]))),
    `password of every account: ${DEMO_PASSWORD} (the sign-in page lists all of them)`,
  ];
}

function userNamesOf(roles: readonly Role[], siteIds: readonly string[]): string[] {
  const accounts = demoAccounts({ siteIds, national: siteIds.length === 0 });
  const isFirst = (role: Role) => (account: { readonly roles: readonly Role[] }) =>
    account.roles.includes(role);
  return roles.flatMap((role) => accounts.find(isFirst(role))?.userName ?? []);
}

/**
 * Goal: the demonstration has everybody whom the access table names. Method: the list itself.
 */
import { describe, expect, it } from '@jest/globals';
import { ROLES, SITE_ROLES } from '@aifi/access-authorisation';
import { demoAccounts } from './index.js';

const SITES = ['noord', 'zuid'];

describe(demoAccounts.name, () => {
  it('has every role, and a second person for the roles that approve one another', () => {
    const accounts = demoAccounts({ siteIds: ['noord'] });
    expect([...new Set(accounts.flatMap(({ roles }) => roles))].sort()).toEqual([...ROLES].sort());
    const count = (role: string): number =>
      accounts.filter(({ roles }) => roles.some((own) => own === role)).length;
    expect([count('central-operator'), count('hospital-it'), count('auditor')]).toEqual([2, 2, 1]);
  });
  it('gives a site role exactly its one site, and a national role none', () => {
    for (const { roles, siteIds } of demoAccounts({ siteIds: SITES })) {
      const isOfSite = roles.some((role) => SITE_ROLES.includes(role));
      expect(siteIds).toHaveLength(isOfSite ? 1 : 0);
    }
  });
  it('can leave national roles out', () => {
    const accounts = demoAccounts({ siteIds: ['noord'], national: false });
    expect(accounts.every(({ siteIds }) => siteIds[0] === 'noord')).toBe(true);
  });
  it('never names two people alike', () => {
    const accounts = demoAccounts({ siteIds: SITES });
    for (const key of ['id', 'userName', 'name'] as const) {
      expect(new Set(accounts.map((account) => account[key])).size).toBe(accounts.length);
    }
  });
});

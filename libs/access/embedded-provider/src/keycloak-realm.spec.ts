/**
 * Goal: the realm that hospitals import holds what the platform needs and no account; the test
 * accounts cover every role. Method: the files themselves.
 */
import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { ROLES, SITE_ROLES, type Role } from '@aifi/access-authorisation';
import { oneTimeCode } from '../../../../deploy/services/keycloak/one-time-code.mjs';
import { REALM_FILE, TEST_USERS_FILE } from '../../../../deploy/services/keycloak/start.mjs';

interface Realm {
  readonly users?: unknown;
  readonly roles: { readonly realm: readonly { readonly name: string }[] };
  readonly clients: readonly { readonly clientId: string; readonly secret?: string }[];
}
interface TestUser {
  readonly realmRoles: readonly Role[];
  readonly attributes: { readonly aifi_sites?: readonly string[] };
}
const realmText = readFileSync(REALM_FILE, 'utf8');
const realm = JSON.parse(realmText) as Realm;
const { users } = JSON.parse(readFileSync(TEST_USERS_FILE, 'utf8')) as { users: TestUser[] };

describe('the realm export', () => {
  it('has exactly the roles of the access table', () => {
    expect(realm.roles.realm.map(({ name }) => name)).toEqual(ROLES);
  });
  it('has no account, and no secret of its own', () => {
    expect(realm.users).toBeUndefined();
    const secrets = realm.clients.flatMap(({ secret }) => (secret === undefined ? [] : [secret]));
    expect(secrets).toEqual(['${AIFI_PAGES_SECRET}', '${AIFI_AUTOMATION_SECRET}']);
  });
  it('asks its environment for nothing but what its README names', () => {
    const readme = readFileSync(new URL('README.md', `file://${REALM_FILE}`), 'utf8');
    const asked = [
      ...new Set([...realmText.matchAll(/\$\{(AIFI_\w+)\}/g)].map(([, name]) => name)),
    ];
    expect(asked.sort()).toEqual(
      [...new Set([...readme.matchAll(/`(AIFI_\w+)`/g)].map(([, name]) => name))].sort(),
    );
  });
});

describe('the test accounts', () => {
  it('cover every role, and only site roles have a site', () => {
    expect(new Set(users.flatMap(({ realmRoles }) => realmRoles))).toEqual(new Set(ROLES));
    for (const { realmRoles, attributes } of users) {
      const isOfSite = realmRoles.some((role) => SITE_ROLES.includes(role));
      expect(attributes.aifi_sites).toEqual(isOfSite ? ['${AIFI_TEST_SITE}'] : undefined);
    }
  });
  it('have one-time codes as RFC 6238 computes them', () => {
    // Appendix B, SHA-1, the last six digits of eight.
    expect(oneTimeCode('12345678901234567890', 59_000)).toBe('287082');
    expect(oneTimeCode('12345678901234567890', 1_111_111_109_000)).toBe('081804');
  });
});

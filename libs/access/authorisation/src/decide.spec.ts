/**
 * Goal: the table decides, by default no; a hospital's role never reaches another hospital.
 * Method: named rules of the security specification, and a walk over all roles, acts and sites.
 */
import { describe, expect, it } from '@jest/globals';
import { ACCESS_OBJECTS, cellOf } from './access-table.js';
import { ACTS, ACTS_BY_TWO, STEP_UP_MS_MAX, type Act } from './acts.js';
import { actsOf, covers, decide, mayApprove } from './decide.js';
import type { PersonPrincipal } from './principal.js';
import { ROLES, SITE_ROLES, type Role } from './roles.js';

const NOW_MS = 1_000_000;
const who = (roles: Role[], siteIds: string[] = []): PersonPrincipal => ({
  ...{ kind: 'person', userId: 'u', userName: 'U', roles, siteIds, steppedUpAtMs: NOW_MS },
});
const everyAct = Object.keys(ACTS) as Act[];

describe('a decision', () => {
  it.each<[Role, Act, boolean]>([
    ['central-operator', 'identity.open', false],
    ['central-operator', 'linkage.read', false],
    ['central-operator', 'audit.export', false],
    ['vendor', 'study-list.read', false],
    ['vendor', 'audit.search', true],
    ['procurement', 'study.read', false],
    ['model-manager', 'pixels.read', false],
    ['auditor', 'audit.export', true],
    ['auditor', 'identity.open', false],
    ['radiologist', 'identity.open', true],
    ['referring-clinician', 'identity.open', false],
    ['clinical-physicist', 'identity.open', true],
    ['radiologist', 'health.read', false],
    ['clinical-physicist', 'health.read', true],
    ['hospital-it', 'linkage.read', true],
    ['privacy-officer', 'alert.acknowledge', true],
    ['privacy-officer', 'identity.open', false],
    ['raio', 'pixels.read', false],
    ['hospital-it', 'dead-letter.replay', true],
    ['clinical-physicist', 'dead-letters.read', true],
    ['clinical-physicist', 'dead-letter.replay', false],
    ['auditor', 'dead-letters.read', true],
    ['auditor', 'dead-letter.replay', false],
    ['central-operator', 'dead-letters.read', false],
    ['radiologist', 'dead-letters.read', false],
    ['hospital-it', 'pixel-hold.release', true],
    ['radiographer', 'pixel-hold.release', true],
    ['radiologist', 'pixel-hold.open', true],
    ['clinical-physicist', 'pixel-hold.open', true],
    ['clinical-physicist', 'pixel-hold.release', false],
    ['privacy-officer', 'pixel-holds.read', true],
    ['privacy-officer', 'pixel-hold.open', false],
    ['privacy-officer', 'pixel-hold.release', false],
    ['referring-clinician', 'pixel-holds.read', false],
    ['central-operator', 'pixel-holds.read', false],
    ['radiologist', 'job.retry', false],
    ['raio', 'results-register.read', true],
    ['central-operator', 'results-register.read', false],
    ['privacy-officer', 'vault.erase', true],
    ['hospital-it', 'vault.erase', false],
    ['clinical-physicist', 'patient-code.read', false],
  ])('of %s about %s is %s', (role, act, allowed) => {
    expect(decide(who([role], ['site-a']), act, NOW_MS).ok).toBe(allowed);
  });
  it('asks the anonymous to sign in, except for what is public', () => {
    for (const act of everyAct) {
      const decision = decide({ kind: 'anonymous' }, act, NOW_MS);
      expect(decision.ok).toBe(ACTS[act].by === 'public');
      if (!decision.ok) expect(['UNAUTHENTICATED', 'FORBIDDEN']).toContain(decision.code);
    }
  });
  it('gives a person without a role nothing but the own session', () => {
    expect(actsOf(who([]), everyAct).toSorted()).toEqual([
      ...['page.follow', 'session.end', 'session.read', 'session.step-up'],
    ]);
  });
  it('never lets a role of a hospital reach another site', () => {
    for (const role of SITE_ROLES) {
      for (const act of everyAct) {
        const decision = decide(who([role], ['site-a']), act, NOW_MS);
        if (!decision.ok || decision.value.role === null) continue;
        expect(covers(decision.value.reach, 'site-b')).toBe(false);
      }
    }
  });
  it('gives a role of a hospital nothing when its site is not known', () => {
    const { ok } = decide(who(['hospital-it']), 'health.read', NOW_MS);
    expect(ok).toBe(false);
  });
  it('demands a fresh sign-in for dangerous acts, and from machines always', () => {
    const operator = who(['central-operator']);
    const late = NOW_MS + STEP_UP_MS_MAX;
    expect(decide(operator, 'approval.request', late).ok).toBe(true);
    expect(decide(operator, 'approval.request', late + 1)).toEqual({
      ...{ ok: false, code: 'STEP_UP_REQUIRED' },
    });
    const machine = { ...operator, kind: 'machine' as const };
    expect(decide(machine, 'approval.request', NOW_MS).ok).toBe(false);
    expect(decide(machine, 'health.read', NOW_MS).ok).toBe(true);
  });
  it('lets gateways do what is the link, and people nothing of it', () => {
    const gateway = { kind: 'gateway', siteId: 'site-a' } as const;
    expect(decide(gateway, 'link.upload', NOW_MS).ok).toBe(true);
    expect(decide(gateway, 'study.read', NOW_MS).ok).toBe(false);
    for (const role of ROLES) expect(decide(who([role]), 'link.upload', NOW_MS).ok).toBe(false);
  });
  it('takes the role that reaches furthest', () => {
    const both = who(['radiologist', 'auditor'], ['site-a']);
    const decision = decide(both, 'audit.search', NOW_MS);
    expect(decision.ok && decision.value.reach.kind).toBe('all');
    expect(
      decide(who(['radiologist', 'hospital-it'], ['a']), 'identity.open', NOW_MS),
    ).toMatchObject({ value: { role: 'radiologist', reasonRequired: false } });
  });
});

describe('the second person', () => {
  it.each<[Role, string, Role | undefined]>([
    ['central-operator', 'pixels.read', 'central-operator'],
    ['raio', 'pixels.read', 'raio'],
    ['auditor', 'pixels.read', undefined],
    ['hospital-it', 'linkage.read', 'hospital-it'],
    ['privacy-officer', 'linkage.read', 'privacy-officer'],
    ['central-operator', 'linkage.read', undefined],
  ])('%s for %s is %s', (role, act, expected) => {
    expect(mayApprove(who([role], ['site-a']), act as Act, 'site-a')).toBe(expected);
  });
  it('of a hospital is of that hospital', () => {
    expect(mayApprove(who(['raio'], ['site-a']), 'pixels.read', 'site-b')).toBeUndefined();
  });
  it('exists for every act that needs one', () => {
    for (const act of ACTS_BY_TWO) {
      expect(ROLES.some((role) => mayApprove(who([role], ['s']), act, 's'))).toBe(true);
    }
  });
});

it('the table has a cell for every object and role', () => {
  for (const object of ACCESS_OBJECTS) {
    for (const role of ROLES) expect(cellOf(object, role)).not.toBeUndefined();
  }
});

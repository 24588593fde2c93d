/**
 * Goal: a decision is offered to another person whose role may agree, and to nobody else.
 * Method: one request, several sessions, and times around its ends.
 */
import { describe, expect, it } from '@jest/globals';
import type { ApprovalView, SessionView } from '@aifi/contracts-rest';
import { latestRequest, maySecond, sortApprovals, stateNow } from './approvers.js';

const REQUEST: ApprovalView = {
  ...{ id: '8a1f0f0e-6f2c-4c58-8a55-2f8f1c7b1d10', act: 'pixels.read', siteId: 'noord' },
  ...{ objectId: '2.25.1', reason: 'a reason', state: 'REQUESTED' },
  ...{ requestedBy: { id: 'anna', name: 'Anna' }, requestedAtMs: 1_000, expiresAtMs: 5_000 },
  ...{ decidedBy: null, decidedAtMs: null, decisionReason: null },
  ...{ grantedUntilMs: null, endedAtMs: null },
};
const session = (id: string, roles: string[], acts = ['approval.decide']): SessionView => ({
  ...{ user: { id, name: id }, roles, siteIds: [], acts, steppedUpUntilMs: null },
  ...{ expiresAtMs: 0, csrfToken: '', purpose: 'demonstration', server: 'hub' },
});

describe(maySecond.name, () => {
  it.each([
    ['another operator', session('bram', ['central-operator']), true],
    ['the RAIO of the site', session('raio', ['raio']), true],
    ['the person who asked', session('anna', ['central-operator']), false],
    ['an auditor, who only sees it', session('carla', ['auditor']), false],
    ['somebody without the act', session('bram', ['central-operator'], []), false],
  ])('%s', (_who, who, expected) => {
    expect(maySecond(who, REQUEST)).toBe(expected);
  });
});

describe(sortApprovals.name, () => {
  it('puts each request in exactly one list', () => {
    const all = (['REQUESTED', 'APPROVED', 'REFUSED', 'EXPIRED'] as const).flatMap((state) =>
      ['anna', 'bram'].map((id) => ({ ...REQUEST, state, requestedBy: { id, name: id } })),
    );
    const { toDecide, running, own, past } = sortApprovals(all, session('anna', []));
    expect([toDecide, running, own, past].map(({ length }) => length)).toEqual([1, 2, 3, 2]);
    expect(toDecide[0]?.requestedBy.id).toBe('bram');
  });
});

describe(latestRequest.name, () => {
  it("takes a person's newest request for this act on this object", () => {
    const newest = { ...REQUEST, requestedAtMs: 2_000 };
    const wanted = { act: 'pixels.read', siteId: 'noord', objectId: '2.25.1', userId: 'anna' };
    expect(latestRequest([REQUEST, newest], wanted)).toBe(newest);
    expect(latestRequest([REQUEST], { ...wanted, userId: 'bram' })).toBeUndefined();
    expect(latestRequest([REQUEST], { ...wanted, objectId: '2.25.2' })).toBeUndefined();
    expect(latestRequest([REQUEST], { ...wanted, siteId: 'zuid' })).toBeUndefined();
  });
});

describe(stateNow.name, () => {
  it('closes by time and never opens', () => {
    const granted = { ...REQUEST, state: 'APPROVED', grantedUntilMs: 3_000 } as const;
    expect([4_999, 5_000].map((nowMs) => stateNow(REQUEST, nowMs))).toEqual([
      ...['REQUESTED', 'EXPIRED'],
    ]);
    expect([2_999, 3_000].map((nowMs) => stateNow(granted, nowMs))).toEqual(['APPROVED', 'ENDED']);
    expect(stateNow({ ...granted, grantedUntilMs: null }, 0)).toBe('ENDED');
    expect(stateNow({ ...REQUEST, state: 'REFUSED' }, 0)).toBe('REFUSED');
  });
});

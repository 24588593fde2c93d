/**
 * Goal: no sequence of steps gives a grant without two persons, or one without an end.
 * Method: the pure machine, named rules and a random walk over all steps and times.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { APPROVAL_REQUEST_MS_MAX } from '@aifi/access-authorisation';
import type { Approval } from './approval-store.js';
import { decideRequest, endApproval, openRequest, stateAt } from './approval.js';

const ANNE = { id: 'anne', name: 'Anne' };
const BEN = { id: 'ben', name: 'Ben' };
const HOUR_MS = 3_600_000;
const request = (): Approval =>
  openRequest({
    ...{ id: '5b0c7a52-9f0c-4c3e-8a54-0a3f1d1f9a11', act: 'pixels.read', siteId: 'site-a' },
    ...{ objectId: '2.25.1', reason: 'the vendor reports noise', by: ANNE, nowMs: 1_000 },
  });
const says = (by: typeof ANNE, nowMs: number) => ({ by, nowMs, reason: 'agreed by telephone' });

describe('an approval', () => {
  it('gives a grant with an end when another person agrees', () => {
    const sut = decideRequest(request(), 'approve', says(BEN, 2_000));
    expect(sut).toMatchObject({ state: 'APPROVED', grantedUntilMs: 2_000 + HOUR_MS });
    expect(stateAt(sut, 2_000 + HOUR_MS - 1)).toBe('APPROVED');
    expect(stateAt(sut, 2_000 + HOUR_MS)).toBe('ENDED');
  });
  it('is never decided by the person who asked', () => {
    for (const decision of ['approve', 'refuse'] as const) {
      expect(() => decideRequest(request(), decision, says(ANNE, 2_000))).toThrow(
        expect.objectContaining({ code: 'FORBIDDEN' }),
      );
    }
  });
  it('expires when nobody decides', () => {
    const late = 1_000 + APPROVAL_REQUEST_MS_MAX;
    expect(stateAt(request(), late)).toBe('EXPIRED');
    expect(() => decideRequest(request(), 'approve', says(BEN, late))).toThrow(
      expect.objectContaining({ code: 'STATE_CONFLICT' }),
    );
  });
  it('is for acts that need a second person only', () => {
    const { id, siteId, objectId, reason } = request();
    const order = { id, siteId, objectId, reason, by: ANNE, nowMs: 1 };
    expect(() => openRequest({ ...order, act: 'audit.search' })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
  it('is final once it is refused, withdrawn, expired or ended', () => {
    const step = fc.record({
      kind: fc.constantFrom('approve' as const, 'refuse' as const, 'end' as const),
      by: fc.constantFrom(ANNE, BEN),
      waitMs: fc.integer({ min: 0, max: 2 * APPROVAL_REQUEST_MS_MAX }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        let [approval, nowMs] = [request(), 1_000];
        for (const { kind, by, waitMs } of steps) {
          nowMs += waitMs;
          const before = stateAt(approval, nowMs);
          try {
            approval =
              kind === 'end'
                ? endApproval(approval, { nowMs })
                : decideRequest(approval, kind, says(by, nowMs));
          } catch {
            expect(stateAt(approval, nowMs)).toBe(before);
            continue;
          }
          expect(['REQUESTED', 'APPROVED']).toContain(before);
          if (stateAt(approval, nowMs) !== 'APPROVED') continue;
          expect(approval.decidedBy).toEqual(BEN);
          expect(approval.grantedUntilMs! - nowMs).toBeLessThanOrEqual(HOUR_MS);
        }
      }),
    );
  });
});

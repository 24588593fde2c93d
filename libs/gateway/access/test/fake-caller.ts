/**
 * A Caller for tests of the stores, and drafts of records.
 * Decides nothing: it says who acts, with which key, and whether it was told of a repeat.
 */
import type { Act } from '@aifi/access-authorisation';
import type { AuditSubject, Caller } from '@aifi/access-web';
import type { AuditDraft } from '@aifi/contracts-rest';

export function draft(part: Partial<AuditDraft> = {}): AuditDraft {
  return {
    ...{ act: 'study.read', action: 'R', outcome: 'success', code: null },
    ...{ userId: 'anne', userName: 'Anne', userKind: 'person', role: 'radiologist' },
    ...{ responsibleUserId: null, siteId: 'site-a', objectType: 'study', objectId: '1.2' },
    ...{ patientId: null, reason: null, sourceAddress: '127.0.0.1', correlationId: 'c' },
    detail: {},
    ...part,
  };
}

export interface TestCaller extends Caller {
  /** How often the store said that it was a repeat. */
  readonly repeats: () => number;
}

export function callerOf(part: {
  readonly key: string | null;
  readonly act?: Act;
  readonly userId?: string;
}): TestCaller {
  const { key, act = 'patient-flag.set', userId = 'anne' } = part;
  let repeats = 0;
  return {
    ...{ principal: { kind: 'anonymous' }, act, userId, userName: userId },
    allowed: { role: null, reach: { kind: 'all' }, reasonRequired: false },
    ...{ sourceAddress: '127.0.0.1', correlationId: 'c', idempotencyKey: key },
    requireSite: () => undefined,
    sites: () => undefined,
    about: () => undefined,
    record: async () => undefined,
    draft: ({ objectType, objectId, patientId = null }: AuditSubject) =>
      draft({ act, action: 'C', userId, userName: userId, objectType, objectId, patientId }),
    repeated: () => void (repeats += 1),
    repeats: () => repeats,
  };
}

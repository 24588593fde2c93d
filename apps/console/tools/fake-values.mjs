/**
 * Values that the made-up answers share: times, digests, UIDs, sessions, approvals, audit records.
 * Decides that they have the shape of the contracts; every person and patient here is invented.
 */
import { createHash, randomUUID } from 'node:crypto';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const now = Date.now();
export const digest = (text) => createHash('sha256').update(text).digest('hex');
export const jobId = (text) => digest(text).slice(0, 32);
export const uid = (text) => `2.25.${BigInt(`0x${digest(text).slice(0, 30)}`)}`;

const PERSONS = {
  operator: ['Anna de Vries', ['central-operator'], []],
  second: ['Bram Jansen', ['central-operator'], []],
  auditor: ['Carla Smit', ['auditor'], []],
  procurement: ['Daan Bakker', ['procurement'], []],
  it: ['Eva Mulder', ['hospital-it'], ['noord']],
  radiologist: ['Dr. F. Visser', ['radiologist'], ['noord']],
  privacy: ['Greet Bos', ['privacy-officer'], ['noord']],
  referrer: ['Dr. H. Kuiper', ['referring-clinician'], ['noord']],
};

export function sessionOf(who, server, acts, { isFresh }) {
  const [name, roles, siteIds] = PERSONS[who];
  return {
    user: { id: who, name },
    ...{ roles, siteIds, acts, server, purpose: 'demonstration', csrfToken: 'token' },
    steppedUpUntilMs: isFresh ? Date.now() + 5 * MINUTE : null,
    expiresAtMs: Date.now() + 15 * MINUTE,
  };
}

/** A request for a second person. */
export function approval(act, objectId, more = {}) {
  return {
    ...{ id: randomUUID(), act, siteId: 'noord', objectId, state: 'REQUESTED' },
    reason: 'The operator sees repeated model failures on this study and must look at the image.',
    requestedBy: { id: 'second', name: PERSONS.second[0] },
    requestedAtMs: now - 12 * MINUTE,
    expiresAtMs: now + 23 * HOUR,
    ...{ decidedBy: null, decidedAtMs: null, decisionReason: null },
    ...{ grantedUntilMs: null, endedAtMs: null },
    ...more,
  };
}

export const granted = {
  state: 'APPROVED',
  decidedBy: { id: 'operator2', name: PERSONS.second[0] },
  decidedAtMs: now - 10 * MINUTE,
  decisionReason: 'Agreed, the failure is real and nobody else can look.',
  grantedUntilMs: now + 50 * MINUTE,
};

const RECORDS = [
  ['study.read', 'R', 'success', null, 'study'],
  ['study-list.read', 'R', 'success', null, 'study'],
  ['approval.request', 'C', 'success', null, 'approval'],
  ['pixels.read', 'R', 'refused', 'APPROVAL_REQUIRED', 'study'],
  ['session.start', 'E', 'success', null, 'session'],
  ['audit.export', 'R', 'failed', 'INTERNAL', 'audit'],
  ['rules.publish', 'C', 'success', null, 'rules'],
];

export function auditRecords(chain, count) {
  return Array.from({ length: count }, (_, index) => {
    const [act, action, outcome, code, objectType] = RECORDS[index % RECORDS.length];
    const sequence = 4_120 - index;
    return {
      ...{ act, action, outcome, code, objectType },
      userId: 'operator',
      userName: act === 'rules.publish' ? 'hub' : PERSONS.operator[0],
      userKind: act === 'rules.publish' ? 'system' : 'person',
      role: act === 'rules.publish' ? null : 'central-operator',
      responsibleUserId: act === 'pixels.read' ? 'second' : null,
      siteId: index % 3 === 0 ? '*' : 'noord',
      objectId: uid(`object ${index}`),
      patientId: chain.startsWith('gateway') ? `00${4_711 + (index % 3)}` : null,
      reason: code ? 'Looking for the cause of a failure.' : null,
      sourceAddress: '192.0.2.17',
      correlationId: randomUUID(),
      detail: act === 'study-list.read' ? { lines: 50, state: 'OPEN' } : {},
      ...{ chain, sequence, atMs: now - index * 7 * MINUTE },
      ...{ previousHash: digest(`hash ${sequence - 1}`), hash: digest(`hash ${sequence}`) },
    };
  });
}

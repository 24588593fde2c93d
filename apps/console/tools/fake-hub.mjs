/** Made-up answers of a hub, for looking at the pages without one. Decides nothing. */
import { approval, auditRecords, digest, granted, HOUR, jobId } from './fake-values.mjs';
import { MINUTE, now, uid } from './fake-values.mjs';

const BONE = { product: 'bone-age', version: '2.4.1' };
const FRACTURE = { product: 'fracture-detect', version: '1.8.0' };
export const STUDY = uid('study 0');

const deployment = (product, state = 'active') => ({
  ...{ ...product, state, modelDigest: digest(product.product) },
});
const sites = [
  {
    ...{ siteId: 'noord', purpose: 'demonstration', state: 'active' },
    ...{ enrolledAtMs: now - 90 * 24 * HOUR, lastSeenAtMs: now - 20_000 },
    ...{ openJobs: 3, waitingOutcomes: 1, rulesSequence: 12 },
    deployments: [deployment(BONE), deployment(FRACTURE)],
  },
  {
    ...{ siteId: 'zuid', purpose: 'demonstration', state: 'active' },
    ...{ enrolledAtMs: now - 60 * 24 * HOUR, lastSeenAtMs: now - 42 * MINUTE },
    ...{ openJobs: 17, waitingOutcomes: 6, rulesSequence: 9 },
    deployments: [deployment(FRACTURE, 'suspended')],
  },
  {
    ...{ siteId: 'west', purpose: 'demonstration', state: 'inactive' },
    ...{ enrolledAtMs: now - 2 * 24 * HOUR, lastSeenAtMs: null },
    ...{ openJobs: 0, waitingOutcomes: 0, rulesSequence: null, deployments: [] },
  },
];

const STATES = ['ACKNOWLEDGED', 'QUEUED', 'CONCLUDED', 'ACKNOWLEDGED', 'OPEN', 'INFERRED'];
const study = (index) => {
  const state = STATES[index % STATES.length];
  const isDone = state === 'CONCLUDED' || state === 'ACKNOWLEDGED';
  const openedAtMs = now - index * 9 * MINUTE - 30_000;
  return {
    siteId: index % 3 === 2 ? 'zuid' : 'noord',
    studyPseudonym: uid(`study ${index}`),
    jobId: jobId(`job ${index}`),
    revision: index % 5 === 4 ? 2 : 1,
    ...(index % 2 ? FRACTURE : BONE),
    ...{ lane: index % 2 ? 'acute' : 'routine', state, openedAtMs },
    code: index % 6 === 3 ? 'MODEL_FAILED' : null,
    concludedAtMs: isDone ? openedAtMs + 21_480 : null,
    acknowledgedAtMs: state === 'ACKNOWLEDGED' ? openedAtMs + 23_900 : null,
  };
};

const opened = now - 14 * MINUTE;
const job = (more = {}) => ({
  ...{ siteId: 'noord', jobId: jobId('job 0'), ...BONE, modelDigest: digest('bone-age') },
  ...{ lane: 'routine', revision: 1, state: 'ACKNOWLEDGED', code: null },
  manifestSha256: digest('manifest'),
  objects: { declared: 4, held: 4, bytes: 18_734_112 },
  times: {
    ...{ openedAtMs: opened, storedAtMs: opened + 4_210, queuedAtMs: opened + 4_268 },
    ...{ inferredAtMs: opened + 19_900, concludedAtMs: opened + 21_480 },
    acknowledgedAtMs: opened + 23_900,
  },
  queue: {
    ...{ state: 'DONE', leaseEpoch: 3, attempts: 1, leaseUntilMs: null },
    ...{ nextAttemptAtMs: opened + 9_000, lastFault: 'MODEL_FAILED' },
  },
  inference: {
    ...{ modelDigest: digest('bone-age'), inputDigest: digest('input') },
    ...{ outputSha256: digest('output'), outputBytes: 2_412, leaseEpoch: 2 },
    ...{ startedAtMs: opened + 11_300, finishedAtMs: opened + 19_720 },
  },
  outcomes: [
    {
      ...{ issue: 0, sequence: 881, createdAtMs: opened + 21_480 },
      acknowledgedAtMs: opened + 23_900,
      objects: [
        { index: 0, sha256: digest('sr'), bytes: 9_300 },
        { index: 1, sha256: digest('sc'), bytes: 402_113 },
      ],
    },
  ],
  ...more,
});
const waiting = job({
  ...{ ...FRACTURE, jobId: jobId('job 1'), state: 'QUEUED', lane: 'acute', outcomes: [] },
  inference: null,
  times: {
    ...{ openedAtMs: opened, storedAtMs: opened + 4_210, queuedAtMs: opened + 4_300 },
    ...{ inferredAtMs: null, concludedAtMs: null, acknowledgedAtMs: null },
  },
  queue: {
    ...{ state: 'QUEUED', leaseEpoch: 4, attempts: 3, leaseUntilMs: null },
    ...{ nextAttemptAtMs: now + 90_000, lastFault: 'MODEL_FAILED' },
  },
});

const hours = Array.from({ length: 24 }, (_, index) => {
  const openedJobs = Math.round(30 + 26 * Math.sin((index - 7) / 4) + (index % 3) * 4);
  const failed = index % 7 === 3 ? 4 : index % 2;
  return {
    startMs: now - (now % HOUR) - (23 - index) * HOUR,
    ...{ opened: openedJobs, concluded: Math.max(0, openedJobs - 3), failed },
  };
});

export const HUB_ACTS = {
  operator: [
    ...['health.read', 'models.read', 'study-list.read', 'study.read', 'approvals.read'],
    ...['approval.request', 'approval.decide', 'approval.end', 'pixels.read', 'audit.search'],
  ],
  auditor: [
    ...['health.read', 'models.read', 'study-list.read', 'study.read', 'approvals.read'],
    ...['approval.request', 'approval.decide', 'approval.end', 'audit.search', 'audit.export'],
  ],
  procurement: ['models.read'],
};

export const hubApprovals = [
  approval('pixels.read', uid('study 5')),
  approval('pixels.read', STUDY, {
    ...{ requestedBy: { id: 'operator', name: 'Anna de Vries' }, ...granted },
  }),
  approval('pixels.read', uid('study 2'), {
    ...{ ...granted, requestedBy: { id: 'operator', name: 'Anna de Vries' }, state: 'REFUSED' },
    ...{ grantedUntilMs: null, decisionReason: 'The log says enough; no image is needed.' },
  }),
  approval('pixels.read', uid('study 7'), { state: 'EXPIRED', siteId: 'zuid' }),
];

/** Answers by method and path; a function gets the match and the query. */
export const hubAnswers = [
  [
    /^\/api\/v1\/status$/,
    () => ({
      ...{ purpose: 'demonstration', version: '0.1.0', roles: ['api', 'jobs'], atMs: now },
      jobs: { OPEN: 2, QUEUED: 14, INFERRED: 1, CONCLUDED: 6, ACKNOWLEDGED: 1_204 },
    }),
  ],
  [/^\/api\/v1\/sites$/, () => ({ sites })],
  [/^\/api\/v1\/sites\/[^/]+\/activity$/, () => ({ hours })],
  [
    /^\/api\/v1\/models$/,
    () => ({
      models: [BONE, FRACTURE].map((product, index) => ({
        ...{ ...product, name: index ? 'Fracture Detect' : 'Bone Age', vendor: 'Demo Devices BV' },
        ...{ purpose: 'demonstration', label: 'DEMONSTRATION, not a medical device' },
        ...{ lane: index ? 'acute' : 'routine', modelDigest: digest(product.product) },
        sites: index
          ? [
              { siteId: 'noord', state: 'active' },
              { siteId: 'zuid', state: 'suspended' },
            ]
          : [{ siteId: 'noord', state: 'active' }],
      })),
    }),
  ],
  [
    /^\/api\/v1\/studies$/,
    (_match, query) => {
      const first = Number(query.get('cursor') ?? 0);
      const items = Array.from({ length: 12 }, (_, index) => study(first + index));
      return { items, nextCursor: first < 36 ? String(first + 12) : null };
    },
  ],
  [
    /^\/api\/v1\/sites\/[^/]+\/studies\/([^/]+)$/,
    ([, studyPseudonym]) => ({ studyPseudonym, jobs: [job(), waiting] }),
  ],
  [/^\/api\/v1\/jobs\/([^/]+)$/, () => ({ jobs: [job()] })],
  [
    /^\/api\/v1\/sites\/[^/]+\/studies\/[^/]+\/instances$/,
    () => ({
      grantedUntilMs: now + 50 * MINUTE,
      instances: [0, 1, 2, 3].map((index) => ({
        ...{ index, sopInstancePseudonym: uid(`instance ${index}`), sizeBytes: 4_683_528 },
        sha256: digest(`instance ${index}`),
      })),
    }),
  ],
  [/^\/api\/v1\/audit$/, () => ({ items: auditRecords('hub:noord', 14), nextCursor: 'older' })],
];

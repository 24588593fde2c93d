/** Made-up answers of a gateway, for looking at the page without one. Decides nothing. */
import { randomUUID } from 'node:crypto';
import { approval, auditRecords, digest, granted, HOUR, jobId } from './fake-values.mjs';
import { MINUTE, now, uid } from './fake-values.mjs';

export const GATEWAY_STUDY = uid('gateway study 0');
export const GATEWAY_JOB = jobId('gateway job 0');
const SR = '1.2.840.10008.5.1.4.1.1.88.33';
const SC = '1.2.840.10008.5.1.4.1.1.7';

const patient = (index) => ({
  patientId: `00471${index}`,
  issuer: null,
  name: ['Testpatiënt, Anna', 'Voorbeeld, Pieter', 'Demonstratie, Fatima'][index % 3],
  birthDate: ['20140312', '19620801', '19980420'][index % 3],
  sex: ['F', 'M', 'F'][index % 3],
  accessionNumber: `A2026${1_000 + index}`,
});
const result = (role, state, name) => ({
  ...{ role, state, sopClassUid: role === 'SR' ? SR : SC },
  ...{ seriesInstanceUid: uid(`series ${name}`), sopInstanceUid: uid(`instance ${name}${role}`) },
});
const product = (name, state, more = {}) => ({
  ...{ product: name, version: '2.4.1', jobId: jobId(name + state), revision: 1, state },
  ...{ code: null, detail: null, words: null, results: [], ...more },
});
const why = (code, nl, en) => ({ code, words: { nl, en } });

const PRODUCTS = [
  [
    product('bone-age', 'RESULT_IN_PACS', {
      results: [result('SR', 'VERIFIED', 'a'), result('SC', 'VERIFIED', 'a')],
    }),
  ],
  [
    product('fracture-detect', 'UPLOADED'),
    product('bone-age', 'NOT_ELIGIBLE_LOGGED', {
      ...why(
        'OUT_OF_INTENDED_USE',
        'het onderzoek valt buiten het beoogde gebruik van het product',
        'the study is outside the intended use of the product',
      ),
      detail: 'age 64 years, rule bone-age-3',
    }),
  ],
  [
    product('fracture-detect', 'QUARANTINED', {
      ...why(
        'QUARANTINED_PIXELS',
        'tegengehouden: in het beeld staan mogelijk patiëntgegevens',
        'held at the gateway: the images may show who the patient is',
      ),
    }),
  ],
  [
    product('fracture-detect', 'NOT_ANALYSED_NOTIFIED', {
      ...why(
        'MODEL_FAILED',
        'de analyse door het product is mislukt',
        'the analysis by the product failed',
      ),
      results: [result('SR', 'DEAD', 'b')],
    }),
  ],
  [],
];
const STATES = ['DONE', 'IN_PROGRESS', 'IN_PROGRESS', 'DONE', 'DONE'];

const studyRow = (index, who) => {
  const mask = index === 1 ? 'vip' : index === 4 ? 'own-staff' : null;
  const masked = mask ?? (who === 'it' ? 'reason-required' : null);
  return {
    studyInstanceUid: uid(`gateway study ${index}`),
    modality: ['DX', 'CR', 'US', 'CT'][index % 4],
    studyDescription: ['Hand links', 'Pols rechts', null, 'Thorax met contrast'][index % 4],
    receivedInstances: [1, 2, 14, 412][index % 4],
    receivedAtMs: now - index * 17 * MINUTE - 40_000,
    ...{ revision: 1, state: STATES[index % 5], masked },
    patient: masked || who === 'referrer' ? null : patient(index),
    products: PRODUCTS[index % 5],
    statusObject:
      index % 5 === 0
        ? {
            ...{ sopClassUid: SR, seriesInstanceUid: uid('s'), sopInstanceUid: uid('status') },
            ...{ state: 'VERIFIED', issue: 1 },
          }
        : null,
  };
};

const at = now - 22 * MINUTE;
const hop = (stage, event, ms, detail = {}, job = null) => ({
  ...{ stage, event, jobId: job, atMs: at + ms, detail },
});
const delivery = (role, index, more = {}) => ({
  ...{ issue: 0, index, role, sopClassUid: SR, seriesInstanceUid: uid('series') },
  ...{ sopInstanceUid: uid(`out ${role}`), sha256: digest(role), state: 'VERIFIED' },
  ...{ dimseStatus: 0, attempts: 1, nextAttemptAtMs: at + 30_000, lastFault: null, ...more },
});
const stopped = (name, state, code, more = {}) => ({
  ...{ jobId: jobId(`stopped ${name}`), product: name, version: '1.1.0', lane: 'routine', code },
  ...{ modelDigest: digest(name), revision: 1, state, detail: null, createdAtMs: at },
  ...{ terminalAtMs: state === 'QUARANTINED' ? null : at + HOUR, deadlineAtMs: at + HOUR },
  ...{ upload: null, outcomes: [], deliveries: [], files: [], ...more },
});
const trace = (studyInstanceUid) => ({
  ...{ siteId: 'noord', studyInstanceUid, modality: 'DX', revision: 1 },
  received: {
    ...{ instances: 2, open: 0, conflicts: 0, bytes: 18_734_112 },
    ...{ firstAtMs: at, lastAtMs: at + 1_900, callingAeTitles: ['DX_ROOM_3'] },
  },
  files: { folder: 'incoming', rows: 2, files: 2, bytes: 18_734_112 },
  journal: [
    hop('assemble', 'closed', 12_000, { revision: 1, instances: 2 }),
    hop('select', 'selected', 12_120, { product: 'bone-age', state: 'SELECTED' }, GATEWAY_JOB),
    hop(
      'pseudonymise',
      'spooled',
      12_800,
      { objects: 2, manifestSha256: digest('m') },
      GATEWAY_JOB,
    ),
    hop('uplink', 'uploaded', 16_400, { attempt: 2 }, GATEWAY_JOB),
    hop('downlink', 'returned', 38_000, { objects: 2, issue: 0, outcome: 'result' }, GATEWAY_JOB),
    hop('reidentify', 'reidentified', 38_300, { objects: 2 }, GATEWAY_JOB),
    hop('deliver', 'delivered', 39_900, { objects: 2, issue: 0 }, GATEWAY_JOB),
    hop('deliver', 'status-issued', 40_100, { issue: 0, revision: 1, products: 1 }),
    hop('deliver', 'status-delivered', 41_000, { issue: 0 }),
  ],
  jobs: [
    {
      ...{ jobId: GATEWAY_JOB, product: 'bone-age', version: '2.4.1', lane: 'routine' },
      ...{ modelDigest: digest('bone-age'), revision: 1, state: 'RESULT_IN_PACS' },
      ...{ code: null, detail: null, createdAtMs: at + 12_120, terminalAtMs: at + 39_900 },
      deadlineAtMs: at + HOUR,
      upload: {
        ...{ state: 'STORED', manifestSha256: digest('m'), inputDigest: digest('i') },
        ...{ objects: 2, acknowledged: 2, bytes: 18_700_000, attempts: 1 },
        ...{ nextAttemptAtMs: at + 16_000, lastFault: 'PEER_UNAVAILABLE' },
      },
      outcomes: [],
      deliveries: [
        delivery('SR', 0),
        delivery('SC', 1, {
          ...{ state: 'QUEUED', dimseStatus: 0xa700, attempts: 3, lastFault: 'PEER_REFUSED' },
          nextAttemptAtMs: now + 40_000,
        }),
      ],
      files: [
        { folder: 'spool', rows: 2, files: 0, bytes: 0 },
        { folder: 'outgoing', rows: 2, files: 2, bytes: 411_000 },
      ],
    },
    stopped('fracture-detect', 'QUARANTINED', 'QUARANTINED_PIXELS', { waitingImages: 2 }),
    stopped('tissue', 'NOT_ANALYSED_NOTIFIED', 'QUARANTINED_IDENTIFIER'),
  ],
  statusObjects: [{ ...delivery('status', 0), revision: 1, createdAtMs: at + 40_100 }],
});

const refusal = (minutes, what, code, dimseStatus, count) => ({
  ...{ atMs: now - minutes * MINUTE, callingAeTitle: what === 'stream' ? '' : 'US_ROOM_1' },
  ...{ what, code, dimseStatus, count },
});

const HOLDS = [
  ['bone-age', 'acute', [{ frame: 0, x: 18, y: 12, width: 180, height: 26 }], 1, 'text was seen'],
  [
    ...['fracture-detect', 'routine'],
    [
      { frame: 1, x: 300, y: 20, width: 190, height: 24 },
      { frame: 3, x: 12, y: 460, width: 160, height: 30 },
    ],
    ...[2, 'the sender says that the image has text in it'],
  ],
  ['tissue', 'routine', [], 1, 'kind of image that a person looks at'],
];
export const HELD = '2';
const hold = ([name, lane, findings, files, reason], index, who) => ({
  ...{ id: String(index + 1), heldAtMs: now - (index + 1) * 9 * MINUTE, product: name, lane },
  ...{ jobId: jobId(`hold ${index}`), sha256: digest(`hold ${index}`), reason, files, findings },
  studyInstanceUid: who === 'privacy' ? null : uid(`gateway study ${index}`),
  ...{ deadlineAtMs: now + (index === 2 ? -3 : index + 1) * HOUR, isLate: index === 2 },
  asksReason: who === 'it',
});
function holds(query, who) {
  const items = HOLDS.map((one, index) => hold(one, index, who)).filter(({ id }) =>
    [null, id].includes(query.get('holdId')),
  );
  return { items, nextCursor: null, total: items.length };
}
const registered = (index) => ({
  ...{ jobId: jobId(`r ${index}`), studyInstanceUid: uid(`gateway study ${index >> 1}`) },
  ...{
    sopInstanceUid: uid(`result ${index}`),
    seriesInstanceUid: uid('series'),
    product: 'bone-age',
  },
  ...{ sopClassUid: index % 2 ? SC : SR, productVersion: '2.4.1', modelDigest: digest('bone-age') },
  ...{ issue: 0, revision: 1, studyDate: index === 3 ? null : '20261118' },
  registeredAtMs: now - index * 5 * HOUR,
});

const STUDIES = ['hospital-study-list.read', 'hospital-study.read', 'identity.open'];
const APPROVALS = ['approvals.read', 'approval.request', 'approval.decide', 'approval.end'];
const PIXELS = [
  ...['pixel-holds.read', 'pixel-hold.open', 'pixel-hold.release', 'pixel-hold.reject'],
];
export const GATEWAY_ACTS = {
  it: [
    ...['health.read', 'dead-letters.read', 'dead-letter.replay', 'results-register.read'],
    ...['job.retry', 'patient-code.read', ...PIXELS],
    ...STUDIES,
    ...APPROVALS,
    'linkage.read',
    'audit.search',
  ],
  radiologist: [...STUDIES, ...PIXELS, 'audit.search'],
  privacy: [
    ...[
      'health.read',
      'dead-letters.read',
      'pixel-holds.read',
      'results-register.read',
      'patient-code.read',
      'vault.erase',
      ...APPROVALS,
      'audit.search',
      'audit.export',
      'patient-extract.read',
    ],
    ...['patient-flags.read', 'patient-flag.set', 'patient-flag.remove'],
    ...['alerts.read', 'alert.acknowledge'],
  ],
  referrer: [],
};

export const gatewayApprovals = [
  approval('linkage.read', jobId('other')),
  approval('vault.erase', digest('another patient').slice(0, 24)),
  approval('linkage.read', GATEWAY_JOB, {
    ...{ ...granted, requestedBy: { id: 'it', name: 'Eva Mulder' } },
  }),
];

const LETTERS = [
  [
    'bone-age',
    'SR',
    'PEER_REFUSED',
    'A900',
    'het PACS weigert dit object: zoek in het PACS waarom',
  ],
  [
    'fracture-detect',
    'SC',
    'RESULT_LOST',
    '0000',
    'het PACS nam het object aan maar bewaarde het niet, meer dan eens',
  ],
  [null, 'status', 'REASON_OF_LATER', null, null],
];
const LETTER_WORDS = {
  PEER_REFUSED: 'the PACS refuses this object: look in the PACS for the cause',
  RESULT_LOST: 'the PACS took the object but did not keep it, more than once',
};
const letter = ([product, kind, code, dimseStatus, nl], index, who) => ({
  ...{ id: `${kind === 'status' ? 'status_object' : 'delivery'}:${index + 1}`, product, kind },
  ...{ sinceMs: now - (index * 5 + 1) * HOUR, jobId: jobId(`letter ${index}`), code, dimseStatus },
  studyInstanceUid: who === 'it' ? uid(`gateway study ${index}`) : null,
  ...{ words: nl && { nl, en: LETTER_WORDS[code] }, attempts: 3 + index, replays: index % 2 },
});
function letters(query, who) {
  const chosen = LETTERS.filter(([, , code]) => [null, code].includes(query.get('code')));
  const items = chosen.map((one, index) => letter(one, index, who));
  return { items, nextCursor: null, total: items.length };
}

const flag = (index) => ({
  ...{ id: randomUUID(), patientId: `00471${index}`, issuer: null },
  ...{ kind: index % 2 ? 'vip' : 'own-staff', sinceMs: now - index * 24 * HOUR, setBy: 'privacy' },
});
const alert = (index) => ({
  ...{ id: randomUUID(), atMs: now - index * HOUR, kind: 'identity-opened' },
  ...{ masked: index % 2 ? 'vip' : 'own-staff', userId: 'it', userName: 'Eva Mulder' },
  studyInstanceUid: uid(`gateway study ${index}`),
  reason: 'The ward asks where the result of the trauma patient is.',
  acknowledgedAtMs: index > 1 ? now - 20 * MINUTE : null,
  acknowledgedBy: index > 1 ? 'Greet Bos' : null,
});

/** Answers by path; a function gets the match, the query and who asks. */
export const gatewayAnswers = [
  [
    /^\/api\/v1\/status$/,
    () => ({
      ...{ siteId: 'noord', purpose: 'demonstration', version: '0.1.0', atMs: now },
      rules: { sequence: 12, issuedAtMs: now - 5 * HOUR },
      ...{ link: 'up', pacsBreaker: 'open', diskFreeBytes: 812_300_000, studies: 412 },
      disk: { level: 'refuse-routine', usedPercent: 86.4, freeBytes: 812_300_000 },
      delivery: { breaker: 'open', openCommitments: 2 },
      pixelHolds: { count: HOLDS.length, oldestMs: now - 27 * MINUTE },
      deadLetters: { count: LETTERS.length, oldestMs: now - 11 * HOUR },
      jobs: { SPOOLED: 2, UPLOADED: 3, QUARANTINED: 1, RESULT_IN_PACS: 388 },
      spool: { jobs: 2, objects: 61, bytes: 84_000_000 },
      hubAnchors: { lastDay: '2026-11-20', contradictions: 0 },
      refusals: [
        refusal(3, 'object', 'DICOM_MALFORMED', 0xc000, 2),
        refusal(14, 'association', 'FORBIDDEN', null, 31),
        refusal(55, 'stream', 'DICOM_MALFORMED', null, 1),
      ],
    }),
  ],
  [
    /^\/api\/v1\/studies$/,
    (_match, _query, who) => ({
      items: Array.from({ length: 8 }, (_, index) => studyRow(index, who)),
      nextCursor: null,
    }),
  ],
  [/^\/api\/v1\/studies\/([^/]+)$/, ([, studyInstanceUid]) => trace(studyInstanceUid)],
  [/^\/api\/v1\/jobs\/[^/]+\/trace$/, () => trace(GATEWAY_STUDY)],
  [/^\/api\/v1\/studies\/[^/]+\/identity$/, () => patient(1)],
  [
    /^\/api\/v1\/jobs\/([^/]+)\/linkage$/,
    ([, id]) => ({
      ...{ jobId: id, studyInstanceUid: GATEWAY_STUDY, studyPseudonym: uid('pseudonym') },
      ...{ patient: patient(0), grantedUntilMs: now + 50 * MINUTE },
    }),
  ],
  [/^\/api\/v1\/dead-letters$/, (_match, query, who) => letters(query, who)],
  [/^\/api\/v1\/dead-letters\/.*replay$/, () => ({ replayed: 2, skipped: 1 })],
  [/^\/api\/v1\/pixel-holds$/, (_match, query, who) => holds(query, who)],
  [
    /^\/api\/v1\/pixel-holds\/([^/]+)\/opening$/,
    ([, id]) => ({
      ...{ id, sha256: digest(`hold ${Number(id) - 1}`), frames: id === HELD ? 4 : 1 },
      ...{ rows: 512, columns: 512, untilMs: now + 15 * MINUTE },
    }),
  ],
  [
    /^\/api\/v1\/pixel-holds\/([^/]+)\/(release|rejection)$/,
    ([, id, what]) => ({
      ...{ id, state: what === 'release' ? 'RELEASED' : 'REJECTED', isDecided: true },
      ...{ waiting: 0, isTakenUp: what === 'release' },
    }),
  ],
  [
    /^\/api\/v1\/jobs\/([^/]+)\/retry$/,
    ([, id]) => ({ jobId: id, isTakenUp: true, state: 'SELECTED' }),
  ],
  [
    /^\/api\/v1\/results-register$/,
    () => ({ items: [0, 1, 2, 3].map(registered), nextCursor: 'x', total: 61, studies: 30 }),
  ],
  [
    /^\/api\/v1\/vault\/patient-codes$/,
    () => ({ code: digest('p').slice(0, 24), studies: 2, studiesWithoutIssuer: 1 }),
  ],
  [/^\/api\/v1\/vault\/erasures$/, () => ({ code: digest('p'), jobs: 2, results: 0 })],
  [/^\/api\/v1\/patient-flags$/, () => ({ items: [1, 2, 3].map(flag), nextCursor: null })],
  [/^\/api\/v1\/patient-flags\/[^/]+\/removal$/, () => flag(1)],
  [/^\/api\/v1\/alerts$/, () => ({ items: [0, 1, 2, 3].map(alert), nextCursor: null })],
  [/^\/api\/v1\/alerts\/[^/]+\/acknowledgement$/, () => alert(2)],
  [/^\/api\/v1\/audit$/, () => ({ items: auditRecords('gateway:noord', 14), nextCursor: null })],
  [
    /^\/api\/v1\/audit\/patient-extract$/,
    () => ({
      text: 'Op 3 november 2026 om 09:12 zag Dr. F. Visser (radioloog) een onderzoek van u.',
      records: auditRecords('gateway:noord', 3),
    }),
  ],
];

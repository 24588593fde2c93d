/**
 * One call for each REST route of the gateway, about an object that exists.
 * Decides what a caller asks of a route. Invariant: a route without a call does not compile.
 */
import { PIXEL_VIEWS } from '@aifi/contracts-rest';
import type { RouteId } from './access-rows.table.js';
import { PATIENT, RESULT_UID, type PlantedGateway } from './planted-gateway.js';
import { PLANTED_ACCESSION } from './planted-retrieval.js';
import { OWN_SITE } from './role-sign-in.js';

export interface RouteCall {
  /** Status of a success. @default 200 */
  readonly success?: number;
  /** Whether the answer ends by itself. */
  readonly isStream?: true;
  send(gateway: PlantedGateway, token: string | undefined): Promise<Response>;
}

export const REASON = 'the patient asks who has seen this';
const get = (path: string): RouteCall => ({ send: (gateway, token) => gateway.call(token, path) });
const post = (path: string, body: object): RouteCall => ({
  send: (gateway, token) => gateway.post(token, path, body),
});
const study = `/api/v1/studies/${PATIENT.studyUid}`;

export const askFor = (gateway: PlantedGateway, token: string | undefined): Promise<Response> =>
  gateway.post(token, '/api/v1/approvals', {
    ...{ act: 'linkage.read', siteId: OWN_SITE, objectId: PATIENT.jobId, reason: REASON },
  });
/** A fresh request of somebody else. */
async function requestOf(gateway: PlantedGateway): Promise<string> {
  const response = await askFor(gateway, 'hospital-it.own.asks');
  return ((await response.json()) as { id: string }).id;
}
const step = (path: string, body: object): RouteCall => ({
  send: async (gateway, token) =>
    gateway.post(token, `/api/v1/approvals/${await requestOf(gateway)}/${path}`, body),
});
let flags = 0;
/** A fresh flag of a patient of nobody's. */
async function flagOf(gateway: PlantedGateway): Promise<string> {
  const patient = { ...PATIENT, patientId: `flag-${(flags += 1)}` };
  return (await gateway.flag(patient, 'vip')).id;
}
async function alertOf({ access, clock }: PlantedGateway): Promise<string> {
  await access.database.transaction((tx) =>
    access.alerts.raise(tx, {
      ...{ atMs: clock.nowMs(), masked: 'vip', userId: 'u', userName: 'U' },
      ...{ studyInstanceUid: PATIENT.studyUid, reason: REASON },
    }),
  );
  const { items } = access.alerts.list({ limit: 200 });
  return items.find(({ acknowledgedAtMs }) => acknowledgedAtMs === null)!.id;
}

const RETRIEVALS = '/api/v1/retrievals';
let retrievals = 0;
const HOLDS = '/api/v1/pixel-holds';
/** Somebody who may look has opened the images and seen them: the caller, where that is allowed. */
const holdStep = (path: string, isSeen = false): RouteCall => ({
  send: async (gateway, token) => {
    const [hold] = await gateway.pixelHolds();
    const { id, sha256 } = hold!;
    if (isSeen) {
      await gateway.post(token, `${HOLDS}/${id}/opening`, { reason: REASON });
      for (const view of PIXEL_VIEWS) {
        await gateway.call(token, `${HOLDS}/${id}/preview?view=${view}`);
      }
    }
    const body = path === 'opening' ? { reason: REASON } : { sha256, reason: REASON };
    return gateway.post(token, `${HOLDS}/${id}/${path}`, body);
  },
});
const previewCall: RouteCall = {
  send: async (gateway, token) => {
    const [hold] = await gateway.pixelHolds();
    await gateway.post(token, `${HOLDS}/${hold!.id}/opening`, { reason: REASON });
    return gateway.call(token, `${HOLDS}/${hold!.id}/preview?frame=0`);
  },
};
const CATALOGUE = '/api/v1/catalogue';
const fileOf = (text: string): object => ({ file: Buffer.from(text).toString('base64') });
let codes = 0;
const catalogueOf = (code: string): object => fileOf(`code;bodyPart\n${code};CHEST\n`);
/** Two fresh versions; goes back to the first of them. */
const rollBack: RouteCall = {
  send: async (gateway, token) => {
    const made: { version: { version: number } | null }[] = [];
    for (const code of [`A${(codes += 1)}`, `B${codes}`]) {
      const body = catalogueOf(code);
      const answer = await gateway.post('hospital-it.own.imports', `${CATALOGUE}/versions`, body);
      made.push((await answer.json()) as (typeof made)[number]);
    }
    const version = made[0]!.version!.version;
    return gateway.post(token, `${CATALOGUE}/rollbacks`, { version, reason: REASON });
  },
};
const OBJECTIONS = '/api/v1/objections';
const objecting = { patientId: 'OB-1', kinds: ['secondary-use'] };
const objectionList = fileOf('number;kind\nOB-2;sharing\n');
const fhirConsent = {
  ...{ resourceType: 'Consent', status: 'active', provision: { type: 'deny' } },
  scope: {
    coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'research' }],
  },
  category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
  patient: { identifier: { value: 'OB-3' } },
};
const erasedPatient = { patientId: PATIENT.patientId, issuer: null };

type ById<T> = Readonly<Record<RouteId, T>>;
export const CALLS: ById<readonly RouteCall[]> = {
  health: [get('/healthz')],
  metrics: [get('/metrics')],
  openApi: [get('/api/v1/openapi.json')],
  protectedResource: [get('/.well-known/oauth-protected-resource')],
  session: [get('/api/v1/session')],
  events: [{ ...get('/api/v1/events'), isStream: true }],
  signIn: [{ ...get('/auth/sign-in'), success: 303 }],
  stepUp: [{ ...get('/auth/step-up'), success: 303 }],
  callback: [{ ...get('/auth/callback?code=x&state=y'), success: 303 }],
  signOut: [post('/auth/sign-out', {})],
  backChannelLogout: [
    {
      send: (gateway, token) =>
        gateway.call(token, '/auth/back-channel-logout', {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: 'logout_token=x',
        }),
    },
  ],
  status: [get('/api/v1/status')],
  listStudies: [get('/api/v1/studies'), get('/api/v1/studies?state=DONE&fromMs=1&limit=2')],
  study: [get(study)],
  jobTrace: [get(`/api/v1/jobs/${PATIENT.jobId}/trace`)],
  deadLetters: [get('/api/v1/dead-letters'), get('/api/v1/dead-letters?code=PEER_REFUSED&limit=2')],
  link: [get('/api/v1/link')],
  setup: [get('/api/v1/setup')],
  runSetupChecks: [
    {
      send: async (gateway, token) => {
        const answer = await gateway.post(token, '/api/v1/setup/checks', { checks: ['inbound'] });
        // One run at a time: the next caller must not meet this one.
        await gateway.sources.setup.runner.stop();
        return answer;
      },
    },
  ],
  stopSetupChecks: [post('/api/v1/setup/checks/stop', {})],
  planSetup: [post('/api/v1/setup/plan', { settings: {} })],
  applySetup: [post('/api/v1/setup/settings', { settings: {} })],
  undoSetup: [post('/api/v1/setup/settings/undo', {})],
  probe: [get('/api/v1/probe')],
  runProbe: [post('/api/v1/probe/runs', {})],
  joinLink: [post('/api/v1/link/join', { token: 'aifi-join.of-an-access-test' })],
  replayDeadLetter: [
    {
      send: async (gateway, token) =>
        gateway.post(token, `/api/v1/dead-letters/${await gateway.deadLetter()}/replay`, {}),
    },
  ],
  replayDeadLetters: [
    post('/api/v1/dead-letters/replay', { all: true }),
    post('/api/v1/dead-letters/replay', { code: 'PEER_REFUSED', olderThanMs: 0 }),
  ],
  reconciliation: [get('/api/v1/reconciliation'), get('/api/v1/reconciliation?limit=1')],
  dismissMissedStudy: [
    {
      send: async (gateway, token) =>
        gateway.post(token, `/api/v1/reconciliation/${await gateway.missedStudy()}/dismissal`, {
          reason: 'sent to another gateway',
        }),
    },
  ],
  catalogue: [get(CATALOGUE)],
  catalogueCoverage: [get(`${CATALOGUE}/coverage`), get(`${CATALOGUE}/coverage?days=7`)],
  exportCatalogue: [get(`${CATALOGUE}/export`)],
  checkCatalogue: [post(`${CATALOGUE}/checks`, catalogueOf('CH1'))],
  importCatalogue: [post(`${CATALOGUE}/versions`, catalogueOf('IM1'))],
  rollBackCatalogue: [rollBack],
  findObjections: [post(`${OBJECTIONS}/search`, { patientId: 'OB-1' })],
  setObjection: [post(OBJECTIONS, objecting)],
  withdrawObjection: [post(`${OBJECTIONS}/withdrawal`, { ...objecting, reason: REASON })],
  checkObjectionList: [post(`${OBJECTIONS}/list-checks`, objectionList)],
  importObjectionList: [post(`${OBJECTIONS}/lists`, objectionList)],
  receiveConsent: [post('/api/v1/consents/fhir', fhirConsent)],
  fetchMissedStudy: [
    {
      send: async (gateway, token) =>
        gateway.post(token, `/api/v1/reconciliation/${await gateway.missedStudy()}/retrieval`, {}),
    },
  ],
  retrievals: [get(RETRIEVALS), get(`${RETRIEVALS}?state=QUEUED&limit=1`)],
  requestRetrieval: [
    post(RETRIEVALS, { studyInstanceUid: '1.2.99.1' }),
    post(RETRIEVALS, { accessionNumber: PLANTED_ACCESSION, product: 'tissue' }),
  ],
  withdrawRetrieval: [
    {
      send: async (gateway, token) => {
        const studyUid = `1.2.98.${(retrievals += 1)}`;
        const [id] = await gateway.sources.retrieval.queue([{ studyUid, cause: 'by-hand' }]);
        return gateway.post(token, `${RETRIEVALS}/${id}/withdrawal`, {});
      },
    },
  ],
  productRequests: [get(`/api/v1/studies/${PATIENT.studyUid}/requests`)],
  requestProduct: [
    post(`/api/v1/studies/${PATIENT.studyUid}/requests`, { product: 'tissue' }),
    post(`/api/v1/studies/${PATIENT.studyUid}/requests`, { product: 'lung', reason: REASON }),
  ],
  pixelHolds: [get(HOLDS), get(`${HOLDS}?limit=2&jobId=${PATIENT.jobId}`)],
  openPixelHold: [holdStep('opening')],
  pixelHoldPreview: [previewCall],
  releasePixelHold: [holdStep('release', true)],
  rejectPixelHold: [holdStep('rejection')],
  retryJob: [post(`/api/v1/jobs/${PATIENT.jobId}/retry`, { reason: REASON })],
  recall: [get('/api/v1/results-register?product=tissue&limit=2')],
  exportRecall: [get('/api/v1/results-register/export?product=tissue&version=1.0.0')],
  registeredResult: [get(`/api/v1/results-register/${RESULT_UID}`)],
  patientCode: [post('/api/v1/vault/patient-codes', erasedPatient)],
  erasePatient: [post('/api/v1/vault/erasures', { ...erasedPatient, reason: REASON })],
  openIdentity: [post(`${study}/identity`, { reason: REASON })],
  reidentify: [get(`/api/v1/jobs/${PATIENT.jobId}/linkage`)],
  listApprovals: [get('/api/v1/approvals')],
  requestApproval: [{ send: askFor }],
  decideApproval: [step('decision', { decision: 'refuse', reason: 'not agreed to this' })],
  endApproval: [step('end', { reason: 'no longer needed' })],
  patientFlags: [get('/api/v1/patient-flags')],
  setPatientFlag: [
    {
      send: (gateway, token) => {
        const body = { patientId: `set-${(flags += 1)}`, kind: 'vip' };
        return gateway.post(token, '/api/v1/patient-flags', body);
      },
    },
  ],
  removePatientFlag: [
    {
      send: async (gateway, token) =>
        gateway.post(token, `/api/v1/patient-flags/${await flagOf(gateway)}/removal`, {
          reason: REASON,
        }),
    },
  ],
  alerts: [get('/api/v1/alerts')],
  acknowledgeAlert: [
    {
      send: async (gateway, token) =>
        gateway.post(token, `/api/v1/alerts/${await alertOf(gateway)}/acknowledgement`, {}),
    },
  ],
  patientExtract: [post('/api/v1/audit/patient-extract', { patientId: PATIENT.patientId })],
  searchAudit: [get('/api/v1/audit')],
  exportAudit: [get('/api/v1/audit/export'), get('/api/v1/audit/export?format=csv')],
  auditAnchors: [get('/api/v1/audit/anchors')],
};

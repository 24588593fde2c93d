/**
 * One call for each REST route of the hub, about an object of site A.
 * Decides what a caller asks of a route; routes that can name a site in their query have a second
 * call that does. Invariant: a route without a call does not compile.
 */
import { readFileSync } from 'node:fs';
import type { RouteId } from './access-rows.js';
import { aBinding, aCertificate, BINDING, IDENTITY } from './enrolment-calls.js';
import { OTHER_SITE, OWN_SITE } from './role-sign-in.js';
import type { SeededHub } from './seeded-hub.js';

export interface RouteCall {
  /** Whether another site's people ask about an object (404) or about their own part of a list. */
  readonly kind: 'object' | 'list';
  /** Status of a success. @default 200 */
  readonly success?: number;
  /** Whether answers end by themselves. */
  readonly isStream?: true;
  send(hub: SeededHub, token: string | undefined): Promise<Response>;
}

export const REASON = 'the vendor reports noise in the image';
const list = (path: string): RouteCall => ({
  ...{ kind: 'list', send: (hub, token) => hub.call(token, path) },
});
const object = (path: (hub: SeededHub) => string): RouteCall => ({
  ...{ kind: 'object', send: (hub, token) => hub.call(token, path(hub)) },
});
const study = ({ seeds }: SeededHub): string =>
  `/api/v1/sites/${OWN_SITE}/studies/${seeds.concluded.manifest.studyInstanceUid}`;

export const askFor = (hub: SeededHub, token: string | undefined): Promise<Response> =>
  hub.post(token, '/api/v1/approvals', {
    ...{ act: 'pixels.read', siteId: OWN_SITE, reason: REASON },
    objectId: hub.seeds.concluded.manifest.studyInstanceUid,
  });
/** A fresh request of somebody else. */
async function requestOf(hub: SeededHub): Promise<string> {
  const response = await askFor(hub, 'central-operator.none.asks');
  return ((await response.json()) as { id: string }).id;
}
const step = (path: string, body: object): RouteCall => ({
  kind: 'object',
  send: async (hub, token) =>
    hub.post(token, `/api/v1/approvals/${await requestOf(hub)}/${path}`, body),
});

/** Stops or resumes the product of the seeds, at the site without jobs of this suite. */
const switchProduct = (
  hub: SeededHub,
  verb: 'stop' | 'resume',
): ((token: string | undefined, version: string) => Promise<Response>) => {
  const path = `/api/v1/products/${hub.model.product}/${verb}`;
  return (token, version) => hub.post(token, path, { siteId: OTHER_SITE, version, reason: REASON });
};

type ById<T> = Readonly<Record<RouteId, T>>;
export const CALLS: ById<readonly RouteCall[]> = {
  health: [list('/healthz')],
  metrics: [list('/metrics')],
  openApi: [list('/api/v1/openapi.json')],
  protectedResource: [list('/.well-known/oauth-protected-resource')],
  session: [list('/api/v1/session')],
  events: [{ ...list('/api/v1/events'), isStream: true }],
  signIn: [{ ...list('/auth/sign-in'), success: 303 }],
  stepUp: [{ ...list('/auth/step-up'), success: 303 }],
  callback: [{ ...list('/auth/callback?code=x&state=y'), success: 303 }],
  signOut: [{ kind: 'list', send: (hub, token) => hub.post(token, '/auth/sign-out', {}) }],
  backChannelLogout: [
    {
      kind: 'list',
      send: (hub, token) =>
        hub.call(token, '/auth/back-channel-logout', {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: 'logout_token=x',
        }),
    },
  ],
  status: [list('/api/v1/status')],
  sites: [list('/api/v1/sites')],
  siteActivity: [object(() => `/api/v1/sites/${OWN_SITE}/activity`)],
  models: [list('/api/v1/models')],
  productStops: [list('/api/v1/product-stops')],
  stopProduct: [
    {
      kind: 'object',
      send: (hub, token) => switchProduct(hub, 'stop')(token, hub.model.version),
    },
  ],
  resumeProduct: [
    {
      kind: 'object',
      send: async (hub, token) => {
        await switchProduct(hub, 'stop')('central-operator.none.stops', '*');
        return switchProduct(hub, 'resume')(token, '*');
      },
    },
  ],
  takeOverGateway: [
    {
      kind: 'object',
      send: (hub, token) =>
        hub.post(token, `/api/v1/sites/${OTHER_SITE}/take-overs`, { gateway: 7, successor: 8 }),
    },
  ],
  certificates: [object(() => `/api/v1/sites/${OWN_SITE}/certificates`)],
  authority: [list('/api/v1/authority')],
  inspectCertificate: [
    {
      kind: 'list',
      send: (hub, token) => {
        const certificate = readFileSync(hub.certificates.hub.certificateFile, 'utf8');
        return hub.post(token, '/api/v1/bindings/inspect', { certificate });
      },
    },
  ],
  issueJoinToken: [
    {
      kind: 'object',
      send: (hub, token) =>
        hub.post(token, `/api/v1/sites/${OWN_SITE}/join-tokens`, { gateway: 2 }),
    },
  ],
  revokeCertificate: [
    {
      kind: 'object',
      send: async (hub, token) => {
        const path = `/api/v1/sites/${OWN_SITE}/certificates`;
        const serial = await aCertificate(hub, token);
        return hub.post(token, `${path}/${serial}/revoke`, { reason: REASON });
      },
    },
  ],
  rotateAuthority: [
    {
      kind: 'list',
      send: (hub, token) => hub.post(token, '/api/v1/authority/rotate', { reason: REASON }),
    },
  ],
  createBinding: [
    {
      kind: 'object',
      send: (hub, token) => hub.post(token, '/api/v1/bindings', { ...BINDING, ...IDENTITY }),
    },
  ],
  endBinding: [
    {
      kind: 'object',
      send: async (hub, token) => {
        const path = `/api/v1/sites/${OWN_SITE}/bindings/${await aBinding(hub, token)}/end`;
        return hub.post(token, path, { reason: REASON });
      },
    },
  ],
  listStudies: [
    list('/api/v1/studies'),
    list('/api/v1/studies?state=OPEN'),
    object(() => `/api/v1/studies?siteId=${OWN_SITE}`),
  ],
  study: [object(study)],
  job: [object(({ seeds }) => `/api/v1/jobs/${seeds.concluded.manifest.jobId}`)],
  studyInstances: [object((hub) => `${study(hub)}/instances`)],
  instancePreview: [object((hub) => `${study(hub)}/instances/0/preview`)],
  listApprovals: [list('/api/v1/approvals')],
  requestApproval: [{ kind: 'object', send: askFor }],
  decideApproval: [step('decision', { decision: 'approve', reason: 'agreed by telephone' })],
  endApproval: [step('end', { reason: 'no longer needed' })],
  searchAudit: [list('/api/v1/audit'), object(() => `/api/v1/audit?siteId=${OWN_SITE}`)],
  exportAudit: [
    list('/api/v1/audit/export'),
    object(() => `/api/v1/audit/export?format=csv&siteId=${OWN_SITE}`),
  ],
  auditAnchors: [list('/api/v1/audit/anchors')],
};

/**
 * Session, approvals and alerts over REST: what both pages show of who may do what.
 * Decides the states of a request for a second person. Invariant: `acts` of a session is a help for
 * navigation; every route decides for itself.
 * Source: security specification 5.
 */
import { z } from 'zod';
import { epochMsSchema } from '@aifi/contracts-manifests';
import { pageOf, pageQuery, reasonSchema } from './route.js';

export const sessionSchema = z.object({
  user: z.object({ id: z.string(), name: z.string() }),
  roles: z.array(z.string()),
  /** Own sites; empty for national roles. */
  siteIds: z.array(z.string()),
  /** Acts that the roles allow at least somewhere. */
  acts: z.array(z.string()),
  /** Until when dangerous acts need no new authentication; null: they need one now. */
  steppedUpUntilMs: epochMsSchema.nullable(),
  expiresAtMs: epochMsSchema,
  csrfToken: z.string(),
  purpose: z.string(),
  /** Where this page is served: the hub, or the gateway of a site. */
  server: z.enum(['hub', 'gateway']),
});
export type SessionView = z.infer<typeof sessionSchema>;

export const APPROVAL_STATES = [
  'REQUESTED',
  'APPROVED',
  'REFUSED',
  'WITHDRAWN',
  'EXPIRED',
  'ENDED',
] as const;
export type ApprovalState = (typeof APPROVAL_STATES)[number];

const personSchema = z.object({ id: z.string(), name: z.string() });
export const approvalSchema = z.object({
  id: z.uuid(),
  /** Act of the access table that needs a second person. */
  act: z.string(),
  siteId: z.string(),
  /** What it is about: a study pseudonym at the hub, a job at the gateway. */
  objectId: z.string(),
  reason: z.string(),
  state: z.enum(APPROVAL_STATES),
  requestedBy: personSchema,
  requestedAtMs: epochMsSchema,
  /** A request that nobody decides ends here. */
  expiresAtMs: epochMsSchema,
  decidedBy: personSchema.nullable(),
  decidedAtMs: epochMsSchema.nullable(),
  decisionReason: z.string().nullable(),
  /** Until when the act may be done; null: not approved. */
  grantedUntilMs: epochMsSchema.nullable(),
  endedAtMs: epochMsSchema.nullable(),
});
export type ApprovalView = z.infer<typeof approvalSchema>;

export const approvalRequestSchema = z.strictObject({
  act: z.string().max(64),
  siteId: z.string().max(64),
  objectId: z.string().min(1).max(128),
  reason: reasonSchema,
});
export const approvalDecisionSchema = z.strictObject({
  decision: z.enum(['approve', 'refuse']),
  reason: reasonSchema,
});

/** Routes that hub and gateway share. */
export const accessRoutes = {
  session: {
    method: 'GET',
    path: '/api/v1/session',
    summary: 'Who is signed in and what the roles allow',
    response: sessionSchema,
  },
  listApprovals: {
    method: 'GET',
    path: '/api/v1/approvals',
    summary: 'Requests for a second person, newest first',
    query: z.strictObject({ ...pageQuery, state: z.enum(APPROVAL_STATES).optional() }),
    response: pageOf(approvalSchema),
  },
  requestApproval: {
    method: 'POST',
    path: '/api/v1/approvals',
    summary: 'Ask for an act that needs a second person',
    body: approvalRequestSchema,
    response: approvalSchema,
  },
  decideApproval: {
    method: 'POST',
    path: '/api/v1/approvals/:approvalId/decision',
    summary: 'Approve or refuse what another person asked for',
    params: z.strictObject({ approvalId: z.uuid() }),
    body: approvalDecisionSchema,
    response: approvalSchema,
  },
  endApproval: {
    method: 'POST',
    path: '/api/v1/approvals/:approvalId/end',
    summary: 'Withdraw a request, or end what was granted before its time',
    params: z.strictObject({ approvalId: z.uuid() }),
    body: z.strictObject({ reason: reasonSchema }),
    response: approvalSchema,
  },
  events: {
    method: 'GET',
    path: '/api/v1/events',
    summary: 'Names of the lists that have changed, as server-sent events',
    media: 'text/event-stream',
  },
  openApi: {
    method: 'GET',
    path: '/api/v1/openapi.json',
    summary: 'This interface as an OpenAPI 3.1 document',
    response: z.record(z.string(), z.unknown()),
  },
  protectedResource: {
    method: 'GET',
    path: '/.well-known/oauth-protected-resource',
    summary: 'Which OpenID provider this server trusts (RFC 9728)',
    response: z.object({
      resource: z.string(),
      authorization_servers: z.array(z.string()),
      bearer_methods_supported: z.array(z.literal('header')),
    }),
  },
  health: {
    method: 'GET',
    path: '/healthz',
    summary: 'Whether the process works',
    response: z.object({ status: z.literal('ok') }),
  },
  metrics: {
    method: 'GET',
    path: '/metrics',
    summary: 'Metrics in the text format of Prometheus',
    media: 'text/plain; version=0.0.4',
  },
} as const;

/** Data of a server-sent event named `changed`: refetch what is on the page. */
export const changedEventSchema = z.object({
  topic: z.enum(['studies', 'sites', 'approvals', 'alerts', 'status']),
});
export type ChangedEvent = z.infer<typeof changedEventSchema>;

const returnTo = z.strictObject({
  /** A path of this server; anything else is refused. */
  returnTo: z
    .string()
    .regex(/^\/(?![/\\])[\w\-./?=&%:]*$/)
    .max(512)
    .default('/'),
});
/** Routes of the sign-in itself: pages and redirects, no JSON. */
export const signInRoutes = {
  signIn: {
    method: 'GET',
    path: '/auth/sign-in',
    summary: 'Go to the OpenID provider (code flow with PKCE)',
    query: returnTo,
    media: '',
  },
  stepUp: {
    method: 'GET',
    path: '/auth/step-up',
    summary: 'Authenticate anew for a dangerous act',
    query: returnTo,
    media: '',
  },
  callback: {
    method: 'GET',
    path: '/auth/callback',
    summary: 'Return from the OpenID provider',
    media: '',
  },
  signOut: {
    method: 'POST',
    path: '/auth/sign-out',
    summary: 'End the session here and at the provider',
    response: z.object({ next: z.string() }),
  },
  backChannelLogout: {
    method: 'POST',
    path: '/auth/back-channel-logout',
    summary: 'The provider ends a session (OpenID Connect Back-Channel Logout 1.0)',
    media: '',
  },
} as const;

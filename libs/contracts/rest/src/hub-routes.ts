/**
 * Routes of the hub's REST interface.
 * Decides what central operators, auditors and the sites' own people can ask of the hub.
 * Invariant: pseudonyms, digests, counts and names of sites and products; no identity exists here.
 */
import { z } from 'zod';
import { epochMsSchema, uidSchema } from '@aifi/contracts-manifests';
import { accessRoutes } from './access.js';
import { auditRoutes } from './audit.js';
import { enrolmentRoutes } from './enrolment.js';
import { hubJobsSchema } from './hub-job.js';
import { killSwitchRoutes } from './kill-switch.js';
import { hubStatusSchema, modelsSchema, sitesSchema } from './hub-status.js';
import { pageOf, pageQuery, type RouteTable } from './route.js';

const siteId = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/);

/** One line of the study list: one job of a pseudonymous study. */
export const hubStudySchema = z.object({
  siteId: z.string(),
  /** Pseudonymous Study Instance UID. */
  studyPseudonym: z.string(),
  jobId: z.string(),
  revision: z.int(),
  product: z.string(),
  version: z.string(),
  lane: z.string(),
  state: z.string(),
  code: z.string().nullable(),
  openedAtMs: epochMsSchema,
  concludedAtMs: epochMsSchema.nullable(),
  acknowledgedAtMs: epochMsSchema.nullable(),
});
export type HubStudy = z.infer<typeof hubStudySchema>;

const studyParams = z.strictObject({ siteId, studyPseudonym: uidSchema });

export const hubRoutes = {
  ...accessRoutes,
  ...auditRoutes,
  ...enrolmentRoutes,
  ...killSwitchRoutes,
  status: {
    method: 'GET',
    path: '/api/v1/status',
    summary: 'Version, roles and jobs by state',
    response: hubStatusSchema,
  },
  sites: {
    method: 'GET',
    path: '/api/v1/sites',
    summary: 'Sites with their health and deployments',
    response: sitesSchema,
  },
  siteActivity: {
    method: 'GET',
    path: '/api/v1/sites/:siteId/activity',
    summary: 'Jobs of a site by hour, last 24 hours, oldest first',
    params: z.strictObject({ siteId }),
    response: z.object({
      hours: z.array(
        z.object({ startMs: epochMsSchema, opened: z.int(), concluded: z.int(), failed: z.int() }),
      ),
    }),
  },
  models: {
    method: 'GET',
    path: '/api/v1/models',
    summary: 'Models of the hub and where they are deployed',
    response: modelsSchema,
  },
  listStudies: {
    method: 'GET',
    path: '/api/v1/studies',
    summary: 'Jobs of pseudonymous studies, newest first',
    query: z.strictObject({
      ...pageQuery,
      siteId: siteId.optional(),
      state: z
        .enum(['OPEN', 'STORED', 'QUEUED', 'INFERRED', 'CONCLUDED', 'ACKNOWLEDGED'])
        .optional(),
      studyPseudonym: uidSchema.optional(),
    }),
    response: pageOf(hubStudySchema),
  },
  study: {
    method: 'GET',
    path: '/api/v1/sites/:siteId/studies/:studyPseudonym',
    summary: 'Every hop of one pseudonymous study',
    params: studyParams,
    response: hubJobsSchema.extend({ studyPseudonym: z.string() }),
  },
  job: {
    method: 'GET',
    path: '/api/v1/jobs/:jobId',
    summary: 'Every hop of one job',
    params: z.strictObject({ jobId: z.string().max(64) }),
    response: hubJobsSchema,
  },
  studyInstances: {
    method: 'GET',
    path: '/api/v1/sites/:siteId/studies/:studyPseudonym/instances',
    summary: 'Instances that a granted break-glass may show',
    params: studyParams,
    response: z.object({
      grantedUntilMs: epochMsSchema,
      instances: z.array(
        z.object({
          index: z.int(),
          sopInstancePseudonym: z.string(),
          sizeBytes: z.int(),
          sha256: z.string(),
        }),
      ),
    }),
  },
  instancePreview: {
    method: 'GET',
    path: '/api/v1/sites/:siteId/studies/:studyPseudonym/instances/:index/preview',
    summary: 'Pixels of one instance, windowed to 8 bits, under a granted break-glass',
    params: studyParams.extend({ index: z.coerce.number().int().min(0).max(100_000) }),
    media: 'image/png',
  },
} as const satisfies RouteTable;
export type HubRouteId = keyof typeof hubRoutes;

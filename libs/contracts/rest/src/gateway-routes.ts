/**
 * Routes of the gateway's REST interface.
 * Decides what the hospital's own people can ask of their gateway, also while the hub is away.
 * Invariants: a patient's name or number is never part of an address; a masked study answers null
 * for its identity until somebody opens it with a reason.
 */
import { z } from 'zod';
import { epochMsSchema, uidSchema } from '@aifi/contracts-manifests';
import { accessRoutes } from './access.js';
import { auditRecordSchema, auditRoutes } from './audit.js';
import { catalogueRoutes } from './catalogue.js';
import { consentRoutes } from './consent.js';
import { deadLetterRoutes } from './dead-letter.js';
import { gatewayLinkRoutes } from './gateway-link.js';
import { gatewayStatusSchema } from './gateway-status.js';
import { pixelHoldRoutes } from './pixel-hold.js';
import { productRequestRoutes } from './product-request.js';
import { reconcileRoutes } from './reconcile.js';
import { registerRoutes } from './results-register.js';
import { retrievalRoutes } from './retrieval.js';
import { pageOf, pageQuery, reasonSchema, type RouteTable } from './route.js';
import { selfTestRoutes } from './self-test.js';
import { setupRoutes } from './setup.js';
import { studyTraceSchema } from './study-trace.js';

/** Who the patient is, as the hospital knows it; null where the PACS gave none. */
export const patientSchema = z.object({
  patientId: z.string().nullable(),
  issuer: z.string().nullable(),
  /** As a person reads it: family name, given name. */
  name: z.string().nullable(),
  /** YYYYMMDD as in DICOM. */
  birthDate: z.string().nullable(),
  sex: z.string().nullable(),
  accessionNumber: z.string().nullable(),
});
export type PatientView = z.infer<typeof patientSchema>;

const productResultSchema = z.object({
  role: z.string(),
  sopClassUid: z.string(),
  seriesInstanceUid: z.string(),
  sopInstanceUid: z.string(),
  state: z.string(),
});
export const gatewayStudySchema = z.object({
  studyInstanceUid: z.string(),
  modality: z.string().nullable(),
  studyDescription: z.string().nullable(),
  receivedInstances: z.int(),
  receivedAtMs: epochMsSchema,
  revision: z.int(),
  /** RECEIVING, WAITING_FOR_RULES, IN_PROGRESS or DONE. */
  state: z.string(),
  /** Null: not for this role, not yet known, or masked. */
  patient: patientSchema.nullable(),
  /** Why the identity is hidden from a role that could see it. */
  masked: z.enum(['vip', 'own-staff', 'reason-required']).nullable(),
  products: z.array(
    z.object({
      product: z.string(),
      version: z.string(),
      jobId: z.string(),
      revision: z.int(),
      state: z.string(),
      code: z.string().nullable(),
      detail: z.string().nullable(),
      /** The code in words, in both languages; null without a code. */
      words: z.object({ nl: z.string(), en: z.string() }).nullable(),
      results: z.array(productResultSchema),
    }),
  ),
  statusObject: productResultSchema.omit({ role: true }).extend({ issue: z.int() }).nullable(),
});
export type GatewayStudyView = z.infer<typeof gatewayStudySchema>;

export const patientFlagSchema = z.object({
  id: z.uuid(),
  patientId: z.string(),
  issuer: z.string().nullable(),
  kind: z.enum(['vip', 'own-staff']),
  sinceMs: epochMsSchema,
  setBy: z.string(),
});
export type PatientFlag = z.infer<typeof patientFlagSchema>;

export const alertSchema = z.object({
  id: z.uuid(),
  atMs: epochMsSchema,
  /** identity-opened: somebody opened a masked patient. */
  kind: z.enum(['identity-opened']),
  masked: z.enum(['vip', 'own-staff']),
  userId: z.string(),
  userName: z.string(),
  studyInstanceUid: z.string(),
  reason: z.string(),
  acknowledgedAtMs: epochMsSchema.nullable(),
  acknowledgedBy: z.string().nullable(),
});
export type AlertView = z.infer<typeof alertSchema>;

const studyParams = z.strictObject({ studyInstanceUid: uidSchema });

export const gatewayRoutes = {
  ...accessRoutes,
  ...auditRoutes,
  status: {
    method: 'GET',
    path: '/api/v1/status',
    summary: 'Link, PACS, queue, disk and refusals',
    response: gatewayStatusSchema,
  },
  listStudies: {
    method: 'GET',
    path: '/api/v1/studies',
    summary: 'Studies with their products and states, newest first',
    query: z.strictObject({
      ...pageQuery,
      /** Received at or after; the page asks for today. */
      fromMs: z.coerce.number().int().nonnegative().optional(),
      state: z.enum(['RECEIVING', 'WAITING_FOR_RULES', 'IN_PROGRESS', 'DONE']).optional(),
    }),
    response: pageOf(gatewayStudySchema),
  },
  study: {
    method: 'GET',
    path: '/api/v1/studies/:studyInstanceUid',
    summary: 'Every hop of one study',
    params: studyParams,
    response: studyTraceSchema,
  },
  jobTrace: {
    method: 'GET',
    path: '/api/v1/jobs/:jobId/trace',
    summary: 'Every hop of the study of one job',
    params: z.strictObject({ jobId: z.string().max(64) }),
    response: studyTraceSchema,
  },
  ...gatewayLinkRoutes,
  ...deadLetterRoutes,
  ...reconcileRoutes,
  ...retrievalRoutes,
  ...productRequestRoutes,
  ...catalogueRoutes,
  ...consentRoutes,
  ...pixelHoldRoutes,
  ...registerRoutes,
  ...setupRoutes,
  ...selfTestRoutes,
  openIdentity: {
    method: 'POST',
    path: '/api/v1/studies/:studyInstanceUid/identity',
    summary: 'Open the identity of one study, with a reason',
    params: studyParams,
    body: z.strictObject({ reason: reasonSchema }),
    response: patientSchema,
  },
  reidentify: {
    method: 'GET',
    path: '/api/v1/jobs/:jobId/linkage',
    summary: 'Whose study a pseudonymous job is, after two persons agreed',
    params: z.strictObject({ jobId: z.string().max(64) }),
    response: z.object({
      jobId: z.string(),
      studyInstanceUid: z.string(),
      studyPseudonym: z.string(),
      patient: patientSchema,
      grantedUntilMs: epochMsSchema,
    }),
  },
  patientFlags: {
    method: 'GET',
    path: '/api/v1/patient-flags',
    summary: 'Patients whose identity is masked',
    query: z.strictObject(pageQuery),
    response: pageOf(patientFlagSchema),
  },
  setPatientFlag: {
    method: 'POST',
    path: '/api/v1/patient-flags',
    summary: 'Mask a patient',
    body: z.strictObject({
      patientId: z.string().trim().min(1).max(64),
      issuer: z.string().trim().max(64).nullable().default(null),
      kind: z.enum(['vip', 'own-staff']),
    }),
    response: patientFlagSchema,
  },
  removePatientFlag: {
    method: 'POST',
    path: '/api/v1/patient-flags/:flagId/removal',
    summary: 'End the masking of a patient',
    params: z.strictObject({ flagId: z.uuid() }),
    body: z.strictObject({ reason: reasonSchema }),
    response: patientFlagSchema,
  },
  alerts: {
    method: 'GET',
    path: '/api/v1/alerts',
    summary: 'Openings of masked patients, newest first',
    query: z.strictObject(pageQuery),
    response: pageOf(alertSchema),
  },
  acknowledgeAlert: {
    method: 'POST',
    path: '/api/v1/alerts/:alertId/acknowledgement',
    summary: 'The privacy officer has seen it',
    params: z.strictObject({ alertId: z.uuid() }),
    body: z.strictObject({}),
    response: alertSchema,
  },
  patientExtract: {
    method: 'POST',
    path: '/api/v1/audit/patient-extract',
    summary: 'Who saw the data of one patient, in words that the patient can read',
    body: z.strictObject({
      patientId: z.string().trim().min(1).max(64),
      language: z.enum(['nl', 'en']).default('nl'),
    }),
    response: z.object({
      text: z.string(),
      records: z.array(auditRecordSchema),
    }),
  },
} as const satisfies RouteTable;
export type GatewayRouteId = keyof typeof gatewayRoutes;

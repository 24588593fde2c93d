/**
 * Audit record: who did what to what, on whose behalf, when, from where, and how it ended.
 * Decides the one schema behind both renderings (DICOM Audit Message, FHIR AuditEvent) and the
 * fields of NEN 7513. Invariants: a record is never changed; `hash` covers every other field and
 * the hash of the record before it in the same chain. At the hub a patient is a pseudonym.
 * Source: NEN 7513; PS3.15 A.5; IHE BALP; security specification 5.
 */
import { z } from 'zod';
import { epochMsSchema, sha256Schema } from '@aifi/contracts-manifests';
import { pageOf, pageQuery } from './route.js';

/** How an act ended. DICOM EventOutcomeIndicator 0, 4, 8 and 12 (PS3.15 A.5.2). */
export const AUDIT_OUTCOMES = ['success', 'refused', 'failed', 'unavailable'] as const;
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

export const auditDraftSchema = z.strictObject({
  /** Act of the access table, or of the sign-in. */
  act: z.string().max(64),
  /** DICOM EventActionCode: create, read, update, delete, execute. */
  action: z.enum(['C', 'R', 'U', 'D', 'E']),
  outcome: z.enum(AUDIT_OUTCOMES),
  /** Code of the error catalogue when it was not a success. */
  code: z.string().max(64).nullable(),
  /** Who did it: subject of the provider, or the name of a process. */
  userId: z.string().max(256),
  userName: z.string().max(256),
  userKind: z.enum(['person', 'machine', 'system', 'anonymous']),
  /** The role that allowed it; null: none did. */
  role: z.string().max(64).nullable(),
  /** On whose behalf: the second person of an approval, or null. NEN 7513 responsible user. */
  responsibleUserId: z.string().max(256).nullable(),
  siteId: z.string().max(64),
  /** What it was done to, such as study, job, approval, session, audit, patient-flag. */
  objectType: z.string().max(32),
  objectId: z.string().max(256),
  /** At the gateway the hospital's patient number, at the hub a pseudonym; null: no patient. */
  patientId: z.string().max(128).nullable(),
  /** As the person gave it. */
  reason: z.string().max(500).nullable(),
  /** Network address of the caller. */
  sourceAddress: z.string().max(64),
  correlationId: z.string().max(64),
  /** Counts and codes that explain the act. */
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
});
export type AuditDraft = z.infer<typeof auditDraftSchema>;

export const auditRecordSchema = auditDraftSchema.extend({
  /** hub:<siteId>, hub:* for acts across sites, gateway:<siteId>. */
  chain: z.string().max(80),
  /** Rises by one within the chain, from 1. */
  sequence: z.int().positive(),
  atMs: epochMsSchema,
  previousHash: sha256Schema,
  hash: sha256Schema,
});
export type AuditRecord = z.infer<typeof auditRecordSchema>;

/** The end of a chain on a day, signed: whoever has it can prove that nothing before it changed. */
export const auditAnchorSchema = z.strictObject({
  schema: z.literal('aifi.audit-anchor.v1'),
  chain: z.string().max(80),
  /** Day in UTC. */
  day: z.iso.date(),
  /** Last record of the chain when it was made. */
  sequence: z.int().positive(),
  hash: sha256Schema,
  madeAtMs: epochMsSchema,
  /** Ed25519 over the canonical JSON of the other fields. */
  signature: z.base64(),
});
export type AuditAnchor = z.infer<typeof auditAnchorSchema>;

/** Up to the last time that a Date can hold (ECMAScript 21.4.1.1). */
const timeMs = z.coerce.number().int().nonnegative().max(8.64e15);
const filters = {
  fromMs: timeMs.optional(),
  toMs: timeMs.optional(),
  act: z.string().max(64).optional(),
  userId: z.string().max(256).optional(),
  outcome: z.enum(AUDIT_OUTCOMES).optional(),
  objectId: z.string().max(256).optional(),
  siteId: z.string().max(64).optional(),
};
export const auditQuerySchema = z.strictObject({ ...pageQuery, ...filters });
export type AuditQuery = z.infer<typeof auditQuerySchema>;
export const AUDIT_FORMATS = ['ndjson', 'fhir', 'dicom', 'csv'] as const;

export const auditRoutes = {
  searchAudit: {
    method: 'GET',
    path: '/api/v1/audit',
    summary: 'Audit records, newest first',
    query: auditQuerySchema,
    response: pageOf(auditRecordSchema),
  },
  exportAudit: {
    method: 'GET',
    path: '/api/v1/audit/export',
    summary: 'Whole chains as NDJSON for the verifier, or as FHIR, DICOM or CSV',
    query: z.strictObject({ ...filters, format: z.enum(AUDIT_FORMATS).default('ndjson') }),
    media: 'application/octet-stream',
  },
  auditAnchors: {
    method: 'GET',
    path: '/api/v1/audit/anchors',
    summary: 'Signed daily anchors and the public key that verifies them',
    response: z.object({ publicKeyPem: z.string(), anchors: z.array(auditAnchorSchema) }),
  },
} as const;

/**
 * Documents: what `--json` prints, one per command, as zod schemas.
 * Decides the stable shapes that scripts may rely on; plain text is made from the same documents.
 * Invariant: within a version `v1` a key keeps its name and meaning.
 */
import { z } from 'zod';
import {
  approvalSchema,
  auditRecordSchema,
  deadLetterSchema,
  gatewayStatusSchema,
  hubJobSchema,
  hubStatusSchema,
  hubStudySchema,
  jobRetrySchema,
  modelSchema,
  pixelDecisionSchema,
  pixelHoldSchema,
  refusalSchema,
  registeredResultSchema,
  sessionSchema,
  siteSchema,
  studyTraceSchema,
} from '@aifi/contracts-rest';

const peerFaultSchema = z.object({
  role: z.enum(['gateway', 'hub']),
  url: z.string(),
  why: z.string(),
});
export type PeerFault = z.infer<typeof peerFaultSchema>;

export const tracedJobSchema = z.object({
  jobId: z.string(),
  terminal: z.boolean(),
  /** State with its code in words. */
  state: z.string(),
  /** What happens next, in words; null when nothing will. */
  next: z.string().nullable(),
  /** The hub's side; null when it does not know the job or was not asked. */
  hub: hubJobSchema.nullable(),
});
export const traceDocumentSchema = z.object({
  schema: z.literal('aifictl.trace.v1'),
  id: z.string(),
  found: z.boolean(),
  studies: z.array(
    z.object({
      gateway: z.string(),
      trace: studyTraceSchema,
      /** One per job of the trace, in its order. */
      jobs: z.array(tracedJobSchema),
      /** What happens next to a study that has no job yet; null otherwise. */
      next: z.string().nullable(),
    }),
  ),
  /** Of a job that no gateway asked knows. */
  hubJobs: z.array(hubJobSchema),
  /** When nothing was found: what the gateways refused lately. */
  refusals: z.array(refusalSchema.extend({ siteId: z.string() })),
  unreachable: z.array(peerFaultSchema),
});
export type TraceDocument = z.infer<typeof traceDocumentSchema>;
export type TracedStudy = TraceDocument['studies'][number];

const healthShape = {
  url: z.string(),
  healthy: z.boolean(),
  /** In words; empty when healthy. */
  problems: z.array(z.string()),
};
export const statusDocumentSchema = z.object({
  schema: z.literal('aifictl.status.v1'),
  healthy: z.boolean(),
  gateways: z.array(z.object({ ...healthShape, status: gatewayStatusSchema.nullable() })),
  /** null: not asked. */
  hub: z.object({ ...healthShape, status: hubStatusSchema.nullable() }).nullable(),
});
export type StatusDocument = z.infer<typeof statusDocumentSchema>;

export const sitesDocumentSchema = z.object({
  schema: z.literal('aifictl.sites.v1'),
  hub: z.string(),
  sites: z.array(siteSchema),
  unreachable: z.array(peerFaultSchema),
});
export type SitesDocument = z.infer<typeof sitesDocumentSchema>;

export const modelsDocumentSchema = z.object({
  schema: z.literal('aifictl.models.v1'),
  hub: z.string(),
  models: z.array(modelSchema),
  unreachable: z.array(peerFaultSchema),
});
export type ModelsDocument = z.infer<typeof modelsDocumentSchema>;

/** Why the server that was asked gave nothing, in words; null when it did. */
const fault = z.string().nullable();

export const studiesDocumentSchema = z.object({
  schema: z.literal('aifictl.studies.v1'),
  hub: z.string(),
  items: z.array(hubStudySchema),
  /** There are more than `--limit`. */
  more: z.boolean(),
  fault,
});
export type StudiesDocument = z.infer<typeof studiesDocumentSchema>;

const ownSessionSchema = sessionSchema.omit({ csrfToken: true, expiresAtMs: true });
const serverSessionSchema = z.object({
  url: z.string(),
  /** null: not signed in, or no answer. */
  session: ownSessionSchema.nullable(),
  /** Why there is none. */
  why: z.string().nullable(),
});
export type ServerSession = z.infer<typeof serverSessionSchema>;
export const whoamiDocumentSchema = z.object({
  schema: z.literal('aifictl.whoami.v1'),
  servers: z.array(serverSessionSchema),
});
export type WhoamiDocument = z.infer<typeof whoamiDocumentSchema>;

export const loginDocumentSchema = z.object({
  schema: z.literal('aifictl.login.v1'),
  url: z.string(),
  session: ownSessionSchema,
});
export type LoginDocument = z.infer<typeof loginDocumentSchema>;

export const logoutDocumentSchema = z.object({
  schema: z.literal('aifictl.logout.v1'),
  url: z.string(),
  wasSignedIn: z.boolean(),
});
export type LogoutDocument = z.infer<typeof logoutDocumentSchema>;

export const approvalsDocumentSchema = z.object({
  schema: z.literal('aifictl.approvals.v1'),
  server: z.string(),
  items: z.array(approvalSchema),
  fault,
});
export type ApprovalsDocument = z.infer<typeof approvalsDocumentSchema>;

export const approvalDocumentSchema = z.object({
  schema: z.literal('aifictl.approval.v1'),
  server: z.string(),
  /** As it stands now; null when the order was refused. */
  approval: approvalSchema.nullable(),
  fault,
});
export type ApprovalDocument = z.infer<typeof approvalDocumentSchema>;

export const deadLettersDocumentSchema = z.object({
  schema: z.literal('aifictl.dead-letters.v1'),
  server: z.string(),
  /** Newest first. */
  items: z.array(deadLetterSchema),
  more: z.boolean(),
  fault,
});
export type DeadLettersDocument = z.infer<typeof deadLettersDocumentSchema>;

export const deadLetterReplayDocumentSchema = z.object({
  schema: z.literal('aifictl.dead-letter-replay.v1'),
  server: z.string(),
  /** null: those that the filters leave. */
  id: z.string().nullable(),
  replayed: z.int(),
  /** No dead letter any more, or overtaken by a newer result. */
  skipped: z.int(),
  fault,
});
export type DeadLetterReplayDocument = z.infer<typeof deadLetterReplayDocumentSchema>;

export const pixelHoldsDocumentSchema = z.object({
  schema: z.literal('aifictl.pixel-holds.v1'),
  server: z.string(),
  /** Acute first, then the oldest. */
  items: z.array(pixelHoldSchema),
  more: z.boolean(),
  fault,
});
export type PixelHoldsDocument = z.infer<typeof pixelHoldsDocumentSchema>;

export const pixelDecisionDocumentSchema = z.object({
  schema: z.literal('aifictl.pixel-decision.v1'),
  server: z.string(),
  id: z.string(),
  decision: pixelDecisionSchema.nullable(),
  fault,
});
export type PixelDecisionDocument = z.infer<typeof pixelDecisionDocumentSchema>;

export const jobRetryDocumentSchema = z.object({
  schema: z.literal('aifictl.job-retry.v1'),
  server: z.string(),
  id: z.string(),
  retry: jobRetrySchema.nullable(),
  fault,
});
export type JobRetryDocument = z.infer<typeof jobRetryDocumentSchema>;

export const registerDocumentSchema = z.object({
  schema: z.literal('aifictl.register.v1'),
  server: z.string(),
  /** Newest first; of `register show` the one. */
  items: z.array(registeredResultSchema),
  more: z.boolean(),
  fault,
});
export type RegisterDocument = z.infer<typeof registerDocumentSchema>;

export const vaultErasureDocumentSchema = z.object({
  schema: z.literal('aifictl.vault-erasure.v1'),
  server: z.string(),
  /** Of the patient, as two persons agree about it; null: not known. */
  code: z.string().nullable(),
  /** Null for a look at the code alone. */
  erased: z.object({ jobs: z.int(), results: z.int() }).nullable(),
  /** In the vault before; null after an erasure. */
  studies: z.int().nullable(),
  /** Of the same number where no issuer was told: these are not erased with it. */
  studiesWithoutIssuer: z.int().nullable(),
  fault,
});
export type VaultErasureDocument = z.infer<typeof vaultErasureDocumentSchema>;

export const auditSearchDocumentSchema = z.object({
  schema: z.literal('aifictl.audit-search.v1'),
  server: z.string(),
  /** Newest first. */
  items: z.array(auditRecordSchema),
  more: z.boolean(),
  fault,
});
export type AuditSearchDocument = z.infer<typeof auditSearchDocumentSchema>;

export const auditExportDocumentSchema = z.object({
  schema: z.literal('aifictl.audit-export.v1'),
  server: z.string(),
  /** null: standard output. */
  file: z.string().nullable(),
  bytes: z.int(),
  sha256: z.string().nullable(),
  /** File of the signed anchors; null when none was asked for. */
  anchors: z.string().nullable(),
  fault,
});
export type AuditExportDocument = z.infer<typeof auditExportDocumentSchema>;

export const auditVerifyDocumentSchema = z.object({
  schema: z.literal('aifictl.audit-verify.v1'),
  file: z.string(),
  ok: z.boolean(),
  records: z.int(),
  chains: z.array(
    z.object({
      chain: z.string(),
      /** Last record. */
      sequence: z.int(),
      hash: z.string(),
      /** Last record that a signed anchor vouches for; null: none. */
      anchoredUntil: z.int().nullable(),
    }),
  ),
  /** The first record that is not what it was. */
  broken: z
    .object({
      chain: z.string(),
      sequence: z.int(),
      /** edited, deleted, inserted or reordered. */
      kind: z.string(),
    })
    .nullable(),
  /** SHA-256 of the public key of the anchors (SPKI, DER), to compare with one that is known. */
  keySha256: z.string().nullable(),
  fault,
});
export type AuditVerifyDocument = z.infer<typeof auditVerifyDocumentSchema>;

/**
 * Documents: what `--json` prints, one per command, as zod schemas.
 * Decides the stable shapes that scripts may rely on; plain text is made from the same documents.
 * Invariant: within a version `v1` a key keeps its name and meaning.
 */
import { z } from 'zod';
import {
  gatewayStatusSchema,
  hubJobSchema,
  hubStatusSchema,
  modelSchema,
  refusalSchema,
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

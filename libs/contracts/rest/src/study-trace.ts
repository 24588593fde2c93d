/**
 * Study trace: everything that a gateway knows of one study, hop by hop.
 * Decides which facts explain a study without a log: rows, attempts, digests, next attempt, and the
 * files that are still there. Invariants: states and times are those of the tables; no patient
 * attribute. Holds the hospital's UIDs: served by the hospital's own gateway only.
 */
import { z } from 'zod';
import { epochMsSchema } from '@aifi/contracts-manifests';

/** Waiting for another try: which, when, and why the last one failed (null: it did not). */
const retryShape = {
  attempts: z.int().nonnegative(),
  nextAttemptAtMs: epochMsSchema,
  /** Code of the kernel's error catalogue. */
  lastFault: z.string().nullable(),
};

const hopSchema = z.object({
  stage: z.string(),
  event: z.string(),
  jobId: z.string().nullable(),
  atMs: epochMsSchema,
  /** Counts, sizes, attempts, digests. */
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
});
export type GatewayHop = z.infer<typeof hopSchema>;

const deliverySchema = z.object({
  issue: z.int(),
  index: z.int(),
  role: z.string(),
  sopClassUid: z.string(),
  seriesInstanceUid: z.string(),
  sopInstanceUid: z.string(),
  sha256: z.string(),
  state: z.string(),
  /** Last status of the PACS; null before its first answer. */
  dimseStatus: z.int().nullable(),
  ...retryShape,
});
export type DeliveryTrace = z.infer<typeof deliverySchema>;

const statusObjectSchema = deliverySchema.omit({ index: true, role: true }).extend({
  /** Revision whose products it tells of. */
  revision: z.int(),
  createdAtMs: epochMsSchema,
});
export type StatusObjectTrace = z.infer<typeof statusObjectSchema>;

/** Files of one step: as many as rows say, and how many of them are on disk. */
const filesSchema = z.object({
  folder: z.enum(['incoming', 'spool', 'inbound', 'outgoing']),
  rows: z.int().nonnegative(),
  files: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
});
export type FilesTrace = z.infer<typeof filesSchema>;

export const gatewayJobSchema = z.object({
  jobId: z.string(),
  product: z.string(),
  version: z.string(),
  modelDigest: z.string(),
  lane: z.string(),
  revision: z.int(),
  state: z.string(),
  code: z.string().nullable(),
  detail: z.string().nullable(),
  createdAtMs: epochMsSchema,
  terminalAtMs: epochMsSchema.nullable(),
  /** When an open job ends as NOT_ANALYSED_NOTIFIED. */
  deadlineAtMs: epochMsSchema,
  /** Images of it that wait for a person; absent: none, or an older gateway. */
  waitingImages: z.int().positive().optional(),
  /** What was or is to be sent; null before it is pseudonymised. */
  upload: z
    .object({
      state: z.string(),
      manifestSha256: z.string(),
      /** Digest over all objects, as the worker must report it back (guard C6). */
      inputDigest: z.string(),
      objects: z.int(),
      acknowledged: z.int(),
      bytes: z.int(),
      ...retryShape,
    })
    .nullable(),
  outcomes: z.array(
    z.object({
      issue: z.int(),
      sequence: z.int(),
      /** RECEIVED, DONE, QUARANTINED or LATE. */
      state: z.string(),
      receivedAtMs: epochMsSchema,
      outcome: z.string(),
      code: z.string().nullable(),
      inputDigest: z.string().nullable(),
    }),
  ),
  deliveries: z.array(deliverySchema),
  /** Of this job: spool, inbound, outgoing. */
  files: z.array(filesSchema),
});
export type GatewayJob = z.infer<typeof gatewayJobSchema>;

export const studyTraceSchema = z.object({
  siteId: z.string(),
  studyInstanceUid: z.string(),
  modality: z.string().nullable(),
  /** Last closed revision; 0: none yet. */
  revision: z.int(),
  received: z.object({
    instances: z.int(),
    /** In no revision yet. */
    open: z.int(),
    /** Same SOP Instance UID, other bytes. */
    conflicts: z.int(),
    bytes: z.int(),
    firstAtMs: epochMsSchema,
    lastAtMs: epochMsSchema,
    callingAeTitles: z.array(z.string()),
  }),
  /** Received files, whatever became of the jobs. */
  files: filesSchema,
  /** Journal in its own order, without one line per received instance. */
  journal: z.array(hopSchema),
  jobs: z.array(gatewayJobSchema),
  /** Issues of the study's one AI status object, oldest first. */
  statusObjects: z.array(statusObjectSchema),
});
export type StudyTrace = z.infer<typeof studyTraceSchema>;

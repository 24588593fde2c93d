/**
 * Hub job: everything that the hub knows of one job, hop by hop.
 * Decides which facts explain a job: when each state was reached, claims and failed tries, digests.
 * Invariant: no UID at all, not even a pseudonymous one: jobs are joined by their id and site.
 */
import { z } from 'zod';
import { epochMsSchema } from '@aifi/contracts-manifests';

const atMs = epochMsSchema.nullable();

export const hubJobSchema = z.object({
  siteId: z.string(),
  jobId: z.string(),
  product: z.string(),
  version: z.string(),
  modelDigest: z.string(),
  lane: z.string(),
  revision: z.int(),
  /** OPEN, STORED, QUEUED, INFERRED, CONCLUDED or ACKNOWLEDGED. */
  state: z.string(),
  code: z.string().nullable(),
  manifestSha256: z.string(),
  objects: z.object({ declared: z.int(), held: z.int(), bytes: z.int() }),
  /** When each state was reached; null: not yet or not passed through. */
  times: z.object({
    openedAtMs: epochMsSchema,
    storedAtMs: atMs,
    queuedAtMs: atMs,
    inferredAtMs: atMs,
    concludedAtMs: atMs,
    acknowledgedAtMs: atMs,
  }),
  /** The work in the queue; null before route has decided. */
  queue: z
    .object({
      /** QUEUED, INFERRED or DONE. */
      state: z.string(),
      /** Fencing token: rises by one with each claim, also with those of the results stage. */
      leaseEpoch: z.int(),
      /** Failed tries of the present state. */
      attempts: z.int(),
      leaseUntilMs: atMs,
      nextAttemptAtMs: epochMsSchema,
      /** Code under which the last try failed; null: none has. */
      lastFault: z.string().nullable(),
    })
    .nullable(),
  /** What the worker said; null without an answer. */
  inference: z
    .object({
      modelDigest: z.string(),
      /** Digest over the bytes that the worker really read (guard C6). */
      inputDigest: z.string(),
      outputSha256: z.string(),
      outputBytes: z.int(),
      leaseEpoch: z.int(),
      startedAtMs: epochMsSchema,
      finishedAtMs: epochMsSchema,
    })
    .nullable(),
  outcomes: z.array(
    z.object({
      issue: z.int(),
      sequence: z.int(),
      createdAtMs: epochMsSchema,
      /** When the gateway had it durably. */
      acknowledgedAtMs: atMs,
      objects: z.array(z.object({ index: z.int(), sha256: z.string(), bytes: z.int() })),
    }),
  ),
});
export type HubJob = z.infer<typeof hubJobSchema>;

/** A job id is of one site; the same id at another site would be another job. */
export const hubJobsSchema = z.object({ jobs: z.array(hubJobSchema) });
export type HubJobs = z.infer<typeof hubJobsSchema>;

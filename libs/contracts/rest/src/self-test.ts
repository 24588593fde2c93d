/**
 * The probe of a gateway over REST: whether everything but a C-STORE works, every 15 minutes.
 * Decides the steps in their order and what is told of a run: the step at which it ended.
 * Invariant: nothing of a patient and no object is part of a probe.
 * Source: features specification 18; docs/runbooks/self-test.md.
 */
import { z } from 'zod';
import { epochMsSchema } from '@aifi/contracts-manifests';

/** In their order; the first that fails ends the run. */
export const PROBE_STEPS = ['listener', 'rules', 'link', 'pacs-echo', 'pacs-find'] as const;
export type ProbeStep = (typeof PROBE_STEPS)[number];

export const probeRunSchema = z.object({
  atMs: epochMsSchema,
  durationMs: z.int().nonnegative(),
  /** The step that failed; null: all went well. */
  failedAt: z.enum(PROBE_STEPS).nullable(),
  /** Code of the error catalogue. */
  code: z.string().nullable(),
});
export type ProbeRunView = z.infer<typeof probeRunSchema>;

const probeViewSchema = z.object({
  intervalMs: z.int().positive(),
  isRunning: z.boolean(),
  /** Newest first. */
  runs: z.array(probeRunSchema),
});
export type ProbeView = z.infer<typeof probeViewSchema>;

export const selfTestRoutes = {
  probe: {
    method: 'GET',
    path: '/api/v1/probe',
    summary: 'The latest runs of the probe',
    response: probeViewSchema,
  },
  runProbe: {
    method: 'POST',
    path: '/api/v1/probe/runs',
    summary: 'Run the probe now; answers when it has ended',
    body: z.strictObject({}),
    response: probeViewSchema,
  },
} as const;

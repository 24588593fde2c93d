/**
 * Settings of the control stream and the kill state.
 * Decides how soon a gateway that hears nothing stops trusting what it knows.
 * Invariant: several heartbeats fit into the validity, so that one lost message holds nothing.
 * Source: governance specification 1 (15 minutes for kill-relevant products) [policy].
 */
import { z } from 'zod';
import { productIdSchema } from '@aifi/contracts-manifests';

/** Heartbeats that may be lost before a state is too old. */
const HEARTBEATS_MIN = 3;

export const controlConfigSchema = z
  .strictObject({
    heartbeatMs: z
      .int()
      .min(1_000)
      .max(600_000)
      .default(60_000)
      .describe('the kill state of a site is signed anew after this time'),
    validForMs: z
      .int()
      .min(10_000)
      .max(86_400_000)
      .default(900_000)
      .describe('a gateway trusts a kill state for so long without hearing of the hub'),
    killRelevant: z
      .array(productIdSchema)
      .default([])
      .describe('products whose results a gateway holds when its kill state is too old'),
  })
  .refine(({ heartbeatMs, validForMs }) => validForMs >= HEARTBEATS_MIN * heartbeatMs, {
    path: ['validForMs'],
    message: 'a kill state is valid for at least three heartbeats',
  });
export type ControlConfig = z.output<typeof controlConfigSchema>;

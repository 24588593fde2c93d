/**
 * Settings of objections.
 * Decides under which issuers a patient number is known that came without one.
 * Source: PS3.3 C.7.1.1 (Issuer of Patient ID).
 */
import { z } from 'zod';

export const consentConfigSchema = z
  .strictObject({
    issuers: z
      .array(z.string().trim().min(1).max(64))
      .max(16)
      .default([])
      .describe(
        'issuers of patient numbers that images of this hospital name; an objection of a number ' +
          'without an issuer counts for each of them',
      ),
  })
  .prefault({});
export type ConsentConfig = z.infer<typeof consentConfigSchema>;

/**
 * Settings of the receive stage: where the gateway listens and whom it answers.
 * Decides that the listener binds to a named interface and that every caller is listed with its
 * address; there is no wildcard. Source: reliability specification F9, F12.
 */
import { z } from 'zod';
import { aeTitleSchema } from '@aifi/dicom-dimse';

const EVERY_INTERFACE = new Set(['0.0.0.0', '::']);

export const receiveConfigSchema = z.strictObject({
  host: z
    .string()
    .default('127.0.0.1')
    .refine((host) => !EVERY_INTERFACE.has(host), 'name the interface to listen on')
    .describe('interface to listen on'),
  port: z.int().min(0).max(65535).describe('TCP port; 0: any free one'),
  aeTitle: aeTitleSchema.describe('called AE title that is answered'),
  callers: z
    .array(
      z.strictObject({
        aeTitle: aeTitleSchema.describe('calling AE title'),
        host: z.union([z.ipv4(), z.ipv6()]).describe('IP address it calls from'),
      }),
    )
    .min(1)
    .describe('modalities and PACS that may send'),
});
export type ReceiveConfig = z.output<typeof receiveConfigSchema>;

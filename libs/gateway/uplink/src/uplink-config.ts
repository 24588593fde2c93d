/**
 * Configuration of the uplink: what of the hospital's line it may use.
 * Decides the settings of a hospital: hours with a limit, and whether bytes are compressed.
 * Invariant: without any setting there is no limit, and acute studies never wait for one.
 */
import { z } from 'zod';
import { bandwidthRuleSchema, isTimeZone } from './bandwidth.js';

export const uplinkConfigSchema = z.strictObject({
  timeZone: z
    .string()
    .refine(isTimeZone, 'a zone of the IANA data base')
    .default('Europe/Amsterdam')
    .describe('IANA zone in which the hours of `bandwidth` are meant'),
  bandwidth: z
    .array(bandwidthRuleSchema)
    .max(50)
    .default([])
    .describe('limits by time of the day; the first that fits counts'),
  limitAcute: z.boolean().default(false).describe('acute studies keep to the limit, too'),
  compression: z
    .enum(['none', 'zstd', 'auto'])
    .default('none')
    .describe('of bytes on the way; auto: where it gains on the link as measured'),
});
export type UplinkConfig = z.output<typeof uplinkConfigSchema>;

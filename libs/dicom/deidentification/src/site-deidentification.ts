/**
 * SiteDeidentification: what a hospital decides about taking identity out, for all its products.
 * Decides the form of these settings, wherever they are written. Each of them is as strict as it
 * can be by default; whether clinical use may relax one is for the reader of the settings to say.
 * Source: pseudonymisation specification 1.3 (placeholders, dates), 1.6 (identity removed already).
 */
import { z } from 'zod';

export const siteDeidentificationSchema = z.strictObject({
  placeholderBirthDates: z
    .array(z.string().regex(/^\d{8}$/, 'a date of DICOM: YYYYMMDD'))
    .max(100)
    .default([])
    .describe('birth dates that this hospital writes when it knows none, beside the common ones'),
  identityRemovedElsewhere: z
    .enum(['refuse', 'allow'])
    .default('refuse')
    .describe('images that say their identity was removed; allow: demonstration and research only'),
  dates: z
    .enum(['by-contract', 'remove'])
    .default('by-contract')
    .describe('remove: no product gets a date or time, whatever its contract says'),
});
export type SiteDeidentification = z.output<typeof siteDeidentificationSchema>;

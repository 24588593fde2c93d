/**
 * Settings of the deliver stage: the PACS that gets the results.
 * Decides nothing more than where it is and how we call ourselves there.
 */
import { z } from 'zod';
import { aeTitleSchema } from '@aifi/dicom-dimse';

export const deliverConfigSchema = z.strictObject({
  host: z.string().min(1).describe('host of the PACS'),
  port: z.int().min(1).max(65535).describe('DICOM port of the PACS'),
  calledAeTitle: aeTitleSchema.describe('AE title of the PACS'),
  callingAeTitle: aeTitleSchema.describe('AE title of the gateway as the PACS knows it'),
});
export type DeliverConfig = z.output<typeof deliverConfigSchema>;

/**
 * Settings of the stand-in PACS.
 * Decides its own addresses, its folder, and the DICOM peers it may send to, as Orthanc's
 * DicomModalities do. For development and tests only: it answers every caller.
 */
import { z } from 'zod';
import { aeTitleSchema } from '@aifi/dicom-dimse';
import { listenSchema } from '@aifi/shared-config';

export const simulatorConfigSchema = z.strictObject({
  dicom: listenSchema.extend({ aeTitle: aeTitleSchema.describe('AE title of the PACS') }),
  http: listenSchema,
  dataFolder: z.string().min(1).describe('where the instances lie'),
  modalities: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        aeTitle: aeTitleSchema,
        host: z.string().min(1),
        port: z.int().min(1).max(65535),
      }),
    )
    .default([])
    .describe('peers that /modalities/{name}/store sends to'),
});
export type SimulatorConfig = z.output<typeof simulatorConfigSchema>;

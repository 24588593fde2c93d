/**
 * Settings of the folder intake: where batches of files are put, and how they count.
 * Decides that a batch is named by its folder and finished by its name; see the README.
 * Source: security specification 4 (Config).
 */
import { z } from 'zod';
import { aeTitleSchema } from '@aifi/dicom-dimse';

export const folderIntakeConfigSchema = z.strictObject({
  folder: z.string().startsWith('/', 'an absolute path').describe('where batches are put'),
  name: aeTitleSchema
    .default('FOLDER')
    .describe('stands in for the calling AE title of what comes this way'),
  lane: z
    .enum(['acute', 'routine'])
    .default('routine')
    .describe('routine batches wait first when the disk fills'),
  settleMs: z
    .int()
    .min(0)
    .max(3_600_000)
    .default(5_000)
    .describe('a batch in which nothing changed for so long is taken, ms'),
});
export type FolderIntakeConfig = z.output<typeof folderIntakeConfigSchema>;

/**
 * Configuration of the inference worker.
 * Decides where it listens, which folder holds its models and where runs do their work.
 * Source: conventions "Config".
 */
import { z } from 'zod';
import { listenSchema } from '@aifi/shared-config';

export const workerConfigSchema = z.strictObject({
  http: listenSchema,
  modelsFolder: z.string().min(1).describe('one sub-folder per model version, with manifest.yaml'),
  workFolder: z.string().min(1).describe('runs keep their input and output here until they end'),
});
export type WorkerConfig = z.infer<typeof workerConfigSchema>;

/**
 * Documents of `mapping` and `objection`: what `--json` prints.
 * Decides their stable shapes. Invariants: within a version `v1` a key keeps its name and meaning;
 * no patient number is in any of them.
 */
import { z } from 'zod';
import {
  catalogueCoverageSchema,
  cataloguePlanSchema,
  catalogueVersionSchema,
  objectionListSchema,
  objectionStateSchema,
} from '@aifi/contracts-rest';

const fault = z.string().nullable();

export const mappingDocumentSchema = z.object({
  schema: z.literal('aifictl.mapping.v1'),
  server: z.string(),
  /** Newest first; of `mapping rollback` the one that it made. */
  versions: z.array(catalogueVersionSchema),
  fault,
});
export type MappingDocument = z.infer<typeof mappingDocumentSchema>;

export const mappingImportDocumentSchema = z.object({
  schema: z.literal('aifictl.mapping-import.v1'),
  server: z.string(),
  file: z.string(),
  isDryRun: z.boolean(),
  plan: cataloguePlanSchema.nullable(),
  /** Null: a dry run, a wrong line, or nothing to change. */
  version: catalogueVersionSchema.nullable(),
  fault,
});
export type MappingImportDocument = z.infer<typeof mappingImportDocumentSchema>;

export const mappingExportDocumentSchema = z.object({
  schema: z.literal('aifictl.mapping-export.v1'),
  server: z.string(),
  /** null: standard output. */
  file: z.string().nullable(),
  bytes: z.int(),
  fault,
});
export type MappingExportDocument = z.infer<typeof mappingExportDocumentSchema>;

export const mappingCoverageDocumentSchema = z.object({
  schema: z.literal('aifictl.mapping-coverage.v1'),
  server: z.string(),
  coverage: catalogueCoverageSchema.nullable(),
  fault,
});
export type MappingCoverageDocument = z.infer<typeof mappingCoverageDocumentSchema>;

export const objectionDocumentSchema = z.object({
  schema: z.literal('aifictl.objection.v1'),
  server: z.string(),
  /** Null: not known. Of `objection show` no job ends. */
  state: objectionStateSchema.nullable(),
  fault,
});
export type ObjectionDocument = z.infer<typeof objectionDocumentSchema>;

export const objectionListDocumentSchema = z.object({
  schema: z.literal('aifictl.objection-list.v1'),
  server: z.string(),
  file: z.string(),
  isDryRun: z.boolean(),
  list: objectionListSchema.nullable(),
  fault,
});
export type ObjectionListDocument = z.infer<typeof objectionListDocumentSchema>;

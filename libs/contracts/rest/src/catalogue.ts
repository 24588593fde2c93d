/**
 * The hospital's procedure catalogue over REST: check, import, roll back, copy, coverage.
 * Decides what a file may be (base64, plain or gzip, so that a few thousand codes fit a request)
 * and the closed list of what can be wrong with a line, with its words.
 * Invariants: a line is told by number and column; no patient is in a catalogue or in its coverage.
 * Source: governance specification 4.3; RFC 4180.
 */
import { z } from 'zod';
import { epochMsSchema } from '@aifi/contracts-manifests';
import { reasonSchema } from './route.js';

/** A file as base64, plain or gzip; compressed, this holds some 40,000 lines. */
export const tableFileSchema = z.base64().min(4).max(240_000);

export const CATALOGUE_COLUMNS = [
  ...(['code', 'scheme', 'description', 'bodyPart', 'side', 'phase', 'product'] as const),
] as const;
export type CatalogueColumn = (typeof CATALOGUE_COLUMNS)[number];

/** What can be wrong with a line; the first group keeps the file out, the second is only told. */
export const CATALOGUE_PROBLEMS = {
  'no-code': { nl: 'er staat geen code', en: 'there is no code' },
  'too-long': { nl: 'de waarde is te lang', en: 'the value is too long' },
  'unknown-body-part': {
    nl: 'geen lichaamsdeel van DICOM (Body Part Examined), bijvoorbeeld CHEST of HAND',
    en: 'no body part of DICOM (Body Part Examined), such as CHEST or HAND',
  },
  'unknown-side': {
    nl: 'de zijde is L, R, B (beide) of U (ongepaard)',
    en: 'the side is L, R, B (both) or U (unpaired)',
  },
  contradicts: {
    nl: 'dezelfde code staat eerder in het bestand met andere waarden',
    en: 'the same code stands earlier in the file with other values',
  },
  'unknown-product': {
    nl: 'dit product kent de gateway nu niet',
    en: 'the gateway does not know this product now',
  },
  'unknown-column': {
    nl: 'deze kolom wordt niet gelezen',
    en: 'this column is not read',
  },
  'maps-nothing': {
    nl: 'de code zegt niets: geen lichaamsdeel, zijde, fase of product',
    en: 'the code says nothing: no body part, side, phase or product',
  },
} as const;
export type CatalogueProblem = keyof typeof CATALOGUE_PROBLEMS;
const problems = Object.keys(CATALOGUE_PROBLEMS) as [CatalogueProblem, ...CatalogueProblem[]];

export const catalogueFindingSchema = z.object({
  line: z.int().positive(),
  column: z.enum(CATALOGUE_COLUMNS).nullable(),
  problem: z.enum(problems),
  /** Keeps the file from being imported. */
  isError: z.boolean(),
});
export type CatalogueFinding = z.infer<typeof catalogueFindingSchema>;

const count = z.int().nonnegative();
/** What a file would change, or has changed. */
export const cataloguePlanSchema = z.object({
  codes: count,
  added: count,
  changed: count,
  removed: count,
  errors: count,
  warnings: count,
  /** The first hundred, errors before warnings. */
  findings: z.array(catalogueFindingSchema),
});
export type CataloguePlanView = z.infer<typeof cataloguePlanSchema>;

export const catalogueVersionSchema = z.object({
  version: z.int().positive(),
  /** import: of a file; rollback: the codes of `ofVersion` again. */
  kind: z.enum(['import', 'rollback']),
  ofVersion: z.int().positive(),
  codes: count,
  sha256: z.string(),
  createdAtMs: epochMsSchema,
  /** Its codes are still kept: it can be exported and rolled back to. */
  isKept: z.boolean(),
});
export type CatalogueVersionView = z.infer<typeof catalogueVersionSchema>;

export const catalogueCoverageSchema = z.object({
  days: z.int().positive(),
  /** Received since then, at most as many as are looked at. */
  studies: count,
  /** False: there were more studies than are looked at. */
  isWhole: z.boolean(),
  /** With a procedure code, of the images or of an order. */
  withCode: count,
  /** Of those the catalogue knows one of the codes. */
  mapped: count,
  /** Codes that it does not know, most frequent first. */
  unmapped: z.array(z.object({ code: z.string(), studies: count })),
});
export type CatalogueCoverageView = z.infer<typeof catalogueCoverageSchema>;

export const catalogueRoutes = {
  catalogue: {
    method: 'GET',
    path: '/api/v1/catalogue',
    summary: 'Versions of the procedure catalogue, newest first; the newest is in force',
    response: z.object({ items: z.array(catalogueVersionSchema) }),
  },
  catalogueCoverage: {
    method: 'GET',
    path: '/api/v1/catalogue/coverage',
    summary: 'Which procedure codes of the last days the catalogue knows',
    query: z.strictObject({ days: z.coerce.number().int().min(1).max(90).default(30) }),
    response: catalogueCoverageSchema,
  },
  exportCatalogue: {
    method: 'GET',
    path: '/api/v1/catalogue/export',
    summary: 'The catalogue as a CSV file that another site can import',
    query: z.strictObject({ version: z.coerce.number().int().positive().optional() }),
    media: 'text/csv',
  },
  checkCatalogue: {
    method: 'POST',
    path: '/api/v1/catalogue/checks',
    summary: 'What a file would change and what is wrong with it; nothing is kept',
    body: z.strictObject({ file: tableFileSchema }),
    response: cataloguePlanSchema,
  },
  importCatalogue: {
    method: 'POST',
    path: '/api/v1/catalogue/versions',
    summary: 'Put a file in force as a new version; refused while a line is wrong',
    body: z.strictObject({ file: tableFileSchema }),
    response: cataloguePlanSchema.extend({
      /** Null: a line is wrong, or nothing would change. */
      version: catalogueVersionSchema.nullable(),
    }),
  },
  rollBackCatalogue: {
    method: 'POST',
    path: '/api/v1/catalogue/rollbacks',
    summary: 'Put the codes of an earlier version in force again, as a new version',
    body: z.strictObject({ version: z.int().positive(), reason: reasonSchema }),
    response: catalogueVersionSchema,
  },
} as const;

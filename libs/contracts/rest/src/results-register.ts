/**
 * The results register and the erasure of a patient over REST.
 * Decides that a recall asks by product and version, that one result is found by its own UID, and
 * that an erasure is told about by a code of the patient, never by the number.
 * Invariants: no patient attribute in an answer or an address; the register has the hospital's own
 * UIDs, so it is served by the hospital's own gateway only.
 * Source: results specification 4.1; security specification 5 (two persons); GDPR Art. 17.
 */
import { z } from 'zod';
import { epochMsSchema, uidSchema } from '@aifi/contracts-manifests';
import { pageOf, pageQuery, reasonSchema } from './route.js';

export const registeredResultSchema = z.object({
  jobId: z.string(),
  studyInstanceUid: z.string(),
  sopInstanceUid: z.string(),
  seriesInstanceUid: z.string(),
  sopClassUid: z.string(),
  product: z.string(),
  productVersion: z.string(),
  modelDigest: z.string(),
  issue: z.int(),
  revision: z.int(),
  /** YYYYMMDD; null: the study has none. */
  studyDate: z.string().nullable(),
  registeredAtMs: epochMsSchema,
});
export type RegisteredResultView = z.infer<typeof registeredResultSchema>;

export const REGISTER_COLUMNS = [
  ...(['registeredAtMs', 'product', 'productVersion', 'modelDigest', 'studyInstanceUid'] as const),
  ...(['studyDate', 'seriesInstanceUid', 'sopInstanceUid', 'sopClassUid', 'jobId'] as const),
  ...(['revision', 'issue'] as const),
] as const satisfies readonly (keyof RegisteredResultView)[];

const recallQuery = {
  product: z.string().trim().min(1).max(128),
  version: z.string().trim().min(1).max(64).optional(),
};
const patientShape = {
  patientId: z.string().trim().min(1).max(64),
  issuer: z.string().trim().min(1).max(64).nullable().default(null),
};

export const registerRoutes = {
  recall: {
    method: 'GET',
    path: '/api/v1/results-register',
    summary: 'Results of one product that this gateway has put into the PACS, newest first',
    query: z.strictObject({ ...pageQuery, ...recallQuery }),
    /** studies: of how many studies, on all pages. */
    response: pageOf(registeredResultSchema).extend({
      total: z.int().nonnegative(),
      studies: z.int().nonnegative(),
    }),
  },
  exportRecall: {
    method: 'GET',
    path: '/api/v1/results-register/export',
    summary: 'The same list as a file, whole',
    query: z.strictObject(recallQuery),
    media: 'text/csv',
  },
  registeredResult: {
    method: 'GET',
    path: '/api/v1/results-register/:sopInstanceUid',
    summary: 'What one result object in the PACS was made from and by',
    params: z.strictObject({ sopInstanceUid: uidSchema }),
    response: registeredResultSchema,
  },
  patientCode: {
    method: 'POST',
    path: '/api/v1/vault/patient-codes',
    summary: 'The code under which two persons agree to erase a patient',
    body: z.strictObject(patientShape),
    response: z.object({
      code: z.string(),
      studies: z.int().nonnegative(),
      /** Of the same number where no issuer was told: another patient to an erasure. */
      studiesWithoutIssuer: z.int().nonnegative(),
    }),
  },
  erasePatient: {
    method: 'POST',
    path: '/api/v1/vault/erasures',
    summary: 'Erase a patient from the vault, after two persons agreed',
    body: z.strictObject({
      ...patientShape,
      reason: reasonSchema,
      /** Whether the register of results goes too: then no recall finds these studies. */
      results: z.enum(['keep', 'erase']).default('keep'),
    }),
    response: z.object({
      code: z.string(),
      jobs: z.int().nonnegative(),
      results: z.int().nonnegative(),
    }),
  },
} as const;

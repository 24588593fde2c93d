/**
 * Settings of the deliver stage: the PACS that gets the results.
 * Decides where it is, how we call ourselves there, what it offers and how much it is asked.
 * Invariant: secrets are named by file, never by value.
 * Source: reliability specification H15 and P6; security specification 4 (DICOM TLS, PS3.15 B.12).
 */
import { z } from 'zod';
import { aeTitleSchema } from '@aifi/dicom-dimse';

const file = z.string().min(1);
/** setTimeout takes no more; a day is what the standard's users wait. @unit ms */
const REPORT_TIMEOUT_MS = 86_400_000;

const tlsSchema = z.strictObject({
  caFile: file.describe('who signs the certificate of the PACS, PEM'),
  certificateFile: file.describe('certificate of the gateway, PEM'),
  keyFile: file.describe('its private key, PEM'),
  serverName: z.string().min(1).optional().describe('name in its certificate; default: host'),
});
const commitmentSchema = z.strictObject({
  waitMs: z
    .int()
    .min(0)
    .max(60_000)
    .default(2_000)
    .describe('how long the association of the request stays open for the report, ms'),
  timeoutMs: z
    .int()
    .positive()
    .max(7 * REPORT_TIMEOUT_MS)
    .default(REPORT_TIMEOUT_MS)
    .describe('without a report for so long the PACS is asked by C-FIND, ms'),
});
export type CommitmentConfig = z.output<typeof commitmentSchema>;
const stowSchema = z
  .strictObject({
    url: z.url({ protocol: /^https?$/ }).describe('where DICOMweb begins, such as /dicom-web'),
    plain: z.boolean().default(false).describe('allows http'),
    caFile: file.optional().describe('who signs the certificate of the server, PEM'),
    certificateFile: file.optional().describe('certificate of the gateway, PEM'),
    keyFile: file.optional().describe('its private key, PEM'),
    authorizationFile: file.optional().describe('value of the Authorization header'),
  })
  .refine(({ url, plain }) => plain || url.startsWith('https:'), {
    path: ['url'],
    message: 'https, or plain is true',
  })
  .refine(({ url, caFile }) => !url.startsWith('https:') || caFile !== undefined, {
    path: ['caFile'],
    message: 'https needs the certificate of who signs',
  })
  .refine(({ certificateFile, keyFile }) => (certificateFile === undefined) === !keyFile, {
    path: ['keyFile'],
    message: 'a certificate and its key go together',
  });

const schema = z.strictObject({
  host: z.string().min(1).describe('host of the PACS'),
  port: z.int().min(1).max(65535).describe('DICOM port of the PACS'),
  calledAeTitle: aeTitleSchema.describe('AE title of the PACS'),
  callingAeTitle: aeTitleSchema.describe('AE title of the gateway as the PACS knows it'),
  tls: tlsSchema.optional().describe('DICOM TLS; without it the PACS is reached in plain'),
  associationsMax: z
    .int()
    .min(1)
    .max(2)
    .default(2)
    .describe('objects that are delivered at the same time'),
  rate: z
    .strictObject({
      perSecond: z.number().positive().max(1_000).default(10),
      burst: z.int().min(1).max(1_000).default(20),
    })
    .prefault({})
    .describe('objects that are begun: each is at most one C-STORE and three queries'),
  commitment: commitmentSchema
    .optional()
    .describe('storage commitment, where the PACS offers it; else it is asked by C-FIND'),
  stow: stowSchema.optional().describe('objects and queries go by DICOMweb instead of DIMSE'),
});
export const deliverConfigSchema = schema.refine(({ stow, commitment }) => !stow || !commitment, {
  path: ['commitment'],
  message: 'DICOMweb has no storage commitment: results are proved by its search',
});
export type DeliverConfig = z.output<typeof deliverConfigSchema>;

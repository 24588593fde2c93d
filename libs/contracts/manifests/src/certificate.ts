/**
 * Certificate of a product, as the hub publishes it with the product.
 * Decides what a gateway must know to tell whether a study may be analysed clinically.
 * Invariant: a plain date means the whole day in Europe/Amsterdam: `validTo` ends at 23:59:59.999.
 * Source: governance specification 4.1 (regulation), 4.3; Regulation (EU) 2017/745, article 56.
 */
import { z } from 'zod';

/** A plain date, or an instant with its offset. */
const momentSchema = z.union([z.iso.date(), z.iso.datetime({ offset: true })]);

export const productCertificateSchema = z.strictObject({
  number: z.string().min(1).max(64),
  /** Four digits of the notified body; class I has none. */
  notifiedBody: z
    .string()
    .regex(/^\d{4}$/)
    .optional(),
  class: z.enum(['I', 'IIa', 'IIb', 'III']),
  validFrom: momentSchema,
  validTo: momentSchema,
});
export type ProductCertificate = z.infer<typeof productCertificateSchema>;

/**
 * Age of a study on arrival from which it is not analysed; 1,000,000 h (114 years) is no limit.
 * A migration of a PACS must be neither run nor billed. @unit h
 */
export const maxStudyAgeHoursSchema = z.number().positive().max(1_000_000);
/** Absent in the rules: a day. @unit h */
export const MAX_STUDY_AGE_HOURS_DEFAULT = 24;

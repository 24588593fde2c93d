/**
 * Intended use as machine rules: what of a study, a patient and its images a product is made for.
 * Decides which questions rules can ask, and that each of them says what happens when the images
 * are silent. Invariants: every field beyond the series rules is optional, so that rules of an
 * older release stay valid; limits are inclusive unless their name says "below".
 * Units last in the name. Source: governance specification 4.1, 4.3.
 */
import { z } from 'zod';

/** Attributes of a series that rules may read at the gateway. */
export const RULE_ATTRIBUTES = [
  'modality',
  'sopClassUid',
  'seriesDescription',
  'protocolName',
  'bodyPartExamined',
  'imageType',
  // Laterality (0020,0060) and Image Laterality (0020,0062).
  'laterality',
  'viewPosition',
  'manufacturer',
  'manufacturerModelName',
  'convolutionKernel',
  'contrastBolusAgent',
  'patientPosition',
] as const;
export const ruleAttributeSchema = z.enum(RULE_ATTRIBUTES);
export type RuleAttribute = z.infer<typeof ruleAttributeSchema>;

/** What a rule says when nobody told: never silently "allowed". */
export const onMissingSchema = z.enum(['deny', 'review', 'allow']);
export type OnMissing = z.infer<typeof onMissingSchema>;

/** RE2-safe: matched by RegExp with flag i. One that does not compile would stop every product. */
const patternSchema = z
  .string()
  .max(200)
  .refine((pattern) => {
    try {
      return new RegExp(pattern, 'i') instanceof RegExp;
    } catch {
      return false;
    }
  }, 'not a pattern');

/** One condition on a series: all parts that are there must hold. */
export const seriesRuleSchema = z.strictObject({
  id: z.string().regex(/^[a-z][a-zA-Z0-9-]*$/),
  attribute: ruleAttributeSchema,
  oneOf: z.array(z.string()).min(1).optional(),
  noneOf: z.array(z.string()).min(1).optional(),
  matches: patternSchema.optional(),
  noneMatch: patternSchema.optional(),
  /** CR, DX and RG count as one in `oneOf` of a modality, unless this is true. */
  exactModality: z.boolean().optional(),
  onMissing: onMissingSchema,
});
export type SeriesRule = z.infer<typeof seriesRuleSchema>;

/** 150: nobody is older; in months 1800. */
const yearsSchema = z.int().min(0).max(150).optional();
const monthsSchema = z.int().min(0).max(1_800).optional();

/** Age on the day of the study, in completed years or months. */
export const ageRuleSchema = z.strictObject({
  /** Inclusive. */
  minYears: yearsSchema,
  /** Inclusive: 19 takes a patient until the day before the 20th birthday. */
  maxYears: yearsSchema,
  /** Exclusive: 18 takes a patient until the day before the 18th birthday. */
  belowYears: yearsSchema,
  minMonths: monthsSchema,
  belowMonths: monthsSchema,
  onMissing: onMissingSchema,
});
export type AgeRule = z.infer<typeof ageRuleSchema>;

export const patientRulesSchema = z.strictObject({
  age: ageRuleSchema.optional(),
  /** Patient's Sex (0010,0040). */
  sex: z
    .strictObject({ oneOf: z.array(z.enum(['F', 'M', 'O'])).min(1), onMissing: onMissingSchema })
    .optional(),
});
export type PatientRules = z.infer<typeof patientRulesSchema>;

const wordsRuleSchema = z.strictObject({
  oneOf: z.array(z.string().min(1).max(64)).min(1),
  onMissing: onMissingSchema,
});
/**
 * About the study: the hospital's catalogue decides where it maps the procedure, the tags of the
 * images only where it does not.
 */
export const studyRulesSchema = z.strictObject({
  /** As Body Part Examined writes it (PS3.16 annex L). */
  bodyPart: wordsRuleSchema.optional(),
  side: z
    .strictObject({
      oneOf: z.array(z.enum(['L', 'R', 'B', 'U'])).min(1),
      onMissing: onMissingSchema,
    })
    .optional(),
  /** Of contrast; no tag says it, so only the catalogue can. */
  phase: wordsRuleSchema.optional(),
  /** `scheme:code` of the order, or of the images where there is no order. */
  procedureCodes: wordsRuleSchema.optional(),
});
export type StudyRules = z.infer<typeof studyRulesSchema>;

/** What must be there before a product may say "nothing found". */
export const negativeRequiresSchema = z.strictObject({
  /** For each of these, a series that satisfies all its rules. */
  series: z
    .array(
      z.strictObject({
        rules: z.array(seriesRuleSchema).min(1),
        instancesMin: z.int().positive().optional(),
      }),
    )
    .min(1)
    .optional(),
  /** Values of View Position (0018,5101), each at least once. */
  views: z.array(z.string().min(1).max(16)).min(1).optional(),
  /** Images of the series that the product takes. */
  imagesMin: z.int().positive().optional(),
});
export type NegativeRequires = z.infer<typeof negativeRequiresSchema>;

export const intendedUseSchema = z.strictObject({
  /** A series must satisfy all of these to be the product's input. */
  series: z.array(seriesRuleSchema).min(1),
  patient: patientRulesSchema.optional(),
  study: studyRulesSchema.optional(),
  /** Extent that the chosen series must cover along its slice normal. @unit mm */
  coverageMinMm: z.number().positive().optional(),
  /** Thickest slice of the chosen series, inclusive. @unit mm */
  sliceThicknessMaxMm: z.number().positive().optional(),
  /** Absent: deny. */
  sliceThicknessOnMissing: onMissingSchema.optional(),
  /** Fewest instances of the chosen series. */
  instancesMin: z.int().positive().default(1),
  negativeRequires: negativeRequiresSchema.optional(),
  /** Run as soon as a series suffices, while the study still arrives. Absent: in the acute lane. */
  earlyStart: z.boolean().optional(),
});
export type IntendedUse = z.infer<typeof intendedUseSchema>;

/**
 * Settings of assemble: when a hospital takes a study for complete, per kind of study.
 * Decides which words a rule can use; the first rule that fits a study counts.
 * Invariant: every rule keeps a quiet timer, so that an image that never comes holds no study.
 * Source: features specification 5, 6.
 */
import { z } from 'zod';

/** Attributes of a series that a site can describe it by; those of the instance header. */
const SERIES_ATTRIBUTES = [
  'modality',
  'seriesDescription',
  'protocolName',
  'bodyPartExamined',
  'imageType',
] as const;

const patternSchema = z
  .string()
  .min(1)
  .max(200)
  .refine((pattern) => {
    try {
      return new RegExp(pattern, 'i') instanceof RegExp;
    } catch {
      return false;
    }
  }, 'not a pattern');
const wordsSchema = z.array(z.string().min(1).max(64)).min(1).max(100);

const seriesConditionSchema = z.strictObject({
  attribute: z.enum(SERIES_ATTRIBUTES),
  oneOf: wordsSchema.optional().describe('one of these, capitals or not'),
  matches: patternSchema.optional().describe('regular expression, capitals or not'),
});
export type SeriesCondition = z.output<typeof seriesConditionSchema>;

const expectedSeriesSchema = z.strictObject({
  where: z.array(seriesConditionSchema).min(1).max(8).describe('all of these hold'),
  instancesMin: z.int().positive().default(1).describe('images from which it counts as there'),
});
export type ExpectedSeries = z.output<typeof expectedSeriesSchema>;

const quietSchema = z.int().positive().max(3_600_000);
export const completenessRuleSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
  /** All that are given; each with one of its values. */
  modalities: wordsSchema.optional().describe('Modality of one of the series'),
  callingAeTitles: wordsSchema.optional().describe('who sent one of the images'),
  procedures: wordsSchema.optional().describe('scheme:code in one of the images'),
  quietMs: quietSchema.optional().describe('silence that completes the study, ms'),
  expectedSeries: z
    .array(expectedSeriesSchema)
    .min(1)
    // Each is tried against each series of the study.
    .max(16)
    .optional()
    .describe('complete at once when all of these are there'),
});
export type CompletenessRule = z.output<typeof completenessRuleSchema>;

export const assembleConfigSchema = z.strictObject({
  rules: z.array(completenessRuleSchema).max(100).default([]),
  /** [policy]: a modality pauses for less between two images of one series. */
  earlyQuietMs: quietSchema
    .default(2_000)
    .describe('silence in a series after which an early start takes it as whole, ms'),
});
export type AssembleConfig = z.output<typeof assembleConfigSchema>;

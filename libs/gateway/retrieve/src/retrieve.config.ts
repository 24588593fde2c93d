/**
 * Settings of query and retrieve: how studies are fetched, how fast, and which by themselves.
 * Decides the defaults. Invariants: everything that is asked of the PACS has a bound; a rule looks
 * back no further than the age at which studies are refused by default, so that no rule fetches an
 * archive. Source: reliability specification H15; features 4; governance specification 4.3.
 */
import { z } from 'zod';

const RULES_MAX = 50;
/** DICOM wildcards, as in a C-FIND: `*` for any text, `?` for one character (PS3.4 C.2.2.2.4). */
const pattern = z.string().min(1).max(64);

const ruleSchema = z.strictObject({
  name: z.string().min(1).max(64).describe('as it is told in the log'),
  modality: z
    .string()
    .regex(/^[A-Z0-9]{1,16}$/)
    .describe('Modalities in Study has it'),
  station: pattern.optional().describe('one of its series has this Station Name'),
  description: pattern.optional().describe('its Study Description'),
  everyMinutes: z.int().min(5).max(1_440).default(30),
  lookBackHours: z.int().min(1).max(24).default(12).describe('by date and time of the study'),
  settleMinutes: z.int().min(0).max(720).default(30).describe('a younger one may be on its way'),
  product: z.string().min(1).max(64).optional().describe('to be run on it by name'),
});

export const retrieveConfigSchema = z.strictObject({
  way: z
    .enum(['move', 'get', 'wado'])
    .optional()
    .describe('default: wado where results go by DICOMweb, else move'),
  destinationAeTitle: z
    .string()
    .regex(/^[\x21-\x5b\x5d-\x7e]([\x20-\x5b\x5d-\x7e]{0,14}[\x21-\x5b\x5d-\x7e])?$/)
    .optional()
    .describe('AE title that a C-MOVE sends to; default: that of the listener'),
  rate: z
    .strictObject({
      perMinute: z.number().positive().max(600).default(30),
      burst: z.int().min(1).max(100).default(5),
    })
    .prefault({})
    .describe('requests to the PACS that are begun: lists and fetches'),
  attemptsMax: z.int().min(1).max(50).default(6).describe('fetches of one study that are begun'),
  giveUpHours: z.int().min(1).max(168).default(24).describe('after which a retrieval has failed'),
  idleMs: z
    .int()
    .min(1_000)
    .max(3_600_000)
    .default(300_000)
    .describe('longest silence of the PACS while it sends, ms'),
  totalMs: z
    .int()
    .min(1_000)
    .max(86_400_000)
    .default(3_600_000)
    .describe('longest fetch of one study or series, ms'),
  instancesMax: z
    .int()
    .min(1)
    .max(50_000)
    .default(20_000)
    .describe('a study with more is not fetched'),
  queueMax: z.int().min(1).max(10_000).default(1_000).describe('retrievals that wait'),
  missedStudies: z
    .enum(['by-hand', 'automatic'])
    .default('by-hand')
    .describe('studies that should have come: fetched when a person says so, or at once'),
  rules: z
    .array(ruleSchema)
    .max(RULES_MAX)
    .refine((rules) => new Set(rules.map(({ name }) => name)).size === rules.length, {
      message: 'each rule has a name of its own',
    })
    .default([])
    .describe('studies that are fetched by themselves where they never came'),
});
export type RetrieveConfig = z.output<typeof retrieveConfigSchema>;
export type RetrieveRule = z.output<typeof ruleSchema>;
export type RetrieveWay = NonNullable<RetrieveConfig['way']>;

/**
 * Objections of patients over REST: looked up by number, set, withdrawn, imported as a list, and
 * received as FHIR Consent.
 * Decides that a number goes in a body, never in an address, and that there is no list of patients.
 * Invariants: a line of a list is told by number and column, never by its words; what an objection
 * means for jobs that are under way is said in the answer.
 * Source: governance specification 4.3 (OBJECTION); GDPR Art. 21; FHIR R4 Consent.
 */
import { z } from 'zod';
import { epochMsSchema } from '@aifi/contracts-manifests';
import { tableFileSchema } from './catalogue.js';
import { reasonSchema } from './route.js';

/** As the rules name them; each with its words. */
export const OBJECTION_WORDS = {
  'ai-in-own-care': { nl: 'AI in de eigen zorg', en: 'AI in own care' },
  'secondary-use': { nl: 'nader gebruik (onderzoek, ontwikkeling)', en: 'secondary use' },
  sharing: { nl: 'delen met andere zorgaanbieders', en: 'sharing with other providers' },
} as const;
export type ObjectionKindCode = keyof typeof OBJECTION_WORDS;
const kinds = Object.keys(OBJECTION_WORDS) as [ObjectionKindCode, ...ObjectionKindCode[]];
export const objectionKindSchema = z.enum(kinds);

export const OBJECTION_SOURCES = ['list', 'adt', 'fhir', 'person'] as const;
const patientShape = {
  patientId: z.string().trim().min(1).max(64),
  issuer: z.string().trim().min(1).max(64).nullable().default(null),
};
const kindsShape = { kinds: z.array(objectionKindSchema).min(1).max(kinds.length) };

export const objectionEntrySchema = z.object({
  kind: objectionKindSchema,
  event: z.enum(['set', 'withdrawn']),
  source: z.enum(OBJECTION_SOURCES),
  /** Null for a withdrawal. */
  sinceMs: epochMsSchema.nullable(),
  /** Null: without an end. */
  untilMs: epochMsSchema.nullable(),
  recordedAtMs: epochMsSchema,
});
export type ObjectionEntryView = z.infer<typeof objectionEntrySchema>;

const count = z.int().nonnegative();
export const objectionStateSchema = z.object({
  /** In force now. */
  inForce: z.array(objectionKindSchema),
  /** Newest first. */
  history: z.array(objectionEntrySchema),
  /** Jobs that this act ended, and those that the hub already has: they go on. */
  jobsEnded: count,
  jobsAtHub: count,
});
export type ObjectionStateView = z.infer<typeof objectionStateSchema>;

export const OBJECTION_COLUMNS = ['number', 'issuer', 'kind', 'from', 'until'] as const;
export type ObjectionColumn = (typeof OBJECTION_COLUMNS)[number];
/** What can be wrong with a line of a list. */
export const OBJECTION_PROBLEMS = {
  'no-number': { nl: 'er staat geen patiëntnummer', en: 'there is no patient number' },
  'too-long': { nl: 'de waarde is te lang', en: 'the value is too long' },
  'unknown-kind': {
    nl: 'de soort is ai-in-own-care, secondary-use of sharing',
    en: 'the kind is ai-in-own-care, secondary-use or sharing',
  },
  'bad-date': { nl: 'een datum is als 2026-11-22', en: 'a date is written as 2026-11-22' },
  'ends-before': { nl: 'het einde ligt voor het begin', en: 'it ends before it begins' },
} as const;
export type ObjectionProblem = keyof typeof OBJECTION_PROBLEMS;
const problems = Object.keys(OBJECTION_PROBLEMS) as [ObjectionProblem, ...ObjectionProblem[]];

export const objectionListSchema = z.object({
  /** Lines with an objection; a line may set several kinds. */
  lines: count,
  bad: count,
  /** The first hundred. */
  findings: z.array(
    z.object({
      line: z.int().positive(),
      column: z.enum(OBJECTION_COLUMNS),
      problem: z.enum(problems),
    }),
  ),
  /** Of the good lines: set, or set already. */
  added: count,
  unchanged: count,
  /** False: a check, or a list with bad lines. */
  isImported: z.boolean(),
  jobsEnded: count,
  jobsAtHub: count,
});
export type ObjectionListView = z.infer<typeof objectionListSchema>;

export const consentRoutes = {
  findObjections: {
    method: 'POST',
    path: '/api/v1/objections/search',
    summary: 'Objections of one patient, by number',
    body: z.strictObject(patientShape),
    response: objectionStateSchema.omit({ jobsEnded: true, jobsAtHub: true }),
  },
  setObjection: {
    method: 'POST',
    path: '/api/v1/objections',
    summary: 'A patient objects',
    body: z.strictObject({
      ...patientShape,
      ...kindsShape,
      /** @default now */
      sinceMs: epochMsSchema.optional(),
      /** @default without an end */
      untilMs: epochMsSchema.optional(),
    }),
    response: objectionStateSchema,
  },
  withdrawObjection: {
    method: 'POST',
    path: '/api/v1/objections/withdrawal',
    summary: 'A patient takes objections back',
    body: z.strictObject({ ...patientShape, ...kindsShape, reason: reasonSchema }),
    response: objectionStateSchema,
  },
  checkObjectionList: {
    method: 'POST',
    path: '/api/v1/objections/list-checks',
    summary: 'What a list would set and which lines are wrong; nothing is kept',
    body: z.strictObject({ file: tableFileSchema }),
    response: objectionListSchema,
  },
  importObjectionList: {
    method: 'POST',
    path: '/api/v1/objections/lists',
    summary: 'Set the objections of a list; the file is read and not kept',
    body: z.strictObject({
      file: tableFileSchema,
      /** Else a list with a bad line is not imported. */
      skipBadLines: z.boolean().default(false),
    }),
    response: objectionListSchema,
  },
  receiveConsent: {
    method: 'POST',
    path: '/api/v1/consents/fhir',
    summary: 'A FHIR R4 Consent: a denial sets an objection, an inactive one withdraws it',
    body: z.looseObject({ resourceType: z.literal('Consent') }),
    response: objectionStateSchema.omit({ history: true }),
  },
} as const;

/**
 * Reconciliation over REST: studies that the PACS has and the gateway should have seen.
 * Decides what a person can do about one: have the gateway fetch it from the PACS, or dismiss it
 * with a reason. Without a word it is fetched only where the configuration says so.
 * Invariants: no patient attribute; a run that did not end well is told with the list, so that an
 * empty list never looks like a good one. Source: reliability specification 2 (T-REC).
 */
import { z } from 'zod';
import { epochMsSchema } from '@aifi/contracts-manifests';
import { retrievalSchema } from './retrieval.js';
import { pageOf, pageQuery, reasonSchema } from './route.js';

/** What the last run says, in both languages, and what to do about it. */
export const RECONCILIATION_WORDS = {
  DONE: {
    nl: 'het PACS is vergeleken met wat hier binnenkwam',
    en: 'the PACS was compared with what came in here',
  },
  NOT_WHOLE: {
    nl: 'het PACS had meer onderzoeken dan er gevraagd mochten worden: de lijst is niet volledig',
    en: 'the PACS had more studies than may be asked for: the list is not complete',
  },
  NO_RULES: {
    nl: 'nog niet vergeleken: er zijn nog geen regels van de hub',
    en: 'not compared yet: there are no rules of the hub',
  },
  PACS_SILENT: {
    nl: 'het PACS antwoordt niet: er is nu niet te zien wat ontbreekt',
    en: 'the PACS does not answer: what is missing cannot be seen now',
  },
  PACS_REFUSED: {
    nl: 'het PACS staat de gateway geen zoekvragen toe: sta C-FIND toe voor de AE-titel',
    en: 'the PACS refuses queries of the gateway: allow C-FIND for its AE title',
  },
  FAILED: {
    nl: 'vergelijken met het PACS mislukte',
    en: 'the comparison with the PACS failed',
  },
} as const;
/** What a person does about a study that did not come. */
export const MISSED_STUDY_ADVICE = {
  nl:
    'Laat de gateway het onderzoek ophalen, of stuur het vanuit het PACS opnieuw naar de ' +
    'AE-titel van de gateway; daarna verdwijnt het hier vanzelf.',
  en:
    'Have the gateway fetch the study, or send it again from the PACS to the AE title of the ' +
    'gateway; it then leaves this list by itself.',
} as const;

export const missedStudySchema = z.object({
  id: z.int().positive(),
  studyInstanceUid: z.string(),
  kind: z.enum(['MISSED', 'PARTLY']),
  modalities: z.array(z.string()),
  /** Products that could have taken it. */
  products: z.array(z.string()),
  /** As the PACS dates it. */
  studyAtMs: epochMsSchema,
  foundAtMs: epochMsSchema,
  expectedInstances: z.int().nonnegative(),
  receivedInstances: z.int().nonnegative(),
});
export type MissedStudyView = z.infer<typeof missedStudySchema>;

export const reconciliationRunSchema = z.object({
  atMs: epochMsSchema,
  state: z.enum(['DONE', 'NOT_WHOLE', 'NO_RULES', 'PACS_SILENT', 'PACS_REFUSED', 'FAILED']),
  /** Studies of the PACS that were compared. */
  studies: z.int().nonnegative(),
  /** When a run last ended well. */
  doneAtMs: epochMsSchema.nullable(),
});
export type ReconciliationRunView = z.infer<typeof reconciliationRunSchema>;

export const assuranceSchema = z.object({
  clock: z.object({
    level: z.enum(['unknown', 'good', 'alarm', 'hold']),
    /** Hub minus gateway; null: not known. */
    offsetMs: z.int().nullable(),
  }),
  digests: z.object({
    startedAtMs: epochMsSchema.nullable(),
    finishedAtMs: epochMsSchema.nullable(),
    files: z.int().nonnegative(),
    damaged: z.int().nonnegative(),
  }),
  /** Broken invariants of the last look. */
  violations: z.int().nonnegative(),
});
export type AssuranceView = z.infer<typeof assuranceSchema>;

export const reconcileRoutes = {
  reconciliation: {
    method: 'GET',
    path: '/api/v1/reconciliation',
    summary: 'Studies that should have come and did not, the clock, and checks of stored files',
    query: z.strictObject(pageQuery),
    response: pageOf(missedStudySchema).extend({
      total: z.int().nonnegative(),
      /** Null: switched off, or not run yet. */
      lastRun: reconciliationRunSchema.nullable(),
      isOn: z.boolean(),
      assurance: assuranceSchema,
    }),
  },
  fetchMissedStudy: {
    method: 'POST',
    path: '/api/v1/reconciliation/:missedStudyId/retrieval',
    summary: 'Fetch this study from the PACS',
    params: z.strictObject({ missedStudyId: z.coerce.number().int().positive() }),
    body: z.strictObject({}),
    response: retrievalSchema,
  },
  dismissMissedStudy: {
    method: 'POST',
    path: '/api/v1/reconciliation/:missedStudyId/dismissal',
    summary: 'This study need not be analysed',
    params: z.strictObject({ missedStudyId: z.coerce.number().int().positive() }),
    body: z.strictObject({ reason: reasonSchema }),
    response: z.object({ dismissed: z.boolean() }),
  },
} as const;

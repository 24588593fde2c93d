/**
 * Dead letters over REST: what the PACS would not take or keep, why, and how it is sent again.
 * Decides the closed list of reasons with their words, and that sending again is asked for one, for
 * some by reason and age, or for all by saying so.
 * Invariants: no patient attribute; the study's UID only for who may see the list of studies; a
 * reason of a newer gateway is shown as it is, without words.
 * Source: reliability specification P6; security specification 5 ("replay dead letter").
 */
import { z } from 'zod';
import { epochMsSchema } from '@aifi/contracts-manifests';
import { pageOf, pageQuery } from './route.js';

/** Why an object is a dead letter, and what to look at before it is sent again. */
export const DEAD_LETTER_WORDS: Readonly<
  Record<string, { readonly nl: string; readonly en: string }>
> = {
  PEER_REFUSED: {
    nl: 'het PACS weigert dit object: zoek in het PACS waarom',
    en: 'the PACS refuses this object: look in the PACS for the cause',
  },
  RESULT_LOST: {
    nl: 'het PACS nam het object aan maar bewaarde het niet, meer dan eens',
    en: 'the PACS took the object but did not keep it, more than once',
  },
  RESULT_NOT_LISTED: {
    nl: 'het PACS zegt het object al te hebben maar toont het niet',
    en: 'the PACS says that it has the object already but does not list it',
  },
  COMMITMENT_FAILED: {
    nl: 'het PACS wil niet bevestigen dat het object is opgeslagen',
    en: 'the PACS will not confirm that the object is stored',
  },
  TIMEOUT: {
    nl: 'niet afgeleverd voor de uiterste tijd: het onderzoek of het PACS was er niet',
    en: 'not delivered before the deadline: the study or the PACS was not there',
  },
  IDENTITY_UNEXPLAINED: {
    nl: 'het PACS heeft bij dit onderzoek een andere patiënt',
    en: 'the PACS has another patient for this study',
  },
  OUTPUT_INVALID: {
    nl: 'het object op de schijf van de gateway is beschadigd',
    en: "the object on the gateway's disk is damaged",
  },
};

/** Undefined for a reason that this version does not know. */
export const deadLetterWords = (code: string): { nl: string; en: string } | undefined =>
  Object.hasOwn(DEAD_LETTER_WORDS, code) ? DEAD_LETTER_WORDS[code] : undefined;

/** Of a result (delivery) or of a status object. */
export const deadLetterIdSchema = z.string().regex(/^(delivery|status_object):[1-9]\d{0,14}$/);

export const deadLetterSchema = z.object({
  id: deadLetterIdSchema,
  sinceMs: epochMsSchema,
  /** Null for a status object, which tells of every product of its study. */
  product: z.string().nullable(),
  /** Null: not for this role. */
  studyInstanceUid: z.string().nullable(),
  jobId: z.string(),
  /** SR, SC, SEG, ... or status. */
  kind: z.string(),
  code: z.string(),
  /** The code in words, in both languages; null for a code without. */
  words: z.object({ nl: z.string(), en: z.string() }).nullable(),
  /** Last C-STORE status, four hexadecimal digits; null: the PACS gave none. */
  dimseStatus: z
    .string()
    .regex(/^[0-9A-F]{4}$/)
    .nullable(),
  attempts: z.int().nonnegative(),
  /** How often somebody had it sent again. */
  replays: z.int().nonnegative(),
});
export type DeadLetterView = z.infer<typeof deadLetterSchema>;

export const replayCountSchema = z.object({
  replayed: z.int().nonnegative(),
  /** Not sent again: no dead letter any more, or overtaken by a newer result. */
  skipped: z.int().nonnegative(),
});
export type ReplayCount = z.infer<typeof replayCountSchema>;

/** A year: older ones are no matter of minutes. @unit ms */
const OLDER_THAN_MS_MAX = 366 * 86_400_000;
export const replaySelectionSchema = z
  .strictObject({
    code: z.string().min(1).max(64).optional(),
    olderThanMs: z.int().nonnegative().max(OLDER_THAN_MS_MAX).optional(),
    /** Every dead letter: said in so many words, never by leaving something out. */
    all: z.literal(true).optional(),
  })
  .refine(
    ({ code, olderThanMs, all }) =>
      (all === true) !== (code !== undefined || olderThanMs !== undefined),
    'all, or a selection',
  );

export const deadLetterRoutes = {
  deadLetters: {
    method: 'GET',
    path: '/api/v1/dead-letters',
    summary: 'Results that the PACS would not take or keep, newest first',
    query: z.strictObject({ ...pageQuery, code: z.string().min(1).max(64).optional() }),
    /** total: how many there are of the reason that is asked for, on all pages. */
    response: pageOf(deadLetterSchema).extend({ total: z.int().nonnegative() }),
  },
  replayDeadLetter: {
    method: 'POST',
    path: '/api/v1/dead-letters/:deadLetterId/replay',
    summary: 'Send one of them to the PACS again',
    params: z.strictObject({ deadLetterId: deadLetterIdSchema }),
    body: z.strictObject({}),
    response: replayCountSchema,
  },
  replayDeadLetters: {
    method: 'POST',
    path: '/api/v1/dead-letters/replay',
    summary: 'Send all of them again, or those of one reason or age',
    body: replaySelectionSchema,
    response: replayCountSchema,
  },
} as const;

/**
 * Retrievals over REST: studies that the gateway fetches from the PACS, and why one is not here.
 * Decides the closed list of reasons with what to do about each. Invariants: an accession number is
 * in the body of a request only, is looked up in the PACS and kept nowhere; no patient attribute;
 * a reason of a newer gateway is shown as it is, without words.
 * Source: features specification 4; reliability specification H15; PS3.4 C.4.2 and C.4.3.
 */
import { z } from 'zod';
import { epochMsSchema, uidSchema } from '@aifi/contracts-manifests';
import { pageOf, pageQuery } from './route.js';

/** Why a study is not here, in both languages, and what to ask of whom. */
export const RETRIEVAL_WORDS: Readonly<
  Record<string, { readonly nl: string; readonly en: string }>
> = {
  PARTLY: {
    nl: 'het PACS kon niet alle beelden versturen: kijk in het PACS naar de uitgaande verbinding',
    en: 'the PACS could not send all images: look at its outgoing connection in the PACS',
  },
  CANNOT_COUNT: {
    nl: 'het PACS kan niet zeggen hoeveel beelden er zijn (A701): meld het de PACS-beheerder',
    en: 'the PACS cannot tell how many images there are (A701): tell who looks after the PACS',
  },
  CANNOT_SEND: {
    nl: 'het PACS kan de gateway niet bereiken (A702): laat adres en poort in het PACS nakijken',
    en: 'the PACS cannot reach the gateway (A702): have its address and port checked in the PACS',
  },
  UNKNOWN_DESTINATION: {
    nl: 'het PACS kent de AE-titel van de gateway niet als bestemming (A801): laat die toevoegen',
    en: 'the PACS does not know the AE title of the gateway as a destination (A801): have it added',
  },
  NOT_MATCHING: {
    nl: 'het PACS neemt de vraag zo niet aan (A900): meld het de leverancier van het PACS',
    en: 'the PACS does not take the question as it is (A900): tell the vendor of the PACS',
  },
  CANNOT_PROCESS: {
    nl:
      'het PACS kon de opdracht niet uitvoeren (Cxxx): laat nagaan of het de AE-titel van de ' +
      'gateway als bestemming kent, en kijk in de log van het PACS',
    en:
      'the PACS could not carry it out (Cxxx): have it checked that it knows the AE title of the ' +
      'gateway as a destination, and look in the log of the PACS',
  },
  CANCELLED: {
    nl: 'afgebroken; gaat vanzelf verder',
    en: 'broken off; goes on by itself',
  },
  NOT_OFFERED: {
    nl: 'het PACS biedt zoeken of ophalen niet aan voor deze AE-titel: laat het aanzetten',
    en: 'the PACS offers no query or retrieve to this AE title: have it switched on',
  },
  NOT_AUTHORISED: {
    nl: 'het PACS staat deze AE-titel het ophalen niet toe: laat het toestaan',
    en: 'the PACS does not allow this AE title to retrieve: have it allowed',
  },
  FAILED: {
    nl: 'het PACS meldt een fout bij het versturen: kijk in de log van het PACS',
    en: 'the PACS reports a failure while it sends: look in the log of the PACS',
  },
  SILENT: {
    nl: 'het PACS antwoordt niet: er wordt vanzelf opnieuw gevraagd',
    en: 'the PACS does not answer: it is asked again by itself',
  },
  REJECTED: {
    nl: 'het PACS laat de gateway niet toe: vergelijk AE-titels en certificaten aan beide kanten',
    en: 'the PACS does not let the gateway in: compare AE titles and certificates on both sides',
  },
  NOT_IN_PACS: {
    nl: 'het PACS heeft dit onderzoek niet',
    en: 'the PACS has no such study',
  },
  TOO_LARGE: {
    nl: 'het onderzoek heeft meer beelden dan er opgehaald mogen worden (retrieve.instancesMax)',
    en: 'the study has more images than may be fetched (retrieve.instancesMax)',
  },
  INCOMPLETE: {
    nl: 'het PACS zegt alles te hebben verstuurd, maar er ontbreken beelden',
    en: 'the PACS says that it sent everything, but images are missing',
  },
  OTHER_STUDY: {
    nl: 'het PACS stuurde een beeld van een ander onderzoek; dat is geweigerd',
    en: 'the PACS sent an image of another study; it was refused',
  },
  NOT_TAKEN: {
    nl: 'een beeld is stuk of van een soort die de gateway niet aanneemt',
    en: 'an image is broken, or of a kind that the gateway does not take',
  },
  NO_SPACE: {
    nl: 'geen ruimte op de schijf van de gateway',
    en: 'no room on the disk of the gateway',
  },
  WITHDRAWN: {
    nl: 'ingetrokken',
    en: 'withdrawn',
  },
  OWN_FAULT: {
    nl: 'een fout in de gateway: kijk in de log',
    en: 'a fault in the gateway: look in its log',
  },
};

/** Undefined for a reason that this version does not know. */
export const retrievalWords = (reason: string): { nl: string; en: string } | undefined =>
  Object.hasOwn(RETRIEVAL_WORDS, reason) ? RETRIEVAL_WORDS[reason] : undefined;

export const retrievalSchema = z.object({
  id: z.int().positive(),
  studyInstanceUid: z.string(),
  /** Null: the whole study. */
  seriesInstanceUid: z.string().nullable(),
  cause: z.enum(['by-hand', 'missed', 'order', 'prior', 'rule']),
  /** To be run on it by name. */
  product: z.string().nullable(),
  state: z.enum(['QUEUED', 'DONE', 'FAILED']),
  /** Why it is not done yet, or will not be; null: no reason. */
  reason: z.string().nullable(),
  code: z.string().nullable(),
  words: z.object({ nl: z.string(), en: z.string() }).nullable(),
  attempts: z.int().nonnegative(),
  nextAttemptAtMs: epochMsSchema.nullable(),
  /** As the PACS listed last; null: not known yet. */
  expectedInstances: z.int().nonnegative().nullable(),
  receivedInstances: z.int().nonnegative().nullable(),
  createdAtMs: epochMsSchema,
  endedAtMs: epochMsSchema.nullable(),
});
export type RetrievalView = z.infer<typeof retrievalSchema>;

const product = z.string().trim().min(1).max(64);

export const retrievalRoutes = {
  retrievals: {
    method: 'GET',
    path: '/api/v1/retrievals',
    summary: 'Studies that are or were fetched from the PACS, newest first',
    query: z.strictObject({
      ...pageQuery,
      state: z.enum(['QUEUED', 'DONE', 'FAILED']).optional(),
    }),
    response: pageOf(retrievalSchema).extend({ waiting: z.int().nonnegative() }),
  },
  requestRetrieval: {
    method: 'POST',
    path: '/api/v1/retrievals',
    summary: 'Fetch a study from the PACS, by its UID or its accession number',
    body: z
      .strictObject({
        studyInstanceUid: uidSchema.optional(),
        accessionNumber: z.string().trim().min(1).max(64).optional(),
        product: product.optional().describe('to be run on it whatever its age'),
        from: z.enum(['page', 'command-line']).default('page'),
      })
      .refine(
        ({ studyInstanceUid, accessionNumber }) =>
          (studyInstanceUid === undefined) !== (accessionNumber === undefined),
        { message: 'a study UID or an accession number', path: ['studyInstanceUid'] },
      ),
    response: z.object({
      /** One for each study; several where orders were grouped. */
      retrievals: z.array(retrievalSchema),
    }),
  },
  withdrawRetrieval: {
    method: 'POST',
    path: '/api/v1/retrievals/:retrievalId/withdrawal',
    summary: 'This study need not be fetched; what has come stays',
    params: z.strictObject({ retrievalId: z.coerce.number().int().positive() }),
    body: z.strictObject({}),
    response: z.object({ withdrawn: z.boolean() }),
  },
} as const;

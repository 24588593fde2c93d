/**
 * The closed table of reasons why a product gave no result.
 * Decides the state that each code leads to and the words that hospital staff read.
 * Invariants: a code exists here with both texts, or it does not exist; a text fits a DICOM Code
 * Meaning (LO, 64 characters) and reads after "<product>: ".
 * Source: governance specification 4.3; terminal states of docs/architecture/2-data-path.md.
 */

/** Terminal states of a (site, study, revision, product). */
export const TERMINAL_STATES = [
  'RESULT_IN_PACS',
  'NOT_ANALYSED_NOTIFIED',
  'NOT_ELIGIBLE_LOGGED',
] as const;
export type TerminalState = (typeof TERMINAL_STATES)[number];

interface ReasonText {
  readonly state: Exclude<TerminalState, 'RESULT_IN_PACS'>;
  /** English and Dutch; at most 64 characters, no capital and no full stop around it. */
  readonly en: string;
  readonly nl: string;
}

export const REASON_CODES = {
  OBJECTION: {
    state: 'NOT_ELIGIBLE_LOGGED',
    en: 'the patient objects to the use of AI',
    nl: 'de patiënt heeft bezwaar tegen het gebruik van AI',
  },
  NO_PRODUCT: {
    state: 'NOT_ELIGIBLE_LOGGED',
    en: 'no product at this site is meant for this study',
    nl: 'geen product op deze locatie is bedoeld voor dit onderzoek',
  },
  NO_CONTRACT: {
    state: 'NOT_ELIGIBLE_LOGGED',
    en: 'the hospital has no contract for this product',
    nl: 'het ziekenhuis heeft geen contract voor dit product',
  },
  SITE_INACTIVE: {
    state: 'NOT_ELIGIBLE_LOGGED',
    en: 'this site is not active',
    nl: 'deze locatie is niet actief',
  },
  NOT_DEPLOYED: {
    state: 'NOT_ELIGIBLE_LOGGED',
    en: 'the product is not in use at this site',
    nl: 'het product is op deze locatie niet in gebruik',
  },
  OUT_OF_INTENDED_USE: {
    state: 'NOT_ELIGIBLE_LOGGED',
    en: 'the study is outside the intended use of the product',
    nl: 'het onderzoek valt buiten het beoogde gebruik van het product',
  },
  STUDY_TOO_OLD: {
    state: 'NOT_ELIGIBLE_LOGGED',
    en: 'the study is too old for this product',
    nl: 'het onderzoek is te oud voor dit product',
  },
  COVERAGE_INSUFFICIENT: {
    state: 'NOT_ANALYSED_NOTIFIED',
    en: 'the images show too little of the body part',
    nl: 'de beelden tonen te weinig van het lichaamsdeel',
  },
  INPUT_INCOMPLETE: {
    state: 'NOT_ANALYSED_NOTIFIED',
    en: 'images that the product needs are missing',
    nl: 'beelden die het product nodig heeft, ontbreken',
  },
  TAG_MISSING: {
    state: 'NOT_ANALYSED_NOTIFIED',
    en: 'the images lack a value that the rule needs',
    nl: 'in de beelden ontbreekt een gegeven dat de regel vereist',
  },
  CERTIFICATE_INVALID: {
    state: 'NOT_ANALYSED_NOTIFIED',
    en: 'the certificate of the product is not valid',
    nl: 'het certificaat van het product is niet geldig',
  },
  SUSPENDED: {
    state: 'NOT_ANALYSED_NOTIFIED',
    en: 'use of the product is suspended',
    nl: 'het gebruik van het product is opgeschort',
  },
  AGREEMENT_MISSING: {
    state: 'NOT_ANALYSED_NOTIFIED',
    en: 'a required agreement is missing',
    nl: 'een vereiste overeenkomst ontbreekt',
  },
  LICENCE_GRACE_OVER: {
    state: 'NOT_ANALYSED_NOTIFIED',
    en: 'the licence and its grace period have ended',
    nl: 'de licentie en de respijtperiode zijn verlopen',
  },
  QUARANTINED_PIXELS: {
    state: 'NOT_ANALYSED_NOTIFIED',
    en: 'held at the gateway: the images may show who the patient is',
    nl: 'tegengehouden: in het beeld staan mogelijk patiëntgegevens',
  },
  QUARANTINED_IDENTIFIER: {
    state: 'NOT_ANALYSED_NOTIFIED',
    en: 'held at the gateway: the images cannot be pseudonymised safely',
    nl: 'tegengehouden: de beelden zijn niet veilig te pseudonimiseren',
  },
  CONFLICTING_INSTANCE: {
    state: 'NOT_ANALYSED_NOTIFIED',
    en: 'held at the gateway: one image came twice with other content',
    nl: 'tegengehouden: een beeld kwam twee keer met andere inhoud',
  },
  MALFORMED: {
    state: 'NOT_ANALYSED_NOTIFIED',
    en: 'the images are damaged or not valid DICOM',
    nl: 'de beelden zijn beschadigd of geen geldige DICOM',
  },
  IDENTITY_MISMATCH: {
    state: 'NOT_ANALYSED_NOTIFIED',
    en: 'the result does not belong to the patient data that was sent',
    nl: 'het resultaat hoort niet bij de verzonden patiëntgegevens',
  },
  IDENTITY_UNEXPLAINED: {
    state: 'NOT_ANALYSED_NOTIFIED',
    en: 'the patient data in the PACS changed without explanation',
    nl: 'de patiëntgegevens in het PACS zijn onverklaard gewijzigd',
  },
  MODEL_FAILED: {
    state: 'NOT_ANALYSED_NOTIFIED',
    en: 'the analysis by the product failed',
    nl: 'de analyse door het product is mislukt',
  },
  OUTPUT_INVALID: {
    state: 'NOT_ANALYSED_NOTIFIED',
    en: 'the output of the product is not valid',
    nl: 'de uitvoer van het product is niet geldig',
  },
  TIMEOUT: {
    state: 'NOT_ANALYSED_NOTIFIED',
    en: 'no result before the deadline',
    nl: 'geen resultaat binnen de gestelde tijd',
  },
  PACS_REFUSED: {
    state: 'NOT_ANALYSED_NOTIFIED',
    en: 'the PACS did not accept the result',
    nl: 'het PACS heeft het resultaat geweigerd',
  },
} as const satisfies Record<string, ReasonText>;

export type ReasonCode = keyof typeof REASON_CODES;

/** True when the text is a code of the table. */
export function isReasonCode(value: string): value is ReasonCode {
  return Object.hasOwn(REASON_CODES, value);
}

/**
 * Patient numbers of a message: which of its many identifiers are those that images carry.
 * Decides by the assigning authorities of the configuration; without one, the first identifier
 * that is no national number. A citizen service number is never taken as a patient number.
 * Invariant: one number per issuer and message, or none.
 * Source: HL7 v2 chapter 3 (PID-3, MRG-1), CX of chapter 2A; table 0203 (identifier types).
 */
import type { Hl7Segment, Hl7Value } from './hl7-message.js';
import { refuse } from './hl7-refusal.js';

export interface PatientNumber {
  readonly id: string;
  /** As the images name it; '' when they name none. */
  readonly issuer: string;
}
export interface NumberSettings {
  readonly patientNumbers: readonly { readonly authority: string; readonly issuer: string }[];
}

/** Longest LO (PS3.5 6.2). @unit characters */
const NUMBER_MAX = 64;
/** National, social security, passport, driver's licence, insurance, bank: not of this hospital. */
const NOT_OF_HOSPITAL = /^(NN.{0,3}|NI|SS|PPN|DL|HC|BA|BC|PNT|TAX)$/;
const NATIONAL_AUTHORITIES: ReadonlySet<string> = new Set([
  'NLMINBIZA',
  '2.16.840.1.113883.2.4.6.3',
]);

/** One for each issuer that is configured and there. */
export function numbersIn(
  segment: Hl7Segment,
  field: number,
  { patientNumbers }: NumberSettings,
): PatientNumber[] {
  const found = new Map<string, PatientNumber>();
  for (const value of segment.repetitions(field)) {
    const id = value.component(1).text;
    if (id === '' || isNational(value)) continue;
    const issuer = issuerOf(value, patientNumbers);
    if (issuer === undefined || found.has(issuer)) continue;
    if ([...id].length > NUMBER_MAX) refuse(104, segment.place(field));
    found.set(issuer, { id, issuer });
  }
  return [...found.values()];
}

/** At least one; without any the message is about nobody that we can know. */
export function requiredNumbers(
  segment: Hl7Segment,
  field: number,
  settings: NumberSettings,
): [PatientNumber, ...PatientNumber[]] {
  const [first, ...more] = numbersIn(segment, field, settings);
  if (first) return [first, ...more];
  const isThere = segment.repetitions(field).some((value) => !value.component(1).isEmpty);
  return refuse(isThere ? 204 : 101, segment.place(field));
}

function issuerOf(value: Hl7Value, known: NumberSettings['patientNumbers']): string | undefined {
  if (known.length === 0) return '';
  const names = authorityOf(value);
  return known.find(({ authority }) => names.includes(authority))?.issuer;
}
/** Name space and universal id. */
const authorityOf = (value: Hl7Value): string[] =>
  [1, 2].map((part) => value.component(4).subcomponent(part).text).filter((name) => name !== '');
const isNational = (value: Hl7Value): boolean =>
  NOT_OF_HOSPITAL.test(value.component(5).text) ||
  authorityOf(value).some((name) => NATIONAL_AUTHORITIES.has(name));

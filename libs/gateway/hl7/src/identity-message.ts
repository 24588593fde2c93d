/**
 * ADT messages as identity events: who a patient is, in the words that the vault takes.
 * Decides which message says what: an update of a patient (A08, A31), a merge (A40), a change of a
 * number (A47), a number that goes to another patient (A43), an unlink (A37), a visit that goes to
 * another patient (A45). What is not said stays unsaid; a value of "" is said to be none.
 * Invariants: text is decoded; one event for each patient number; nothing is guessed of a person.
 * Source: HL7 v2 chapter 3; PS3.5 6.2.1 (PN); HL7 Nederland (subcomponents of the family name).
 */
import type { Hl7Message, Hl7Segment, Hl7Value } from './hl7-message.js';
import { refuse } from './hl7-refusal.js';
import { isDate, timeOf } from './hl7-time.js';
import { requiredNumbers, type NumberSettings, type PatientNumber } from './patient-numbers.js';

export const ADT_EVENTS = ['A08', 'A31', 'A37', 'A40', 'A43', 'A45', 'A47'] as const;
export type AdtEvent = (typeof ADT_EVENTS)[number];

export interface Demographics {
  /** PN text: family^given^middle^prefix^suffix. */
  readonly name?: string;
  /** YYYYMMDD, or empty. */
  readonly birthDate?: string;
  readonly sex?: '' | 'F' | 'M' | 'O';
}
/** What one message says of one patient number; the shape is that of the vault's event. */
export interface IdentityStatement {
  readonly trigger: AdtEvent;
  /** @unit ms */
  readonly happenedMs: number;
  readonly sequence: number;
  readonly from: PatientNumber;
  readonly into: PatientNumber;
  readonly demographics: Demographics;
  /** A45: numbers of the visits that move. */
  readonly visits: readonly string[];
}
export interface AdtSettings extends NumberSettings {
  readonly timeZone: string;
}
type Said = Pick<IdentityStatement, 'trigger' | 'happenedMs' | 'sequence'>;

/** Longest PN component group (PS3.5 6.2). @unit characters */
const NAME_MAX = 64;
/** Patients in one message: a merge of many is several messages in practice. */
const PATIENTS_MAX = 100;
const SEXES: Readonly<Record<string, Demographics['sex']>> = {
  ...{ F: 'F', M: 'M', O: 'O' },
  // Ambiguous is what DICOM calls other; unknown and not applicable say that there is no value.
  ...{ A: 'O', U: '', N: '' },
};

export function identityStatements(
  message: Hl7Message,
  trigger: AdtEvent,
  settings: AdtSettings,
): IdentityStatement[] {
  const said = saidOf(message, trigger, settings);
  const groups = groupsOf(message);
  if (groups.length > PATIENTS_MAX) refuse(104, { segment: 'PID' });
  if (trigger === 'A08' || trigger === 'A31') return updates(groups[0]!, said, settings);
  if (trigger === 'A37') return unlinks(groups, said, settings);
  return groups.flatMap((group) => moves(group, said, settings));
}

/** When it happened: EVN-6, else EVN-2, else the time of the message. */
function saidOf(message: Hl7Message, trigger: AdtEvent, { timeZone }: AdtSettings): Said {
  const { header } = message;
  const event = message.first('EVN');
  const times = [event?.field(6), event?.field(2), header.field(7)];
  const value = times.find((each) => each && !each.isEmpty && !each.isNull);
  if (!value) return refuse(101, header.place(7));
  const happenedMs = timeOf(value.component(1).text, timeZone, value.place);
  return { trigger, happenedMs, sequence: sequenceOf(header) };
}
export function sequenceOf(header: Hl7Segment): number {
  const text = header.text(13);
  if (text === '') return 0;
  return /^\d{1,10}$/.test(text) ? Number(text) : refuse(102, header.place(13));
}

interface Group {
  readonly patient: Hl7Segment;
  readonly priors: Hl7Segment[];
  readonly visits: Hl7Segment[];
}
/** A patient with the segments after it. */
function groupsOf(message: Hl7Message): [Group, ...Group[]] {
  const groups: Group[] = [];
  for (const segment of message.segments) {
    if (segment.name === 'PID') groups.push({ patient: segment, priors: [], visits: [] });
    const group = groups.at(-1);
    if (segment.name === 'MRG') (group ?? refuse(100, segment.place())).priors.push(segment);
    if (segment.name === 'PV1') group?.visits.push(segment);
  }
  const [first, ...more] = groups;
  return first ? [first, ...more] : refuse(101, { segment: 'PID' });
}

function updates({ patient }: Group, said: Said, settings: AdtSettings): IdentityStatement[] {
  const demographics = demographicsOf(patient);
  return requiredNumbers(patient, 3, settings).map((number) => ({
    ...{ ...said, from: number, into: number, demographics, visits: [] },
  }));
}

/**
 * The order of the two patients says nothing, so both ways are told: only the way back of a merge
 * has an effect.
 */
function unlinks(groups: readonly Group[], said: Said, settings: AdtSettings): IdentityStatement[] {
  const [a, b] = groups;
  if (!a || !b || groups.length > 2) return refuse(100, { segment: 'PID' });
  const [one] = requiredNumbers(a.patient, 3, settings);
  const [other] = requiredNumbers(b.patient, 3, settings);
  const way = (from: PatientNumber, into: PatientNumber, of: Hl7Segment): IdentityStatement => ({
    ...{ ...said, from, into, demographics: demographicsOf(of), visits: [] },
  });
  return [way(one, other, b.patient), way(other, one, a.patient)];
}

function moves({ patient, priors, visits }: Group, said: Said, settings: AdtSettings) {
  const isOfVisits = said.trigger === 'A45';
  if (priors.length === 0) refuse(101, { segment: 'MRG' });
  if (!isOfVisits && priors.length > 1) refuse(100, priors[1]!.place());
  const demographics = demographicsOf(patient);
  const isNamed = demographics.name !== undefined && demographics.name !== '';
  if (said.trigger !== 'A47' && !isNamed) refuse(101, patient.place(5));
  const now = requiredNumbers(patient, 3, settings);
  return priors.flatMap((prior, index) => {
    const moved = isOfVisits ? visitsOf(prior, visits[index]) : [];
    return requiredNumbers(prior, 1, settings).map((from) => {
      // A patient without a number of that issuer is known by the first of the others.
      const into = now.find(({ issuer }) => issuer === from.issuer) ?? now[0];
      return { ...said, from, into, demographics, visits: moved };
    });
  });
}
/** By the number that the visit had, and by the one that it has. */
function visitsOf(prior: Hl7Segment, visit: Hl7Segment | undefined): string[] {
  const numbers = [prior.text(5), visit?.text(19) ?? ''].filter((number) => number !== '');
  return numbers.length > 0 ? [...new Set(numbers)] : refuse(101, prior.place(5));
}

function demographicsOf(patient: Hl7Segment): Demographics {
  const [name, birthDate, sex] = [nameOf(patient), birthDateOf(patient), sexOf(patient)];
  return {
    ...(name !== undefined && { name }),
    ...(birthDate !== undefined && { birthDate }),
    ...(sex !== undefined && { sex }),
  };
}

/** The legal name, or the first. */
function nameOf(patient: Hl7Segment): string | undefined {
  const names = patient.repetitions(5);
  const name = names.find((each) => each.component(7).text === 'L') ?? names[0];
  if (name.isEmpty) return undefined;
  if (name.isNull) return '';
  const part = (component: number): string => name.component(component).text;
  const [given, middle, suffix, prefix] = [part(2), part(3), part(4), part(5)];
  const parts = [familyOf(name.component(1)), given, middle, prefix, suffix];
  // PN has no way to write these within a part.
  if (parts.some((each) => /[\^=\\\n\r\t]/.test(each))) refuse(102, patient.place(5));
  const text = parts.join('^').replace(/\^+$/, '');
  return [...text].length > NAME_MAX ? refuse(104, patient.place(5)) : text;
}
/** The whole name, or of its parts the own one, else that of the partner, each with its prefix. */
function familyOf(family: Hl7Value): string {
  const part = (number: number): string => family.subcomponent(number).text;
  const [whole, ownPrefix, own, partnerPrefix, partner] = [1, 2, 3, 4, 5].map(part);
  if (whole) return whole;
  const parts = own ? [ownPrefix, own] : [partnerPrefix, partner];
  return parts.filter(Boolean).join(' ');
}

function birthDateOf(patient: Hl7Segment): string | undefined {
  const value = patient.field(7);
  if (value.isEmpty) return undefined;
  if (value.isNull) return '';
  const text = value.component(1).text;
  // A year or a month alone is no birth date of DICOM: it is not said.
  if (/^\d{4}(0[1-9]|1[0-2])?$/.test(text)) return undefined;
  const day = text.slice(0, 8);
  const isTime = /^\d{8}(\d{2}){0,3}(\.\d{1,4})?([+-]\d{4})?$/.test(text);
  return isTime && isDate(day) ? day : refuse(102, patient.place(7));
}
function sexOf(patient: Hl7Segment): Demographics['sex'] {
  const value = patient.field(8);
  if (value.isEmpty) return undefined;
  if (value.isNull) return '';
  const code = value.component(1).text;
  return Object.hasOwn(SEXES, code) ? SEXES[code] : refuse(103, patient.place(8));
}

/** Numbers of whoever the message is about. */
export function patientNumbersOf(
  message: Hl7Message,
  settings: NumberSettings,
): [PatientNumber, ...PatientNumber[]] {
  return requiredNumbers(message.required('PID'), 3, settings);
}

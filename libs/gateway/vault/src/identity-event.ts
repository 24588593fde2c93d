/**
 * IdentityEvent: what the hospital's patient administration says about who a patient is.
 * Decides the door for HL7 ADT: whoever receives messages decodes them into this type. A patient is
 * an identifier with its issuer, text is decoded, and a move names studies or accession numbers.
 * Invariant: an event that takes studies to another patient says that patient's name, so that no
 * name stays behind under a number that is not its own.
 * Source: HL7 v2 chapter 3 (A08, A31, A37, A40, A43, A45, A47); reliability specification C5.
 */
import { z } from 'zod';

/** Longest LO and PN component group (PS3.5 6.2). @unit characters */
const TEXT_MAX = 64;
const NAME_MAX = 3 * TEXT_MAX + 2;
const PRINTABLE = /^[^\\\p{Cc}]*$/u;
const text = (max: number) => z.string().max(max).regex(PRINTABLE);

const patientSchema = z.strictObject({
  id: text(TEXT_MAX).regex(/\S/),
  /** Assigning authority; '' when the hospital has one series of numbers only. */
  issuer: text(TEXT_MAX),
});
export type PatientIdentifier = Readonly<z.infer<typeof patientSchema>>;

/** Absent: not said. Empty: has no value now. */
const demographicsSchema = z.strictObject({
  /** PN text: family^given^middle^prefix^suffix, groups divided by '='. */
  name: text(NAME_MAX).optional(),
  birthDate: z
    .string()
    .regex(/^(\d{8})?$/)
    .optional(),
  sex: z.enum(['', 'F', 'M', 'O']).optional(),
});
export type Demographics = Readonly<z.infer<typeof demographicsSchema>>;

export const IDENTITY_TRIGGERS = ['A08', 'A31', 'A37', 'A40', 'A43', 'A45', 'A47'] as const;
export type IdentityTrigger = (typeof IDENTITY_TRIGGERS)[number];
const UPDATES: ReadonlySet<IdentityTrigger> = new Set<IdentityTrigger>(['A08', 'A31']);
/** Another person than before: what is not said of that person is not known. */
const TO_ANOTHER: ReadonlySet<IdentityTrigger> = new Set<IdentityTrigger>(['A40', 'A43', 'A45']);

export const identityEventSchema = z
  .strictObject({
    /** Message control id (MSH-10): an event counts once. */
    eventId: z.string().min(1).max(199),
    trigger: z.enum(IDENTITY_TRIGGERS),
    /** When it happened (EVN-6, else EVN-2), by the hospital's clock. @unit ms */
    happenedMs: z.int().nonnegative(),
    /** Order among events of the same time (MSH-13). @default 0 */
    sequence: z.int().nonnegative().default(0),
    /** Whose studies it is about: MRG-1; for A08 and A31 the patient; for A37 who has them now. */
    from: patientSchema,
    /** Whose they are from then on: PID-3; for A37 who gets back what a merge had taken. */
    into: patientSchema,
    demographics: demographicsSchema.default({}),
    /** A45: the studies of the visits that move. */
    accessionNumbers: z.array(text(TEXT_MAX).min(1)).max(1_000).default([]),
    studyUids: z
      .array(z.string().regex(/^[0-9.]{1,64}$/))
      .max(1_000)
      .default([]),
  })
  .refine(({ trigger, from, into }) => !UPDATES.has(trigger) || isSamePatient(from, into), {
    message: 'an update is about one patient',
  })
  .refine(({ trigger, demographics }) => !TO_ANOTHER.has(trigger) || demographics.name, {
    message: 'the patient who gets the studies is named',
  })
  .refine((e) => (e.trigger === 'A45') === e.accessionNumbers.length + e.studyUids.length > 0, {
    message: 'a move of visits names them, nothing else does',
  });
export type IdentityEvent = Readonly<z.infer<typeof identityEventSchema>>;
export type IdentityEventInput = z.input<typeof identityEventSchema>;

/** True when the event leaves the person as it is: what it does not say stays. */
export function keepsPerson(trigger: IdentityTrigger): boolean {
  return !TO_ANOTHER.has(trigger);
}

/** Padding and repeated spaces do not tell patients apart (PS3.5 6.2, LO); case does. */
export function normalisedId(value: string): string {
  return value.normalize('NFC').trim().replace(/\s+/g, ' ');
}
/** Same number, and the same issuer where both have one: many headers have none. */
export function isSamePatient(a: PatientIdentifier, b: PatientIdentifier): boolean {
  const [issuerA, issuerB] = [normalisedId(a.issuer), normalisedId(b.issuer)];
  const isSameIssuer = issuerA === '' || issuerB === '' || issuerA === issuerB;
  return isSameIssuer && normalisedId(a.id) === normalisedId(b.id);
}

/** The hospital's order, whatever the order of arrival: time, sequence, then the id itself. */
export function inOrder(a: IdentityEvent, b: IdentityEvent): number {
  if (a.happenedMs !== b.happenedMs) return a.happenedMs - b.happenedMs;
  if (a.sequence !== b.sequence) return a.sequence - b.sequence;
  return a.eventId < b.eventId ? -1 : Number(a.eventId > b.eventId);
}

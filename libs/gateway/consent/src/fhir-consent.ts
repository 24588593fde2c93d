/**
 * FHIR R4 Consent to an objection.
 * Decides what maps: an active denial of the whole patient record for one purpose sets an
 * objection, the same resource as inactive or entered in error withdraws it. What would make it
 * narrower or wider than an objection here (exceptions, actors, data) is refused, not guessed.
 * Invariants: a refusal names the element, never its value; a national number is no patient number.
 * Source: FHIR R4 Consent (provision, scope, category); HL7 terminology consentscope and
 * consentaction.
 */
import { z } from 'zod';
import type { ObjectionKind } from '@aifi/policy-routing-rules';
import { AifiError } from '@aifi/shared-kernel';

/** Names the kinds for which no code of HL7 exists. */
export const OBJECTION_CODE_SYSTEM = 'urn:aifi:objection-kind';
const SCOPE_SYSTEM = 'http://terminology.hl7.org/CodeSystem/consentscope';
/** The Dutch citizen service number: not the number by which the hospital's images go. */
const BSN_SYSTEM = 'http://fhir.nl/fhir/NamingSystem/bsn';

export interface ReceivedConsent {
  readonly patient: { readonly patientId: string; readonly issuer: string };
  readonly kind: ObjectionKind;
  readonly event: 'set' | 'withdrawn';
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
}

const short = z.string().trim().min(1).max(64);
const concept = z.looseObject({
  coding: z
    .array(z.looseObject({ system: z.string().max(256).optional(), code: short.optional() }))
    .max(16)
    .default([]),
});
const date = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/);
const consentSchema = z.looseObject({
  status: short,
  scope: concept,
  category: z.array(concept).min(1).max(16),
  patient: z.looseObject({
    identifier: z.looseObject({
      system: z.string().max(256).optional(),
      value: short,
      assigner: z.looseObject({ display: short.optional() }).optional(),
    }),
  }),
  provision: z.looseObject({
    type: z.string().optional(),
    period: z.looseObject({ start: date.optional(), end: date.optional() }).optional(),
    action: z.array(concept).max(16).optional(),
  }),
});
type Consent = z.infer<typeof consentSchema>;

/** Elements of a provision that limit it to less than the patient's whole record. */
const NARROWER = [
  ...['actor', 'securityLabel', 'purpose', 'class', 'code', 'dataPeriod', 'data', 'provision'],
];

/** Throws INVALID_ARGUMENT with the element that does not map. */
export function readConsent(resource: unknown): ReceivedConsent {
  const parsed = consentSchema.safeParse(resource);
  if (!parsed.success) {
    const path = parsed.error.issues[0]?.path.filter((part) => typeof part === 'string') ?? [];
    throw refused(path.join('.'), 'is missing or not as FHIR R4 has it');
  }
  const consent = parsed.data;
  const { provision } = consent;
  if (provision.type !== 'deny') throw refused('provision.type', 'only deny is an objection');
  for (const element of NARROWER) {
    if (provision[element] !== undefined) {
      throw refused(`provision.${element}`, 'an objection is whole: no part of it can be mapped');
    }
  }
  const [sinceMs, untilMs] = periodOf(consent);
  return {
    ...{ patient: patientOf(consent), kind: kindOf(consent), event: eventOf(consent) },
    ...{ sinceMs, untilMs },
  };
}

function eventOf({ status }: Consent): ReceivedConsent['event'] {
  if (status === 'active') return 'set';
  if (status === 'inactive' || status === 'entered-in-error') return 'withdrawn';
  throw refused('status', 'only active, inactive and entered-in-error map');
}

function patientOf({ patient }: Consent): ReceivedConsent['patient'] {
  const { system, value, assigner } = patient.identifier;
  if (system === BSN_SYSTEM) {
    throw refused('patient.identifier', 'the number of the hospital is needed, not the BSN');
  }
  return { patientId: value, issuer: assigner?.display ?? '' };
}

const codesOf = (concepts: readonly Consent['scope'][], system: string): string[] =>
  concepts.flatMap(({ coding }) =>
    coding.flatMap((each) => (each.system === system && each.code ? [each.code] : [])),
  );

const KINDS: readonly string[] = [
  ...(['ai-in-own-care', 'secondary-use', 'sharing'] satisfies ObjectionKind[]),
];
/** Our own code first; else research is secondary use, and not to disclose is not to share. */
function kindOf({ category, scope, provision }: Consent): ObjectionKind {
  const own = codesOf(category, OBJECTION_CODE_SYSTEM);
  if (own.length === 1 && KINDS.includes(own[0]!)) return own[0] as ObjectionKind;
  if (own.length > 0) throw refused('category', 'one kind of objection is expected');
  const scopes = codesOf([scope], SCOPE_SYSTEM);
  const actions = (provision.action ?? []).flatMap(({ coding }) => coding.map(({ code }) => code));
  if (scopes.includes('research') && actions.length === 0) return 'secondary-use';
  const isDisclosure = actions.length === 1 && actions[0] === 'disclose';
  if (scopes.includes('patient-privacy') && isDisclosure) return 'sharing';
  throw refused('category', `needs a code of ${OBJECTION_CODE_SYSTEM}, or a scope that maps`);
}

function periodOf({ provision: { period } }: Consent): [number | undefined, number | undefined] {
  const [start, end] = [msOf(period?.start, 0), msOf(period?.end, 1)];
  if (start !== undefined && end !== undefined && end <= start) {
    throw refused('provision.period', 'it ends before it begins');
  }
  return [start, end];
}
/** A day without a time is a day of the hospital's clock; as an end it is the next day's start. */
function msOf(text: string | undefined, daysOn: number): number | undefined {
  if (text === undefined) return undefined;
  if (text.includes('T')) return Date.parse(text);
  const [year, month, day] = text.split('-').map(Number) as [number, number, number];
  return new Date(year, month - 1, day + daysOn).getTime();
}

const refused = (element: string, why: string): AifiError =>
  new AifiError('INVALID_ARGUMENT', `Consent${element === '' ? '' : '.'}${element}: ${why}`);

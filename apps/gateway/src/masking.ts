/**
 * Masking: what of a patient one caller sees in a list.
 * Decides by the access table and the flags of patients: nothing for roles without identified data,
 * nothing of a flagged patient for anybody, nothing without a reason where the table asks for one.
 * Invariant: a masked patient shows in no other field: a flagged one has no description either.
 * Source: security specification 5 (identified data; VIP and own staff).
 */
import { covers, decide } from '@aifi/access-authorisation';
import type { Caller } from '@aifi/access-web';
import type { GatewayStudyView, PatientView } from '@aifi/contracts-rest';
import type { StudyPatient } from '@aifi/gateway-access';
import type { GatewaySources } from './gateway-sources.js';

export type PatientFields = Pick<GatewayStudyView, 'patient' | 'masked' | 'studyDescription'>;
const NOTHING: PatientFields = { patient: null, masked: null, studyDescription: null };
/** Shorter parts of a name are in other words too. */
const NAME_PART_LENGTH_MIN = 3;

/** What a caller's roles allow: not at all, with a reason each time, or in lists. */
export type Sight = 'none' | 'with-reason' | 'open';

export function sightOf(caller: Caller, { config, clock }: GatewaySources): Sight {
  const decision = decide(caller.principal, 'identity.open', clock.nowMs());
  if (!decision.ok || !covers(decision.value.reach, config.siteId)) return 'none';
  return decision.value.reasonRequired ? 'with-reason' : 'open';
}

/** The patient's fields of one study for one caller. */
export async function patientFields(
  { patients, access }: GatewaySources,
  sight: Sight,
  studyUid: string,
): Promise<PatientFields> {
  if (sight === 'none') return NOTHING;
  const found = await patients.of(studyUid);
  if (!found) return NOTHING;
  const flag = access.flags.maskOf(found.patient);
  const masked = flag ?? (sight === 'with-reason' ? 'reason-required' : null);
  if (masked === null) return { ...found, masked };
  // Free text cannot be shown to be clean: of a flagged patient there is none.
  const studyDescription = flag === null ? withoutPatient(found) : null;
  return { patient: null, masked, studyDescription };
}

/** The description of a masked study; null when it holds something of the patient. */
function withoutPatient({ patient, studyDescription }: StudyPatient): string | null {
  const text = studyDescription?.toUpperCase() ?? '';
  return identifyingParts(patient).some((part) => text.includes(part)) ? null : studyDescription;
}

function identifyingParts({ name, ...patient }: PatientView): string[] {
  const { patientId, accessionNumber, birthDate } = patient;
  const ofName = (name ?? '')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((part) => part.length >= NAME_PART_LENGTH_MIN);
  const numbers = [patientId, accessionNumber, birthDate].filter((part) => part !== null);
  return [...ofName, ...numbers].map((part) => part.toUpperCase());
}

/**
 * The identities of one study, from the one it was received with and all that was said since.
 * Decides by a fold in the hospital's order of events (time, sequence, id) over the received
 * identity. As the order of arrival plays no part, late and repeated events need no rule of their
 * own: the same events give the same end. Pure.
 * Invariant: an unmerge gives back only what a merge took, with the identity that it took.
 * Source: HL7 v2 chapter 3; reliability specification C5.
 */
import { canonicalJson } from '@aifi/shared-kernel';
import { changedIdentity, isOf } from './identity-event-encoding.js';
import {
  inOrder,
  isSamePatient,
  keepsPerson,
  type Demographics,
  type IdentityEvent,
  type PatientIdentifier,
} from './identity-event.js';
import type { Identity } from './identity.js';

/** What a merge took the study from. */
interface Merge {
  readonly patient: PatientIdentifier;
  readonly identity: Identity;
}
interface State {
  readonly identity: Identity;
  readonly merges: readonly Merge[];
}

/** Every identity that the study had, oldest first: the received one, then one for each change. */
export function foldIdentity(
  received: Identity,
  events: readonly IdentityEvent[],
): readonly [Identity, ...Identity[]] {
  const trail: [Identity, ...Identity[]] = [received];
  let state: State = { identity: received, merges: [] };
  for (const event of [...events].sort(inOrder)) {
    if (!concerns(event, state.identity)) continue;
    state = after(state, event);
    if (state.identity !== trail.at(-1)) trail.push(state.identity);
  }
  return trail;
}

/**
 * Every identity that a system can show which took some of the events and not others: one that
 * lags, or that did not go back over what it heard before the study came. `known` goes first; of
 * two that no query tells apart the first stays.
 */
export function possibleIdentities(
  known: readonly Identity[],
  events: readonly IdentityEvent[],
): Identity[] {
  const found = new Map<string, Identity>();
  const add = (identity: Identity): void => {
    const { PatientID, IssuerOfPatientID, PatientBirthDate, AccessionNumber } = identity.fields;
    const key = canonicalJson([PatientID, IssuerOfPatientID, PatientBirthDate, AccessionNumber]);
    if (!found.has(key)) found.set(key, identity);
  };
  known.forEach(add);
  for (const event of [...events].sort(inOrder)) {
    for (const identity of [...found.values()]) {
      // What an unmerge gives back is there already.
      const isUnmerge = event.trigger === 'A37';
      if (!isUnmerge && concerns(event, identity)) {
        add(after({ identity, merges: [] }, event).identity);
      } else if (isUnmerge && isOf(identity, event.into)) {
        add(changedIdentity(identity, said(event.demographics, true)));
      }
    }
  }
  return [...found.values()];
}

function concerns(event: IdentityEvent, identity: Identity): boolean {
  if (!isOf(identity, event.from)) return false;
  if (event.trigger !== 'A45') return true;
  const { StudyInstanceUID: study, AccessionNumber: accession } = identity.fields;
  return event.studyUids.includes(study) || event.accessionNumbers.includes(accession);
}

function after({ identity, merges }: State, event: IdentityEvent): State {
  if (event.trigger === 'A37') return unmerged({ identity, merges }, event);
  const changed = changedIdentity(identity, {
    patient: event.into,
    ...said(event.demographics, keepsPerson(event.trigger)),
  });
  const taken = { patient: event.from, identity };
  return { identity: changed, merges: event.trigger === 'A40' ? [...merges, taken] : merges };
}

function unmerged(state: State, { into, demographics }: IdentityEvent): State {
  const at = state.merges.findLastIndex(({ patient }) => isSamePatient(patient, into));
  // The study came under this number by itself: nothing is known to give back.
  if (at === -1) return state;
  const identity = changedIdentity(state.merges[at]!.identity, said(demographics, true));
  return { identity, merges: state.merges.slice(0, at) };
}

function said({ name, birthDate, sex }: Demographics, isSamePerson: boolean): Demographics {
  const unsaid = isSamePerson ? undefined : '';
  return { name, birthDate: birthDate ?? unsaid, sex: sex ?? unsaid };
}

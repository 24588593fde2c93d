/**
 * Identity events upon the vault: who each study's patient is, after everything that was said.
 * Decides which studies an event concerns and what is appended to their history. An event is on
 * record first; then each study is settled: its events are folded over the identity that it was
 * received with, and what the history lacks is appended. Settling twice appends nothing, so a crash
 * in between is healed by the same message again, and at the latest by the last look (C7).
 * Source: reliability specification C5, C7.
 */
import type { OriginalUid } from '@aifi/shared-kernel';
import { foldIdentity, possibleIdentities } from './identity-event-fold.js';
import { patientOf } from './identity-event-encoding.js';
import type { IdentityEventLog } from './identity-event-log.js';
import {
  identityEventSchema,
  normalisedId,
  type IdentityEvent,
  type IdentityEventInput,
  type PatientIdentifier,
} from './identity-event.js';
import type { Identity } from './identity.js';

/** What of the vault identity events need. */
export interface IdentityHistories {
  /** Oldest first. */
  identityHistory(studyUid: OriginalUid): readonly {
    readonly identity: Identity;
    readonly source: 'received' | 'adt' | 'pacs';
  }[];
  appendIdentity(entry: {
    readonly studyUid: OriginalUid;
    readonly identity: Identity;
    readonly source: 'adt' | 'pacs';
    readonly atMs: number;
  }): Promise<void>;
  /** Studies whose current identity is this patient, the issuer as written. */
  studiesOfPatient(patient: {
    readonly patientId: string;
    readonly issuer: string;
  }): readonly OriginalUid[];
}
export interface IdentitySources {
  readonly vault: IdentityHistories;
  readonly events: IdentityEventLog;
}

/** Takes an event; says how many studies have another identity now. Safe to repeat. */
export async function applyIdentityEvent(
  sources: IdentitySources,
  input: IdentityEventInput,
  atMs: number,
): Promise<number> {
  await sources.events.record(input, atMs);
  const event = identityEventSchema.parse(input);
  let changed = 0;
  for (const studyUid of studiesConcerned(sources, event)) {
    if (await settleIdentity(sources, studyUid, atMs)) changed += 1;
  }
  return changed;
}

/** Brings the history of one study up to date with all events; says whether it grew. */
export function settleIdentity(
  { vault, events }: IdentitySources,
  studyUid: OriginalUid,
  atMs: number,
): Promise<boolean> {
  return events.exclusively(studyUid, async () => {
    const history = vault.identityHistory(studyUid);
    // The header that came last is what a modality or the PACS said last.
    const received = history.findLast(({ source }) => source === 'received');
    if (!received) return false;
    const said = eventsFrom(events, patientOf(received.identity));
    const trail = foldIdentity(received.identity, said);
    // What the PACS showed is no word of the administration: it does not decide what is missing.
    const told = history.filter(({ source }) => source !== 'pacs');
    // Nothing is said any more: what was said before, and is gone from the log by age, still holds.
    if (trail.length === 1 && said.length === 0) return false;
    const missing = missingOf(
      trail,
      told.map(({ identity }) => identity),
    );
    for (const identity of missing) {
      await vault.appendIdentity({ studyUid, identity, source: 'adt', atMs });
    }
    return missing.length > 0;
  });
}

/**
 * Every identity of a study that the hospital has spoken of, the newest of the history first, and
 * then what a system that took only some of the events can show.
 */
export async function spokenIdentities(
  sources: IdentitySources,
  studyUid: OriginalUid,
  atMs: number,
): Promise<Identity[]> {
  await settleIdentity(sources, studyUid, atMs);
  const known = sources.vault.identityHistory(studyUid).map(({ identity }) => identity);
  const said = new Map<string, IdentityEvent>();
  for (const identity of known) {
    for (const event of eventsFrom(sources.events, patientOf(identity))) {
      said.set(event.eventId, event);
    }
  }
  return possibleIdentities(known.reverse(), [...said.values()]);
}

/** Whether the hospital has said that both are one patient: events lead from one to the other. */
export function areOnePatient(events: IdentityEventLog, a: Identity, b: Identity): boolean {
  return leadsTo(events, a, b) || leadsTo(events, b, a);
}
function leadsTo(events: IdentityEventLog, from: Identity, to: Identity): boolean {
  const said = eventsFrom(events, patientOf(from));
  const wanted = patientOf(to);
  return possibleIdentities([from], said).some((identity) => {
    const { id, issuer } = patientOf(identity);
    // Exactly: an issuer that is missing explains nothing here.
    return id === wanted.id && issuer === wanted.issuer;
  });
}

/** What the history lacks: identities that it never had, and the last one at its end. */
function missingOf(trail: readonly Identity[], told: readonly Identity[]): Identity[] {
  const known = new Set(told.map(({ elements }) => elements));
  const missing: Identity[] = [];
  for (const identity of trail) {
    if (known.has(identity.elements)) continue;
    known.add(identity.elements);
    missing.push(identity);
  }
  const last = trail.at(-1)!;
  const end = missing.at(-1) ?? told.at(-1);
  return end?.elements === last.elements ? missing : [...missing, last];
}

/**
 * Studies whose patient is, or became by later events, the one of this event: an event that comes
 * late is about studies that have gone further since.
 */
function studiesConcerned(
  { vault, events }: IdentitySources,
  { from }: IdentityEvent,
): ReadonlySet<OriginalUid> {
  const patients = [from, ...eventsFrom(events, from).map(({ into }) => into)];
  const studies = patients.flatMap(({ id, issuer }) => [
    ...vault.studiesOfPatient({ patientId: id, issuer }),
    // Headers without an issuer.
    ...(issuer === '' ? [] : vault.studiesOfPatient({ patientId: id, issuer: '' })),
  ]);
  return new Set(studies);
}

/** Every event on the ways that lead away from a patient. */
function eventsFrom(log: IdentityEventLog, patient: PatientIdentifier): IdentityEvent[] {
  const found = new Map<string, IdentityEvent>();
  const seen = new Set<string>();
  const open = [normalisedId(patient.id)];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    for (const event of log.about(id)) {
      found.set(event.eventId, event);
      open.push(normalisedId(event.into.id));
    }
  }
  return [...found.values()];
}

/**
 * A model hospital: patients who are merged, split, renumbered and mixed up, and a PACS that hears
 * of it later than we do, or earlier.
 * Decides what is true: an independent, imperative account of who a study belongs to, against which
 * the gateway's fold is checked. Everything follows from a seed.
 * Source: HL7 v2 chapter 3 (A08, A31, A37, A40, A43, A45, A47); reliability specification T-MIS-3.
 */
import type { StudyMatch } from '@aifi/dicom-dimse';
import type { IdentityEventInput } from '@aifi/gateway-vault';

/** Uniform in [0, 1), from a seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly birthDate: string;
  readonly sex: 'F' | 'M';
}
/** What somebody (PACS, hospital) holds of a study. */
interface Holding {
  person: Person;
  /** What merges took it from, the latest last. */
  readonly taken: Person[];
}

/** Who each study belongs to, in the eyes of one system. */
export class StudyLedger {
  readonly studies = new Map<string, Holding>();

  add(studyUid: string, person: Person): void {
    this.studies.set(studyUid, { person, taken: [] });
  }
  take(event: IdentityEventInput): void {
    for (const [uid, holding] of this.studies) {
      if (holding.person.id !== event.from.id) continue;
      if (event.trigger === 'A45' && !event.studyUids!.includes(uid)) continue;
      if (event.trigger === 'A37') this.#giveBack(holding, event.into.id);
      else {
        if (event.trigger === 'A40') holding.taken.push(holding.person);
        holding.person = { ...holding.person, id: event.into.id, ...told(event) };
      }
    }
  }
  #giveBack(holding: Holding, id: string): void {
    const at = holding.taken.findLastIndex((person) => person.id === id);
    if (at === -1) return;
    holding.person = holding.taken[at]!;
    holding.taken.length = at;
  }
}

function told({ demographics }: IdentityEventInput): Partial<Person> {
  return Object.fromEntries(
    Object.entries(demographics ?? {}).filter(([, value]) => value !== undefined),
  );
}

interface Merge {
  readonly from: string;
  readonly into: string;
}

/** Makes events that a hospital can make: a number that was merged away does nothing more. */
export class Hospital {
  readonly truth = new StudyLedger();
  readonly active = new Map<string, Person>();
  readonly #retired = new Map<string, Person>();
  #merges: Merge[] = [];
  #made = 0;

  constructor(
    private readonly prefix: string,
    private readonly random: () => number,
  ) {
    for (let n = 0; n < 4; n += 1) this.#newPerson();
  }

  pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.random() * from.length)]!;
  }
  anybody(): Person {
    return this.pick([...this.active.values()]);
  }
  #newPerson(): Person {
    const id = `${this.prefix}-${this.active.size}${this.#made++}`;
    const year = 1930 + Math.floor(this.random() * 80);
    const person: Person = {
      ...{ id, name: this.pick(['Berg^Jan', 'Vries^Anna', 'Müller^Zoë', 'Żak^Łucja']) },
      ...{ birthDate: `${year}0403`, sex: this.pick(['F', 'M'] as const) },
    };
    this.active.set(id, person);
    return person;
  }

  /** One event, which is true from now on; undefined when the dice ask for the impossible. */
  step(atMs: number): IdentityEventInput | undefined {
    const event = this.#event(atMs);
    if (event) this.truth.take(event);
    return event;
  }

  #event(happenedMs: number): IdentityEventInput | undefined {
    this.#made += 1;
    const base = { eventId: `${this.prefix}-e${this.#made}`, happenedMs };
    const [a, b] = [this.anybody(), this.anybody()];
    const dice = this.random();
    if (dice < 0.2) return this.#update(base, a);
    if (dice < 0.35) return this.#renumber(base, a);
    if (dice < 0.55) return this.#unmerge(base);
    if (a.id === b.id) return undefined;
    if (dice < 0.8) return this.#merge(base, a, b);
    if (dice < 0.9) return { ...base, trigger: 'A43', ...way(a, b), demographics: saying(b) };
    return this.#moveVisit(base, b);
  }

  #update(base: Base, a: Person): IdentityEventInput {
    const person = { ...a, name: this.pick(['Berg^J', 'Smit^Eva', 'Müller^Z']) };
    const isBorn = this.random() < 0.5;
    const changed = isBorn ? { ...person, birthDate: '19880808' } : person;
    this.active.set(a.id, changed);
    const { name, birthDate } = changed;
    const demographics = isBorn ? { name, birthDate } : { name };
    return { ...base, trigger: this.pick(['A08', 'A31']), ...way(a, a), demographics };
  }
  #renumber(base: Base, a: Person): IdentityEventInput {
    const into = { ...a, id: `${this.prefix}-n${this.#made}` };
    this.active.delete(a.id);
    this.active.set(into.id, into);
    this.#merges = this.#merges.map((m) => (m.into === a.id ? { ...m, into: into.id } : m));
    return { ...base, trigger: 'A47', ...way(a, into), demographics: saying(into) };
  }
  #merge(base: Base, a: Person, b: Person): IdentityEventInput {
    this.active.delete(a.id);
    this.#retired.set(a.id, a);
    this.#merges.push({ from: a.id, into: b.id });
    return { ...base, trigger: 'A40', ...way(a, b), demographics: saying(b) };
  }
  #unmerge(base: Base): IdentityEventInput | undefined {
    const open = this.#merges.filter(({ into }) => this.active.has(into));
    if (open.length === 0) return undefined;
    const merge = this.pick(open);
    this.#merges = this.#merges.filter((other) => other !== merge);
    const [holder, back] = [this.active.get(merge.into)!, this.#retired.get(merge.from)!];
    this.active.set(back.id, back);
    return { ...base, trigger: 'A37', ...way(holder, back) };
  }
  #moveVisit(base: Base, b: Person): IdentityEventInput | undefined {
    const studies = [...this.truth.studies];
    if (studies.length === 0) return undefined;
    const [uid, { person }] = this.pick(studies);
    const move = { studyUids: [uid], demographics: saying(b) };
    return person.id === b.id ? undefined : { ...base, trigger: 'A45', ...way(person, b), ...move };
  }
}

type Base = Pick<IdentityEventInput, 'eventId' | 'happenedMs'>;
const way = (from: Person, into: Person) => ({
  from: { id: from.id, issuer: 'ZKH' },
  into: { id: into.id, issuer: 'ZKH' },
});
const saying = ({ name, birthDate, sex }: Person) => ({ name, birthDate, sex });

/** The answer of a PACS that lists the study under this person. */
export function matchOf(studyInstanceUid: string, person: Person): StudyMatch {
  return {
    ...{ studyInstanceUid, patientId: person.id, issuerOfPatientId: 'ZKH' },
    ...{ patientName: person.name, patientBirthDate: person.birthDate },
    ...{ patientSex: person.sex, accessionNumber: '' },
  };
}

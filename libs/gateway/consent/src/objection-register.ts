/**
 * ObjectionRegister: objections by patient number, for people, lists and FHIR.
 * Decides under which keys a number stands, and that jobs under way end in the same transaction.
 * A number with an issuer stands without it too, and one without under each issuer that the
 * hospital's images name: to miss an objection is worse than to meet a namesake of a number.
 * Invariants: no number is kept; a list is written in slices, so that images come in meanwhile; an
 * act carried out twice is one. Source: governance specification 4.3; GDPR Art. 21.
 */
import type { ObjectionListView } from '@aifi/contracts-rest';
import type { GatewayDatabase, Sql } from '@aifi/gateway-database';
import type { ObjectionKind } from '@aifi/policy-routing-rules';
import { AifiError, crashPoint } from '@aifi/shared-kernel';
import { patientKeyOf, type KeyRing } from '@aifi/shared-site-keys';
import type { ConsentConfig } from './consent.config.js';
import { endJobsOfPatient, type EndedJobs } from './objected-jobs.js';
import { readObjectionList, type BadLine, type ListedObjection } from './objection-list.js';
import {
  historyOf,
  isStanding,
  objectionsOf,
  setObjection,
  withdrawObjection,
  type Objection,
  type ObjectionEntry,
  type ObjectionSource,
} from './objections.js';

/** Lines of a list in one transaction: some tens of milliseconds. */
const LINES_PER_SLICE = 500;
/** Bad lines that are told; the number of all of them is told too. */
const FINDINGS_MAX = 100;

export interface NumberedPerson {
  readonly patientId: string;
  /** '' when none is named. */
  readonly issuer: string;
}
export interface ObjectionOrder {
  /** Of `keysOf`. */
  readonly keys: readonly string[];
  readonly kinds: readonly ObjectionKind[];
  readonly event: 'set' | 'withdrawn';
  readonly source: ObjectionSource;
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
  readonly atMs: number;
}
export interface ObjectionState {
  readonly inForce: readonly ObjectionKind[];
  readonly history: readonly ObjectionEntry[];
}
export interface ListOrder {
  readonly atMs: number;
  readonly skipBadLines: boolean;
}

export interface ObjectionRegisterOptions {
  readonly database: GatewayDatabase;
  readonly keys: KeyRing;
  readonly config: ConsentConfig;
}

export class ObjectionRegister {
  constructor(private readonly options: ObjectionRegisterOptions) {}

  /** Keys under which the patient's images may come; the first is that of the number as told. */
  keysOf({ patientId, issuer }: NumberedPerson): readonly string[] {
    const { keys, config } = this.options;
    const issuers = issuer === '' ? ['', ...config.issuers] : [issuer, ''];
    const found = issuers.map((each) => patientKeyOf(keys, { patientId, issuer: each }));
    const known = found.filter((key) => key !== undefined);
    if (known.length === 0) throw new AifiError('INVALID_ARGUMENT', 'a patient number is needed');
    return [...new Set(known)];
  }

  /** Of the number as told. */
  stateOf([key]: readonly string[], atMs: number): ObjectionState {
    return this.options.database.read((sql) => ({
      inForce: objectionsOf(sql, { patientKey: key!, atMs }),
      history: historyOf(sql, key!),
    }));
  }

  /** Sets or withdraws; the jobs that it concerns end with it. */
  async carryOut(order: ObjectionOrder): Promise<EndedJobs> {
    const { keys: patientKeys, atMs } = order;
    crashPoint('gateway.consent.before-objection');
    const jobs = await this.options.database.write((sql) => {
      write(sql, order);
      return endJobsOfPatient(sql, { atMs, patientKeys });
    });
    crashPoint('gateway.consent.after-objection');
    return jobs;
  }

  /** What a list would set, and its bad lines. */
  checkList(bytes: Uint8Array, atMs: number): ObjectionListView {
    const list = readList(bytes);
    const { database } = this.options;
    const added = database.read((sql) => list.good.filter((line) => this.#isNew(sql, line, atMs)));
    return viewOf(list, { added: added.length, isImported: false, ended: 0, atHub: 0 });
  }

  async importList(
    bytes: Uint8Array,
    { atMs, skipBadLines }: ListOrder,
  ): Promise<ObjectionListView> {
    const list = readList(bytes);
    if (list.bad > 0 && !skipBadLines) {
      return viewOf(list, { added: 0, isImported: false, ended: 0, atHub: 0 });
    }
    const { database } = this.options;
    let added = 0;
    for (let from = 0; from < list.good.length; from += LINES_PER_SLICE) {
      const lines = list.good.slice(from, from + LINES_PER_SLICE);
      crashPoint('gateway.consent.before-list-slice');
      added += await database.write(
        (sql) => lines.filter((line) => write(sql, this.#orderOf(line, atMs))).length,
      );
      crashPoint('gateway.consent.after-list-slice');
    }
    const { ended, atHub } = await database.write((sql) => endJobsOfPatient(sql, { atMs }));
    return viewOf(list, { added, isImported: true, ended, atHub });
  }

  #orderOf({ patientId, issuer, kinds, ...period }: ListedObjection, atMs: number): ObjectionOrder {
    const { sinceMs, untilMs } = period;
    const keys = this.keysOf({ patientId, issuer });
    return { keys, kinds, event: 'set', source: 'list', sinceMs, untilMs, atMs };
  }

  #isNew(sql: Sql, line: ListedObjection, atMs: number): boolean {
    const { keys, kinds, ...rest } = this.#orderOf(line, atMs);
    return eachOf(keys, kinds).some(
      ([patientKey, kind]) => !isStanding(sql, patientKey, objectionOf(kind, rest)),
    );
  }
}

type Period = Pick<ObjectionOrder, 'sinceMs' | 'untilMs' | 'source' | 'atMs'>;
const objectionOf = (
  kind: ObjectionKind,
  { sinceMs, untilMs, source, atMs }: Period,
): Objection => ({
  ...{ kind, sinceMs: sinceMs ?? atMs, untilMs, source },
});
const eachOf = (keys: readonly string[], kinds: readonly ObjectionKind[]) =>
  keys.flatMap((key) => kinds.map((kind) => [key, kind] as const));

/** True when something changed. */
function write(sql: Sql, { keys, kinds, event, ...rest }: ObjectionOrder): boolean {
  const { atMs, source } = rest;
  const changes = eachOf(keys, kinds).map(([patientKey, kind]) =>
    event === 'set'
      ? setObjection(sql, { patientKey, atMs }, objectionOf(kind, rest))
      : withdrawObjection(sql, { patientKey, atMs }, { kind, source }),
  );
  return changes.includes(true);
}

interface ReadList {
  readonly good: readonly ListedObjection[];
  readonly bad: number;
  readonly findings: readonly BadLine[];
}
function readList(bytes: Uint8Array): ReadList {
  const good: ListedObjection[] = [];
  const findings: BadLine[] = [];
  let bad = 0;
  for (const line of readObjectionList(bytes)) {
    if ('good' in line) good.push(line.good);
    else if ((bad += 1) <= FINDINGS_MAX) findings.push(line.bad);
  }
  return { good, bad, findings };
}

interface ListOutcome extends EndedJobs {
  readonly added: number;
  readonly isImported: boolean;
}
const viewOf = (
  { good, bad, findings }: ReadList,
  { added, isImported, ended, atHub }: ListOutcome,
): ObjectionListView => ({
  ...{ lines: good.length + bad, bad, findings: [...findings], added, isImported },
  ...{ unchanged: good.length - added, jobsEnded: ended, jobsAtHub: atHub },
});

/**
 * What a message changes: orders, moves of patients, objections, and events about identity.
 * Decides which messages are taken at all, and turns values into digests where they are kept.
 * Invariants: a plan is made whole or not at all; identity is in its events alone, for the vault.
 * Source: HL7 v2 chapters 3 and 4; tables 0003, 0076, 0103, 0104.
 */
import {
  stampOf,
  studiesOfVisit,
  type OrderStatement,
  type PatientMove,
  type Stamp,
} from '@aifi/gateway-orders';
import type { Sql } from '@aifi/gateway-database';
import { invariant } from '@aifi/shared-kernel';
import { accessionKeyOf, patientKeyOf, type KeyRing } from '@aifi/shared-site-keys';
import { consentStatements, type ConsentStatement } from './consent-message.js';
import type { Hl7Config } from './hl7.config.js';
import type { Hl7Digests } from './hl7-digests.js';
import type { Hl7Message } from './hl7-message.js';
import { refuse } from './hl7-refusal.js';
import { timeOf } from './hl7-time.js';
import {
  ADT_EVENTS,
  identityStatements,
  patientNumbersOf,
  sequenceOf,
  type AdtEvent,
  type IdentityStatement,
} from './identity-message.js';
import { orderedProcedures, type OrderAct, type OrderedProcedure } from './order-message.js';
import type { PatientNumber } from './patient-numbers.js';

/** For the vault: what was said about who a patient is. */
export interface Hl7IdentityEvent extends Omit<IdentityStatement, 'visits'> {
  readonly eventId: string;
  readonly studyUids: string[];
}
export interface Hl7Objection extends ConsentStatement {
  readonly patient: PatientNumber;
  readonly patientKey: string;
  readonly stamp: Stamp;
}
export interface Hl7Move extends PatientMove {
  readonly from: PatientNumber;
  readonly into: PatientNumber;
}
export interface MessagePlan {
  readonly orders: readonly OrderStatement[];
  readonly moves: readonly Hl7Move[];
  readonly objections: readonly Hl7Objection[];
  readonly identityEvents: readonly Hl7IdentityEvent[];
}
export interface PlanSources {
  readonly config: Hl7Config;
  readonly keys: KeyRing;
  readonly digests: Hl7Digests;
  /** Studies that were received under these accession numbers. */
  readonly studiesOf: (sql: Sql, accessionKeys: readonly string[]) => readonly string[];
}

export type MessageKind = 'order' | 'identity' | 'ignored';
/** Types that are counted by their own name. */
export const MESSAGE_TYPES: readonly string[] = [
  ...['ORM^O01', 'OMI^O23'],
  ...ADT_EVENTS.map((event) => `ADT^${event}`),
];
const VERSIONS = /^2\.[1-9](\.\d)?$/;
const NOTHING: MessagePlan = { orders: [], moves: [], objections: [], identityEvents: [] };

/** Among statements of one moment: whoever ends an order comes after who changes or makes it. */
const RANKS: Readonly<Record<OrderAct, number>> = { new: 0, change: 1, discontinue: 2, cancel: 3 };
const MOVE_RANK = 5;
const STATES = { new: 'OPEN', discontinue: 'DISCONTINUED', cancel: 'CANCELLED' } as const;

/** What kind of message it is; refuses what is not taken, header fields first. */
function kindOf({ header }: Hl7Message, { ignoredEvents, processingIds }: Hl7Config): MessageKind {
  const [type, event] = [header.required(9, 1), header.text(9, 2)];
  header.required(10);
  const known = ['ORM', 'OMI', 'ADT'];
  if (!known.includes(type)) refuse(200, header.place(9));
  if (!VERSIONS.test(header.text(12))) refuse(203, header.place(12));
  const processingId = header.text(11);
  if (!processingIds.some((taken) => taken === processingId)) refuse(202, header.place(11));
  if (type === 'ADT' && ignoredEvents.includes(event)) return 'ignored';
  if (!MESSAGE_TYPES.includes(`${type}^${event}`)) refuse(201, header.place(9));
  return type === 'ADT' ? 'identity' : 'order';
}

export class MessagePlanner {
  constructor(private readonly sources: PlanSources) {}

  plan(message: Hl7Message, messageKey: string, sql: Sql): MessagePlan {
    const kind = kindOf(message, this.sources.config);
    if (kind === 'ignored') return NOTHING;
    if (kind === 'order') return { ...NOTHING, orders: this.#orders(message, messageKey) };
    return this.#identity(message, messageKey, sql);
  }

  #orders(message: Hl7Message, messageKey: string): OrderStatement[] {
    const { config, digests, keys } = this.sources;
    const { header } = message;
    const time = header.required(7);
    const moment = {
      saidMs: timeOf(time, config.timeZone, header.place(7)),
      sequence: sequenceOf(header),
      messageKey,
    };
    const [patient] = patientNumbersOf(message, config);
    const visit = message.first('PV1')?.text(19) ?? '';
    return together(orderedProcedures(message, config)).map((procedure) => ({
      orderKey: digests.of('order', procedure.orderNumber),
      stamp: stampOf({ ...moment, rank: RANKS[procedure.act] }),
      accessionKey: accessionKeyOf(keys, procedure.accessionNumber ?? ''),
      studyUid: procedure.studyUid,
      codes: procedure.codes,
      priority: procedure.priority,
      state: procedure.act === 'change' ? undefined : STATES[procedure.act],
      patientKey: this.#patientKey(patient),
      visitKey: visit === '' ? undefined : digests.of('visit', visit),
    }));
  }

  #identity(message: Hl7Message, messageKey: string, sql: Sql): MessagePlan {
    const { config } = this.sources;
    const trigger = message.header.text(9, 2) as AdtEvent;
    const statements = identityStatements(message, trigger, config);
    const { happenedMs, sequence } = statements[0]!;
    const consents = consentStatements(message, happenedMs, config);
    const patients = consents.length > 0 ? patientNumbersOf(message, config) : [];
    const objections = patients.flatMap((patient) =>
      consents.map((consent) => this.#objection(consent, patient, { messageKey, sequence })),
    );
    const identityEvents = statements.map(({ visits, ...event }, index) => ({
      ...{ ...event, eventId: `${messageKey}-${index + 1}` },
      studyUids: trigger === 'A45' ? this.#studiesOf(visits, sql) : [],
    }));
    const moves = statements.flatMap((statement) => this.#moves(statement, messageKey));
    return { ...NOTHING, moves, objections, identityEvents };
  }

  #objection(
    consent: ConsentStatement,
    patient: PatientNumber,
    said: { readonly messageKey: string; readonly sequence: number },
  ): Hl7Objection {
    const stamp = stampOf({ ...said, saidMs: consent.saidMs, rank: MOVE_RANK });
    return { ...consent, patient, patientKey: this.#patientKey(patient), stamp };
  }

  #moves(statement: IdentityStatement, messageKey: string): Hl7Move[] {
    const { trigger, happenedMs: saidMs, sequence, from, into, visits } = statement;
    if (trigger === 'A08' || trigger === 'A31') return [];
    const stamp: Stamp = stampOf({ saidMs, sequence, rank: MOVE_RANK, messageKey });
    const kind = trigger === 'A40' ? 'MERGE' : trigger === 'A37' ? 'UNMERGE' : 'MOVE';
    const patients = {
      ...{ from, into },
      ...{ fromKey: this.#patientKey(from), intoKey: this.#patientKey(into) },
    };
    if (trigger !== 'A45') return [{ ...patients, kind, stamp }];
    return visits.map((visit) => ({
      ...{ ...patients, kind, stamp },
      visitKey: this.sources.digests.of('visit', visit),
    }));
  }

  /** Studies of visits by their orders; refuses a visit of which nothing is known. */
  #studiesOf(visits: readonly string[], sql: Sql): string[] {
    const { digests, studiesOf } = this.sources;
    const ordered = visits.flatMap((visit) => studiesOfVisit(sql, digests.of('visit', visit)));
    const named = ordered.flatMap(({ studyUid }) => studyUid ?? []);
    const unnamed = ordered.flatMap(({ studyUid, accessionKey }) =>
      studyUid === undefined && accessionKey !== undefined ? accessionKey : [],
    );
    const studies = new Set([...named, ...studiesOf(sql, unnamed)]);
    return studies.size > 0 ? [...studies] : refuse(204, { segment: 'MRG', field: 5 });
  }

  #patientKey(patient: PatientNumber): string {
    const { id: patientId, issuer } = patient;
    const key = patientKeyOf(this.sources.keys, { patientId, issuer });
    invariant(key, 'a patient number is not empty');
    return key;
  }
}

/** Requests of one order are one: their codes are all of it. */
function together(procedures: readonly OrderedProcedure[]): OrderedProcedure[] {
  const orders = new Map<string, OrderedProcedure>();
  for (const each of procedures) {
    const known = orders.get(each.orderNumber);
    // Nobody could say later which of the two a message is about.
    if (known && known.accessionNumber !== each.accessionNumber) refuse(205, { segment: 'OBR' });
    if (known && known.act !== each.act) refuse(205, { segment: 'ORC' });
    const codes = [...(known?.codes ?? []), ...(each.codes ?? [])];
    const isAcute = known?.priority === 'acute' || each.priority === 'acute';
    orders.set(each.orderNumber, {
      ...{ ...each, studyUid: known?.studyUid ?? each.studyUid },
      codes: codes.length > 0 ? [...new Set(codes)] : undefined,
      priority: isAcute ? 'acute' : (known?.priority ?? each.priority),
    });
  }
  return [...orders.values()];
}

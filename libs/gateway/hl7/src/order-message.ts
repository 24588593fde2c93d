/**
 * Orders (ORM^O01, OMI^O23) in our own words: number, accession number, study, codes, urgency, act.
 * Decides how segments belong together and where each value is, as the hospital's systems write it.
 * Values are as sent; what is kept of them are digests, and codes.
 * Invariant: an order that no study could ever be found by is refused, unless it ends one.
 * Source: HL7 v2 chapter 4 (ORC, TQ1, OBR, IPC); IHE RAD TF-2 4.4 (ZDS).
 */
import type { Hl7Message, Hl7Segment } from './hl7-message.js';
import { refuse, type Place } from './hl7-refusal.js';

export type OrderAct = 'new' | 'change' | 'cancel' | 'discontinue';

export interface OrderedProcedure {
  /** What all messages about this procedure have in common. */
  readonly orderNumber: string;
  readonly act: OrderAct;
  readonly accessionNumber: string | undefined;
  readonly studyUid: string | undefined;
  /** `scheme:code`; undefined: not said. */
  readonly codes: readonly string[] | undefined;
  readonly priority: 'acute' | 'routine' | undefined;
}
export interface OrderSettings {
  /** `SEG-n` in the order of preference. */
  readonly accessionFrom: readonly string[];
}

/** Table 0119. What is not here is no word about an order. */
const ACTS: Readonly<Record<string, OrderAct | 'status'>> = {
  ...{ NW: 'new', SN: 'new' },
  ...{ XO: 'change', XX: 'change', RP: 'change', RO: 'change', RU: 'change' },
  ...{ CA: 'cancel', OC: 'cancel', CR: 'cancel' },
  ...{ DC: 'discontinue', OD: 'discontinue', DR: 'discontinue' },
  SC: 'status',
};
/** Table 0038, of a change of status. */
const STATUSES: Readonly<Record<string, OrderAct>> = {
  ...{ CA: 'cancel', DC: 'discontinue' },
  ...{ A: 'change', CM: 'change', ER: 'change', HD: 'change' },
  ...{ IP: 'change', RP: 'change', SC: 'change' },
};
/** Longest LO, SH has 16 (PS3.5 6.2). @unit characters */
const NUMBER_MAX = 64;
const PROCEDURES_MAX = 100;
const UID = /^(0|[1-9]\d*)(\.(0|[1-9]\d*))*$/;
const UID_MAX = 64;
/** A code is no text: what has other characters is in the wrong field. */
const CODE = /^[\p{L}\p{N}][\p{L}\p{N}._/+#*-]{0,63}$/u;

/** Segments of one procedure. */
interface Group {
  readonly order: Hl7Segment;
  request?: Hl7Segment;
  readonly timing: Hl7Segment[];
  readonly imaging: Hl7Segment[];
  studyUid?: string | undefined;
}

export function orderedProcedures(
  message: Hl7Message,
  settings: OrderSettings,
): OrderedProcedure[] {
  const groups = groupsOf(message);
  if (groups.length === 0) refuse(101, { segment: 'ORC' });
  if (groups.length > PROCEDURES_MAX) refuse(104, { segment: 'ORC' });
  return groups.map((group) => procedureOf(group, settings));
}

function groupsOf(message: Hl7Message): Group[] {
  const groups: Group[] = [];
  for (const segment of message.segments) {
    const group = groups.at(-1);
    if (segment.name === 'ORC') groups.push({ order: segment, timing: [], imaging: [] });
    else if (!group) {
      if (segment.name === 'OBR') refuse(100, segment.place());
    } else if (segment.name === 'OBR') addRequest(groups, group, segment);
    else if (segment.name === 'TQ1') group.timing.push(segment);
    else if (segment.name === 'IPC') group.imaging.push(segment);
    else if (segment.name === 'ZDS') giveStudy(groups, uidOf(segment, 1));
  }
  return groups;
}
/** A second request under one ORC is a procedure of the same order. */
function addRequest(groups: Group[], group: Group, request: Hl7Segment): void {
  if (!group.request) group.request = request;
  else groups.push({ order: group.order, request, timing: group.timing, imaging: [] });
}
/** A study is for the procedures before it that have none. */
function giveStudy(groups: readonly Group[], studyUid: string | undefined): void {
  for (const group of groups) group.studyUid ??= studyUid;
}

function procedureOf(group: Group, settings: OrderSettings): OrderedProcedure {
  const { order, request } = group;
  const act = actOf(order);
  const accessionNumber = accessionOf(group, settings);
  const studyUid = group.studyUid ?? firstOf(group.imaging.map((each) => uidOf(each, 3)));
  const number =
    numberOf(order, 2) ?? numberOf(request, 2) ?? numberOf(order, 3) ?? numberOf(request, 3);
  const orderNumber = number ?? accessionNumber ?? studyUid;
  if (orderNumber === undefined) return refuse(101, order.place(2));
  const ends = act === 'cancel' || act === 'discontinue';
  if (!ends && accessionNumber === undefined && studyUid === undefined) {
    refuse(101, placeOf(settings.accessionFrom[0]!));
  }
  const codes = request && codesOf(request);
  if (act === 'new' && !codes) refuse(101, { segment: 'OBR', field: 4 });
  const priority = priorityOf(group);
  return { orderNumber, act, accessionNumber, studyUid, codes, priority };
}

function actOf(order: Hl7Segment): OrderAct {
  const control = order.required(1);
  const act = Object.hasOwn(ACTS, control) ? ACTS[control]! : refuse(103, order.place(1));
  if (act !== 'status') return act;
  const status = order.required(5);
  return Object.hasOwn(STATUSES, status) ? STATUSES[status]! : refuse(103, order.place(5));
}

function accessionOf(group: Group, { accessionFrom }: OrderSettings): string | undefined {
  const { order, request, imaging } = group;
  return firstOf(
    accessionFrom.map((name) => {
      const { segment, field } = placeOf(name);
      if (segment === 'IPC') return firstOf(imaging.map((each) => numberOf(each, field)));
      return numberOf(segment === 'ORC' ? order : request, field);
    }),
  );
}
function placeOf(name: string): Place & { readonly field: number } {
  const [segment = '', field] = name.split('-');
  return { segment, field: Number(field) };
}
function numberOf(segment: Hl7Segment | undefined, field: number | undefined): string | undefined {
  if (!segment || field === undefined) return undefined;
  const number = segment.text(field);
  if (number.length > NUMBER_MAX) refuse(104, segment.place(field));
  return number || undefined;
}
function uidOf(segment: Hl7Segment, field: number): string | undefined {
  const uid = segment.text(field);
  if (uid === '') return undefined;
  return uid.length <= UID_MAX && UID.test(uid) ? uid : refuse(102, segment.place(field));
}

/** OBR-4 and its alternate; a code without a scheme is one of the hospital (L, table 0396). */
function codesOf(request: Hl7Segment): string[] | undefined {
  const field = request.field(4);
  const codes = [
    [1, 3],
    [4, 6],
  ].flatMap(([code = 1, scheme = 3]) => {
    const value = field.component(code).text;
    const system = field.component(scheme).text || 'L';
    if (value === '') return [];
    return CODE.test(value) && CODE.test(system)
      ? `${system}:${value}`
      : refuse(102, request.place(4));
  });
  return codes.length > 0 ? [...new Set(codes)] : undefined;
}

/** S (stat) and A (as soon as possible) are acute, wherever they are said. */
function priorityOf({ order, request, timing }: Group): OrderedProcedure['priority'] {
  const codes = [
    ...timing.flatMap((each) => each.repetitions(9).map((value) => value.component(1).text)),
    ...order.repetitions(7).map((value) => value.component(6).text),
    ...(request ? request.repetitions(27).map((value) => value.component(6).text) : []),
    request?.text(5) ?? '',
  ].filter((code) => code !== '');
  if (codes.length === 0) return undefined;
  return codes.some((code) => code === 'S' || code === 'A') ? 'acute' : 'routine';
}

const firstOf = <T>(values: readonly (T | undefined)[]): T | undefined =>
  values.find((value) => value !== undefined);

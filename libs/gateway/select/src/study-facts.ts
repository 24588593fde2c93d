/**
 * Study facts: the whole input of the rules for one revision, from what the gateway has in rows.
 * Decides how images that disagree speak: a study with two ages has none, one with two patients has
 * the objections of both; the order counts before what the images say of the procedure.
 * Invariants: read in the transaction that decides; nothing of the patient but an age, a sex and
 * objections leaves this file. Source: governance specification 4.3; features 5, 37.
 */
import { requestedProducts, type InstanceHeader, type Sql } from '@aifi/gateway-database';
import type { AgeFact, ProcedureFact, StudyFacts } from '@aifi/policy-routing-rules';
import { invariant } from '@aifi/shared-kernel';
import { seriesFactsOf, type HeaderRow } from './series-facts.js';
import type { HospitalWord, StudyOrder } from './hospital-word.js';

export interface RevisionKey {
  readonly studyId: number;
  readonly revision: number;
}
/** What select has to know of a revision. */
export interface KnownStudy {
  readonly studyUid: string;
  readonly facts: StudyFacts;
  readonly priority: StudyOrder['priority'];
  /** AE titles that sent it. */
  readonly senders: ReadonlySet<string>;
  /** Lane of the products that were asked for by name, where that was said. */
  readonly lanes: ReadonlyMap<string, 'acute' | 'routine'>;
}

interface InstanceRow {
  readonly series_uid: string;
  readonly sop_class_uid: string;
  readonly header: string;
  readonly calling_ae: string;
}

export function readStudy(
  sql: Sql,
  { studyId, revision }: RevisionKey,
  word: HospitalWord,
  atMs: number,
): KnownStudy {
  const study = sql.get<{ study_uid: string; first_ms: number }>(
    `SELECT study_uid, COALESCE((SELECT MIN(received_ms) FROM instance i
        WHERE i.study_id = study.study_id), last_received_ms) AS first_ms
      FROM study WHERE study_id = ?`,
    studyId,
  );
  invariant(study, 'a revision has its study');
  const stored = sql.all<InstanceRow>(
    `SELECT series_uid, sop_class_uid, header, calling_ae FROM revision_instance
     WHERE study_id = ? AND of_revision = ? ORDER BY instance_id`,
    ...[studyId, revision],
  );
  const rows: HeaderRow[] = stored.map((row) => ({
    ...row,
    header: JSON.parse(row.header) as InstanceHeader,
  }));
  const headers = rows.map(({ header }) => header);
  const studyUid = study.study_uid;
  const order = orderOf(sql, headers, studyUid, word);
  const requests = requestedProducts(sql, studyUid);
  return {
    studyUid,
    priority: order?.priority,
    senders: new Set(stored.map((row) => row.calling_ae)),
    lanes: new Map(requests.flatMap(({ product, lane }) => (lane ? [[product, lane]] : []))),
    facts: {
      series: seriesFactsOf(rows),
      age: oneAge(headers),
      sex: only(headers.flatMap(({ sex }) => sex ?? [])),
      objections: [...patientsOf(headers, order)].flatMap((patientKey) =>
        word.objectionsOf(sql, { patientKey, atMs }),
      ),
      procedure: procedureOf(sql, headers, order, word),
      acquiredAtMs: earliest(headers),
      receivedAtMs: study.first_ms,
      requested: requests.map(({ product }) => product),
    },
  };
}

function orderOf(
  sql: Sql,
  headers: readonly InstanceHeader[],
  studyUid: string,
  word: HospitalWord,
): StudyOrder | undefined {
  const numbers = new Set(headers.flatMap(({ accessionKey }) => accessionKey ?? []));
  for (const accessionKey of numbers) {
    const order = word.orderOf(sql, { accessionKey, studyUid });
    if (order) return order;
  }
  return numbers.size > 0 ? undefined : word.orderOf(sql, { accessionKey: undefined, studyUid });
}

/** An order names the patient as the hospital does now, images as it did when they were made. */
function patientsOf(
  headers: readonly InstanceHeader[],
  order: StudyOrder | undefined,
): ReadonlySet<string> {
  const ofImages = headers.flatMap(({ patientKey }) => patientKey ?? []);
  return new Set([...ofImages, ...(order?.patientKey ? [order.patientKey] : [])]);
}

function procedureOf(
  sql: Sql,
  headers: readonly InstanceHeader[],
  order: StudyOrder | undefined,
  word: HospitalWord,
): ProcedureFact | undefined {
  const ofImages = [...new Set(headers.flatMap(({ procedureCodes }) => procedureCodes ?? []))];
  const isOrdered = order !== undefined && order.codes.length > 0;
  const codes = isOrdered ? order.codes : ofImages;
  if (codes.length === 0) return undefined;
  const mapped = word.mappedProcedureOf(sql, codes);
  return { codes, from: isOrdered ? 'order' : 'images', ...(mapped && { mapped }) };
}

/** What the images say of the age; two who say it differently know it no better than none. */
function oneAge(headers: readonly InstanceHeader[]): AgeFact {
  const said = headers.flatMap(({ age }) => (age && age.kind !== 'missing' ? [age] : []));
  const distinct = new Map(said.map((age) => [JSON.stringify(age), age]));
  const [first, ...others] = distinct.values();
  if (!first) return { kind: 'missing' };
  return others.length > 0 ? { kind: 'contradiction' } : first;
}

function only<T>(values: readonly T[]): T | undefined {
  const [first, ...others] = new Set(values);
  return others.length > 0 ? undefined : first;
}

function earliest(headers: readonly InstanceHeader[]): number | undefined {
  const said = headers.flatMap(({ acquiredAtMs }) => acquiredAtMs ?? []);
  return said.length === 0 ? undefined : Math.min(...said);
}

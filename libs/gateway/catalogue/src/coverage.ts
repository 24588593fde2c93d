/**
 * Coverage of the catalogue: which procedure codes of the last days it knows.
 * Decides that a study counts once, with the codes of its first image and of its order.
 * Invariants: no patient and no study in the answer; read in slices with a turn of the event loop
 * between them, since images come in meanwhile; bounded, and it says so when it is not whole.
 * Source: governance specification 4.3.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CatalogueCoverageView } from '@aifi/contracts-rest';
import type { GatewayDatabase, Sql } from '@aifi/gateway-database';
import { isMapped } from './mapped-procedure.js';

/** Studies that are looked at: a month of a hospital with a thousand a day. */
const STUDIES_MAX = 30_000;
/** Studies of one slice: some tens of milliseconds. */
const SLICE = 500;
/** Unmapped codes that are told, and distinct ones that are counted. */
const TOLD_MAX = 200;
const COUNTED_MAX = 20_000;
const DAY_MS = 24 * 3_600_000;

/** Codes of the order of a study, `scheme:code`. */
export type OrderCodes = (sql: Sql, study: StudyOfDay) => readonly string[];
export interface StudyOfDay {
  readonly studyUid: string;
  /** Keyed digest; undefined: the images name none. */
  readonly accessionKey: string | undefined;
}
export interface CoverageQuestion {
  readonly database: GatewayDatabase;
  readonly days: number;
  readonly nowMs: number;
  /** @default orders are not known */
  readonly orderCodes?: OrderCodes | undefined;
  readonly studiesMax?: number | undefined;
}
interface StudyRow {
  readonly studyUid: string;
  readonly accessionKey: string | null;
  readonly firstMs: number;
  readonly studyId: number;
  /** JSON list; null: the images name no code. */
  readonly codes: string | null;
}

const STUDIES = `
  SELECT a.first_received_ms AS firstMs, a.study_id AS studyId, s.study_uid AS studyUid,
    i.header ->> '$.procedureCodes' AS codes, i.header ->> '$.accessionKey' AS accessionKey
  FROM study_arrival a JOIN study s USING (study_id)
    LEFT JOIN instance i ON i.instance_id = (
      SELECT MIN(instance_id) FROM instance f WHERE f.study_id = a.study_id)
  WHERE (a.first_received_ms, a.study_id) < (?1, ?2) AND a.first_received_ms >= ?3
  ORDER BY a.first_received_ms DESC, a.study_id DESC LIMIT ${SLICE}`;

export async function coverageOf(question: CoverageQuestion): Promise<CatalogueCoverageView> {
  const { database, days, nowMs, studiesMax = STUDIES_MAX } = question;
  const counts = new Map<string, number>();
  const answer = { studies: 0, withCode: 0, mapped: 0, isWhole: true };
  // A clock that was set back leaves studies of the future: they count too.
  let place = [Number.MAX_SAFE_INTEGER, 0];
  for (;;) {
    const rows = database.read((sql) =>
      sql.all<StudyRow>(STUDIES, ...place, nowMs - days * DAY_MS),
    );
    database.read((sql) => rows.forEach((row) => look(sql, row, { question, counts, answer })));
    answer.studies += rows.length;
    const last = rows.at(-1);
    if (!last || rows.length < SLICE) break;
    if (answer.studies >= studiesMax) {
      answer.isWhole = false;
      break;
    }
    place = [last.firstMs, last.studyId];
    await nextTurn();
  }
  return { days, ...answer, unmapped: mostFrequent(counts) };
}

interface Looking {
  readonly question: CoverageQuestion;
  readonly counts: Map<string, number>;
  readonly answer: { withCode: number; mapped: number };
}
function look(sql: Sql, row: StudyRow, { question, counts, answer }: Looking): void {
  const study = { studyUid: row.studyUid, accessionKey: row.accessionKey ?? undefined };
  const ordered = question.orderCodes?.(sql, study) ?? [];
  const ofImages = row.codes === null ? [] : (JSON.parse(row.codes) as string[]);
  const codes = [...new Set([...ordered, ...ofImages])];
  if (codes.length === 0) return;
  answer.withCode += 1;
  if (isMapped(sql, codes)) answer.mapped += 1;
  for (const code of codes) {
    if (isMapped(sql, [code])) continue;
    if (!counts.has(code) && counts.size >= COUNTED_MAX) continue;
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
}

function mostFrequent(counts: ReadonlyMap<string, number>): CatalogueCoverageView['unmapped'] {
  const all = [...counts].map(([code, studies]) => ({ code, studies }));
  all.sort((a, b) => b.studies - a.studies || (a.code < b.code ? -1 : 1));
  return all.slice(0, TOLD_MAX);
}

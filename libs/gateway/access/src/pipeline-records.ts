/**
 * Records of what the pipeline does with a patient's data by itself.
 * Decides which rows of the gateway's journal are acts towards NEN 7513: a pseudonymised copy left
 * for the hub, and a result or status object was put into the PACS under the patient.
 * Invariant: exactly one record for such a row: the journal row is written in the act's own
 * transaction, and its record here in one transaction with the place up to which it was read.
 * Source: NEN 7513; security specification 5.
 */
import { ruleOf } from '@aifi/access-authorisation';
import type { AuditDraft } from '@aifi/contracts-rest';
import type { GatewayDatabase } from '@aifi/gateway-database';
import { pollingStage, Wake, type Clock, type Stage } from '@aifi/shared-kernel';
import type { AccessDatabase } from './access-database.js';
import type { AuditTrail } from './audit-trail.js';

/** Journal rows of one look: a study of 1,000 instances has as many rows. */
const ROWS_MAX = 2_000;
/** A record follows its act within this time. @unit ms */
const LOOK_MS = 1_000;

export interface PipelineRecordsDependencies {
  /** Of the pipeline: its journal is read. */
  readonly journal: GatewayDatabase;
  /** The hospital's number of the patient; null: unknown. */
  readonly patientNumberOf: (studyUid: string) => Promise<string | null>;
  readonly database: AccessDatabase;
  readonly trail: AuditTrail;
  readonly clock: Clock;
  readonly onFault: (error: unknown) => void;
  /** Called when a study or job went a step further; not for each image that comes in. */
  readonly onJournal?: () => void;
}

interface JournalRow {
  readonly sequence: number;
  readonly study_uid: string;
  readonly job_id: string | null;
  readonly stage: string;
  readonly event: string;
  readonly at_ms: number;
  readonly detail: string;
  /** 1: an earlier row says that the copy had left. */
  readonly has_left: number;
}
/** Of an audit record: the longest that a hospital writes is the 64 of a DICOM LO. */
const PATIENT_ID_LENGTH_MAX = 128;
type PipelineAct = 'study.export' | 'result.store';

export function createPipelineRecords(dependencies: PipelineRecordsDependencies): Stage {
  const { clock, onFault } = dependencies;
  const runOnce = (): Promise<number> => recordJournalRows(dependencies);
  return pollingStage({
    ...{ name: 'pipeline-records', clock, wake: new Wake(), intervalMs: LOOK_MS, runOnce, onFault },
  });
}

/** Records what the next rows of the journal mean; how many rows were read. */
export async function recordJournalRows(sut: PipelineRecordsDependencies): Promise<number> {
  const { journal, database, trail, onJournal } = sut;
  const cursor = database.read((sql) =>
    sql.get<{ sequence: number }>('SELECT sequence FROM journal_cursor'),
  );
  const from = cursor?.sequence ?? 0;
  const { last, rows, isStep } = readRows(journal, from);
  if (last === from) return 0;
  const acts = await Promise.all(rows.map((row) => pipelineActOf(sut, row)));
  await database.transaction((tx) => {
    for (const { sequence, atMs, draft } of acts.filter((act) => act !== undefined)) {
      const record = trail.append(tx, draft, atMs);
      tx.sql.run(
        'INSERT INTO audit_of_journal VALUES (?, ?, ?)',
        ...[sequence, record.chain, record.sequence],
      );
    }
    tx.sql.run(
      `INSERT INTO journal_cursor VALUES (1, ?)
       ON CONFLICT (one) DO UPDATE SET sequence = excluded.sequence`,
      last,
    );
  });
  if (isStep) onJournal?.();
  return last - from;
}

function readRows(
  journal: GatewayDatabase,
  from: number,
): { readonly last: number; readonly rows: JournalRow[]; readonly isStep: boolean } {
  return journal.read((sql) => {
    const { last } = sql.get<{ last: number | null }>(
      `SELECT MAX(sequence) AS last
       FROM (SELECT sequence FROM journal WHERE sequence > ? ORDER BY sequence LIMIT ?)`,
      ...[from, ROWS_MAX],
    )!;
    const rows = sql.all<JournalRow>(
      `SELECT j.sequence, study_uid, job_id, stage, event, at_ms, detail,
         EXISTS (SELECT 1 FROM journal e WHERE e.study_id = j.study_id AND e.job_id = j.job_id
           AND e.event = 'uploaded' AND e.sequence < j.sequence) AS has_left
       FROM journal j JOIN study USING (study_id)
       WHERE j.sequence > ? AND j.sequence <= ?
         AND (event IN ('uploaded', 'returned', 'delivered', 'status-delivered')
           -- The PACS took a part of a result and not the rest: that part was stored.
           OR (stage = 'deliver' AND event IN ('refused', 'overdue', 'superseded') AND EXISTS
             (SELECT 1 FROM delivery d WHERE d.job_id = j.job_id AND d.state = 'VERIFIED')))
       ORDER BY j.sequence`,
      ...[from, last ?? from],
    );
    const step = sql.get(
      `SELECT 1 FROM journal WHERE sequence > ? AND sequence <= ? AND stage <> 'receive' LIMIT 1`,
      ...[from, last ?? from],
    );
    return { last: last ?? from, rows, isStep: step !== undefined };
  });
}

function actOf({ stage, event, has_left: hasLeft }: JournalRow): PipelineAct | undefined {
  if (stage === 'uplink' && event === 'uploaded') return 'study.export';
  // An outcome proves that the hub had the study, also when its receipt was lost.
  if (stage === 'downlink' && event === 'returned') return hasLeft ? undefined : 'study.export';
  return stage === 'deliver' ? 'result.store' : undefined;
}

async function pipelineActOf(
  { patientNumberOf, trail }: PipelineRecordsDependencies,
  row: JournalRow,
): Promise<{ sequence: number; atMs: number; draft: AuditDraft } | undefined> {
  const act = actOf(row);
  if (!act) return undefined;
  const patientId = await patientNumberOf(row.study_uid);
  const detail = JSON.parse(row.detail) as AuditDraft['detail'];
  const draft: AuditDraft = {
    ...{ act, action: ruleOf(act).action, outcome: 'success', code: null },
    ...{ userId: 'gateway', userName: `${row.stage} stage`, userKind: 'system', role: null },
    ...{ responsibleUserId: null, siteId: trail.siteId, reason: null, sourceAddress: '' },
    ...{ objectType: 'study', objectId: row.study_uid },
    patientId: patientId?.slice(0, PATIENT_ID_LENGTH_MAX) ?? null,
    correlationId: row.job_id ?? `journal-${row.sequence}`,
    detail: { ...detail, event: row.event, ...(row.job_id && { jobId: row.job_id }) },
  };
  return { sequence: row.sequence, atMs: row.at_ms, draft };
}

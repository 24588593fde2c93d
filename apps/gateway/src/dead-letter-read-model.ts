/**
 * Read model of dead letters: one as it is shown, one by its id, how many there are.
 * Decides the words of the interface: kind by SOP class, status in hexadecimal, reasons in two
 * languages. Invariant: no patient attribute; the study's UID is left out unless it is asked for.
 * Source: PS3.6 A (SOP classes); PS3.4 B.2.3 (status of C-STORE).
 */
import { deadLetterWords, type DeadLetterView } from '@aifi/contracts-rest';
import { placeOf } from '@aifi/gateway-access';
import type { GatewayDatabase } from '@aifi/gateway-database';
import type { DeadLetter, DeadLetterId, DeadLetterPage } from '@aifi/gateway-deliver';
import { AifiError } from '@aifi/shared-kernel';

/** SOP classes of results begin so. */
const KINDS = [
  ['1.2.840.10008.5.1.4.1.1.88.', 'SR'],
  ['1.2.840.10008.5.1.4.1.1.66.4', 'SEG'],
  ['1.2.840.10008.5.1.4.1.1.7', 'SC'],
] as const;

/** A kind that has no short name is shown by its SOP class. */
function kindOf({ source, sopClassUid }: DeadLetter): string {
  if (source === 'status_object') return 'status';
  const known = KINDS.find(([start]) => sopClassUid.startsWith(start));
  return known ? known[1] : sopClassUid;
}

export function deadLetterView(letter: DeadLetter, withStudy: boolean): DeadLetterView {
  const { id, deadMs, product, studyUid, jobId, code, dimseStatus, attempts, replays } = letter;
  return {
    ...{ id, sinceMs: deadMs, product, jobId, kind: kindOf(letter), code, attempts, replays },
    studyInstanceUid: withStudy ? studyUid : null,
    words: deadLetterWords(code) ?? null,
    dimseStatus: dimseStatus?.toString(16).toUpperCase().padStart(4, '0') ?? null,
  };
}

/** The letter after which a page begins; INVALID_ARGUMENT for a cursor of another list. */
export function placeOfLetter(cursor: string | undefined): DeadLetterPage['before'] {
  if (cursor === undefined) return undefined;
  const { atMs, id } = placeOf(cursor);
  if (isLetterId(id)) return { deadMs: atMs, id };
  throw new AifiError('INVALID_ARGUMENT', 'the request does not match: cursor');
}
const isLetterId = (id: unknown): id is DeadLetterId =>
  typeof id === 'string' && /^(delivery|status_object):\d+$/.test(id);

export interface FoundLetter extends Pick<DeadLetter, 'id' | 'studyUid' | 'jobId' | 'deadMs'> {
  readonly code: string;
}
const BY_ID = {
  delivery: `SELECT study_uid AS studyUid, job_id AS jobId, dead_ms AS deadMs, dead_code AS code
    FROM delivery JOIN job USING (job_id) JOIN study USING (study_id)
    WHERE delivery.rowid = ? AND delivery.state = 'DEAD'`,
  status_object: `SELECT study_uid AS studyUid, job_id AS jobId, dead_ms AS deadMs,
      dead_code AS code
    FROM status_object JOIN study USING (study_id)
    WHERE status_object.rowid = ? AND state = 'DEAD'`,
} as const;

/** Undefined when it is no dead letter, or none any more. */
export function findDeadLetter(database: GatewayDatabase, id: string): FoundLetter | undefined {
  const [source = '', rowId] = id.split(':');
  if (!isLetterId(id) || !Object.hasOwn(BY_ID, source)) return undefined;
  const statement = BY_ID[source as keyof typeof BY_ID];
  const found = database.read((sql) => sql.get<Omit<FoundLetter, 'id'>>(statement, Number(rowId)));
  return found && { ...found, id };
}

/** How many there are, and since when the oldest. */
export function readDeadLetterTotals(database: GatewayDatabase): {
  readonly count: number;
  readonly oldestMs: number | null;
} {
  return database.read((sql) =>
    sql.get<{ count: number; oldestMs: number | null }>(
      `SELECT COUNT(*) AS count, MIN(dead_ms) AS oldestMs FROM (
           SELECT dead_ms FROM delivery WHERE state = 'DEAD'
           UNION ALL SELECT dead_ms FROM status_object WHERE state = 'DEAD')`,
    )!,
  );
}

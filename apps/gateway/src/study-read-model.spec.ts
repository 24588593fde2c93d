/**
 * Goal: the list of studies stays in place while studies come in, finds by state, and reads an
 * index however many studies there are.
 * Method: a real database with 100,000 studies; the planner's words.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import {
  readStudies,
  SCAN_ROWS_MAX,
  STUDY_WINDOW_SQL,
  type StudyQuery,
} from './study-read-model.js';

const STUDIES = 100_000;
/** Three studies arrive in each of these. */
const STEP_MS = 1_000;
const NUMBERS = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)`;

let folder: TemporaryFolder;
let database: GatewayDatabase;
beforeAll(async () => {
  folder = temporaryFolder('studies');
  database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
  await database.write((sql) => {
    sql.run(
      `${NUMBERS} INSERT INTO study SELECT i, '1.2.' || i, 1, (i / 3) * ${STEP_MS} FROM n`,
      STUDIES,
    );
    sql.run(`INSERT INTO study_revision SELECT study_id, 1, 1, 'SELECTED' FROM study`);
    sql.run(
      `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
         transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms, revision)
       SELECT study_id, '1', study_id, '1', '1', 'x', 1, 'p', '{"modality":"CT"}', 'CT', 1, 1
       FROM study`,
    );
    // Every study is done, except one open, one waiting and one still arriving among the oldest.
    sql.run(
      `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
         rule_set_sha256, attestations, state, created_ms, terminal_ms)
       SELECT 'j' || study_id, study_id, 1, 'p', '1', 'x', 'acute', 'x', '[]',
         CASE study_id WHEN 50 THEN 'HELD' ELSE 'RESULT_IN_PACS' END, 1, 1
       FROM study WHERE study_id <> 60`,
    );
    sql.run('UPDATE instance SET revision = NULL WHERE study_id = 70');
  });
}, 60_000);
afterAll(() => {
  database.close();
  folder.remove();
});

const read = (query: Partial<StudyQuery>) => readStudies(database, { limit: 50, ...query });
/** Follows the cursors to the end; how many questions that were. */
function readAll(query: Partial<StudyQuery>): { uids: string[]; questions: number } {
  const uids: string[] = [];
  let questions = 0;
  let cursor: string | undefined;
  do {
    const page = read({ ...query, cursor });
    uids.push(...page.items.map(({ studyInstanceUid }) => studyInstanceUid));
    cursor = page.nextCursor ?? undefined;
    questions += 1;
  } while (cursor !== undefined);
  return { uids, questions };
}

describe(readStudies.name, () => {
  it('reads its window from the index of arrival and sorts nothing', () => {
    const plan = database.read((sql) =>
      sql.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${STUDY_WINDOW_SQL}`, 1, 1, 0, 50),
    );
    const steps = plan.map(({ detail }) => detail);
    expect(steps[0]).toMatch(/SEARCH a USING (PRIMARY KEY|INDEX \S+) \(/);
    expect(steps.join('; ')).not.toMatch(/SCAN|TEMP B-TREE/);
    expect(steps).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/SEARCH s USING INTEGER PRIMARY KEY/),
        expect.stringMatching(/SEARCH i USING .*INDEX instance_open/),
        expect.stringMatching(/SEARCH j USING .*INDEX sqlite_autoindex_job/),
      ]),
    );
  });
  it('shows every study once, newest first, while others come in', async () => {
    const fromMs = (STUDIES / 3 - 100) * STEP_MS;
    const seen: string[] = [];
    let cursor: string | undefined;
    let next = STUDIES;
    do {
      const page = read({ fromMs, limit: 7, cursor });
      seen.push(...page.items.map(({ studyInstanceUid }) => studyInstanceUid));
      cursor = page.nextCursor ?? undefined;
      next += 1;
      await database.write((sql) =>
        sql.run('INSERT INTO study VALUES (?, ?, 1, ?)', next, `1.2.${next}`, 10 ** 12),
      );
    } while (cursor !== undefined);
    const numbers = seen.map((uid) => Number(uid.slice(4)));
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => STUDIES - index));
    expect(numbers.length).toBeGreaterThan(290);
    await database.write((sql) => {
      sql.run('DELETE FROM study_arrival WHERE study_id > ?', STUDIES);
      sql.run('DELETE FROM study WHERE study_id > ?', STUDIES);
    });
  });
  it('keeps the place of a study to which images are added', async () => {
    const [first] = read({ limit: 1 }).items;
    await database.write((sql) =>
      sql.run('UPDATE study SET last_received_ms = ? WHERE study_id = 1', 10 ** 12),
    );
    expect(read({ limit: 1 }).items[0]).toEqual(first);
  });
  it.each<[NonNullable<StudyQuery['state']>, string]>([
    ['IN_PROGRESS', '1.2.50'],
    ['WAITING_FOR_RULES', '1.2.60'],
    ['RECEIVING', '1.2.70'],
  ])('finds the one study that is %s, looking at a bounded number at a time', (state, uid) => {
    const { uids, questions } = readAll({ state });
    expect(uids).toEqual([uid]);
    expect(questions).toBe(STUDIES / SCAN_ROWS_MAX + 1);
  });
  it('fills a page with a state that many have', () => {
    const page = read({ state: 'DONE', limit: 200 });
    expect(page.items).toHaveLength(200);
    expect(page.items.every(({ state }) => state === 'DONE')).toBe(true);
    const next = read({ state: 'DONE', limit: 1, cursor: page.nextCursor ?? undefined });
    expect(next.items[0]!.studyInstanceUid).toBe(`1.2.${STUDIES - 200}`);
  });
});

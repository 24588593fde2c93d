/**
 * Goal: a process that dies leaves what it committed and nothing else; a cleared database is new.
 * Method: the schema of a gateway in memory, commits deferred by hand.
 */
import { describe, expect, it } from '@jest/globals';
import { GATEWAY_MIGRATIONS, MemoryDatabase, recordJournal, type Sql } from './index.js';

const insertStudy = (sql: Sql): number =>
  sql.insert("INSERT INTO study (study_uid, last_received_ms) VALUES ('2.25.1', 7)");
const studies = (sql: Sql): number => sql.all('SELECT 1 FROM study').length;

describe(MemoryDatabase.name, () => {
  it('keeps what was committed when the process dies, and loses what was queued', async () => {
    const commits: (() => void)[] = [];
    const sut = new MemoryDatabase(GATEWAY_MIGRATIONS);
    const first = sut.start((commit) => commits.push(commit));
    const done = first.write(insertStudy);
    expect(first.read(studies)).toBe(0);
    commits.shift()!();
    expect(await done).toBe(1);

    void first.write((sql) => sql.run('DELETE FROM study_arrival'));
    void first.write((sql) => sql.run('DELETE FROM study'));
    first.abandon();
    commits.shift()!();
    await expect(first.write(studies)).rejects.toMatchObject({ code: 'PEER_UNAVAILABLE' });
    expect(sut.start().read(studies)).toBe(1);
  });

  it('is as new after it was cleared, numbers of rows included', async () => {
    const sut = new MemoryDatabase(GATEWAY_MIGRATIONS);
    const sequences: unknown[] = [];
    for (let round = 0; round < 2; round += 1) {
      sut.clear();
      const database = sut.start();
      expect(database.read(studies)).toBe(0);
      await database.write((sql) => {
        const studyId = insertStudy(sql);
        recordJournal(sql, { studyId, stage: 'receive', event: 'received', atMs: 7 });
      });
      sequences.push(database.read((sql) => sql.get('SELECT sequence, study_id FROM journal')));
    }
    expect(sequences[1]).toEqual(sequences[0]);
  });
});

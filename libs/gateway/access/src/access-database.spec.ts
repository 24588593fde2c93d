/**
 * Goal: an act is whole or not at all, and nobody sees half of one.
 * Method: real SQLite in a temporary folder; works that wait for each other.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { AccessDatabase, type AccessTx } from './access-database.js';

const SET = `INSERT INTO journal_cursor VALUES (1, ?)
  ON CONFLICT (one) DO UPDATE SET sequence = excluded.sequence`;

describe(AccessDatabase.name, () => {
  let folder: TemporaryFolder;
  let sut: AccessDatabase;
  const path = (): string => join(folder.path, 'access.db');
  const value = (): number | undefined =>
    sut.read(
      (sql) => sql.get<{ sequence: number }>('SELECT sequence FROM journal_cursor')?.sequence,
    );
  beforeEach(() => {
    folder = temporaryFolder('access');
    sut = AccessDatabase.open(path());
  });
  afterEach(async () => {
    await sut.close();
    folder.remove();
  });

  it('is a file that nobody else may read', () => {
    expect(statSync(path()).mode & 0o777).toBe(0o600);
  });
  it('lets one act after the other through, in the order in which they came', async () => {
    const seen: string[] = [];
    const act = (name: string) =>
      sut.transaction(async () => {
        seen.push(`${name} begins`);
        await new Promise(setImmediate);
        seen.push(`${name} ends`);
      });
    await Promise.all([act('a'), act('b')]);
    expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  });
  it('shows a reader nothing of an act before it is committed', async () => {
    let during: number | undefined = -1;
    await sut.transaction(async ({ sql }) => {
      sql.run(SET, 7);
      await new Promise(setImmediate);
      during = value();
    });
    expect(during).toBeUndefined();
    expect(value()).toBe(7);
  });
  it('takes back everything of an act that fails, and lets the next one through', async () => {
    const failing = sut.transaction(({ sql }) => {
      sql.run(SET, 7);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    await sut.transaction(({ sql }) => sql.run(SET, 8));
    expect(value()).toBe(8);
  });
  it('refuses a handle that outlives its act', async () => {
    let kept: AccessTx | undefined;
    await sut.transaction((tx) => void (kept = tx));
    expect(() => kept?.sql).toThrow(/over/);
  });
  it('commits what waits before it closes, and takes nothing afterwards', async () => {
    const waiting = sut.transaction(({ sql }) => sql.run(SET, 9));
    await sut.close();
    await waiting;
    await expect(sut.transaction(() => 1)).rejects.toThrow(/closed/);
    sut = AccessDatabase.open(path());
    expect(value()).toBe(9);
  });
  it('refuses a database of a newer release', async () => {
    await sut.close();
    const raw = new DatabaseSync(path());
    const { user_version: version } = raw.prepare('PRAGMA user_version').get()!;
    raw.exec('PRAGMA user_version=99');
    raw.close();
    expect(() => AccessDatabase.open(path())).toThrow(/newer release/);
    const repaired = new DatabaseSync(path());
    repaired.exec(`PRAGMA user_version=${String(version)}`);
    repaired.close();
    sut = AccessDatabase.open(path());
  });
});

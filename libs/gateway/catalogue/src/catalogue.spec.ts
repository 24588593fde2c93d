/**
 * Goal: the newest version is in force, a wrong file changes nothing, a rollback gives back exactly
 * what was, and several codes are one procedure. Method: a real SQLite schema in memory.
 */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { GATEWAY_MIGRATIONS, MemoryDatabase, type GatewayDatabase } from '@aifi/gateway-database';
import { Catalogue } from './catalogue.js';
import { coverageOf } from './coverage.js';
import { mappedProcedureOf } from './mapped-procedure.js';

const memory = new MemoryDatabase(GATEWAY_MIGRATIONS);
let database: GatewayDatabase;
let sut: Catalogue;
beforeEach(() => {
  memory.clear();
  database = memory.start();
  sut = new Catalogue(database);
});
const HEADER = 'code,scheme,bodyPart,side,phase,product\n';
const planOf = (...lines: string[]) =>
  sut.plan(Buffer.from(`${HEADER}${lines.join('\n')}\n`), undefined);
const apply = (atMs: number, ...lines: string[]) => sut.apply(planOf(...lines), atMs);
const mapped = (...codes: string[]) => database.read((sql) => mappedProcedureOf(sql, codes));
const exported = (version?: number) => [...sut.export(version)].join('');

describe(Catalogue.name, () => {
  it('tells what a file would change before anything is changed', async () => {
    await apply(1, 'A,,CHEST', 'B,,HAND,L', 'C,,FOOT');
    const plan = planOf('A,,CHEST', 'B,,HAND,R', 'D,,KNEE');
    expect(plan).toMatchObject({ codes: 3, added: 1, changed: 1, removed: 1, errors: 0 });
    expect(sut.versions()).toHaveLength(1);
  });
  it('changes nothing for a file with an error, or with what is in force', async () => {
    await apply(1, 'A,,CHEST');
    expect(await apply(2, 'A,,NOWHERE', 'B,,HAND')).toBeNull();
    expect(await apply(3, 'A,,CHEST')).toBeNull();
    expect(sut.versions().map(({ version }) => version)).toEqual([1]);
    expect(mapped(':A')).toMatchObject({ bodyPart: 'CHEST' });
  });
  it('makes one version of an order that is carried out twice', async () => {
    const plan = planOf('A,,CHEST');
    const [first, second] = [await sut.apply(plan, 7), await sut.apply(plan, 7)];
    expect(second).toEqual(first);
    expect(sut.versions()).toHaveLength(1);
  });
  it('rolls back to what was, and tells so in the list', async () => {
    await apply(1, 'A,,CHEST');
    const before = exported();
    await apply(2, 'A,,HAND');
    expect(mapped(':A')?.bodyPart).toBe('HAND');
    const back = await sut.rollBack(1, 3);
    expect(back).toMatchObject({ version: 3, kind: 'rollback', ofVersion: 1, isKept: true });
    expect(await sut.rollBack(1, 3)).toEqual(back);
    expect([mapped(':A')?.bodyPart, exported()]).toEqual(['CHEST', before]);
    expect(exported(2)).toContain('HAND');
    await expect(sut.rollBack(1, 4)).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    await expect(sut.rollBack(9, 4)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(() => sut.export(9)).toThrow('no such version');
  });
  it('keeps the codes of the last twenty versions, those in force among them', async () => {
    await apply(1, 'A,,CHEST');
    for (let version = 2; version <= 22; version += 1) await apply(version, `X${version},,HAND`);
    expect(sut.versions()).toHaveLength(20);
    await expect(sut.rollBack(1, 99)).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
    await expect(sut.rollBack(3, 99)).resolves.toMatchObject({ version: 23 });
    expect(mapped(':X3')?.bodyPart).toBe('HAND');
  });
});

describe(mappedProcedureOf.name, () => {
  beforeEach(async () => {
    await apply(
      1,
      ...['A,99X,CHEST,,PORTAL,lung', 'HL,,HAND,L,,fracture', 'HR,,HAND,R,,fracture'],
      ...['F,,FOOT,,,other', 'A,,BREAST,U,,', 'O,,HAND,,,'],
    );
  });
  it('knows nothing of codes that are not in the catalogue', () => {
    expect(mapped()).toBeUndefined();
    expect(mapped('99X:Z', 'nothing')).toBeUndefined();
  });
  it('takes the row of the scheme first, else the one for any scheme', () => {
    expect(mapped('99X:A')).toEqual({
      ...{ bodyPart: 'CHEST', side: undefined, phase: 'PORTAL', products: ['lung'] },
    });
    expect(mapped('99OTHER:A')).toMatchObject({ bodyPart: 'BREAST', side: 'U', products: [] });
  });
  it('takes left and right for both sides', () => {
    expect(mapped(':HL', ':HR')).toMatchObject({ side: 'B', products: ['fracture'] });
  });
  it('leaves to the images what two codes contradict each other in', () => {
    expect(mapped(':HL', ':F')).toEqual({
      ...{ bodyPart: undefined, side: 'L', phase: undefined, products: ['fracture', 'other'] },
    });
  });
  it('leaves the products to the intended use when one code does', () => {
    expect(mapped(':HL', ':O')?.products).toEqual([]);
  });
});

describe(coverageOf.name, () => {
  const DAY = 24 * 3_600_000;
  async function aStudy(id: number, atMs: number, codes?: string[]): Promise<void> {
    const header = { ...(codes && { procedureCodes: codes }), accessionKey: `k${id}` };
    await database.write((sql) => {
      sql.run(
        'INSERT INTO study (study_id, study_uid, last_received_ms) VALUES (?, ?, ?)',
        ...[id, `1.2.${id}`, atMs],
      );
      sql.run(
        `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
           transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms)
         VALUES (?, '1', ?, '1', '1', 'x', 1, 'p', ?, 'CT1', ?)`,
        ...[id, `1.3.${id}`, JSON.stringify(header), atMs],
      );
    });
  }
  it('counts studies with a code, those that are known, and the unknown ones by frequency', async () => {
    await apply(1, 'A,,CHEST');
    await aStudy(1, 10 * DAY, ['99X:A']);
    await aStudy(2, 10 * DAY + 1, ['99X:Q', '99X:A']);
    await aStudy(3, 10 * DAY + 2, ['99X:Q']);
    await aStudy(4, 10 * DAY + 3, ['99X:R']);
    await aStudy(5, 10 * DAY + 4);
    await aStudy(6, 2 * DAY, ['99X:OLD']);
    const question = { database, days: 7, nowMs: 11 * DAY };
    expect(await coverageOf(question)).toEqual({
      ...{ days: 7, studies: 5, isWhole: true, withCode: 4, mapped: 2 },
      unmapped: [
        { code: '99X:Q', studies: 2 },
        { code: '99X:R', studies: 1 },
      ],
    });
    const orderCodes = (_: unknown, { accessionKey }: { accessionKey: string | undefined }) =>
      accessionKey === 'k5' ? ['L:A'] : [];
    const ordered = await coverageOf({ ...question, orderCodes });
    expect(ordered).toMatchObject({ withCode: 5, mapped: 3 });
  });
  it('goes on over slices, and says when it stops before the end', async () => {
    for (let id = 1; id <= 1_001; id += 1) await aStudy(id, DAY + (id % 3), ['99X:Q']);
    const question = { database, days: 2, nowMs: 2 * DAY };
    expect(await coverageOf(question)).toMatchObject({ studies: 1_001, isWhole: true });
    const cut = await coverageOf({ ...question, studiesMax: 500 });
    expect(cut).toMatchObject({ studies: 500, isWhole: false });
  });
});

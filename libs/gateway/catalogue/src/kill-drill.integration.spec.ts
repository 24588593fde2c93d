/**
 * Goal: a gateway that is killed while a catalogue is put in force has the old one or the new one,
 * whole, and the same order carried out again makes no second version.
 * Method: a life that imports or rolls back in a process of its own over one real database, killed
 * by kill -9 before and after each of its writes.
 */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { killedAt, livedOn, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';

const LIFE = `
const { GATEWAY_MIGRATIONS, GatewayDatabase } = await import('@aifi/gateway-database');
const { Catalogue, mappedProcedureOf } = await import('@aifi/gateway-catalogue');
const { path, part, atMs, version } = JSON.parse(process.argv[1]);
const database = GatewayDatabase.open(path, GATEWAY_MIGRATIONS);
const sut = new Catalogue(database);
if (part) await sut.apply(sut.plan(Buffer.from('code;bodyPart\\nA;' + part), undefined), atMs);
if (version) await sut.rollBack(version, atMs);
const { bodyPart } = database.read((sql) => mappedProcedureOf(sql, [':A']));
process.stdout.write(JSON.stringify([bodyPart, sut.versions().length]));
database.close();`;
const TEST_MS = 60_000;

interface Life {
  readonly part?: string;
  readonly version?: number;
  readonly atMs?: number;
}
let folder: TemporaryFolder;
beforeEach(() => void (folder = temporaryFolder('catalogue-drill')));
afterEach(() => folder.remove());
const lifeWith = (life: Life): string[] => [
  JSON.stringify({ path: join(folder.path, 'gateway.db'), ...life }),
];
const lived = async (life: Life): Promise<unknown> =>
  JSON.parse(await livedOn(LIFE, lifeWith(life)));

describe('a kill while a catalogue is put in force', () => {
  it.each([
    ['before', ['HAND', 1]],
    ['after', ['FOOT', 2]],
  ])(
    '%s the version',
    async (side, expected) => {
      await lived({ part: 'HAND', atMs: 1 });
      const order = { part: 'FOOT', atMs: 2 };
      await killedAt(`gateway.catalogue.${side}-version`, LIFE, lifeWith(order));
      expect(await lived({})).toEqual(expected);
      expect(await lived(order)).toEqual(['FOOT', 2]);
    },
    TEST_MS,
  );
  it.each([
    ['before', ['FOOT', 2]],
    ['after', ['HAND', 3]],
  ])(
    '%s the rollback',
    async (side, expected) => {
      await lived({ part: 'HAND', atMs: 1 });
      await lived({ part: 'FOOT', atMs: 2 });
      const order = { version: 1, atMs: 3 };
      await killedAt(`gateway.catalogue.${side}-rollback`, LIFE, lifeWith(order));
      expect(await lived({})).toEqual(expected);
      expect(await lived(order)).toEqual(['HAND', 3]);
    },
    TEST_MS,
  );
});

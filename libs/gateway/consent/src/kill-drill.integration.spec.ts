/**
 * Goal: a gateway that is killed while an objection is written has it whole or not at all, and the
 * next life, which carries the same order out again, ends the jobs once.
 * Method: a life that sets an objection, takes a list over or looks at jobs, in a process of its
 * own over one real database, killed by kill -9 before and after each of its writes.
 */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { keyRingOf, patientKeyOf } from '@aifi/shared-site-keys';
import {
  fakeSiteKeys,
  killedAt,
  livedOn,
  temporaryFolder,
  type TemporaryFolder,
} from '@aifi/shared-testing';

const LIFE = `
const { GATEWAY_MIGRATIONS, GatewayDatabase } = await import('@aifi/gateway-database');
const { endObjected, ObjectionRegister } = await import('@aifi/gateway-consent');
const { silentLogger } = await import('@aifi/shared-observability');
const { keyRingOf } = await import('@aifi/shared-site-keys');
const { FakeClock, fakeSiteKeys } = await import('@aifi/shared-testing');
const [path, what] = process.argv.slice(1);
const database = GatewayDatabase.open(path, GATEWAY_MIGRATIONS);
const keys = keyRingOf(fakeSiteKeys());
const sut = new ObjectionRegister({ database, keys, config: { issuers: [] } });
const clock = new FakeClock(5_000);
const patient = sut.keysOf({ patientId: '7', issuer: '' });
const objection = { kinds: ['ai-in-own-care'], event: 'set', source: 'person' };
const order = { ...objection, keys: patient, atMs: 5_000 };
if (what === 'one') await sut.carryOut(order);
if (what === 'list') {
  const lines = Array.from({ length: 600 }, (_, index) => index + ';ai');
  await sut.importList(Buffer.from(['number;kind', ...lines].join('\\n')), { atMs: 5_000 });
}
if (what === 'watch') await endObjected({ database, clock, logger: silentLogger });
const { inForce } = sut.stateOf(patient, 5_000);
process.stdout.write(JSON.stringify(inForce));
database.close();`;
const TEST_MS = 60_000;

let folder: TemporaryFolder;
let path: string;
beforeEach(async () => {
  folder = temporaryFolder('objection-drill');
  path = join(folder.path, 'gateway.db');
  const patientKey = patientKeyOf(keyRingOf(fakeSiteKeys()), { patientId: '7' });
  const database = GatewayDatabase.open(path, GATEWAY_MIGRATIONS);
  await database.write((sql) => {
    sql.run(
      `INSERT INTO study (study_id, study_uid, revision, last_received_ms) VALUES (1, '1.1', 1, 1)`,
    );
    sql.run(
      `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
         transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms, revision)
       VALUES (1, '1', '1.1.1', '1', '1', 'x', 1, 'p', ?, 'CT1', 1, 1)`,
      JSON.stringify({ patientKey }),
    );
    sql.run(
      `INSERT INTO study_revision (study_id, revision, closed_ms, state)
       VALUES (1, 1, 1, 'SELECTED')`,
    );
    sql.run(
      `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
         rule_set_sha256, attestations, state, created_ms)
       VALUES ('j', 1, 1, 'p', '1', 'd', 'routine', 'r', '[]', 'SELECTED', 1)`,
    );
  });
  database.close();
});
afterEach(() => folder.remove());

/** Rows of objections, state of the job, and how often its end was told. */
function found(): unknown[] {
  const database = GatewayDatabase.open(path, GATEWAY_MIGRATIONS);
  const [row] = database.read((sql) =>
    sql.all(
      `SELECT (SELECT COUNT(*) FROM objection) AS objections, state,
         (SELECT COUNT(*) FROM journal WHERE event = 'objected') AS told FROM job`,
    ),
  );
  database.close();
  return Object.values(row!);
}
const ENDED = 'NOT_ELIGIBLE_LOGGED';

describe('a kill while an objection is written', () => {
  it.each([
    ['before', [0, 'SELECTED', 0]],
    ['after', [1, ENDED, 1]],
  ])(
    '%s the objection',
    async (side, expected) => {
      await killedAt(`gateway.consent.${side}-objection`, LIFE, [path, 'one']);
      expect(found()).toEqual(expected);
      expect(JSON.parse(await livedOn(LIFE, [path, 'one']))).toEqual(['ai-in-own-care']);
      expect(found()).toEqual([1, ENDED, 1]);
    },
    TEST_MS,
  );
  it.each([
    ['before-list-slice#1', 0],
    ['after-list-slice#1', 500],
    ['before-list-slice#2', 500],
    ['after-list-slice#2', 600],
  ])(
    '%s',
    async (moment, rows) => {
      await killedAt(`gateway.consent.${moment}`, LIFE, [path, 'list']);
      expect(found()).toEqual([rows, 'SELECTED', 0]);
      await livedOn(LIFE, [path, 'list']);
      expect(found()).toEqual([600, ENDED, 1]);
    },
    TEST_MS,
  );
  it.each([
    ['before', [500, 'SELECTED', 0]],
    ['after', [500, ENDED, 1]],
  ])(
    '%s the watch ends the jobs that a killed import left',
    async (side, expected) => {
      await killedAt('gateway.consent.after-list-slice#1', LIFE, [path, 'list']);
      await killedAt(`gateway.consent.${side}-jobs-end`, LIFE, [path, 'watch']);
      expect(found()).toEqual(expected);
      await livedOn(LIFE, [path, 'watch']);
      expect(found()).toEqual([500, ENDED, 1]);
    },
    TEST_MS,
  );
});

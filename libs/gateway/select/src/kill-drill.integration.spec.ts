/**
 * Goal: a gateway that is killed around the answer to a request answers it once, and takes a job up
 * once. Method: the stage in processes of their own over one real database, killed before and after
 * the answer is committed; then the next life.
 */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GATEWAY_MIGRATIONS, GatewayDatabase, requestProduct } from '@aifi/gateway-database';
import { KILLS_EACH, killedAt, livedOn, temporaryFolder } from '@aifi/shared-testing';
import type { TemporaryFolder } from '@aifi/shared-testing';

const DRILL_MS = 120_000;
const DAY_MS = 86_400_000;
const LIFE = `
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { createSelectStage } from '@aifi/gateway-select';
import { Wake } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { FakeClock } from '@aifi/shared-testing';
const database = GatewayDatabase.open(process.argv[1], GATEWAY_MIGRATIONS);
const product = {
  product: 'p', name: 'p', version: '1.0.0', modelDigest: 'b'.repeat(64), label: 'RESEARCH',
  purpose: 'demonstration', state: 'active', lane: 'routine',
  intendedUse: {
    series: [{ id: 'modality', attribute: 'modality', oneOf: ['MR'], onMissing: 'deny' }],
    instancesMin: 1,
  },
};
const rules = { schema: 'aifi.routing-rules.v1', sequence: 1, issuedAtMs: 1,
  purpose: 'demonstration', products: [product] };
const faults = [];
const stop = new AbortController();
const stage = createSelectStage({
  database, clock: new FakeClock(), wake: new Wake(), purpose: 'demonstration',
  logger: { ...silentLogger, fault: (words, error) => void faults.push(String(error)) },
  currentRules: () => ({ rules, sha256: 'c'.repeat(64) }), onDone: () => undefined,
});
const running = stage.run(stop.signal);
for (let i = 0; i < 40; i += 1) await new Promise(setImmediate);
stop.abort();
await running;
process.stdout.write(JSON.stringify({ faults }));
database.close();`;

describe('a gateway that is killed around an answer', () => {
  let folder: TemporaryFolder;
  const path = (): string => join(folder.path, 'gateway.db');
  beforeEach(() => void (folder = temporaryFolder('select-drill')));
  afterEach(() => folder.remove());

  async function layOut(): Promise<void> {
    const database = GatewayDatabase.open(path(), GATEWAY_MIGRATIONS);
    const header = JSON.stringify({ modality: 'MR', acquiredAtMs: 0 });
    await database.write((sql) => {
      sql.run(`INSERT INTO study (study_id, study_uid, revision, last_received_ms)
               VALUES (1, '1.2', 1, 1)`);
      sql.run(`INSERT INTO study_revision (study_id, revision, closed_ms, state)
               VALUES (1, 1, 1, 'SELECTED')`);
      sql.run(
        `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
           transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms, revision)
         VALUES (1, '1.2.3', '1.2.3.1', '1.2', '1.2', 's', 1, 'x', ?, 'CT1', ?, 1)`,
        ...[header, 2 * DAY_MS],
      );
      sql.run(`INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest,
                 lane, rule_set_sha256, attestations, state, code, created_ms, terminal_ms)
               VALUES ('j', 1, 1, 'p', '1.0.0', 'd', 'routine', 'r', '[]', 'NOT_ELIGIBLE_LOGGED',
                 'STUDY_TOO_OLD', 1, 1)`);
      requestProduct(sql, { studyUid: '1.2', product: 'p', source: 'page', atMs: 3 });
    });
    database.close();
  }
  const state = () => {
    const database = GatewayDatabase.open(path(), GATEWAY_MIGRATIONS);
    const row = database.read((sql) =>
      sql.get(`SELECT state, code, series_uid AS series,
          (SELECT answer FROM product_request) AS answer,
          (SELECT COUNT(*) FROM journal WHERE event = 'reopened') AS reopened,
          (SELECT COUNT(*) FROM journal WHERE event = 'asked') AS asked,
          (SELECT COUNT(*) FROM routing_decision) AS decisions FROM job`),
    );
    database.close();
    return { ...row };
  };
  const DECLINED = {
    ...{ state: 'NOT_ELIGIBLE_LOGGED', code: 'STUDY_TOO_OLD', series: null, answer: null },
    ...{ reopened: 0, asked: 0, decisions: 0 },
  };
  const ANSWERED = {
    ...{ state: 'SELECTED', code: null, series: '1.2.3', answer: 'SELECTED' },
    ...{ reopened: 1, asked: 1, decisions: 1 },
  };

  it.each(
    (['before', 'after'] as const).flatMap((side) =>
      Array.from({ length: KILLS_EACH }, (_, at) => [side, at] as const),
    ),
  )(
    '%s it is committed, kill %i',
    async (side) => {
      await layOut();
      await killedAt(`gateway.select.${side}-answer`, LIFE, [path()]);
      expect(state()).toEqual(side === 'before' ? DECLINED : ANSWERED);
      const { faults } = JSON.parse(await livedOn(LIFE, [path()])) as { faults: string[] };
      expect(faults).toEqual([]);
      expect(state()).toEqual(ANSWERED);
    },
    DRILL_MS,
  );
});

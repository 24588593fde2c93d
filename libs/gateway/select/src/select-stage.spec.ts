/**
 * Goal: every deployed product gets exactly one row per revision, nothing is selected without
 * rules.
 * Method: assembled revisions in a real SQLite file, rules given by hand, the stage run once.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import type { DeployedProduct, RoutingRules } from '@aifi/contracts-manifests';
import { GATEWAY_MIGRATIONS, GatewayDatabase, type InstanceHeader } from '@aifi/gateway-database';
import { systemClock, Wake, type Sha256 } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { createSelectStage, type VerifiedRules } from './index.js';

const product = (id: string, modality: string): DeployedProduct => ({
  product: id,
  name: id,
  version: '1.0.0',
  modelDigest: 'b'.repeat(64) as Sha256,
  label: 'RESEARCH',
  purpose: 'demonstration',
  state: 'active',
  lane: 'routine',
  intendedUse: {
    series: [{ id: 'modality', attribute: 'modality', oneOf: [modality], onMissing: 'deny' }],
    coverageMinMm: 2,
    instancesMin: 1,
  },
});
const rulesOf = (...products: DeployedProduct[]): VerifiedRules => {
  const rules: RoutingRules = {
    schema: 'aifi.routing-rules.v1',
    sequence: 1,
    issuedAtMs: 1,
    purpose: 'demonstration',
    products,
  };
  return { rules, sha256: 'c'.repeat(64) as Sha256 };
};

describe(createSelectStage.name, () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  beforeEach(() => {
    folder = temporaryFolder('select');
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
  });
  afterEach(() => {
    database.close();
    folder.remove();
  });

  async function assembled(conflict: 0 | 1 = 0): Promise<void> {
    await database.write((sql) => {
      sql.run(`INSERT INTO study (study_id, study_uid, revision, last_received_ms)
               VALUES (1, '1.2', 1, 1)`);
      sql.run(`INSERT INTO study_revision (study_id, revision, closed_ms, state)
               VALUES (1, 1, 1, 'ASSEMBLED')`);
      for (const z of [0, 1, 2]) {
        const header: InstanceHeader = {
          modality: 'MR',
          imageOrientationPatient: [1, 0, 0, 0, 1, 0],
          imagePositionPatient: [0, 0, z],
          sliceThicknessMm: 1,
          acquiredAtMs: 0,
        };
        sql.run(
          `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
             transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms,
             revision, conflict) VALUES (1, '1.2.3', ?, '1.2.840.10008.5.1.4.1.1.4', '1.2', ?, 1,
             'x', ?, 'PACS', 1, 1, ?)`,
          `1.2.3.${z + 1}`,
          String(z).repeat(64),
          JSON.stringify(header),
          conflict,
        );
      }
    });
  }
  async function runWith(rules: VerifiedRules | undefined): Promise<void> {
    const abort = new AbortController();
    const sut = createSelectStage({
      database,
      clock: systemClock,
      logger: silentLogger,
      wake: new Wake(),
      purpose: 'demonstration',
      currentRules: () => rules,
      onDone: () => undefined,
    });
    const running = sut.run(abort.signal);
    for (let i = 0; i < 20; i += 1) await new Promise(setImmediate);
    abort.abort();
    await running;
  }
  const jobs = () =>
    database.read((sql) =>
      sql.all(`SELECT product, state, code, detail, series_uid FROM job ORDER BY product`),
    );

  it('gives each deployed product its row: selected with its series, or declined with a code', async () => {
    await assembled();
    await runWith(rulesOf(product('a-ct', 'CT'), product('b-mr', 'MR')));
    expect(jobs()).toMatchObject([
      { product: 'a-ct', state: 'NOT_ELIGIBLE_LOGGED', code: 'OUT_OF_INTENDED_USE' },
      { product: 'b-mr', state: 'SELECTED', code: null, series_uid: '1.2.3' },
    ]);
    await runWith(rulesOf(product('a-ct', 'CT'), product('b-mr', 'MR')));
    expect(jobs()).toHaveLength(2);
  });
  it('waits without rules and loses nothing', async () => {
    await assembled();
    await runWith(undefined);
    expect(jobs()).toEqual([]);
    await runWith(rulesOf(product('b-mr', 'MR')));
    expect(jobs()).toHaveLength(1);
  });
  it('holds back a series of which an instance came twice with different bytes', async () => {
    await assembled(1);
    await runWith(rulesOf(product('b-mr', 'MR')));
    expect(jobs()).toMatchObject([{ state: 'NOT_ANALYSED_NOTIFIED' }]);
  });
});

/**
 * Goal: a job whose rules are too old goes on under the newer ones, or ends with their code, and is
 * never left without either. Method: a spooled job in a real SQLite file, newer rules by hand.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import type { DeployedProduct, RoutingRules } from '@aifi/contracts-manifests';
import { GATEWAY_MIGRATIONS, GatewayDatabase, type InstanceHeader } from '@aifi/gateway-database';
import { sha256Hex } from '@aifi/shared-kernel';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { selectAgain, type VerifiedRules } from './index.js';

const JOB = 'a'.repeat(32);
const OLD = sha256Hex('old rules');

const product = (change: Partial<DeployedProduct> = {}): DeployedProduct => ({
  ...{ product: 'p', name: 'p', version: '1.1.0', modelDigest: sha256Hex('new model') },
  ...{ label: 'RESEARCH', purpose: 'demonstration', state: 'active', lane: 'routine' },
  intendedUse: {
    series: [{ id: 'modality', attribute: 'modality', oneOf: ['MR'], onMissing: 'deny' }],
    ...{ coverageMinMm: 2, instancesMin: 1 },
  },
  ...change,
});
function rulesOf(...products: DeployedProduct[]): VerifiedRules {
  const rules: RoutingRules = {
    ...{ schema: 'aifi.routing-rules.v1', sequence: 7, issuedAtMs: 1, purpose: 'demonstration' },
    products,
  };
  return { rules, sha256: sha256Hex('new rules') };
}

describe(selectAgain.name, () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  beforeEach(async () => {
    folder = temporaryFolder('select-again');
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    await spooled('1.2.3');
  });
  afterEach(() => {
    database.close();
    folder.remove();
  });

  async function spooled(seriesUid: string): Promise<void> {
    await database.write((sql) => {
      sql.run(`INSERT INTO study (study_id, study_uid, revision, last_received_ms)
               VALUES (1, '1.2', 1, 1)`);
      sql.run(`INSERT INTO study_revision (study_id, revision, closed_ms, state)
               VALUES (1, 1, 1, 'SELECTED')`);
      for (const z of [0, 1, 2]) {
        const header: InstanceHeader = {
          ...{ modality: 'MR', imageOrientationPatient: [1, 0, 0, 0, 1, 0] },
          ...{ imagePositionPatient: [0, 0, z], sliceThicknessMm: 1, acquiredAtMs: 0 },
        };
        sql.run(
          `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
             transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms,
             revision) VALUES (1, '1.2.3', ?, '1.2.840.10008.5.1.4.1.1.4', '1.2', ?, 1, 'x', ?,
             'PACS', 1, 1)`,
          ...[`1.2.3.${z + 1}`, String(z).repeat(64), JSON.stringify(header)],
        );
      }
      sql.run(
        `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
           series_uid, rule_set_sha256, attestations, state, created_ms)
         VALUES (?, 1, 1, 'p', '1.0.0', 'old model', 'routine', ?, ?, '[]', 'SPOOLED', 1)`,
        ...[JOB, seriesUid, OLD],
      );
      sql.run(
        `INSERT INTO spool_job (job_id, revision, manifest, manifest_sha256, envelope, state)
         VALUES (?, 1, x'00', 'm', x'00', 'QUEUED')`,
        JOB,
      );
      sql.run(`INSERT INTO spool_object VALUES (?, 's', 1, 'x', 1)`, JOB);
    });
  }
  const again = (verified: VerifiedRules | undefined): Promise<boolean> =>
    database.write((sql) =>
      selectAgain(sql, { jobId: JOB, verified, purpose: 'demonstration', atMs: 9 }),
    );
  const job = () =>
    database.read((sql) =>
      sql.get(
        `SELECT state, code, product_version AS version, rule_set_sha256 AS rules,
           attestations, terminal_ms AS terminalMs FROM job`,
      ),
    );
  const spoolRows = (): number =>
    database.read((sql) =>
      sql.get<{ n: number }>(
        `SELECT (SELECT COUNT(*) FROM spool_job) + (SELECT COUNT(*) FROM spool_object) AS n`,
      ),
    )!.n;

  it('waits while there are no newer rules', async () => {
    await expect(again(undefined)).resolves.toBe(false);
    await expect(again({ ...rulesOf(product()), sha256: OLD })).resolves.toBe(false);
    expect(job()).toMatchObject({ state: 'SPOOLED', rules: OLD });
    expect(spoolRows()).toBe(2);
  });

  it('goes back to be pseudonymised under the newer rules, with their verdicts', async () => {
    await expect(again(rulesOf(product()))).resolves.toBe(true);
    expect(job()).toMatchObject({
      ...{ state: 'SELECTED', code: null, version: '1.1.0', rules: sha256Hex('new rules') },
      attestations: expect.stringContaining('"modality"'),
    });
    expect(spoolRows()).toBe(0);
    await expect(again(rulesOf(product()))).resolves.toBe(false);
  });

  it('ends with the code of the newer rules', async () => {
    await again(rulesOf(product({ state: 'suspended' })));
    expect(job()).toMatchObject({
      state: 'NOT_ANALYSED_NOTIFIED',
      code: 'SUSPENDED',
      terminalMs: 9,
    });
  });

  it('ends when the product is not in use any more', async () => {
    await again(rulesOf(product({ product: 'other' })));
    expect(job()).toMatchObject({ state: 'NOT_ELIGIBLE_LOGGED', code: 'NOT_DEPLOYED' });
  });

  it('never sends another series under the linkage of the first', async () => {
    await database.write((sql) => sql.run(`UPDATE job SET series_uid = '1.2.9'`));
    await again(rulesOf(product()));
    expect(job()).toMatchObject({ state: 'NOT_ANALYSED_NOTIFIED', code: 'INPUT_INCOMPLETE' });
  });
});

/**
 * Studies for the suites of select: a gateway database in a folder, images as rows.
 * Decides small defaults that a test changes where it matters. For tests only; not exported.
 */
import { join } from 'node:path';
import type { DeployedProduct, RoutingRules } from '@aifi/contracts-manifests';
import { GATEWAY_MIGRATIONS, GatewayDatabase, type InstanceHeader } from '@aifi/gateway-database';
import { sha256Hex, Wake } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { createSelectStage, type SelectDependencies, type VerifiedRules } from './index.js';

export const STUDY_UID = '1.2';
/** A day before the clock of the tests begins. */
export const OLD_MS = -26 * 60 * 60 * 1000;

export function aProduct(change: Partial<DeployedProduct> = {}): DeployedProduct {
  return {
    ...{ product: 'p', name: 'p', version: '1.0.0', modelDigest: sha256Hex('model') },
    ...{ label: 'RESEARCH', purpose: 'demonstration', state: 'active', lane: 'routine' },
    intendedUse: {
      series: [{ id: 'modality', attribute: 'modality', oneOf: ['MR'], onMissing: 'deny' }],
      instancesMin: 1,
    },
    ...change,
  };
}
export function rulesOf(...products: DeployedProduct[]): VerifiedRules {
  const rules: RoutingRules = {
    ...{ schema: 'aifi.routing-rules.v1', sequence: 1, issuedAtMs: 1, purpose: 'demonstration' },
    products,
  };
  return { rules, sha256: sha256Hex(JSON.stringify(rules)) };
}

export class StudyTables {
  readonly clock = new FakeClock();
  readonly #folder: TemporaryFolder = temporaryFolder('select');
  readonly database = GatewayDatabase.open(
    join(this.#folder.path, 'gateway.db'),
    GATEWAY_MIGRATIONS,
  );
  #images = 0;

  close(): void {
    this.database.close();
    this.#folder.remove();
  }
  all<T extends object>(query: string): T[] {
    return this.database.read((sql) => sql.all<T>(query));
  }
  write(statement: string): Promise<number> {
    return this.database.write((sql) => sql.run(statement));
  }

  /** An image of the study; in no revision yet. */
  async receive(header: InstanceHeader = {}, series = '1.2.3', sender = 'CT1'): Promise<void> {
    const atMs = this.clock.nowMs();
    this.#images += 1;
    const uid = `1.2.9.${this.#images}`;
    const json = JSON.stringify({ modality: 'MR', acquiredAtMs: atMs, ...header });
    await this.database.write((sql) => {
      sql.run(
        `INSERT INTO study (study_id, study_uid, last_received_ms) VALUES (1, ?1, ?2)
         ON CONFLICT (study_uid) DO UPDATE SET last_received_ms = ?2`,
        ...[STUDY_UID, atMs],
      );
      sql.run(
        `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
           transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms)
         VALUES (1, ?, ?, '1.2.840.10008.5.1.4.1.1.4', '1.2', ?, 1, 'x', ?, ?, ?)`,
        ...[series, uid, uid, json, sender, atMs],
      );
    });
  }

  /** Closes what was received as the next revision. */
  async assemble(early?: readonly string[]): Promise<void> {
    await this.database.write((sql) => {
      const { revision } = sql.get<{ revision: number }>(
        'UPDATE study SET revision = revision + 1 WHERE study_id = 1 RETURNING revision',
      )!;
      sql.run(
        `INSERT INTO study_revision (study_id, revision, closed_ms, state)
         VALUES (1, ?, 1, 'ASSEMBLED')`,
        revision,
      );
      sql.run('UPDATE instance SET revision = ? WHERE revision IS NULL', revision);
      if (!early) return;
      sql.run(
        `INSERT INTO revision_manifest (study_id, revision, kind, products, instances,
           manifest_sha256) VALUES (1, ?, 'early', ?, 1, 'm')`,
        ...[revision, JSON.stringify(early)],
      );
    });
  }

  /** The stage, until it has nothing to do. */
  async select(rules: VerifiedRules, change: Partial<SelectDependencies> = {}): Promise<void> {
    const abort = new AbortController();
    const faults: unknown[] = [];
    const logger = {
      ...silentLogger,
      fault: (_: string, error: unknown): void => void faults.push(error),
    };
    const stage = createSelectStage({
      ...{ database: this.database, clock: this.clock, logger, wake: new Wake() },
      ...{ purpose: 'demonstration', currentRules: () => rules, onDone: () => undefined },
      ...change,
    });
    const running = stage.run(abort.signal);
    for (let i = 0; i < 40; i += 1) await new Promise(setImmediate);
    abort.abort();
    await running;
    if (faults.length > 0) throw faults[0];
  }

  jobs() {
    return this.all<{ product: string; revision: number; state: string; code: string | null }>(
      'SELECT product, revision, state, code FROM job ORDER BY revision, product',
    );
  }
}

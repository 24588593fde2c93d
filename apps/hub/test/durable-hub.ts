/**
 * DurableHub: database and object store of a hub for the suites of retention and assurance.
 * Decides nothing: the embedded PostgreSQL with two sites, real files, jobs laid out by hand in any
 * state, a clock moved by hand.
 */
import { existsSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import type { ModelManifest } from '@aifi/contracts-manifests';
import {
  enrolSites,
  HubDatabase,
  removeServerFolder,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type Sql,
} from '@aifi/hub-database';
import { FolderObjectStore, putBytes } from '@aifi/hub-object-store';
import { sha256Hex, systemClock, type Sha256, type SiteId } from '@aifi/shared-kernel';
import { FakeClock, temporaryFolder } from '@aifi/shared-testing';
import { testStudy, type TestStudy } from './gateway-stand-in.js';
import { makeModel } from './hub-fixtures.js';

// Tests stand in for the TLS layer, which alone makes site ids at the hub.
export const [siteA, siteB] = ['site-a', 'site-b'] as unknown as [SiteId, SiteId];

export interface WantedJob {
  readonly state: string;
  readonly siteId?: SiteId;
  readonly study?: TestStudy;
}

export class DurableHub {
  readonly #folder = temporaryFolder('durable-hub');
  readonly signingKey = generateKeyPairSync('ed25519').privateKey;
  readonly store = new FolderObjectStore(join(this.#folder.path, 'objects'));
  clock = new FakeClock(systemClock.nowMs());
  database!: HubDatabase;
  #model!: ModelManifest;
  #server: EmbeddedPostgres | undefined;

  async open(): Promise<void> {
    this.#server = await startEmbeddedPostgres({
      ...{ dataFolder: this.#folder.path, clock: systemClock },
    });
    this.database = await HubDatabase.open(this.#server.urls);
    const site = { purpose: 'demonstration', deployments: [] } as const;
    const sites = ['site-a', 'site-b'].map((siteName) => ({ siteName, ...site }));
    await enrolSites(this.database, sites, async () => undefined);
    this.#model = await makeModel(join(this.#folder.path, 'models'));
  }
  async close(): Promise<void> {
    await this.database?.close();
    await this.#server?.stop();
    await removeServerFolder(this.#folder.path);
    this.#folder.remove();
  }
  /** Every test has a time of its own: what the one before left is long past or not yet due. */
  resetClock(): void {
    this.clock = new FakeClock(systemClock.nowMs());
  }

  readonly inSite = <T>(work: (sql: Sql) => Promise<T>, siteId = siteA): Promise<T> =>
    this.database.withSite(siteId, work);
  readonly now = (): Date => new Date(this.clock.nowMs());
  /** A study that is nobody's yet. */
  readonly study = (change: Parameters<typeof testStudy>[1] = {}): TestStudy =>
    testStudy(this.#model, change);
  readonly isThere = (sha256: Sha256, siteId = siteA): boolean =>
    existsSync(this.store.path(siteId, sha256));
  readonly hasRow = async (sha256: Sha256, siteId = siteA): Promise<boolean> => {
    const statement = 'SELECT 1 AS is FROM study_object WHERE sha256 = $1';
    return (await this.inSite((sql) => sql.row(statement, sha256), siteId)) !== undefined;
  };

  /** A job with its objects, in that state since now. */
  readonly aJob = async (wanted: WantedJob): Promise<TestStudy> => {
    const { state, siteId = siteA, study = this.study() } = wanted;
    const { manifest, manifestBytes, files } = study;
    for (const file of files) await putBytes(this.store, siteId, file);
    const now = this.now();
    const ended = ['CONCLUDED', 'ACKNOWLEDGED'].includes(state) ? now : null;
    await this.inSite(async (sql) => {
      await sql.run(
        `INSERT INTO study_job (site_id, job_id, revision, product, version, model_digest, lane,
           manifest, manifest_sha256, envelope, state, opened_at, concluded_at, acknowledged_at,
           study_pseudonym)
         VALUES ($1, $2, 1, 'p', '1.0.0', 'd', 'routine', $3, $4, '\\x00', $5, $6, $7, $7, $8)`,
        ...[siteId, manifest.jobId, manifestBytes, sha256Hex(manifestBytes), state, now, ended],
        manifest.studyInstanceUid,
      );
      for (const [position, { sha256, sizeBytes }] of manifest.objects.entries()) {
        await sql.run(
          'INSERT INTO job_object VALUES ($1, $2, $3, $4, $5)',
          ...[siteId, manifest.jobId, position, sha256, sizeBytes],
        );
        await sql.run(
          'INSERT INTO study_object VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
          ...[siteId, sha256, sizeBytes, now],
        );
      }
    }, siteId);
    return study;
  };
  readonly setState = (study: TestStudy, state: string): Promise<number> =>
    this.inSite((sql) =>
      sql.run(
        `UPDATE study_job SET state = $2, concluded_at = $3 WHERE job_id = $1`,
        ...[study.manifest.jobId, state, state === 'CONCLUDED' ? this.now() : null],
      ),
    );
}

export const shaOf = (study: TestStudy, index = 0): Sha256 => study.manifest.objects[index]!.sha256;

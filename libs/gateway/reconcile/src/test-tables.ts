/**
 * Rows of a gateway for the suites of this library; not exported.
 * Decides nothing: a study, its images and one job, in a real database in a temporary folder.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { sha256Hex } from '@aifi/shared-kernel';
import { silentLogger, type LogFields, type Logger } from '@aifi/shared-observability';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';

export class TestTables {
  readonly folder: TemporaryFolder = temporaryFolder('reconcile');
  readonly database = GatewayDatabase.open(
    join(this.folder.path, 'gateway.db'),
    GATEWAY_MIGRATIONS,
  );
  /** What was logged as an error. */
  readonly errors: [string, LogFields | undefined][] = [];
  readonly logger: Logger = {
    ...silentLogger,
    error: (message, fields) => void this.errors.push([message, fields]),
    child: () => this.logger,
  };

  close(): void {
    this.database.close();
    this.folder.remove();
  }
  run(statement: string, ...values: (string | number | null)[]): Promise<number> {
    return this.database.write((sql) => sql.run(statement, ...values));
  }
  all(statement: string) {
    return this.database.read((sql) => sql.all(statement));
  }

  async study(id: number, uid = `2.25.${id}`): Promise<void> {
    await this.run('INSERT INTO study VALUES (?, ?, 1, 1)', id, uid);
    await this.run(`INSERT INTO study_revision VALUES (?, 1, 1, 'SELECTED')`, id);
  }
  /** A file with its digest; the bytes name it. */
  file(name: string, bytes = `bytes of ${name}`): { path: string; sha256: string } {
    const path = join(this.folder.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    return { path, sha256: sha256Hex(bytes) };
  }
  async image(studyId: number, series: string, number: number): Promise<string> {
    const { path, sha256 } = this.file(`incoming/${studyId}-${series}-${number}`);
    await this.run(
      `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
         transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms, revision)
       VALUES (?, ?, ?, 'c', 't', ?, 1, ?, '{}', 'A', 1, 1)`,
      ...[studyId, series, `${series}.${number}`, sha256, path],
    );
    return path;
  }
  /** A job in that state with the journal row of its selection. */
  async job(jobId: string, state: string, { studyId = 1, series = '1.1' } = {}): Promise<void> {
    await this.run(
      `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
         series_uid, rule_set_sha256, attestations, state, created_ms)
       VALUES (?, ?, 1, ?, '1', 'x', 'routine', ?, 'x', '[]', ?, 1)`,
      ...[jobId, studyId, jobId, series, state],
    );
    await this.move(jobId, 'SELECTED', { event: 'selected', studyId });
  }
  /** A journal row of a move, and nothing else. */
  async move(jobId: string, state: string, { event = 'moved', studyId = 1 } = {}): Promise<void> {
    await this.run(
      `INSERT INTO journal (study_id, job_id, stage, event, at_ms, detail)
       VALUES (?, ?, 'select', ?, 1, ?)`,
      ...[studyId, jobId, event, JSON.stringify({ state })],
    );
  }
}

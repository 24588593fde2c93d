/**
 * Entry of the process that hosts a gateway from its listener to its spool: receive, pseudonymise
 * and spool as the gateway wires them.
 * Decides that assemble and select are stood in for by a message: their waiting for a quiet study
 * is no work. Usage: forked with the data folder and the calling AE title.
 * Source: apps/gateway pipeline.
 */
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { createPseudonymiseStage, SeriesThread } from '@aifi/gateway-pseudonymise';
import { createReceiveStage, receiveConfigSchema } from '@aifi/gateway-receive';
import { createSpool } from '@aifi/gateway-spool';
import { Vault } from '@aifi/gateway-vault';
import { assertNodeVersion, sha256Hex, siteId, systemClock, Wake } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { loadKeyRing } from '@aifi/shared-site-keys';
import type { SpoolMessage, SpoolRequest } from './spool/spool-host-messages.js';

assertNodeVersion();
const [dataFolder = '', callingAeTitle = ''] = process.argv.slice(2);
const database = GatewayDatabase.open(join(dataFolder, 'gateway.db'), GATEWAY_MIGRATIONS);
const keys = await loadKeyRing({ path: join(dataFolder, 'site-keys.json'), mayCreate: true });
const vault = Vault.open(join(dataFolder, 'vault.db'), keys);
const pseudonymising = new SeriesThread({ manufacturers: [] }, systemClock);
const wake = new Wake();
const common = { database, clock: systemClock, logger: silentLogger };

function tell(message: SpoolMessage): void {
  process.send?.(message);
}

const receive = createReceiveStage({
  ...common,
  ...{ dataFolder, keys },
  config: receiveConfigSchema.parse({
    port: 0,
    aeTitle: 'AIFI',
    callers: [{ aeTitle: callingAeTitle, host: '127.0.0.1', plain: true }],
  }),
});
const spool = createSpool({
  ...common,
  wake: new Wake(),
  spoolFolder: join(dataFolder, 'spool'),
  onDone: () => undefined,
});
const pseudonymise = createPseudonymiseStage({
  ...common,
  ...{ vault, keys, series: pseudonymising.work, siteId: siteId('bench'), dataFolder },
  ...{ sink: spool, wake },
  onDone: tellEnded,
});

interface EndedJob {
  readonly job_id: string;
  readonly study_uid: string;
  readonly state: string;
  readonly code: string | null;
  readonly objects: number;
  readonly bytes: number;
}
const told = new Set<string>();
/** Every job that has come to an end since the last time. */
function tellEnded(): void {
  const jobs = database.read((sql) =>
    sql.all<EndedJob & Record<string, string | number | null>>(
      `SELECT job_id, study_uid, job.state, job.code,
         (SELECT count(*) FROM spool_object o WHERE o.job_id = job.job_id) AS objects,
         (SELECT sum(size_bytes) FROM spool_object o WHERE o.job_id = job.job_id) AS bytes
       FROM job JOIN study USING (study_id) WHERE job.state <> 'SELECTED'`,
    ),
  );
  for (const { job_id, study_uid, state, code, objects, bytes } of jobs) {
    if (told.has(job_id)) continue;
    told.add(job_id);
    if (state === 'SPOOLED') tell({ kind: 'spooled', studyUid: study_uid, objects, bytes });
    else tell({ kind: 'failed', code: code ?? state });
  }
}

/** What assemble and select leave of a study of one series. */
async function select(studyUid: string): Promise<void> {
  await database.write((sql) => {
    const study = sql.get<{ study_id: number }>(
      'SELECT study_id FROM study WHERE study_uid = ?',
      studyUid,
    )!.study_id;
    const series = sql.get<{ series_uid: string }>(
      'SELECT series_uid FROM instance WHERE study_id = ? LIMIT 1',
      study,
    )!.series_uid;
    sql.run('UPDATE instance SET revision = 1 WHERE study_id = ?', study);
    sql.run('UPDATE study SET revision = 1 WHERE study_id = ?', study);
    sql.run("INSERT INTO study_revision VALUES (?, 1, 1, 'SELECTED')", study);
    sql.run(
      `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
         series_uid, rule_set_sha256, attestations, state, created_ms)
       VALUES (?, ?, 1, 'bench', '1.0.0', ?, 'routine', ?, ?, '[]', 'SELECTED', 1)`,
      ...[randomUUID().replaceAll('-', ''), study, sha256Hex('model'), series, sha256Hex('rules')],
    );
  });
  wake.notify();
}

/** The rows stay; what they name is not asked for again. */
function clear(): void {
  const paths = database.read((sql) =>
    sql.all<{ path: string }>('SELECT path FROM instance UNION ALL SELECT path FROM spool_object'),
  );
  for (const { path } of paths) rmSync(path, { force: true });
  for (const job of new Set(paths.map(({ path }) => dirname(path)))) {
    if (dirname(job) === join(dataFolder, 'spool')) rmSync(job, { recursive: true, force: true });
  }
  tell({ kind: 'cleared' });
}

const stop = new AbortController();
process.on('message', (request: SpoolRequest) => {
  if (request.kind === 'clear') clear();
  else void select(request.studyUid);
});
// The bench is gone, or asks for the end: both close the channel.
process.on('disconnect', () => stop.abort());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
const running = [receive, pseudonymise].map((stage) => stage.run(stop.signal));
tell({ kind: 'listening', port: await receive.ready });
await Promise.all(running);
await pseudonymising.close();
vault.close();
database.close();
process.exit(0);

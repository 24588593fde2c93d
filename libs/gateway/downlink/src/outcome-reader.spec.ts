/**
 * Goal: an outcome that is broken off by the next one leaves nothing behind and holds up nothing.
 * Method: one stream of a scripted hub into real files and rows.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  encodeManifest,
  outcomeManifestSchema,
  signManifest,
  type OutcomeManifest,
} from '@aifi/contracts-manifests';
import type { downlink } from '@aifi/contracts-proto';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { objectsDigest, sha256Hex, type JobId } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { readOutcomes } from './outcome-reader.js';
import { ScriptedPort } from './scripted-port.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const job = (letter: string): JobId => letter.repeat(32) as JobId;
const DIGEST = sha256Hex('x');
type Part = NonNullable<downlink.StreamOutcomesResponse['part']>;

function header(jobId: JobId, bytes: Buffer, sequence: number): Part {
  const uid = '2.25.1' as OutcomeManifest['objects'][number]['sopInstanceUid'];
  const manifest = encodeManifest(outcomeManifestSchema, {
    ...{ schema: 'aifi.outcome-manifest.v1', jobId, revision: 1, issue: 0, outcome: 'RESULT' },
    product: { id: 'p', version: '1.0.0', modelDigest: DIGEST },
    ...{ manifestSha256: DIGEST, inputDigest: objectsDigest([DIGEST]) },
    objects: [
      {
        ...{ index: 0, role: 'SR', sopClassUid: uid, sopInstanceUid: uid, seriesInstanceUid: uid },
        ...{ sizeBytes: bytes.length, sha256: sha256Hex(bytes) },
      },
    ],
    ...{ mintedUids: [], finishedAtMs: 1 },
  });
  const signature = signManifest(manifest, privateKey);
  const value = { sequence, manifest, signature, envelope: Buffer.from('sealed') };
  return { $case: 'header', value };
}

describe(readOutcomes.name, () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  beforeEach(async () => {
    folder = temporaryFolder('outcomes');
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    await database.write((sql) => {
      sql.run(`INSERT INTO study VALUES (1, '1.2', 1, 1)`);
      sql.run(`INSERT INTO study_revision VALUES (1, 1, 1, 'SELECTED')`);
      for (const letter of ['a', 'b']) {
        sql.run(
          `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest,
             lane, rule_set_sha256, attestations, state, created_ms)
           VALUES (?, 1, 1, ?, '1.0.0', 'x', 'routine', 'x', '[]', 'UPLOADED', 1)`,
          ...[job(letter), letter],
        );
      }
    });
  });
  afterEach(() => {
    database.close();
    folder.remove();
  });

  it('forgets an outcome whose end never came when the next one begins', async () => {
    const port = new ScriptedPort();
    const inboundFolder = join(folder.path, 'inbound');
    let done = 0;
    const reading = readOutcomes(
      {
        ...{ port, database, inboundFolder, clock: new FakeClock(), signingKeys: publicKey },
        ...{ logger: silentLogger, onDone: () => void (done += 1) },
      },
      new AbortController().signal,
      () => undefined,
    );
    const [broken, whole] = [randomBytes(5_000), randomBytes(6_000)];
    const parts: Part[] = [
      header(job('a'), broken, 1),
      { $case: 'chunk', value: broken.subarray(0, 2_000) },
      header(job('b'), whole, 2),
      { $case: 'chunk', value: whole },
      { $case: 'end', value: { sequence: 2 } },
    ];
    const [stream] = port.outcomes;
    stream!.tell(...parts.map((part) => ({ part })));
    stream!.finish();
    await reading;
    expect(done).toBe(1);
    expect(readFileSync(join(inboundFolder, job('b'), '0-0.dcm')).equals(whole)).toBe(true);
    expect(readdirSync(join(inboundFolder, job('a')))).toEqual([]);
    expect(
      port.said.flatMap(({ part }) => (part?.$case === 'ack' ? [part.value.jobId] : [])),
    ).toEqual([job('b')]);
  });
});

/**
 * Goal: linkage is durable before anything moves on, a second run gives the same bytes, and what
 * must not leave ends with its code. Method: real SQLite, vault and phantom files in a temporary
 * folder; a fake sink that looks into the vault at the moment it is called and that can fail.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeManifest, studyManifestSchema } from '@aifi/contracts-manifests';
import { decodePart10, DicomDataset, encodePart10 } from '@aifi/dicom-core';
import type { PseudonymisedStudy } from '@aifi/dicom-deidentification';
import { GATEWAY_MIGRATIONS, GatewayDatabase, moveJob, type Row } from '@aifi/gateway-database';
import { identityHmacs, openEnvelope, Vault } from '@aifi/gateway-vault';
import { AifiError, jobId, sha256Hex, siteId, Wake } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import type { PixelGate } from '@aifi/dicom-pixel-gate';
import { keyRingOf } from '@aifi/shared-site-keys';
import { fakeSiteKeys, FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { createPseudonymiseStage } from './index.js';

const SITE = siteId('site-a');
const keys = fakeSiteKeys();
const ring = keyRingOf(keys);
const pixelGate: Pick<PixelGate, 'judge'> = {
  judge: () => Promise.resolve({ kind: 'clear', by: 'tier' }),
};
const STUDY = '1.2.3';
const SERIES = '1.2.3.4';
const IDENTITY = /Berg|Jan|0012345|ACC-77|19610403|St\. Elders|1\.2\.3\./i;
const jobOf = (n: number) => jobId(String(n).padStart(32, '0'));

const anInstance = (n: number): DicomDataset =>
  new DicomDataset()
    .setString('SpecificCharacterSet', 'ISO_IR 192')
    .setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.4')
    .setString('SOPInstanceUID', `1.2.3.4.${n}`)
    .setString('StudyInstanceUID', STUDY)
    .setString('SeriesInstanceUID', SERIES)
    .setString('FrameOfReferenceUID', '1.2.3.99')
    .setString('PatientName', 'Berg^Jan')
    .setString('PatientID', '0012345')
    .setString('PatientBirthDate', '19610403')
    .setString('AccessionNumber', 'ACC-77')
    .setString('InstitutionName', 'St. Elders')
    .setString('StudyDate', '20240229')
    .setString('Modality', 'MR')
    .setNumbers('InstanceNumber', [n])
    .setNumbers('Rows', [2])
    .setNumbers('Columns', [2])
    .setNumbers('BitsAllocated', [16])
    .setBytes('PixelData', Uint8Array.of(n, 1, 2, 3, 4, 5, 6, 7), 'OW');

class UntilIdleClock extends FakeClock {
  readonly stop = new AbortController();
  override sleep(): Promise<void> {
    this.stop.abort();
    return Promise.resolve();
  }
}

/**
 * Keeps what it was given, with the vault's answer at that moment; moves the job as the spool does.
 */
class FakeSink {
  readonly studies: PseudonymisedStudy[] = [];
  readonly wasLinked: boolean[] = [];
  fault: AifiError | undefined;
  constructor(
    private readonly database: GatewayDatabase,
    private readonly vaultPath: string,
  ) {}
  async put(study: PseudonymisedStudy): Promise<void> {
    // A connection of its own sees committed rows only.
    const vault = Vault.open(this.vaultPath);
    const isLinked = study.instances.every(
      ({ sopInstanceUid }) => vault.originalUid(study.jobId, sopInstanceUid) !== undefined,
    );
    this.wasLinked.push(isLinked && vault.linkage(study.jobId) !== undefined);
    vault.close();
    this.studies.push(study);
    if (this.fault) throw this.fault;
    const { jobId: id } = study;
    const move = { jobId: id, from: 'SELECTED', to: 'SPOOLED', stage: 'spool' } as const;
    await this.database.write((sql) => moveJob(sql, { ...move, event: 'spooled', atMs: 1 }));
  }
}

describe(createPseudonymiseStage.name, () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  let vault: Vault;
  let sink: FakeSink;
  beforeEach(() => {
    folder = temporaryFolder('pseudonymise');
    const vaultPath = join(folder.path, 'vault.db');
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    vault = Vault.open(vaultPath);
    sink = new FakeSink(database, vaultPath);
  });
  afterEach(() => {
    database.close();
    vault.close();
    folder.remove();
  });

  async function work(): Promise<void> {
    const clock = new UntilIdleClock();
    const sut = createPseudonymiseStage({
      ...{ database, vault, keys: ring, pixelGate, siteId: SITE, dataFolder: folder.path, sink, clock },
      ...{ wake: new Wake(), logger: silentLogger, onDone: () => undefined },
    });
    await sut.run(clock.stop.signal);
  }
  const jobs = () =>
    database.read((sql) => sql.all<Row>('SELECT state, code FROM job ORDER BY job_id'));

  /** A selected job over one series, as receive, assemble and select leave it. */
  async function selected(n: number, instances: readonly (DicomDataset | Buffer)[]): Promise<void> {
    const incoming = join(folder.path, 'incoming');
    await mkdir(incoming, { recursive: true });
    const paths: string[] = [];
    for (const [i, instance] of instances.entries()) {
      const path = join(incoming, `${n}-${i}.dcm`);
      await writeFile(path, Buffer.isBuffer(instance) ? instance : encodePart10(instance));
      paths.push(path);
    }
    await database.write((sql) => {
      sql.run('INSERT INTO study VALUES (?, ?, 1, 1)', n, `${STUDY}.${n}`);
      sql.run("INSERT INTO study_revision VALUES (?, 1, 1, 'SELECTED')", n);
      paths.forEach((path, i) =>
        sql.run(
          `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
             transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms,
              revision)
           VALUES (?, ?, ?, 'c', 't', ?, 1, ?, '{}', 'PACS', ?, 1)`,
          ...[n, SERIES, `1.2.3.4.${n}.${i}`, sha256Hex(path), path, 1_000 + i],
        ),
      );
      sql.run(
        `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
           series_uid, rule_set_sha256, attestations, state, created_ms)
         VALUES (?, ?, 1, 'brain-tissue', '1.0.0', ?, 'routine', ?, ?, '[]', 'SELECTED', 1)`,
        ...[jobOf(n), n, sha256Hex('model'), SERIES, sha256Hex('rules')],
      );
    });
  }

  it('ends a late revision of a study whose earlier images are no longer kept', async () => {
    await selected(1, [anInstance(1), anInstance(2)]);
    rmSync(join(folder.path, 'incoming', '1-0.dcm'));
    await database.write((sql) =>
      sql.run('UPDATE instance SET removed_ms = 5 WHERE instance_id = 1'),
    );
    await work();
    expect(jobs()).toEqual([{ state: 'NOT_ANALYSED_NOTIFIED', code: 'INPUT_INCOMPLETE' }]);
    expect(sink.studies).toEqual([]);
  });

  it('hands over a study whose linkage and UIDs are durable already', async () => {
    await selected(1, [anInstance(1), anInstance(2)]);
    await work();
    expect(jobs()).toEqual([{ state: 'SPOOLED', code: null }]);
    expect(sink.wasLinked).toEqual([true]);
    expect(vault.linkage(jobOf(1))).toMatchObject({ epoch: 1, seriesUid: SERIES });
    const [study] = sink.studies;
    const originals = study!.instances.map((i) => vault.originalUid(jobOf(1), i.sopInstanceUid));
    expect(originals).toEqual(['1.2.3.4.1', '1.2.3.4.2']);
  });

  it('lists exactly the files on disk in the manifest, by their digests', async () => {
    await selected(1, [anInstance(1), anInstance(2)]);
    await work();
    const study = sink.studies[0]!;
    const manifest = decodeManifest(studyManifestSchema, study.manifest);
    expect(sha256Hex(study.manifest)).toBe(study.manifestSha256);
    expect(manifest).toMatchObject({ jobId: jobOf(1), revision: 1, receivedAtMs: 1_001 });
    const files = readdirSync(join(folder.path, 'spool', jobOf(1))).sort();
    expect(files).toEqual(manifest.objects.map(({ sha256 }) => `${sha256}.dcm`).sort());
    for (const { path, sha256 } of study.instances) {
      expect(sha256Hex(readFileSync(path))).toBe(sha256);
    }
  });

  it('lets no identity into manifest, envelope or files', async () => {
    await selected(1, [anInstance(1)]);
    await work();
    const { manifest, envelope, instances } = sink.studies[0]!;
    for (const bytes of [manifest, envelope, readFileSync(instances[0]!.path)]) {
      expect(bytes.toString('latin1')).not.toMatch(IDENTITY);
    }
    const rows = database.read((sql) => sql.all<Row>('SELECT * FROM journal'));
    expect(JSON.stringify(rows)).not.toMatch(IDENTITY);
  });

  it('seals the identity as sent into an envelope of this site, job, study and manifest', async () => {
    await selected(1, [anInstance(1)]);
    await work();
    const { envelope, manifestSha256, instances } = sink.studies[0]!;
    const pseudonymousStudyUid = instances[0]!.studyInstanceUid;
    const binding = { siteId: SITE, jobId: jobOf(1), pseudonymousStudyUid, manifestSha256 };
    const { asSent } = vault.linkage(jobOf(1))!;
    expect(openEnvelope(envelope, binding, ring)).toEqual({
      ...{ jobId: jobOf(1), revision: 1, targetId: 'pacs' },
      identityHmacs: identityHmacs(asSent, keys.identity),
    });
    expect(asSent.fields).toMatchObject({ PatientName: 'Berg^Jan', PatientID: '0012345' });
  });

  it('gives the same bytes, manifest and envelope after a sink that failed', async () => {
    await selected(1, [anInstance(1), anInstance(2)]);
    sink.fault = new AifiError('OUT_OF_RESOURCES', 'full');
    await work();
    expect(jobs()).toEqual([{ state: 'SELECTED', code: null }]);
    sink.fault = undefined;
    await work();
    expect(jobs()).toEqual([{ state: 'SPOOLED', code: null }]);
    expect(sink.studies[1]).toEqual(sink.studies[0]);
    expect(readdirSync(join(folder.path, 'spool', jobOf(1)))).toHaveLength(2);
  });

  it('takes the instances of a study in the same order whatever their times', async () => {
    await selected(1, [anInstance(3), anInstance(1), anInstance(2)]);
    await work();
    const numbers = sink.studies[0]!.instances.map(({ path }) =>
      decodePart10(readFileSync(path)).dataset.number('InstanceNumber'),
    );
    expect(numbers).toEqual([3, 1, 2]);
  });

  const undecodable = anInstance(1).put({
    ...{ tag: 0x00100010, vr: 'PN' },
    value: Buffer.from([0x42, 0xe4, 0x6e, 0x20]),
  });
  const secondaryCapture = anInstance(1).setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.7');
  const cutShort = encodePart10(anInstance(1)).subarray(0, -4);
  const declined: [string, string, readonly (DicomDataset | Buffer)[]][] = [
    [
      'names two patients',
      'QUARANTINED_IDENTIFIER',
      [anInstance(1), anInstance(2).setString('PatientID', '0099999')],
    ],
    [
      'names one number of two issuers',
      'QUARANTINED_IDENTIFIER',
      [anInstance(1), anInstance(2).setString('IssuerOfPatientID', 'OTHER')],
    ],
    ['has a name that does not decode', 'QUARANTINED_IDENTIFIER', [undecodable]],
    [
      'declares an unknown character set',
      'QUARANTINED_IDENTIFIER',
      [anInstance(1).setString('SpecificCharacterSet', 'KLINGON')],
    ],
    ['has no patient number', 'QUARANTINED_IDENTIFIER', [anInstance(1).setString('PatientID', '')]],
    ['is a secondary capture', 'QUARANTINED_PIXELS', [secondaryCapture]],
    ['has one file that is cut short', 'MALFORMED', [anInstance(2), cutShort]],
    ['has no instances', 'INPUT_INCOMPLETE', []],
  ];
  it.each(declined)(
    'ends a study that %s with %s, and nothing leaves',
    async (_, code, instances) => {
      await selected(1, instances);
      await work();
      expect(jobs()).toEqual([{ state: 'NOT_ANALYSED_NOTIFIED', code }]);
      expect(sink.studies).toEqual([]);
      expect(vault.linkage(jobOf(1))).toBeUndefined();
    },
  );

  it('declines a study whose other series, which stays behind, is of another patient', async () => {
    await selected(1, [anInstance(1)]);
    const path = join(folder.path, 'incoming', 'sibling.dcm');
    await writeFile(path, encodePart10(anInstance(9).setString('PatientID', '0099999')));
    await database.write((sql) =>
      sql.run(
        `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
           transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms,
              revision)
         VALUES (1, '1.2.3.5', '1.2.3.5.1', 'c', 't', 's', 1, ?, '{}', 'PACS', 1, 1)`,
        path,
      ),
    );
    await work();
    expect(jobs()).toEqual([{ state: 'NOT_ANALYSED_NOTIFIED', code: 'QUARANTINED_IDENTIFIER' }]);
    expect(sink.studies).toEqual([]);
  });

  it('goes on with the next job when one fails', async () => {
    await selected(1, [anInstance(1)]);
    await selected(2, [anInstance(2)]);
    await database.write((sql) =>
      sql.run("UPDATE instance SET path = '/absent' WHERE study_id = 1"),
    );
    await work();
    expect(jobs().map((job) => job['state'])).toEqual(['SELECTED', 'SPOOLED']);
  });
});

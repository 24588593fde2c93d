/**
 * Goal: linkage is durable before anything moves on, a second run gives the same bytes, and what
 * must not leave ends with its code. Method: real SQLite, vault and phantom files in a temporary
 * folder; a fake sink that looks into the vault at the moment it is called and that can fail.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeManifest, studyManifestSchema } from '@aifi/contracts-manifests';
import { decodePart10, type DicomDataset, encodePart10 } from '@aifi/dicom-core';
import type { Row } from '@aifi/gateway-database';
import { identityHmacs, openEnvelope } from '@aifi/gateway-vault';
import { AifiError, sha256Hex } from '@aifi/shared-kernel';
import { anInstance, jobOf, SelectedJobs, SERIES, SITE } from '../test/selected-jobs.js';
import { createPseudonymiseStage } from './index.js';

const IDENTITY = /Berg|Jan|0012345|ACC-77|19610403|St\. Elders|1\.2\.3\./i;

describe(createPseudonymiseStage.name, () => {
  let gateway: SelectedJobs;
  beforeEach(() => void (gateway = new SelectedJobs()));
  afterEach(() => gateway.remove());

  it('ends a late revision of a study whose earlier images are no longer kept', async () => {
    await gateway.add(1, [anInstance(1), anInstance(2)]);
    rmSync(join(gateway.path, 'incoming', '1-0.dcm'));
    await gateway.database.write((sql) =>
      sql.run('UPDATE instance SET removed_ms = 5 WHERE instance_id = 1'),
    );
    await gateway.work();
    expect(gateway.states()).toEqual([
      { state: 'NOT_ANALYSED_NOTIFIED', code: 'INPUT_INCOMPLETE' },
    ]);
    expect(gateway.sink.studies).toEqual([]);
  });

  it.each([
    [2, 'SPOOLED', null, 1],
    [3, 'QUARANTINED', 'MALFORMED', 0],
  ])('of a job that ended the process %d times makes %s', async (deaths, state, code, studies) => {
    await gateway.add(1, [anInstance(1)]);
    await gateway.database.write((sql) =>
      sql.run(`INSERT INTO work_attempt VALUES (?, 'pseudonymise', ?, 1)`, jobOf(1), deaths),
    );
    await gateway.work();
    expect(gateway.states()).toEqual([{ state, code }]);
    expect(gateway.sink.studies).toHaveLength(studies);
  });

  it('hands over a study whose linkage and UIDs are durable already', async () => {
    await gateway.add(1, [anInstance(1), anInstance(2)]);
    await gateway.work();
    expect(gateway.states()).toEqual([{ state: 'SPOOLED', code: null }]);
    expect(gateway.sink.wasLinked).toEqual([true]);
    expect(gateway.vault.linkage(jobOf(1))).toMatchObject({ epoch: 1, seriesUid: SERIES });
    const [study] = gateway.sink.studies;
    const originals = study!.instances.map((i) =>
      gateway.vault.originalUid(jobOf(1), i.sopInstanceUid),
    );
    expect(originals).toEqual(['1.2.3.4.1', '1.2.3.4.2']);
  });

  it('lists exactly the files on disk in the manifest, by their digests', async () => {
    await gateway.add(1, [anInstance(1), anInstance(2)]);
    await gateway.work();
    const study = gateway.sink.studies[0]!;
    const manifest = decodeManifest(studyManifestSchema, study.manifest);
    expect(sha256Hex(study.manifest)).toBe(study.manifestSha256);
    expect(manifest).toMatchObject({ jobId: jobOf(1), revision: 1, receivedAtMs: 1_001 });
    const files = readdirSync(gateway.spoolOf(1)).sort();
    expect(files).toEqual(manifest.objects.map(({ sha256 }) => `${sha256}.dcm`).sort());
    for (const { path, sha256 } of study.instances) {
      expect(sha256Hex(readFileSync(path))).toBe(sha256);
    }
  });

  it('lets no identity into manifest, envelope or files', async () => {
    await gateway.add(1, [anInstance(1)]);
    await gateway.work();
    const { manifest, envelope, instances } = gateway.sink.studies[0]!;
    for (const bytes of [manifest, envelope, readFileSync(instances[0]!.path)]) {
      expect(bytes.toString('latin1')).not.toMatch(IDENTITY);
    }
    const rows = gateway.database.read((sql) => sql.all<Row>('SELECT * FROM journal'));
    expect(JSON.stringify(rows)).not.toMatch(IDENTITY);
  });

  it('seals the identity as sent into an envelope of this site, job, study and manifest', async () => {
    await gateway.add(1, [anInstance(1)]);
    await gateway.work();
    const { envelope, manifestSha256, instances } = gateway.sink.studies[0]!;
    const pseudonymousStudyUid = instances[0]!.studyInstanceUid;
    const binding = { siteId: SITE, jobId: jobOf(1), pseudonymousStudyUid, manifestSha256 };
    const { asSent } = gateway.vault.linkage(jobOf(1))!;
    expect(openEnvelope(envelope, binding, gateway.ring)).toEqual({
      ...{ jobId: jobOf(1), revision: 1, targetId: 'pacs' },
      identityHmacs: identityHmacs(asSent, gateway.ring.current.identity),
    });
    expect(asSent.fields).toMatchObject({ PatientName: 'Berg^Jan', PatientID: '0012345' });
  });

  it('gives the same bytes, manifest and envelope after a sink that failed', async () => {
    await gateway.add(1, [anInstance(1), anInstance(2)]);
    gateway.sink.fault = new AifiError('OUT_OF_RESOURCES', 'full');
    await gateway.work();
    expect(gateway.states()).toEqual([{ state: 'SELECTED', code: null }]);
    gateway.sink.fault = undefined;
    await gateway.work();
    expect(gateway.states()).toEqual([{ state: 'SPOOLED', code: null }]);
    expect(gateway.sink.studies[1]).toEqual(gateway.sink.studies[0]);
    expect(readdirSync(gateway.spoolOf(1))).toHaveLength(2);
  });

  it('comes to a job that is behind a whole batch of jobs that fail each time', async () => {
    const count = 21;
    for (let n = 1; n <= count; n += 1) {
      await gateway.add(n, [anInstance(n)]);
      rmSync(join(gateway.path, 'incoming', `${n}-0.dcm`));
    }
    await gateway.add(count + 1, [anInstance(count + 1)]);
    await gateway.work();
    const states = gateway.states().map(({ state }) => state);
    expect(states.filter((state) => state === 'SELECTED')).toHaveLength(count);
    expect(states.filter((state) => state === 'SPOOLED')).toHaveLength(1);
  });

  it('takes the instances of a study in the same order whatever their times', async () => {
    await gateway.add(1, [anInstance(3), anInstance(1), anInstance(2)]);
    await gateway.work();
    const numbers = gateway.sink.studies[0]!.instances.map(({ path }) =>
      decodePart10(readFileSync(path)).dataset.number('InstanceNumber'),
    );
    expect(numbers).toEqual([3, 1, 2]);
  });

  it('writes nothing anywhere when the vault cannot record the linkage', async () => {
    await gateway.add(1, [anInstance(1)]);
    const { recordLinkage } = gateway.vault;
    gateway.vault.recordLinkage = () => Promise.reject(new AifiError('INTERNAL', 'disk fault'));
    await gateway.work();
    expect(gateway.states()).toEqual([{ state: 'SELECTED', code: null }]);
    expect(gateway.sink.studies).toEqual([]);
    expect(gateway.vault.linkage(jobOf(1))).toBeUndefined();
    const spooled = gateway.database.read((sql) => sql.all<Row>('SELECT * FROM spool_job'));
    expect(spooled).toEqual([]);
    // As soon as it can, the job goes on.
    gateway.vault.recordLinkage = recordLinkage;
    await gateway.work();
    expect(gateway.states()).toEqual([{ state: 'SPOOLED', code: null }]);
  });

  it('takes two numbers in one study as one patient when the hospital has said so', async () => {
    const [from, into] = [
      { id: '0012345', issuer: '' },
      { id: '0099999', issuer: '' },
    ];
    const merge = { eventId: 'e1', trigger: 'A40' as const, happenedMs: 1, from, into };
    await gateway.identityEvents.record({ ...merge, demographics: { name: 'Berg^Jan' } }, 1);
    const merged = anInstance(2).setString('PatientID', into.id);
    await gateway.add(1, [anInstance(1), merged]);
    await gateway.work();
    expect(gateway.states()).toEqual([{ state: 'SPOOLED', code: null }]);
    const [study] = gateway.sink.studies;
    const sent = study!.instances.map(({ path }) => decodePart10(readFileSync(path)).dataset);
    for (const keyword of ['PatientID', 'StudyDate', 'StudyInstanceUID']) {
      expect(new Set(sent.map((dataset) => dataset.string(keyword))).size).toBe(1);
    }
    const { asSent } = gateway.vault.linkage(jobOf(1))!;
    expect(asSent.fields).toMatchObject({ PatientID: from.id });
    // An event about somebody else explains nothing.
    const stranger = anInstance(3).setString('PatientID', '0077777');
    await gateway.add(2, [anInstance(4), stranger]);
    await gateway.work();
    expect(gateway.states()).toContainEqual({
      state: 'NOT_ANALYSED_NOTIFIED',
      code: 'QUARANTINED_IDENTIFIER',
    });
  });

  const undecodable = anInstance(1).put({
    ...{ tag: 0x00100010, vr: 'PN' },
    value: Buffer.from([0x42, 0xe4, 0x6e, 0x20]),
  });
  const report = anInstance(1).setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.88.11');
  const face = anInstance(1).setString('BodyPartExamined', 'HEAD');
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
    ['is a report', 'QUARANTINED_IDENTIFIER', [report]],
    ['shows a face, which the product does not allow', 'QUARANTINED_PIXELS', [face]],
    ['has one file that is cut short', 'MALFORMED', [anInstance(2), cutShort]],
    ['has no instances', 'INPUT_INCOMPLETE', []],
  ];
  it.each(declined)(
    'ends a study that %s with %s, and nothing leaves',
    async (_, code, instances) => {
      await gateway.add(1, instances);
      await gateway.work();
      expect(gateway.states()).toEqual([{ state: 'NOT_ANALYSED_NOTIFIED', code }]);
      expect(gateway.sink.studies).toEqual([]);
      expect(gateway.vault.linkage(jobOf(1))).toBeUndefined();
    },
  );

  it('declines a study whose other series, which stays behind, is of another patient', async () => {
    await gateway.add(1, [anInstance(1)]);
    const path = join(gateway.path, 'incoming', 'sibling.dcm');
    await writeFile(path, encodePart10(anInstance(9).setString('PatientID', '0099999')));
    await gateway.addRow(1, {
      ...{ path, sha256: 's', seriesUid: '1.2.3.5', sopInstanceUid: '1.2.3.5.1' },
    });
    await gateway.work();
    expect(gateway.states()).toEqual([
      { state: 'NOT_ANALYSED_NOTIFIED', code: 'QUARANTINED_IDENTIFIER' },
    ]);
    expect(gateway.sink.studies).toEqual([]);
  });

  it('goes on with the next job when one fails', async () => {
    await gateway.add(1, [anInstance(1)]);
    await gateway.add(2, [anInstance(2)]);
    await gateway.database.write((sql) =>
      sql.run("UPDATE instance SET path = '/absent' WHERE study_id = 1"),
    );
    await gateway.work();
    expect(gateway.states().map((job) => job['state'])).toEqual(['SELECTED', 'SPOOLED']);
  });
});

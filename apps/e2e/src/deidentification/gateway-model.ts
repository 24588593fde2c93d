/**
 * ModelGateway: the real vault, event log, re-identify stage and delivery on real databases, fed by
 * hand. Decides nothing of its own: rows are as select, pseudonymise and the downlink leave them.
 * One set of databases serves many schedules; each has patients, studies and jobs of its own.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeManifest, outcomeManifestSchema } from '@aifi/contracts-manifests';
import { DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { DeliverService, type IdentityExplainer, type PacsPeer } from '@aifi/gateway-deliver';
import { createReidentifyStage } from '@aifi/gateway-reidentify';
import {
  applyIdentityEvent,
  IdentityEventLog,
  identityHmacs,
  identityOf,
  sealEnvelope,
  Vault,
  type IdentityEventInput,
} from '@aifi/gateway-vault';
import {
  jobId,
  objectsDigest,
  originalUid,
  pseudonymousUid,
  sha256Hex,
  siteId,
  Wake,
  type JobId,
} from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { keyRingOf } from '@aifi/shared-site-keys';
import { FakeClock, fakeSiteKeys } from '@aifi/shared-testing';
import type { Person } from './hospital-model.js';

const SITE = siteId('site-a');
const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';
const MODEL = sha256Hex('model');
const SENT = sha256Hex('a slice');
const MANIFEST = sha256Hex('study manifest');
const keys = fakeSiteKeys();
export const ring = keyRingOf(keys);

/** A clock whose first wait ends the run. */
class UntilIdleClock extends FakeClock {
  readonly stop = new AbortController();
  override sleep(): Promise<void> {
    this.stop.abort();
    return Promise.resolve();
  }
}

export class ModelGateway {
  readonly clock = new FakeClock();
  readonly vault: Vault;
  readonly events: IdentityEventLog;
  readonly #database: GatewayDatabase;
  #studies = 0;

  constructor(private readonly folder: string) {
    this.#database = GatewayDatabase.open(join(folder, 'gateway.db'), GATEWAY_MIGRATIONS);
    this.vault = Vault.open(join(folder, 'vault.db'), ring);
    this.events = IdentityEventLog.open(join(folder, 'identity-events.db'), ring);
  }
  close(): void {
    for (const each of [this.#database, this.vault, this.events]) each.close();
  }

  /** One event of the feed. */
  async told(event: IdentityEventInput): Promise<void> {
    await applyIdentityEvent(this, event, this.clock.nowMs());
  }

  /** A study is received and sent to the hub: its job. */
  async sent(studyUid: string, person: Person): Promise<JobId> {
    this.#studies += 1;
    const n = this.#studies;
    const job = jobId(n.toString(16).padStart(32, '0'));
    const asSent = identityOf(
      new DicomDataset()
        .setString('SpecificCharacterSet', 'ISO_IR 192')
        .setString('PatientName', person.name)
        .setString('PatientID', person.id)
        .setString('IssuerOfPatientID', 'ZKH')
        .setString('PatientBirthDate', person.birthDate)
        .setString('PatientSex', person.sex)
        .setString('StudyInstanceUID', studyUid),
    );
    const pseudonymousStudyUid = pseudonymousUid(`2.25.9${n}`);
    const uids = { studyUid: originalUid(studyUid), seriesUid: originalUid(`${studyUid}.1`) };
    const linkage = { jobId: job, ...uids, pseudonymousStudyUid, epoch: 1, asSent };
    const map = new Map([[pseudonymousStudyUid, uids.studyUid]]);
    await this.vault.recordLinkage(linkage, map, this.clock.nowMs());
    const content = { jobId: job, revision: 1, targetId: 'pacs' };
    const identityHmacsSent = { ...identityHmacs(asSent, keys.identity) };
    const envelope = sealEnvelope(
      { ...content, identityHmacs: identityHmacsSent },
      { siteId: SITE, jobId: job, pseudonymousStudyUid, manifestSha256: MANIFEST },
      keys,
    );
    await this.#database.write((sql) => {
      sql.run('INSERT INTO study VALUES (?, ?, 1, 1)', n, studyUid);
      sql.run("INSERT INTO study_revision VALUES (?, 1, 1, 'SELECTED')", n);
      sql.run(
        `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
           rule_set_sha256, attestations, state, created_ms)
         VALUES (?, ?, 1, 'p', '1.0.0', ?, 'routine', '', '[]', 'UPLOADED', ?)`,
        ...[job, n, MODEL, this.clock.nowMs()],
      );
      sql.run(
        `INSERT INTO spool_job (job_id, revision, manifest, manifest_sha256, envelope, state)
         VALUES (?, 1, x'00', ?, ?, 'STORED')`,
        ...[job, MANIFEST, envelope],
      );
      sql.run("INSERT INTO spool_object VALUES (?, ?, 1, 'a.dcm', 1)", job, SENT);
    });
    return job;
  }

  /** The hub answers; the result is re-identified. */
  async returned(job: JobId): Promise<void> {
    const study = this.vault.linkage(job)!.pseudonymousStudyUid;
    const bytes = encodePart10(
      new DicomDataset()
        .setString('SOPClassUID', SECONDARY_CAPTURE)
        .setString('SOPInstanceUID', '2.25.51')
        .setString('SeriesInstanceUID', '2.25.50')
        .setString('Modality', 'OT')
        .setString('StudyInstanceUID', study),
    );
    const folder = join(this.folder, 'inbound', job);
    const path = join(folder, '0-0.dcm');
    await mkdir(folder, { recursive: true });
    await writeFile(path, bytes);
    const object = {
      ...{ index: 0, role: 'SC' as const, sizeBytes: bytes.length, sha256: sha256Hex(bytes) },
      sopClassUid: pseudonymousUid(SECONDARY_CAPTURE),
      sopInstanceUid: pseudonymousUid('2.25.51'),
      seriesInstanceUid: pseudonymousUid('2.25.50'),
    };
    const manifest = encodeManifest(outcomeManifestSchema, {
      ...{ schema: 'aifi.outcome-manifest.v1', jobId: job, revision: 1, issue: 0 },
      product: { id: 'p', version: '1.0.0', modelDigest: MODEL },
      ...{ outcome: 'RESULT', manifestSha256: MANIFEST, inputDigest: objectsDigest([SENT]) },
      objects: [object],
      mintedUids: [
        { uid: pseudonymousUid('2.25.50'), role: 'series', index: 0 },
        { uid: pseudonymousUid('2.25.51'), role: 'sc', index: 0 },
      ],
      finishedAtMs: 5,
    });
    await this.#database.write((sql) => {
      sql.run("UPDATE job SET state = 'RETURNED' WHERE job_id = ?", job);
      sql.run(
        `INSERT INTO inbound SELECT job_id, 1, 0, 1, ?, envelope, 'RECEIVED', 1 FROM spool_job
         WHERE job_id = ?`,
        ...[manifest, job],
      );
      sql.run(
        'INSERT INTO inbound_object VALUES (?, 1, 0, 0, ?, ?, ?)',
        ...[job, path, sha256Hex(bytes), bytes.length],
      );
    });
    const clock = new UntilIdleClock(this.clock.nowMs());
    const stage = createReidentifyStage({
      ...{ database: this.#database, vault: this.vault, events: this.events, keys: ring },
      ...{ siteId: SITE, dataFolder: this.folder, clock, wake: new Wake(), logger: silentLogger },
      onDone: () => undefined,
    });
    await stage.run(clock.stop.signal);
  }

  deliverer(pacs: PacsPeer, explainer?: IdentityExplainer): DeliverService {
    return new DeliverService({
      ...{ database: this.#database, pacs, explainer, clock: this.clock, logger: silentLogger },
      settings: { associationsMax: 1, rate: { perSecond: 1_000, burst: 1_000 } },
      onDone: () => undefined,
    });
  }
  state(job: JobId): string {
    return this.#database.read(
      (sql) => sql.get<{ state: string }>('SELECT state FROM job WHERE job_id = ?', job)!.state,
    );
  }
}

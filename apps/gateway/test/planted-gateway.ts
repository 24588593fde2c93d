/**
 * A gateway's interface over real databases and files, for tests of who sees what.
 * Four studies: a VIP and an ordinary patient with linkage, an employee and an ordinary patient
 * whose only trace is the received file. Decides nothing; `calls` counts what went through it.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ChangeBell } from '@aifi/access-web';
import type { GatewayLinkView } from '@aifi/contracts-rest';
import { DicomDataset, encodePart10 } from '@aifi/dicom-core';
import {
  loadOrCreateAuditKey,
  openGatewayAccess,
  PatientSource,
  publicKeyPemOf,
  type GatewayAccess,
} from '@aifi/gateway-access';
import { Catalogue } from '@aifi/gateway-catalogue';
import { consentConfigSchema, ObjectionRegister } from '@aifi/gateway-consent';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { DeadLetterStore } from '@aifi/gateway-deliver';
import type { DiskState } from '@aifi/gateway-disk';
import { IdentityEventLog, identityOf, Vault, type NewResult } from '@aifi/gateway-vault';
import { jobId, originalUid, pseudonymousUid, siteId } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { keyRingOf } from '@aifi/shared-site-keys';
import { FakeClock, fakeSiteKeys, temporaryFolder } from '@aifi/shared-testing';
import type { GatewayConfig } from '../src/gateway-config.js';
import type { GatewaySources } from '../src/gateway-sources.js';
import { startHttp, type HttpInterface } from '../src/http.js';
import { plantPixelHolds, type PixelHoldSeed, type PlantedHold } from './planted-pixel-hold.js';
import { plantDeadLetter, type DeadLetterSeed } from './planted-dead-letter.js';
import { OWN_SITE, roleSignIn } from './role-sign-in.js';
import { plantedReconcile } from './planted-reconcile.js';
import { plantedRetrieval } from './planted-retrieval.js';
import { plantedSetup } from './planted-setup.js';

/** What of a patient must be nowhere before it is opened. */
export interface PlantedPatient {
  readonly studyUid: string;
  readonly jobId: string;
  readonly patientId: string;
  readonly name: string;
  readonly birthDate: string;
  readonly accessionNumber: string;
  readonly description: string;
}
export const VIP: PlantedPatient = {
  ...{ studyUid: '1.2.3.1', jobId: '1'.repeat(32), patientId: 'VP-4711042' },
  ...{ name: 'Zonnebloem^Xaviera', birthDate: '19670427', accessionNumber: 'ACVIP0815' },
  description: 'MR hersenen (mw. Zonnebloem)',
};
export const PATIENT: PlantedPatient = {
  ...{ studyUid: '1.2.3.2', jobId: '2'.repeat(32), patientId: 'PT-0023001' },
  ...{ name: 'Jansen^Piet', birthDate: '19500101', accessionNumber: 'ACORD0001' },
  description: 'MR brain',
};
/** An employee; the received file is all that is known. */
export const COLLEAGUE: PlantedPatient = {
  ...{ studyUid: '1.2.3.3', jobId: '3'.repeat(32), patientId: 'VP-9900777' },
  ...{ name: 'Kwartelkoning^Ysbrand', birthDate: '19810909', accessionNumber: 'ACOWN0099' },
  description: 'CT thorax',
};
export const WALK_IN: PlantedPatient = {
  ...{ studyUid: '1.2.3.4', jobId: '4'.repeat(32), patientId: 'PT-0099008' },
  ...{ name: 'de Vries^Anna', birthDate: '19991231', accessionNumber: 'ACORD0002' },
  description: 'CT abdomen',
};
const ALL = [VIP, PATIENT, COLLEAGUE, WALK_IN];
/** A result of the ordinary patient's study that is on the register. */
export const RESULT_UID = '2.25.4711';
const DIGEST = 'f'.repeat(64);

/** A disk that is nearly full. */
export const DISK: DiskState = {
  ...{ level: 'refuse-routine', usedPercent: 86.04, freeBytes: 14_000, totalBytes: 100_000 },
  ...{ sinceMs: 1, reserve: { wantedBytes: 1, heldBytes: 1 } },
};

/** A gateway that has not joined. */
export const LINK: GatewayLinkView = {
  ...{ mode: 'not-joined', state: 'down', hub: 'hub.example:443', serverName: 'hub.example' },
  ...{ proxy: null, certificate: null, trustAnchors: [], signingKeys: 0, joinedAtMs: null },
  ...{ lastContactAtMs: null, trustCheckedAtMs: null, finding: null },
};

interface PlantedOptions {
  readonly consoleFolder?: string;
  readonly tls?: NonNullable<GatewayConfig['http']['tls']>;
}

export class PlantedGateway {
  readonly #folder = temporaryFolder('gateway-planted');
  readonly clock = new FakeClock();
  readonly changes = new ChangeBell();
  calls = 0;
  /** How often deliver was told that there is something for the PACS. */
  rings = 0;
  #letters = 0;
  #missed = 0;
  /** How often pseudonymise was told that there is a job for it. */
  jobRings = 0;
  #holds = 0;
  database!: GatewayDatabase;
  vault!: Vault;
  identityEvents!: IdentityEventLog;
  access!: GatewayAccess;
  sources!: GatewaySources;
  http!: HttpInterface;

  async start({ consoleFolder, tls }: PlantedOptions = {}): Promise<void> {
    const { path } = this.#folder;
    this.database = GatewayDatabase.open(join(path, 'gateway.db'), GATEWAY_MIGRATIONS);
    const { clock } = this;
    const ring = keyRingOf(fakeSiteKeys());
    this.vault = Vault.open(join(path, 'vault.db'), ring, { clock });
    this.identityEvents = IdentityEventLog.open(join(path, 'identity-events.db'), ring);
    this.access = openGatewayAccess({ path: join(path, 'access.db'), siteId: OWN_SITE, clock });
    await this.#plant();
    const auditKey = await loadOrCreateAuditKey(join(path, 'keys', 'audit-key.pem'));
    this.sources = {
      ...{ database: this.database, vault: this.vault, access: this.access, clock },
      identityEvents: this.identityEvents,
      patients: new PatientSource(this.database, this.vault),
      deadLetters: new DeadLetterStore(this.database),
      ringDeliver: () => void (this.rings += 1),
      ringPseudonymise: () => void (this.jobRings += 1),
      diskState: () => DISK,
      folderState: () => undefined,
      ...{ changes: this.changes, auditPublicKeyPem: publicKeyPemOf(auditKey) },
      config: {
        ...{ siteId: siteId(OWN_SITE), purpose: 'demonstration', dataFolder: path },
        ...{
          publicUrl: `${tls ? 'https' : 'http'}://localhost:1`,
          deadlines: { acuteMs: 600, routineMs: 3_600 },
        },
      },
      logger: silentLogger,
      reconcile: plantedReconcile(this.database, clock),
      retrieval: plantedRetrieval(this.database, clock),
      setup: plantedSetup(this.database, clock),
      catalogue: new Catalogue(this.database),
      objections: new ObjectionRegister({
        ...{ database: this.database, keys: ring, config: consentConfigSchema.parse(undefined) },
      }),
      link: { view: () => LINK, join: () => Promise.resolve() },
      uplinkState: () => ({ uploads: 0, streams: 0, linkFailures: 3, refusedBy: undefined }),
      killState: () => undefined,
      ...{ linkState: () => 'down', pacsState: () => 'open', currentRules: () => undefined },
    };
    this.http = await startHttp({
      ...{ sources: this.sources, listen: { host: '127.0.0.1', port: 0, tls } },
      ...{ signIn: roleSignIn(clock), issuer: 'http://localhost:2', logger: silentLogger },
      // No pages unless a test brings its own: what another build left must not matter.
      consoleFolder: consoleFolder ?? join(path, 'no-console'),
    });
  }

  async stop(): Promise<void> {
    await this.http?.close();
    await this.access?.database.close();
    this.database?.close();
    this.vault?.close();
    this.identityEvents?.close();
    this.#folder.remove();
  }

  get folder(): string {
    return this.#folder.path;
  }

  /** One request as somebody of the tokens of role-sign-in; undefined: nobody. */
  call(token: string | undefined, path: string, init: RequestInit = {}): Promise<Response> {
    this.calls += 1;
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
    const url = `http://127.0.0.1:${this.http.port}${path}`;
    return fetch(url, { redirect: 'manual', ...init, headers });
  }
  /** A POST with an idempotency key, a fresh one unless given. */
  post(
    token: string | undefined,
    path: string,
    body: unknown,
    key: string = randomUUID(),
  ): Promise<Response> {
    const headers = { 'content-type': 'application/json', 'idempotency-key': key };
    return this.call(token, path, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  flag(patient: PlantedPatient, kind: 'vip' | 'own-staff'): Promise<{ id: string }> {
    const { patientId } = patient;
    const flag = { patientId, issuer: null, kind, setBy: 'petra', atMs: this.clock.nowMs() };
    return this.access.database.transaction((tx) => this.access.flags.set(tx, flag));
  }
  /** A new dead letter, of the ordinary patient's study unless another is named; its id. */
  deadLetter(seed: Partial<DeadLetterSeed> = {}): Promise<string> {
    const number = (this.#letters += 1);
    return this.database.write((sql) =>
      plantDeadLetter(sql, {
        ...{ number, studyUid: PATIENT.studyUid, atMs: this.clock.nowMs() },
        ...{ code: 'PEER_REFUSED', dimseStatus: 0xa900, path: 'x.dcm', sha256: DIGEST },
        ...{ sopInstanceUid: `1.2.77.${number}`, ...seed },
      }),
    );
  }
  /** A new study that the PACS has and that never came; its number on the list. */
  missedStudy(): Promise<number> {
    const number = (this.#missed += 1);
    return this.database.write((sql) =>
      sql.insert(
        `INSERT INTO missed_study (study_uid, kind, state, series, modalities, products, study_ms,
           found_ms) VALUES (?, 'MISSED', 'OPEN', '{"1.2":10}', '["MR"]', '["brain"]', ?, ?)`,
        ...[`1.2.88.${number}`, this.clock.nowMs(), this.clock.nowMs()],
      ),
    );
  }
  /** A new job of the ordinary patient whose images wait for a person, one hold for each file. */
  pixelHolds(seed: Partial<PixelHoldSeed> = {}): Promise<PlantedHold[]> {
    const number = (this.#holds += 1);
    return this.database.write((sql) =>
      plantPixelHolds(sql, {
        ...{ number, studyUid: PATIENT.studyUid, atMs: this.clock.nowMs(), lane: 'routine' },
        ...{ files: 1, frames: 1, marked: [0], folder: join(this.#folder.path, 'incoming') },
        ...seed,
      }),
    );
  }
  /** Puts a result of the ordinary patient on the register. */
  register(sopInstanceUid: string, more: Partial<NewResult> = {}): Promise<void> {
    const result: NewResult = {
      ...{ jobId: jobId(PATIENT.jobId), studyUid: originalUid(PATIENT.studyUid) },
      ...{ resultSopInstanceUid: sopInstanceUid, resultSeriesUid: '2.25.47', issue: 0 },
      ...{ sopClassUid: '1.2.840.10008.5.1.4.1.1.88.33', product: 'tissue', revision: 1 },
      ...{ productVersion: '1.0.0', modelDigest: DIGEST, studyDate: '20261120', ...more },
    };
    return this.vault.registerResults([result], this.clock.nowMs());
  }
  async count(): Promise<number> {
    const [head] = await this.access.trail.heads();
    return head?.sequence ?? 0;
  }

  async #plant(): Promise<void> {
    for (const [index, patient] of ALL.entries()) {
      const path = join(this.#folder.path, 'incoming', `${index}.dcm`);
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, encodePart10(datasetOf(patient)));
      await this.#insertRows(index + 1, patient, path);
    }
    for (const patient of [VIP, PATIENT]) await this.#link(patient);
    await this.register(RESULT_UID);
  }

  async #insertRows(studyId: number, patient: PlantedPatient, path: string): Promise<void> {
    const atMs = this.clock.nowMs() + studyId;
    await this.database.write((sql) => {
      sql.run('INSERT INTO study VALUES (?, ?, 1, ?)', studyId, patient.studyUid, atMs);
      sql.run(`INSERT INTO study_revision VALUES (?, 1, ?, 'SELECTED')`, studyId, atMs);
      sql.run(
        `INSERT INTO instance (study_id, series_uid, sop_instance_uid, sop_class_uid,
           transfer_syntax_uid, sha256, size_bytes, path, header, calling_ae, received_ms, revision)
         VALUES (?, '1', ?, '1', '1', 'x', 7, ?, '{"modality":"MR"}', 'CT1', ?, 1)`,
        ...[studyId, `1.${studyId}`, path, atMs],
      );
      sql.run(
        `INSERT INTO job (job_id, study_id, revision, product, product_version, model_digest, lane,
           rule_set_sha256, attestations, state, code, created_ms)
         VALUES (?, ?, 1, 'tissue', '1.0.0', ?, 'acute', 'x', '[]', 'NOT_ANALYSED_NOTIFIED',
           'TIMEOUT', ?)`,
        ...[patient.jobId, studyId, DIGEST, atMs],
      );
    });
  }

  async #link(patient: PlantedPatient): Promise<void> {
    const linkage = {
      ...{ jobId: jobId(patient.jobId), studyUid: originalUid(patient.studyUid), epoch: 1 },
      seriesUid: originalUid('1.2.9'),
      pseudonymousStudyUid: pseudonymousUid(`2.25.${patient.jobId}`),
      asSent: identityOf(datasetOf(patient)),
    };
    await this.vault.recordLinkage(linkage, new Map(), 1);
  }
}

export const partsOf = (patient: PlantedPatient): string[] => [
  ...patient.name.split('^'),
  ...[patient.patientId, patient.birthDate, patient.accessionNumber],
];

function datasetOf(patient: PlantedPatient): DicomDataset {
  return new DicomDataset()
    .setString('SpecificCharacterSet', 'ISO_IR 100')
    .setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.4')
    .setString('SOPInstanceUID', `${patient.studyUid}.9`)
    .setString('StudyInstanceUID', patient.studyUid)
    .setString('PatientName', patient.name)
    .setString('PatientID', patient.patientId)
    .setString('PatientBirthDate', patient.birthDate)
    .setString('PatientSex', 'F')
    .setString('AccessionNumber', patient.accessionNumber)
    .setString('StudyDescription', patient.description);
}

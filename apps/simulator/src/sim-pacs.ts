/**
 * SimPacs: the archive of a hospital, with the manners that archives have.
 * Decides how it answers a C-STORE: as it should, not at all although it kept the object, not at
 * all and without it, that it has no room, that it has the object already, or Success although it
 * loses the object a moment later. It may know a study under another patient from some time on.
 * Invariant: what it lists, it has. Source: reliability specification P6, 3 (slow PACS, Success
 * then lost), C7.
 */
import {
  decodePart10,
  encodeDataset,
  encodeFileMeta,
  EXPLICIT_VR_LITTLE_ENDIAN,
  type DicomDataset,
} from '@aifi/dicom-core';
import { chunksOf, type StoreObject, type StudyMatch } from '@aifi/dicom-dimse';
import type { PacsPeer } from '@aifi/gateway-deliver';
import { AifiError, sha256Hex } from '@aifi/shared-kernel';
import { matchOf, SECONDARY_CAPTURE, withPixels, type Patient, type Study } from './hospital.js';
import type { Random } from './random.js';
import type { ReferenceModel } from './reference-model.js';
import { never, type Life, type World } from './world.js';

export interface PacsTroubles {
  /** Kept, and no answer. */
  readonly silent: number;
  /** Not kept, and no answer. */
  readonly aborted: number;
  /** 0xA700. */
  readonly full: number;
  /** Success, and lost. */
  readonly loses: number;
  /** Kept, and listed later. */
  readonly lags: number;
}
/** @unit ms */
const INDEX_MS_MAX = 60_000;
/** Three losses make a dead letter: a PACS that loses more is not the matter here. */
const LOSSES_MAX = 1;
/**
 * From an answer of C-FIND to the C-STORE that follows at once: DICOM has no way to do both in one,
 * so a merge in between is nobody's fault. The longest way there and back is 40 ms. @unit ms
 */
const LOOK_AGE_MS_MAX = 100;
const EXPLICIT_LE = { explicitVr: true, littleEndian: true };
const DUPLICATE = 0x0111;
const OUT_OF_RESOURCES = 0xa700;

export class SimPacs {
  isDown = false;
  readonly #studies = new Map<string, { readonly study: Study; patient: Patient }>();
  readonly #merges = new Map<string, Patient>();
  /** Whom it last showed for a study. */
  readonly #shown = new Map<string, { readonly patientId: string; readonly atMs: number }>();
  /** By UID: from when on it is listed. @unit ms */
  readonly #objects = new Map<string, number>();
  readonly #losses = new Map<string, number>();

  constructor(
    private readonly site: string,
    private readonly world: World,
    private readonly parts: {
      readonly random: Random;
      readonly model: ReferenceModel;
      readonly troubles: () => PacsTroubles;
    },
  ) {}

  /** The modality sends it the images as well. */
  knows(study: Study): void {
    if (!this.#studies.has(study.studyUid)) {
      this.#studies.set(study.studyUid, {
        study,
        patient: this.#merges.get(study.patient.id) ?? study.patient,
      });
    }
  }
  /** From now on it shows the study under this patient. */
  changePatient(studyUid: string, patient: Patient): void {
    const known = this.#studies.get(studyUid);
    if (known) known.patient = patient;
  }
  /** A merge: all studies of one patient are another's from now on. */
  changePatientOf(from: Patient, into: Patient): void {
    for (const known of this.#studies.values()) {
      if (known.patient.id === from.id) known.patient = into;
    }
    this.#merges.set(from.id, into);
  }
  isMerged({ id }: Patient): boolean {
    return this.#merges.has(id);
  }
  /** Whom the images named when they were sent. */
  originalMatches(studyUid: string): StudyMatch[] {
    const known = this.#studies.get(studyUid);
    return known ? [matchOf(known.study, known.study.patient)] : [];
  }
  patientIdOf(studyUid: string): string {
    return this.#studies.get(studyUid)?.patient.id ?? 'nobody';
  }
  has(sopInstanceUid: string): boolean {
    return this.#objects.has(sopInstanceUid);
  }
  get objects(): readonly string[] {
    return [...this.#objects.keys()];
  }

  /** As one life of the gateway reaches it. */
  peer(life: Life): PacsPeer {
    const asked = <T>(work: () => T | Promise<T>): Promise<T> => this.#asked(life, work);
    return {
      echo: () => asked(() => undefined),
      store: (object) =>
        this.#bytesOf(life, object).then((bytes) => asked(() => this.#store(life, bytes))),
      findStudy: (studyUid) => asked(() => this.#match(studyUid)),
      findInstance: (_study, _series, uid) => asked(() => this.#isListed(uid)),
    };
  }

  /** For a planted bug: the object again, as another one. */
  async storeUnderNewUid(life: Life, object: StoreObject): Promise<number> {
    const { dataset, pixels } = decodeDataset(await this.#bytesOf(life, object));
    const uid = `${dataset.string('SOPInstanceUID') ?? ''}.1`;
    const other = withPixels(dataset.setString('SOPInstanceUID', uid), pixels);
    const again = encodeDataset(other, EXPLICIT_LE);
    return this.#asked(life, () => this.#take(again).status);
  }

  async #asked<T>(life: Life, work: () => T | Promise<T>): Promise<T> {
    await this.world.wait(this.parts.random.int(2, 40), life);
    if (this.isDown) throw new AifiError('PEER_UNAVAILABLE', 'the PACS is away');
    return work();
  }

  #match(studyUid: string): StudyMatch[] {
    const known = this.#studies.get(studyUid);
    if (!known) return [];
    this.#shown.set(studyUid, { patientId: known.patient.id, atMs: this.world.nowMs });
    return [matchOf(known.study, known.patient)];
  }
  /** Whom an object of the study has to name: the patient now, or whom it showed a moment ago. */
  #rightPatient(studyUid: string, named: string): string {
    const shown = this.#shown.get(studyUid);
    const isFresh = shown && this.world.nowMs - shown.atMs <= LOOK_AGE_MS_MAX;
    return isFresh && shown.patientId === named ? named : this.patientIdOf(studyUid);
  }

  #isListed(uid: string): boolean {
    return (this.#objects.get(uid) ?? Infinity) <= this.world.nowMs;
  }

  async #bytesOf(life: Life, object: StoreObject): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of chunksOf(object.dataset)) chunks.push(chunk);
    if (!life.isAlive) return never();
    return Buffer.concat(chunks);
  }

  async #store(life: Life, bytes: Buffer): Promise<number> {
    const { random, troubles } = this.parts;
    const { silent, aborted, full, loses } = troubles();
    if (random.chance(full)) return OUT_OF_RESOURCES;
    if (random.chance(aborted)) throw new AifiError('PEER_UNAVAILABLE', 'aborted');
    const { status, uid } = this.#take(bytes);
    if (random.chance(silent)) {
      await this.world.wait(random.int(100, 30_000), life);
      throw new AifiError('PEER_UNAVAILABLE', 'no answer');
    }
    const losses = this.#losses.get(uid) ?? 0;
    if (status === 0 && losses < LOSSES_MAX && random.chance(loses)) {
      this.#losses.set(uid, losses + 1);
      this.#objects.delete(uid);
      this.world.note(`${this.site} pacs loses a result`);
    }
    return status;
  }

  #take(bytes: Buffer): { readonly status: number; readonly uid: string } {
    const { dataset, pixels } = decodeDataset(bytes);
    const uid = dataset.string('SOPInstanceUID') ?? '';
    if (this.#objects.has(uid)) return { status: DUPLICATE, uid };
    const studyUid = dataset.string('StudyInstanceUID') ?? '';
    const [saidSite = '', saidStudy = '', revision, product = ''] = pixels.split('|');
    const digest = sha256Hex(bytes);
    const patientId = dataset.string('PatientID') ?? '';
    this.world.note(`${this.site} pacs stores ${pixels}`);
    const { random, troubles } = this.parts;
    const isLate = random.chance(troubles().lags);
    this.#objects.set(uid, this.world.nowMs + (isLate ? random.int(0, INDEX_MS_MAX) : 0));
    this.parts.model.stored(
      {
        ...{ site: this.site, studyUid, sopInstanceUid: uid, digest, product, saidSite, saidStudy },
        patientId,
        revision: Number(revision),
      },
      this.#rightPatient(studyUid, patientId),
    );
    return { status: 0, uid };
  }
}

/** The dataset of a C-STORE has no file meta. */
const FILE_META = encodeFileMeta({
  sopClassUid: SECONDARY_CAPTURE,
  sopInstanceUid: '2.25.1',
  transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
});
function decodeDataset(bytes: Buffer): {
  readonly dataset: DicomDataset;
  readonly pixels: string;
} {
  const file = Buffer.concat([FILE_META, bytes]);
  return pixelsOf(file);
}
/** A Part 10 file with what its pixels spell. */
export function pixelsOf(file: Uint8Array): {
  readonly dataset: DicomDataset;
  readonly pixels: string;
} {
  const { dataset, datasetOffset, pixelData } = decodePart10(file);
  const from = datasetOffset + (pixelData?.valueOffset ?? 0);
  const text = Buffer.from(file).subarray(from, from + (pixelData?.valueLength ?? 0));
  return { dataset, pixels: text.toString('latin1').trim() };
}

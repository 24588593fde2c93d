/**
 * DimseScu: what we ask of a PACS: C-ECHO, C-STORE, C-FIND and storage commitment.
 * Decides that each request is one short association with a deadline. Invariants: stored bytes are
 * the bytes given, dcmjs-dimse would encode them anew; no answer is PEER_UNAVAILABLE or
 * DEADLINE_EXCEEDED (ambiguous); only a match that names what was asked for counts.
 * Source: PS3.4 A, B, C.6.2 and J; PS3.7 9.1; reliability specification F6, P6.
 */
import {
  DicomDataset,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from '@aifi/dicom-core';
import type { Clock } from '@aifi/shared-kernel';
import { COMMAND_FIELD, encodeRequest } from './command-set.js';
import { askForCommitment } from './commitment-scu.js';
import type { DatasetSource } from './dataset-fragments.js';
import { failed, findOn, statusOf, type FoundMatches } from './find-exchange.js';
import { STUDY_ROOT_FIND_SOP_CLASS, VERIFICATION_SOP_CLASS } from './library-scp.js';
import type { DeadlineLimits } from './request-deadline.js';
import { ScuAssociation, type ScuPeer } from './scu-association.js';
import { nonsense } from './scu-connection.js';
import {
  STORAGE_COMMITMENT_SOP_CLASS,
  type CommitmentReport,
  type CommitmentRequest,
} from './storage-commitment.js';

const UNCOMPRESSED = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN];
/** Answers taken to one query: ours ask for one study or one instance. */
const MATCHES_MAX = 100;
const MESSAGE_ID = 1;
/** A long silence for a PACS on a local network. @unit ms */
const TIMEOUT_MS = 30_000;
/** The largest object (4 GiB) at 10 Mbit/s. @unit ms */
const STORE_TIMEOUT_MS = 3_600_000;

/** An object as it lies in its Part 10 file. */
export interface StoreObject {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  /** Everything after the file meta information; sent as it is. */
  readonly dataset: DatasetSource;
}
/** What a PACS says of a study; empty when it has no value or does not return the key. */
export interface StudyMatch {
  readonly studyInstanceUid: string;
  readonly patientId: string;
  readonly issuerOfPatientId: string;
  readonly patientBirthDate: string;
  readonly patientName: string;
  readonly patientSex: string;
  /** Several, divided by a backslash, where orders were grouped. */
  readonly accessionNumber: string;
}
export interface DimseScuOptions extends ScuPeer {
  readonly clock: Clock;
  /**
   * Longest wait for one request, association included; of a C-STORE the longest silence, to which
   * the answer to a large object adds 1 s for each 10 MB. @unit ms @default 30000
   */
  readonly timeoutMs?: number | undefined;
  /** Longest C-STORE in all. @unit ms @default 3600000 */
  readonly storeTimeoutMs?: number | undefined;
}

export class DimseScu {
  constructor(private readonly options: DimseScuOptions) {}

  /** Resolves when the peer answered 0000. */
  async echo(): Promise<void> {
    const status = await this.#ask(VERIFICATION_SOP_CLASS, async (to) => {
      const field = COMMAND_FIELD.echoRequest;
      await to.send(requestOf(field, VERIFICATION_SOP_CLASS));
      return statusOf(await to.receive(), field);
    });
    if (status !== 0) throw failed('C-ECHO failed', status);
  }

  /** The DIMSE status; PEER_REFUSED when the peer does not take this class in this syntax. */
  async store(object: StoreObject): Promise<number> {
    const { sopClassUid, sopInstanceUid, transferSyntaxUid, dataset } = object;
    const { timeoutMs: idleMs = TIMEOUT_MS, storeTimeoutMs = STORE_TIMEOUT_MS } = this.options;
    const limits = { idleMs, totalMs: Math.max(storeTimeoutMs, idleMs) };
    const context = { abstractSyntaxUid: sopClassUid, transferSyntaxUids: [transferSyntaxUid] };
    const timing = { clock: this.options.clock, limits };
    return ScuAssociation.run(this.options, context, timing, async (to) => {
      const field = COMMAND_FIELD.storeRequest;
      await to.send(requestOf(field, sopClassUid, sopInstanceUid), dataset);
      return statusOf(await to.receive(), field);
    });
  }

  /** The study as the PACS knows it: none, one, or more when patients are mixed up. */
  async findStudy(studyInstanceUid: string): Promise<StudyMatch[]> {
    const query = new DicomDataset()
      .setString('QueryRetrieveLevel', 'STUDY')
      .setString('StudyInstanceUID', studyInstanceUid)
      .setString('PatientID', '')
      .setString('IssuerOfPatientID', '')
      .setString('PatientBirthDate', '')
      .setString('PatientName', '')
      .setString('PatientSex', '')
      .setString('AccessionNumber', '');
    const matches = await this.#find(query);
    return matches
      .filter((match) => match.string('StudyInstanceUID') === studyInstanceUid)
      .map((match) => ({
        studyInstanceUid,
        patientId: match.string('PatientID') ?? '',
        issuerOfPatientId: match.string('IssuerOfPatientID') ?? '',
        patientBirthDate: match.string('PatientBirthDate') ?? '',
        patientName: readableName(match),
        patientSex: match.string('PatientSex') ?? '',
        accessionNumber: match.strings('AccessionNumber').join('\\'),
      }));
  }

  /** True when the PACS lists this very instance. */
  async findInstance(study: string, series: string, instance: string): Promise<boolean> {
    const query = new DicomDataset()
      .setString('QueryRetrieveLevel', 'IMAGE')
      .setString('StudyInstanceUID', study)
      .setString('SeriesInstanceUID', series)
      .setString('SOPInstanceUID', instance);
    const matches = await this.#find(query);
    return matches.some((match) => match.string('SOPInstanceUID') === instance);
  }

  /**
   * Asks the PACS to vouch for objects: its report, or undefined when it accepted and did not
   * report within `waitMs` (it then does so on an association of its own). `reported` ends the wait
   * when it has. PEER_REFUSED when it does not offer storage commitment.
   */
  async requestCommitment(
    request: CommitmentRequest,
    waitMs: number,
    reported?: AbortSignal,
  ): Promise<CommitmentReport | undefined> {
    const wait = { clock: this.options.clock, waitMs, reported };
    const work = (to: ScuAssociation) => askForCommitment(to, request, wait);
    return this.#ask(STORAGE_COMMITMENT_SOP_CLASS, work, waitMs);
  }

  #ask<T>(
    abstractSyntaxUid: string,
    work: (to: ScuAssociation) => Promise<T>,
    extraMs = 0,
  ): Promise<T> {
    const { clock, timeoutMs: idleMs = TIMEOUT_MS } = this.options;
    const limits: DeadlineLimits = { idleMs, totalMs: idleMs + extraMs };
    const context = { abstractSyntaxUid, transferSyntaxUids: UNCOMPRESSED };
    return ScuAssociation.run(this.options, context, { clock, limits }, work);
  }

  /** What the PACS has for a query; after `matchesMax` answers nothing more is read. */
  find(query: DicomDataset, matchesMax: number): Promise<FoundMatches> {
    return this.#ask(STUDY_ROOT_FIND_SOP_CLASS, (to) => findOn(to, query, { matchesMax }));
  }

  /** Of one study or one instance: a PACS that has more of it than that makes no sense. */
  async #find(query: DicomDataset): Promise<readonly DicomDataset[]> {
    const { matches, isWhole } = await this.find(query, MATCHES_MAX);
    if (!isWhole) throw nonsense('C-FIND matches');
    return matches;
  }
}

function requestOf(field: number, affectedSopClassUid: string, sopInstanceUid?: string): Buffer {
  return encodeRequest({
    field,
    messageId: MESSAGE_ID,
    hasDataset: field !== COMMAND_FIELD.echoRequest,
    affectedSopClassUid,
    ...(sopInstanceUid === undefined ? {} : { affectedSopInstanceUid: sopInstanceUid }),
  });
}

/** Some PACS answer names in another character set than they declare: then there is none. */
function readableName(match: DicomDataset): string {
  try {
    return match.string('PatientName') ?? '';
  } catch {
    return '';
  }
}

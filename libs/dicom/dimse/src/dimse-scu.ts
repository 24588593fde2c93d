/**
 * DimseScu: what we ask of a PACS: C-ECHO, C-STORE, C-FIND at STUDY and IMAGE level.
 * Decides that each request is one short association with a deadline. Invariants: stored bytes are
 * the bytes given, dcmjs-dimse would encode them anew; no answer is PEER_UNAVAILABLE (ambiguous).
 * Source: PS3.4 A, B and C.6.2; PS3.7 9.1; reliability specification F6, P6.
 */
import {
  DicomDataset,
  ElementWalker,
  encodeDataset,
  encodingOf,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from '@aifi/dicom-core';
import { AifiError, type Clock } from '@aifi/shared-kernel';
import { COMMAND_FIELD, encodeRequest, RESPONSE_BIT } from './command-set.js';
import { STUDY_ROOT_FIND_SOP_CLASS, VERIFICATION_SOP_CLASS } from './library-scp.js';
import { ScuAssociation, type DimseMessage, type ScuPeer } from './scu-association.js';

const UNCOMPRESSED = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN];
/** Answers taken to one query: ours ask for one study or one instance. */
const MATCHES_MAX = 100;
const MESSAGE_ID = 1;

/** An object as it lies in its Part 10 file. */
export interface StoreObject {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  /** Everything after the file meta information; sent as it is. */
  readonly dataset: Uint8Array;
}
/** What a PACS says of a study; empty when it has no value or does not return the key. */
export interface StudyMatch {
  readonly studyInstanceUid: string;
  readonly patientId: string;
  readonly issuerOfPatientId: string;
  readonly patientBirthDate: string;
}
export interface DimseScuOptions extends ScuPeer {
  readonly clock: Clock;
  /** Longest wait for one request, association included. @unit ms @default 30000 */
  readonly timeoutMs?: number;
}

export class DimseScu {
  readonly #deadline: { readonly clock: Clock; readonly timeoutMs: number };

  constructor(private readonly options: DimseScuOptions) {
    this.#deadline = { clock: options.clock, timeoutMs: options.timeoutMs ?? 30_000 };
  }

  /** Resolves when the peer answered 0000. */
  async echo(): Promise<void> {
    const abstractSyntaxUid = VERIFICATION_SOP_CLASS;
    const contexts = [{ abstractSyntaxUid, transferSyntaxUids: UNCOMPRESSED }];
    const status = await ScuAssociation.run(this.options, contexts, this.#deadline, async (to) => {
      to.transferSyntaxOf(0);
      const command = { affectedSopClassUid: abstractSyntaxUid, hasDataset: false };
      const field = COMMAND_FIELD.echoRequest;
      await to.send(0, encodeRequest({ field, messageId: MESSAGE_ID, ...command }));
      return statusOf(await to.receive(), field);
    });
    if (status !== 0) throw new AifiError('PEER_UNAVAILABLE', 'C-ECHO failed');
  }

  /** The DIMSE status; PEER_REFUSED when the peer does not take this class in this syntax. */
  async store(object: StoreObject): Promise<number> {
    const { sopClassUid, sopInstanceUid, transferSyntaxUid, dataset } = object;
    const contexts = [{ abstractSyntaxUid: sopClassUid, transferSyntaxUids: [transferSyntaxUid] }];
    return ScuAssociation.run(this.options, contexts, this.#deadline, async (to) => {
      if (to.transferSyntaxOf(0) !== transferSyntaxUid) {
        throw new AifiError('PEER_REFUSED', 'the peer chose another transfer syntax');
      }
      const command = encodeRequest({
        field: COMMAND_FIELD.storeRequest,
        messageId: MESSAGE_ID,
        hasDataset: true,
        affectedSopClassUid: sopClassUid,
        affectedSopInstanceUid: sopInstanceUid,
      });
      await to.send(0, command, dataset);
      return statusOf(await to.receive(), COMMAND_FIELD.storeRequest);
    });
  }

  /** The study as the PACS knows it: none, one, or more when patients are mixed up. */
  async findStudy(studyInstanceUid: string): Promise<StudyMatch[]> {
    const query = new DicomDataset()
      .setString('QueryRetrieveLevel', 'STUDY')
      .setString('StudyInstanceUID', studyInstanceUid)
      .setString('PatientID', '')
      .setString('IssuerOfPatientID', '')
      .setString('PatientBirthDate', '');
    const matches = await this.#find(query);
    return matches.map((match) => ({
      studyInstanceUid: match.string('StudyInstanceUID') ?? '',
      patientId: match.string('PatientID') ?? '',
      issuerOfPatientId: match.string('IssuerOfPatientID') ?? '',
      patientBirthDate: match.string('PatientBirthDate') ?? '',
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

  #find(query: DicomDataset): Promise<DicomDataset[]> {
    const abstractSyntaxUid = STUDY_ROOT_FIND_SOP_CLASS;
    const contexts = [{ abstractSyntaxUid, transferSyntaxUids: UNCOMPRESSED }];
    return ScuAssociation.run(this.options, contexts, this.#deadline, async (to) => {
      const encoding = encodingOf(to.transferSyntaxOf(0));
      const command = { affectedSopClassUid: abstractSyntaxUid, hasDataset: true };
      const field = COMMAND_FIELD.findRequest;
      const request = encodeRequest({ field, messageId: MESSAGE_ID, ...command });
      await to.send(0, request, encodeDataset(query, encoding));
      const matches: DicomDataset[] = [];
      for (;;) {
        const message = await to.receive();
        const status = statusOf(message, field);
        if (status === 0) return matches;
        // PS3.4 C.4.1.1.4: FF00 and FF01 are pending, each with one match.
        if (status >>> 8 !== 0xff || !message.dataset || matches.length >= MATCHES_MAX) {
          throw new AifiError('PEER_UNAVAILABLE', 'C-FIND failed');
        }
        const walker = new ElementWalker(encoding);
        walker.push(message.dataset);
        matches.push(walker.end().dataset);
      }
    });
  }
}

function statusOf({ command }: DimseMessage, field: number): number {
  const isAnswer = command.field === (field | RESPONSE_BIT) && command.messageId === MESSAGE_ID;
  if (!isAnswer || command.status === undefined) {
    throw new AifiError('PEER_UNAVAILABLE', 'the peer answered something else');
  }
  return command.status;
}

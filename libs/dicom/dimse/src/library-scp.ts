/**
 * AssociationScp: dcmjs-dimse behind our normaliser: it accepts admitted associations, answers
 * C-ECHO and C-FIND, and confirms a release. No C-STORE and no N-EVENT-REPORT comes here.
 * Decides which presentation contexts are accepted and with which transfer syntax: the first one
 * proposed, so that nothing is ever transcoded. Invariants: no handler throws or rejects (F5); the
 * library's timers and log are off; it answers within the call that gives it a PDU, C-FIND apart.
 * Source: PS3.8 9.3.3, PS3.7 D.3.3.4, PS3.4 B; reliability specification F1, F4, F5, hazard H10.
 */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import dcmjsDimse from 'dcmjs-dimse';
import {
  IMPLEMENTATION_CLASS_UID,
  IMPLEMENTATION_VERSION_NAME,
  isDeflated,
  isEncapsulated,
} from '@aifi/dicom-core';
import { LIMITS } from '@aifi/shared-kernel';
import type { AcceptedContext } from './pdu-normaliser.js';
import { STORAGE_COMMITMENT_SOP_CLASS } from './storage-commitment.js';

const { constants, Implementation, log, responses, Scp } = dcmjsDimse;
type Association = InstanceType<typeof dcmjsDimse.association.Association>;
type PresentationContext = InstanceType<typeof dcmjsDimse.association.PresentationContext>;
type CEchoRequest = InstanceType<typeof dcmjsDimse.requests.CEchoRequest>;
type CFindRequest = InstanceType<typeof dcmjsDimse.requests.CFindRequest>;
type CFindResponse = InstanceType<typeof responses.CFindResponse>;

// The library logs AE titles and UIDs of the wire to the console; ours is the only log.
log.disableAll(false);
Implementation.setImplementationClassUid(IMPLEMENTATION_CLASS_UID);
Implementation.setImplementationVersion(IMPLEMENTATION_VERSION_NAME);
Implementation.setMaxPduLength(LIMITS.pduReceiveBytesMax);

export const VERIFICATION_SOP_CLASS = '1.2.840.10008.1.1';
export const STUDY_ROOT_FIND_SOP_CLASS = '1.2.840.10008.5.1.4.1.2.2.1';
/** Nearly all storage SOP classes lie below this arc, also the retired ones (PS3.6 annex A). */
const STORAGE_ARC = '1.2.840.10008.5.1.4.1.1.';
/**
 * The others of the Storage Service Class (PS3.4 B.5; B.6: retired): stored print, hardcopy, and RT
 * delivery instructions. Objects without a patient (PS3.4 GG) beside the arc have no study here.
 */
const STORAGE_BESIDE_ARC = new Set(
  ['1.27', '1.29', '1.30', '4.34.1', '4.34.7', '4.34.10'].map(
    (last) => `1.2.840.10008.5.1.${last}`,
  ),
);
/** JPIP: pixel data by reference, so the dataset would not hold the image (PS3.5 A.6, A.7). */
const JPIP = new Set(['94', '95', '204', '205'].map((last) => `1.2.840.10008.1.2.4.${last}`));
/** The shortest PDU that may be asked of us: below it the library's arithmetic breaks down. */
const PDU_BYTES_MIN = 1024;

/** Keys and values of an identifier, by DICOM keyword. */
export type Identifier = Readonly<Record<string, string>>;

/** What the connection decides for the library. Nothing here may throw. */
export interface AssociationOwner {
  readonly offersFind: boolean;
  /** The peer proposes to be SCP of storage commitment and may report to us. */
  readonly takesReports: boolean;
  /** `refused`: how many offered contexts are not taken. */
  accepted(contexts: ReadonlyMap<number, AcceptedContext>, refused: number): void;
  /** The last PDU of the association has been written. */
  ending(): void;
  /** The request that was passed on last has its final answer. */
  answered(): void;
  /** Matches of a C-FIND, or the status of its failure. */
  find(query: Identifier): Promise<readonly Identifier[] | number>;
  failed(): void;
}

/** The library's side of the connection: gets normalised PDUs, writes to the real socket. */
export class LibrarySocket extends EventEmitter {
  constructor(private readonly socket: Pick<Socket, 'write'>) {
    super();
  }
  /** Gives the library one PDU; what it answers at once is written when this returns. */
  push(pdu: Buffer): void {
    this.emit('data', pdu);
  }
  write(pdu: Buffer): void {
    this.socket.write(pdu);
  }
  setTimeout(): void {
    // Its timers are not ours.
  }
  /** Ends the library's own timer. */
  close(): void {
    this.emit('close');
  }
}

/** A kind of object that is taken, however it comes. */
export function isStorageSopClass(sopClassUid: string): boolean {
  return sopClassUid.startsWith(STORAGE_ARC) || STORAGE_BESIDE_ARC.has(sopClassUid);
}
/** The syntax is written into the file, so a component with a leading zero is not taken. */
export function isCarried(transferSyntaxUid: string): boolean {
  const isStandard = /^1\.2\.840\.10008\.1\.2(\.(0|[1-9]\d*))*$/.test(transferSyntaxUid);
  return isStandard && !JPIP.has(transferSyntaxUid);
}

/** A report is parsed here, so its bytes are neither deflated nor encapsulated. */
function isPlain(transferSyntaxUid: string): boolean {
  return !isEncapsulated(transferSyntaxUid) && !isDeflated(transferSyntaxUid);
}

export class AssociationScp extends Scp {
  constructor(
    socket: LibrarySocket,
    private readonly owner: AssociationOwner,
  ) {
    // The library only writes and listens, and sets a time-out.
    super(socket as unknown as Socket, { pduTimeout: Infinity, associationTimeout: Infinity });
    this.on('networkError', () => owner.failed());
  }

  override associationRequested(association: Association): void {
    const contexts = new Map<number, AcceptedContext>();
    const offered = association.getPresentationContexts();
    for (const { id, context } of offered) {
      const accepted = this.#negotiate(context);
      if (accepted) contexts.set(id, accepted);
    }
    association.setNegotiateAsyncOps(false);
    association.setMaxPduLength(this.#pduLength(association.getMaxPduLength()));
    this.owner.accepted(contexts, offered.length - contexts.size);
    this.sendAssociationAccept();
  }

  /** The library has one number for both directions; only C-FIND answers are cut by it. */
  #pduLength(peerMax: number): number {
    if (!this.owner.offersFind || peerMax === 0) return LIMITS.pduReceiveBytesMax;
    return Math.max(PDU_BYTES_MIN, Math.min(peerMax, LIMITS.pduReceiveBytesMax));
  }

  #negotiate(context: PresentationContext): AcceptedContext | undefined {
    const { PresentationContextResult } = constants;
    const abstractSyntaxUid = context.getAbstractSyntaxUid();
    const isReport = abstractSyntaxUid === STORAGE_COMMITMENT_SOP_CLASS && this.owner.takesReports;
    const isOffered =
      abstractSyntaxUid === VERIFICATION_SOP_CLASS ||
      isStorageSopClass(abstractSyntaxUid) ||
      (this.owner.offersFind && abstractSyntaxUid === STUDY_ROOT_FIND_SOP_CLASS) ||
      isReport;
    const isTaken = isReport ? isPlain : isCarried;
    const transferSyntaxUid = context.getTransferSyntaxUids().find(isTaken);
    if (isOffered && transferSyntaxUid !== undefined) {
      context.setResult(PresentationContextResult.Accept, transferSyntaxUid);
      if (isReport) {
        // The peer is SCP and nothing else: we are never asked to commit (H10).
        context.setUserRole(false);
        context.setProviderRole(true);
      }
      return { abstractSyntaxUid, transferSyntaxUid };
    }
    context.setResult(
      isOffered
        ? PresentationContextResult.RejectTransferSyntaxesNotSupported
        : PresentationContextResult.RejectAbstractSyntaxNotSupported,
    );
    return undefined;
  }

  override associationReleaseRequested(): void {
    this.sendAssociationReleaseResponse();
    this.owner.ending();
  }
  override cEchoRequest(
    request: CEchoRequest,
    callback: (response: InstanceType<typeof responses.CEchoResponse>) => void,
  ): void {
    const response = responses.CEchoResponse.fromRequest(request);
    // The library's default is a failure (0110).
    response.setStatus(constants.Status.Success);
    callback(response);
    this.owner.answered();
  }

  override cFindRequest(
    request: CFindRequest,
    callback: (responses: CFindResponse[]) => void,
  ): void {
    void this.#find(request)
      .then(callback)
      .then(
        () => this.owner.answered(),
        () => this.owner.failed(),
      );
  }
  async #find(request: CFindRequest): Promise<CFindResponse[]> {
    const identifier = request.getDataset();
    const query: Record<string, string> = {};
    for (const [keyword, value] of Object.entries(identifier?.getElements() ?? {})) {
      query[keyword] = typeof value === 'string' ? value : '';
    }
    const answer = await this.owner.find(query);
    const final = responses.CFindResponse.fromRequest(request);
    if (typeof answer === 'number') {
      final.setStatus(answer);
      return [final];
    }
    final.setStatus(constants.Status.Success);
    const matches = answer.map((match) => {
      const response = responses.CFindResponse.fromRequest(request);
      response.setStatus(constants.Status.Pending);
      const syntax = identifier?.getTransferSyntaxUid();
      response.setDataset(new dcmjsDimse.Dataset({ ...match }, syntax));
      return response;
    });
    return [...matches, final];
  }
  override abort(): void {
    this.owner.failed();
  }
}

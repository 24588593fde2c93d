/**
 * AssociationScp: dcmjs-dimse behind our normaliser, for associations and command sets only.
 * Decides which presentation contexts are accepted and with which transfer syntax: the first one
 * proposed, so that nothing is ever transcoded. Invariants: no handler throws or rejects (F5); the
 * library's timers and log are off; its store stream takes no dataset.
 * Source: PS3.8 9.3.3, PS3.4 B; reliability specification F1, F4, F5.
 */
import { Writable, type Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import dcmjsDimse from 'dcmjs-dimse';
import { IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME } from '@aifi/dicom-core';
import { LIMITS } from '@aifi/shared-kernel';
import type { AcceptedContext } from './pdu-normaliser.js';

const { constants, Implementation, log, responses, Scp } = dcmjsDimse;
type Association = InstanceType<typeof dcmjsDimse.association.Association>;
type PresentationContext = InstanceType<typeof dcmjsDimse.association.PresentationContext>;
type CEchoRequest = InstanceType<typeof dcmjsDimse.requests.CEchoRequest>;
type CFindRequest = InstanceType<typeof dcmjsDimse.requests.CFindRequest>;
type CStoreRequest = InstanceType<typeof dcmjsDimse.requests.CStoreRequest>;
type CFindResponse = InstanceType<typeof responses.CFindResponse>;

// The library logs AE titles and UIDs of the wire to the console; ours is the only log.
log.disableAll(false);
Implementation.setImplementationClassUid(IMPLEMENTATION_CLASS_UID);
Implementation.setImplementationVersion(IMPLEMENTATION_VERSION_NAME);
Implementation.setMaxPduLength(LIMITS.pduReceiveBytesMax);

export const VERIFICATION_SOP_CLASS = '1.2.840.10008.1.1';
export const STUDY_ROOT_FIND_SOP_CLASS = '1.2.840.10008.5.1.4.1.2.2.1';
/** Every storage SOP class of the standard lies below this arc (PS3.6 annex A). */
const STORAGE_ARC = '1.2.840.10008.5.1.4.1.1.';
/** JPIP: pixel data by reference, so the dataset would not hold the image (PS3.5 A.6, A.7). */
const JPIP = new Set(['94', '95', '204', '205'].map((last) => `1.2.840.10008.1.2.4.${last}`));
/** The shortest PDU that may be asked of us: below it the library's arithmetic breaks down. */
const PDU_BYTES_MIN = 1024;

/** Why an association is refused, PS3.8 9.3.4 (source: service user). */
export type AssociationRefusal = 'calling-ae-not-recognised' | 'called-ae-not-recognised';
/** Keys and values of an identifier, by DICOM keyword. */
export type Identifier = Readonly<Record<string, string>>;

/** What the connection decides for the library. Nothing here may throw. */
export interface AssociationOwner {
  readonly offersFind: boolean;
  admit(callingAeTitle: string, calledAeTitle: string): AssociationRefusal | undefined;
  /** `refused`: how many offered contexts are not taken. */
  accepted(contexts: ReadonlyMap<number, AcceptedContext>, refused: number): void;
  /** The last PDU of the association has been written. */
  ending(): void;
  /** The verdict on the C-STORE whose end was just passed on. */
  nextStoreStatus(): number;
  /** Matches of a C-FIND, or the status of its failure. */
  find(query: Identifier): Promise<readonly Identifier[] | number>;
  failed(): void;
}

function isCarried(transferSyntaxUid: string): boolean {
  const isStandard = /^1\.2\.840\.10008\.1\.2(\.|$)/.test(transferSyntaxUid);
  return isStandard && !JPIP.has(transferSyntaxUid);
}

export class AssociationScp extends Scp {
  constructor(
    socket: Duplex,
    private readonly owner: AssociationOwner,
  ) {
    // The library only reads, writes and listens; a Duplex does all of that.
    super(socket as unknown as Socket, { pduTimeout: Infinity, associationTimeout: Infinity });
    this.on('networkError', () => owner.failed());
  }

  override associationRequested(association: Association): void {
    const called = association.getCalledAeTitle().trim();
    const refusal = this.owner.admit(association.getCallingAeTitle().trim(), called);
    if (refusal !== undefined) {
      const { RejectReason, RejectResult, RejectSource } = constants;
      const reason =
        refusal === 'called-ae-not-recognised'
          ? RejectReason.CalledAeNotRecognized
          : RejectReason.CallingAeNotRecognized;
      this.sendAssociationReject(RejectResult.Permanent, RejectSource.ServiceUser, reason);
      this.owner.ending();
      return;
    }
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
    const isOffered =
      abstractSyntaxUid === VERIFICATION_SOP_CLASS ||
      abstractSyntaxUid.startsWith(STORAGE_ARC) ||
      (this.owner.offersFind && abstractSyntaxUid === STUDY_ROOT_FIND_SOP_CLASS);
    const transferSyntaxUid = context.getTransferSyntaxUids().find(isCarried);
    if (isOffered && transferSyntaxUid !== undefined) {
      context.setResult(PresentationContextResult.Accept, transferSyntaxUid);
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
    callback(responses.CEchoResponse.fromRequest(request));
  }

  /** Only the one empty last PDV arrives here; a stream without back-pressure loses nothing. */
  override createStoreWritableStream(): Writable {
    return new Writable({ write: (_chunk, _encoding, done) => done() });
  }
  override createDatasetFromStoreWritableStream(
    _writable: Writable,
    _context: PresentationContext,
    callback: (dataset: never) => void,
  ): void {
    callback(undefined as never);
  }
  override cStoreRequest(
    request: CStoreRequest,
    callback: (response: InstanceType<typeof responses.CStoreResponse>) => void,
  ): void {
    const response = responses.CStoreResponse.fromRequest(request);
    response.setStatus(this.owner.nextStoreStatus());
    callback(response);
  }

  override cFindRequest(
    request: CFindRequest,
    callback: (responses: CFindResponse[]) => void,
  ): void {
    void this.#find(request).then(callback, () => this.owner.failed());
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
  override cCancelRequest(): void {
    // All matches are sent at once, so there is nothing left to cancel.
  }
  override abort(): void {
    this.owner.failed();
  }
}

/**
 * Asking a PACS to commit: N-ACTION, then its N-EVENT-REPORT on the same association.
 * Decides how long is waited for the report and what is answered to it; one that does not come
 * here comes later on an association of the PACS, to the listener.
 * Invariant: a report that cannot be used is not answered with Success, so the PACS keeps it.
 * Source: PS3.4 J.3.2, J.3.3; PS3.7 10.1.1, 10.1.4 and annex C.
 */
import { ElementWalker, encodeDataset, encodingOf, type Encoding } from '@aifi/dicom-core';
import { AifiError, type Clock } from '@aifi/shared-kernel';
import { encodeResponsePdu, RESPONSE_FIELD } from './command-response.js';
import { COMMAND_FIELD, encodeActionRequest, RESPONSE_BIT } from './command-set.js';
import { DIMSE_STATUS } from './dimse-status.js';
import { PeerStatus } from './peer-fault.js';
import type { DimseMessage, ScuAssociation } from './scu-association.js';
import { nonsense } from './scu-connection.js';
import {
  decodeCommitmentReport,
  encodeCommitmentRequest,
  STORAGE_COMMITMENT_SOP_CLASS,
  STORAGE_COMMITMENT_SOP_INSTANCE,
  type CommitmentReport,
  type CommitmentRequest,
} from './storage-commitment.js';

const MESSAGE_ID = 1;
/** Request Storage Commitment, PS3.4 J.3.2. */
const ACTION_TYPE_ID = 1;
/** Statuses that the same request will meet again, PS3.7 annex C. */
const FINAL: ReadonlySet<number> = new Set([
  ...[0x0112, 0x0114, 0x0115, 0x0118, 0x0119, 0x0122, 0x0123, 0x0124, 0x0211, 0x0212],
]);

export interface CommitmentWait {
  readonly clock: Clock;
  readonly waitMs: number;
  /** Aborts when the report has come on another association. */
  readonly reported?: AbortSignal | undefined;
}

/** The report; undefined when the PACS accepted and did not report within `waitMs`. */
export async function askForCommitment(
  to: ScuAssociation,
  request: CommitmentRequest,
  { clock, waitMs, reported }: CommitmentWait,
): Promise<CommitmentReport | undefined> {
  const encoding = encodingOf(to.transferSyntaxUid);
  const command = encodeActionRequest({
    messageId: MESSAGE_ID,
    requestedSopClassUid: STORAGE_COMMITMENT_SOP_CLASS,
    requestedSopInstanceUid: STORAGE_COMMITMENT_SOP_INSTANCE,
    actionTypeId: ACTION_TYPE_ID,
  });
  await to.send(command, encodeDataset(encodeCommitmentRequest(request), encoding));
  const exchange = new Exchange(to, encoding, request.transactionUid);
  // A quick PACS reports before it answers.
  while (!(await exchange.takeAnswer(await to.receive())));
  const endMs = clock.monotonicMs() + waitMs;
  while (!exchange.report) {
    const leftMs = endMs - clock.monotonicMs();
    const isOver = leftMs <= 0 || reported?.aborted === true;
    const message = isOver ? undefined : await to.receiveWithin(clock, leftMs, reported);
    if (!message) return undefined;
    await exchange.takeReport(message);
  }
  return exchange.report;
}

class Exchange {
  report: CommitmentReport | undefined;

  constructor(
    private readonly to: ScuAssociation,
    private readonly encoding: Encoding,
    private readonly transactionUid: string,
  ) {}

  /** True when `message` was the answer to our N-ACTION, and a good one. */
  async takeAnswer(message: DimseMessage): Promise<boolean> {
    const { field, messageId, status } = message.command;
    if (field === COMMAND_FIELD.eventReportRequest) {
      await this.takeReport(message);
      return false;
    }
    const isAnswer = field === (COMMAND_FIELD.actionRequest | RESPONSE_BIT);
    if (!isAnswer || messageId !== MESSAGE_ID || status === undefined) {
      throw nonsense('no answer to N-ACTION');
    }
    if (status === DIMSE_STATUS.success) return true;
    const code = FINAL.has(status) ? 'PEER_REFUSED' : 'PEER_UNAVAILABLE';
    const cause = new PeerStatus(status);
    throw new AifiError(code, 'the PACS does not take the commitment request', { cause });
  }

  async takeReport({ command, dataset }: DimseMessage): Promise<void> {
    const { field, messageId, eventTypeId, affectedSopClassUid, affectedSopInstanceUid } = command;
    if (field !== COMMAND_FIELD.eventReportRequest) throw nonsense('not a commitment report');
    const report = dataset && this.#read(dataset, eventTypeId);
    // Of another transaction: whoever asked for it listens elsewhere.
    const isOurs = report?.transactionUid === this.transactionUid;
    if (isOurs) this.report = report;
    await this.to.answer(
      encodeResponsePdu({
        field: RESPONSE_FIELD.eventReport,
        contextId: this.to.contextId,
        messageId,
        status: isOurs ? DIMSE_STATUS.success : DIMSE_STATUS.processingFailure,
        affectedSopClassUid,
        affectedSopInstanceUid,
        eventTypeId,
      }),
    );
  }
  #read(dataset: Buffer, eventTypeId: number | undefined): CommitmentReport | undefined {
    try {
      const walker = new ElementWalker(this.encoding);
      walker.push(dataset);
      return decodeCommitmentReport(walker.end().dataset, eventTypeId);
    } catch {
      return undefined;
    }
  }
}

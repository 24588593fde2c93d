/**
 * One C-FIND on an association that is open: the question and all its answers.
 * Decides which statuses are matches, the end and a failure. Invariants: bounded answers; after one
 * that is left half read the association asks nothing more, which its caller must see to.
 * Source: PS3.4 C.4.1.1.4; PS3.7 9.1.2 and 9.3.2.
 */
import { ElementWalker, encodeDataset, encodingOf, type DicomDataset } from '@aifi/dicom-core';
import { AifiError } from '@aifi/shared-kernel';
import { COMMAND_FIELD, encodeRequest, RESPONSE_BIT } from './command-set.js';
import { STUDY_ROOT_FIND_SOP_CLASS } from './library-scp.js';
import { PeerStatus } from './peer-fault.js';
import type { DimseMessage, ScuAssociation } from './scu-association.js';
import { nonsense } from './scu-connection.js';

/** Answers to a query. */
export interface FoundMatches {
  readonly matches: readonly DicomDataset[];
  /** False: there are more than were asked for. */
  readonly isWhole: boolean;
}

/** After `matchesMax` answers nothing more is read. */
export async function findOn(
  to: ScuAssociation,
  query: DicomDataset,
  { matchesMax, messageId = 1 }: { readonly matchesMax: number; readonly messageId?: number },
): Promise<FoundMatches> {
  const encoding = encodingOf(to.transferSyntaxUid);
  const field = COMMAND_FIELD.findRequest;
  const affectedSopClassUid = STUDY_ROOT_FIND_SOP_CLASS;
  const command = encodeRequest({ field, messageId, hasDataset: true, affectedSopClassUid });
  await to.send(command, encodeDataset(query, encoding));
  const matches: DicomDataset[] = [];
  for (;;) {
    const message = await to.receive();
    const status = statusOf(message, field, messageId);
    if (status === 0) return { matches, isWhole: true };
    // PS3.4 C.4.1.1.4: FF00, and FF01 where an optional key is not supported, are pending.
    if (status !== 0xff00 && status !== 0xff01) throw failed('C-FIND failed', status);
    if (!message.dataset) throw nonsense('C-FIND matches');
    if (matches.length >= matchesMax) return { matches, isWhole: false };
    const walker = new ElementWalker(encoding);
    walker.push(message.dataset);
    matches.push(walker.end().dataset);
  }
}

export function failed(what: string, status: number): AifiError {
  return new AifiError('PEER_UNAVAILABLE', what, { cause: new PeerStatus(status) });
}

/** The status of the answer to our request. */
export function statusOf({ command }: DimseMessage, field: number, messageId = 1): number {
  const isAnswer = command.field === (field | RESPONSE_BIT) && command.messageId === messageId;
  if (!isAnswer || command.status === undefined) throw nonsense('the peer answered something else');
  return command.status;
}

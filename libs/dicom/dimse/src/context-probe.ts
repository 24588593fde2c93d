/**
 * Context probe: one association that proposes several presentation contexts and sends nothing.
 * Decides what a peer says of each: taken in which transfer syntax, or refused and why; delivery
 * proposes one context at a time and needs no reason. Invariants: no object and no query leaves;
 * no wait is longer than the deadline; the association is released or aborted.
 * Source: PS3.8 9.3.3.2 (Result/Reason of a presentation context), 7.1.1.14.
 */
import { AifiError, LIMITS, type Clock } from '@aifi/shared-kernel';
import {
  contextIdOf,
  decodeContextResults,
  encodeAssociateRequest,
  type ProposedContext,
} from './associate.js';
import { AssociationRejected, PeerClosed } from './peer-fault.js';
import { encodeReleaseRequest, PDU_HEADER_BYTES, PDU_TYPE } from './pdu.js';
import { RequestDeadline } from './request-deadline.js';
import type { ScuPeer } from './scu-association.js';
import { nonsense, ScuConnection } from './scu-connection.js';
import { openSocket } from './scu-socket.js';

/** Result/Reason of PS3.8 9.3.3.2; 'silent': the peer left the context out of its answer. */
export type ContextResult =
  'accepted' | 'user' | 'no-reason' | 'abstract-syntax' | 'transfer-syntax' | 'silent';
const RESULTS: readonly ContextResult[] = [
  ...(['accepted', 'user', 'no-reason', 'abstract-syntax', 'transfer-syntax'] as const),
];
export interface ContextAnswer {
  readonly result: ContextResult;
  /** Undefined unless it was accepted. */
  readonly transferSyntaxUid: string | undefined;
}
/** At most 128 have a number (PS3.8 9.3.2.2). */
const CONTEXTS_MAX = 128;

/** The peer's answer to each context, in order; faults as those of every other request. */
export async function probeContexts(
  peer: ScuPeer,
  contexts: readonly ProposedContext[],
  { clock, timeoutMs }: { readonly clock: Clock; readonly timeoutMs: number },
): Promise<ContextAnswer[]> {
  if (contexts.length > CONTEXTS_MAX) throw new AifiError('INVALID_ARGUMENT', 'too many contexts');
  const deadline = new RequestDeadline(clock, { idleMs: timeoutMs, totalMs: timeoutMs });
  const connection = new ScuConnection(openSocket(peer), deadline);
  try {
    const asked = negotiate(connection, peer, contexts);
    const answers = await Promise.race([asked, deadline.passed]);
    await release(connection, clock);
    connection.destroy();
    return answers;
  } catch (error) {
    connection.abort();
    throw isLate(error) ? lateIn(connection) : error;
  } finally {
    deadline.stop();
  }
}

const isLate = (error: unknown): boolean =>
  error instanceof AifiError && error.code === 'DEADLINE_EXCEEDED';

/** How far it had come tells a network that swallows packets from a peer that does not answer. */
function lateIn({ phase }: ScuConnection): AifiError {
  const cause = new PeerClosed(phase, 'ETIMEDOUT');
  return new AifiError('DEADLINE_EXCEEDED', 'the peer took too long', { cause });
}

async function negotiate(
  connection: ScuConnection,
  { calledAeTitle, callingAeTitle }: ScuPeer,
  contexts: readonly ProposedContext[],
): Promise<ContextAnswer[]> {
  await connection.opened();
  connection.phase = 'associate';
  await connection.write([encodeAssociateRequest(calledAeTitle, callingAeTitle, contexts)]);
  const { type, bytes } = await connection.nextControl();
  if (type === PDU_TYPE.associateReject) {
    const [, result = 0, source = 0, reason = 0] = bytes.subarray(PDU_HEADER_BYTES);
    const cause = new AssociationRejected(result, source, reason);
    throw new AifiError('PEER_UNAVAILABLE', 'the peer rejected the association', { cause });
  }
  if (type !== PDU_TYPE.associateAccept) throw nonsense('no answer to an association request');
  const results = resultsOf(bytes);
  return contexts.map((_, index) => {
    const found = results.get(contextIdOf(index));
    const result = found === undefined ? 'silent' : (RESULTS[found.result] ?? 'no-reason');
    return { result, transferSyntaxUid: result === 'accepted' ? found?.syntax : undefined };
  });
}

function resultsOf(bytes: Buffer): ReturnType<typeof decodeContextResults> {
  try {
    return decodeContextResults(bytes);
  } catch {
    throw nonsense('an answer to an association request that does not read');
  }
}

async function release(connection: ScuConnection, clock: Clock): Promise<void> {
  const over = new AbortController();
  const released = connection
    .write([encodeReleaseRequest()])
    .then(() => connection.nextControl())
    // The peer closed first: the association is over as well.
    .catch(() => undefined);
  await Promise.race([released, clock.sleep(LIMITS.socketGraceMs, over.signal)]);
  over.abort();
}

/**
 * What a fault of a request to the PACS means, as a finding.
 * Decides from typed causes alone, never from a message: how far the request came, who refused it
 * and why. Pure, but for one look whether a peer that did not answer in plain speaks TLS.
 * Invariants: every fault has a finding; nothing of the peer's own words is in it.
 * Source: PS3.8 9.3.4 table 9-21 (source and reason of a rejection); PS3.15 B.
 */
import { connect } from 'node:tls';
import {
  AssociationRejected,
  peerFaultOf,
  PeerAborted,
  PeerClosed,
  PeerNonsense,
  TlsFault,
  type ScuPeer,
} from '@aifi/dicom-dimse';
import type { SetupFacts, SetupFinding } from '@aifi/contracts-rest';
import { AifiError, type Clock } from '@aifi/shared-kernel';

/** The name service has no such name; EAI_AGAIN: it does not answer, which is the same to us. */
const NO_NAME = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME']);
const NO_WAY = new Set([
  ...['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'EACCES', 'EPERM'],
]);

/** Facts of the PACS that was asked, for every sentence. */
export function factsOf(peer: ScuPeer, timeoutMs: number): SetupFacts {
  const { host, port, calledAeTitle, callingAeTitle } = peer;
  const seconds = String(Math.round(timeoutMs / 1_000));
  return { host, port: String(port), calledAeTitle, callingAeTitle, seconds };
}

/** A DIMSE status as its standard writes it. */
export const hexOf = (status: number): string => `0x${status.toString(16).padStart(4, '0')}`;

/** `isTls`: the peer speaks TLS and we did not. */
export function findingOfFault(error: unknown, facts: SetupFacts, isTls: boolean): SetupFinding {
  const cause = peerFaultOf(error);
  if (cause instanceof AssociationRejected) return findingOfRejection(cause, facts);
  if (cause instanceof TlsFault) {
    return { code: cause.isUntrusted ? 'TLS_UNTRUSTED' : 'TLS_NOT_OFFERED', facts };
  }
  if (cause instanceof PeerClosed && cause.phase === 'connect') {
    return { code: codeOfConnect(cause.code), facts };
  }
  const isSilent = AifiError.from(error).code === 'DEADLINE_EXCEEDED';
  const isOfPeer = [PeerAborted, PeerClosed, PeerNonsense].some((kind) => cause instanceof kind);
  if (isTls && (isSilent || isOfPeer)) return { code: 'TLS_NEEDED', facts };
  if (isSilent) return { code: 'NO_ANSWER', facts };
  if (cause instanceof PeerAborted) return { code: 'ASSOCIATION_ABORTED', facts };
  if (isOfPeer) return { code: 'NOT_DICOM', facts };
  return { code: 'CHECK_FAILED', facts: { ...facts, reason: AifiError.from(error).code } };
}

function codeOfConnect(code: string): string {
  if (NO_NAME.has(code)) return 'ADDRESS_UNKNOWN';
  if (NO_WAY.has(code)) return 'UNREACHABLE';
  return code === 'ECONNREFUSED' ? 'PORT_CLOSED' : 'NOT_DICOM';
}

function findingOfRejection(
  { result, source, reason, isTransient }: AssociationRejected,
  facts: SetupFacts,
): SetupFinding {
  if (source === 1 && reason === 7) return { code: 'CALLED_AE_UNKNOWN', facts };
  if (source === 1 && reason === 3) return { code: 'CALLING_AE_UNKNOWN', facts };
  const numbers = { ...facts, reason: `${result}/${source}/${reason}` };
  // Source 3: 1 temporary congestion, 2 local limit exceeded.
  const isFull = source === 3 && (reason === 1 || reason === 2);
  return { code: isTransient || isFull ? 'PACS_BUSY' : 'ASSOCIATION_REFUSED', facts: numbers };
}

/** Whether a TLS handshake is answered there; nothing but a hello is sent. */
export async function speaksTls(
  { host, port }: Pick<ScuPeer, 'host' | 'port'>,
  { clock, timeoutMs }: { readonly clock: Clock; readonly timeoutMs: number },
): Promise<boolean> {
  const over = new AbortController();
  // Whose certificate it is does not matter: it is only looked whether there is one.
  const socket = connect({ host, port, rejectUnauthorized: false });
  const answered = new Promise<boolean>((resolve) => {
    socket.once('secureConnect', () => resolve(true));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(isAlert(error.code)));
    socket.once('close', () => resolve(false));
  });
  const late = clock.sleep(timeoutMs, over.signal).then(() => false);
  try {
    return await Promise.race([answered, late]);
  } finally {
    over.abort();
    socket.destroy();
  }
}

/** A refusal in the language of TLS: a certificate or another version is wanted. */
const isAlert = (code = ''): boolean => /_ALERT_|UNSUPPORTED_PROTOCOL/.test(code);

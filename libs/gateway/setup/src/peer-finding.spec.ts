/**
 * Goal: every fault of a peer has one finding, decided by its typed cause.
 * Method: a table of causes, with and without a peer that speaks TLS.
 */
import { describe, expect, it } from '@jest/globals';
import {
  AssociationRejected,
  PeerAborted,
  PeerClosed,
  PeerNonsense,
  TlsFault,
} from '@aifi/dicom-dimse';
import { AifiError } from '@aifi/shared-kernel';
import { factsOf, findingOfFault, hexOf } from './peer-finding.js';

const FACTS = factsOf(
  { host: 'pacs', port: 104, calledAeTitle: 'PACS', callingAeTitle: 'AIFI' },
  10_000,
);
const unavailable = (cause: unknown): AifiError =>
  new AifiError('PEER_UNAVAILABLE', 'no answer', { cause });
const late = (phase: 'connect' | 'associate'): AifiError =>
  new AifiError('DEADLINE_EXCEEDED', 'late', { cause: new PeerClosed(phase, 'ETIMEDOUT') });

describe(findingOfFault.name, () => {
  it.each<[string, AifiError, string]>([
    ['1/1/7', unavailable(new AssociationRejected(1, 1, 7)), 'CALLED_AE_UNKNOWN'],
    ['1/1/3', unavailable(new AssociationRejected(1, 1, 3)), 'CALLING_AE_UNKNOWN'],
    ['1/1/1', unavailable(new AssociationRejected(1, 1, 1)), 'ASSOCIATION_REFUSED'],
    ['1/2/2', unavailable(new AssociationRejected(1, 2, 2)), 'ASSOCIATION_REFUSED'],
    ['2/1/1', unavailable(new AssociationRejected(2, 1, 1)), 'PACS_BUSY'],
    ['1/3/2', unavailable(new AssociationRejected(1, 3, 2)), 'PACS_BUSY'],
    ['refused', unavailable(new PeerClosed('connect', 'ECONNREFUSED')), 'PORT_CLOSED'],
    ['no name', unavailable(new PeerClosed('connect', 'ENOTFOUND')), 'ADDRESS_UNKNOWN'],
    ['no way', unavailable(new PeerClosed('connect', 'EHOSTUNREACH')), 'UNREACHABLE'],
    ['swallowed', late('connect'), 'UNREACHABLE'],
    ['silent', late('associate'), 'NO_ANSWER'],
    ['silent later', new AifiError('DEADLINE_EXCEEDED', 'late'), 'NO_ANSWER'],
    ['closed', unavailable(new PeerClosed('associate', 'ENDED')), 'NOT_DICOM'],
    ['nonsense', unavailable(new PeerNonsense('no PDU')), 'NOT_DICOM'],
    ['abort', unavailable(new PeerAborted('associate', 0, 0)), 'ASSOCIATION_ABORTED'],
    ['certificate', unavailable(new TlsFault(true, 'X')), 'TLS_UNTRUSTED'],
    ['handshake', unavailable(new TlsFault(false, 'X')), 'TLS_NOT_OFFERED'],
    ['our own', new AifiError('INTERNAL', 'x'), 'CHECK_FAILED'],
  ])('%s', (_name, error, code) => {
    expect(findingOfFault(error, FACTS, false).code).toBe(code);
  });
  it.each<[AifiError, string]>([
    [unavailable(new PeerClosed('associate', 'ECONNRESET')), 'TLS_NEEDED'],
    [unavailable(new PeerNonsense('no PDU')), 'TLS_NEEDED'],
    [late('associate'), 'TLS_NEEDED'],
    [unavailable(new PeerClosed('connect', 'ECONNREFUSED')), 'PORT_CLOSED'],
    [unavailable(new AssociationRejected(1, 1, 7)), 'CALLED_AE_UNKNOWN'],
  ])('of a peer that speaks TLS (%#)', (error, code) => {
    expect(findingOfFault(error, FACTS, true).code).toBe(code);
  });
  it('names result, source and reason where nothing else tells', () => {
    const finding = findingOfFault(unavailable(new AssociationRejected(1, 2, 1)), FACTS, false);
    expect(finding.facts.reason).toBe('1/2/1');
  });
});

it('a status is written as in its standard', () => {
  expect(hexOf(0xa700)).toBe('0xa700');
  expect(hexOf(0x122)).toBe('0x0122');
});

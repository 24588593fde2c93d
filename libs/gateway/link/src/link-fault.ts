/**
 * Link faults: an AifiError that knows what was found on the way to the hub.
 * Decides that the code is for programs, and that the finding (who showed which certificate, what
 * the proxy said) goes along as the cause, for the page and the command line.
 * Invariant: fixed words in the message; no token, password or key in a finding.
 */
import type { PeerCertificate } from 'node:tls';
import type { LinkFinding } from '@aifi/contracts-rest';
import { AifiError, type ErrorCode } from '@aifi/shared-kernel';
import type { LinkTarget } from './link-settings.js';

/** What is known beside the code; everything else of a finding is empty. */
export type FoundFacts = Partial<
  Pick<LinkFinding, 'setting' | 'status' | 'presented' | 'exemption'>
>;

/** The cause of a link fault. */
class FoundOnTheWay {
  constructor(
    readonly facts: FoundFacts,
    readonly reason: unknown,
  ) {}
}

const MESSAGES: Readonly<Partial<Record<ErrorCode, string>>> = {
  LINK_INSPECTED: 'the certificate shown is not of the authority that we trust',
  LINK_CERTIFICATE_TIME: "the hub's certificate is not valid now",
  LINK_WRONG_NAME: "the hub's certificate is for another name",
  LINK_NOT_TLS: 'what answers does not speak TLS',
  LINK_PROXY_AUTHENTICATION: 'the proxy wants other credentials',
  LINK_PROXY_REFUSED: 'the proxy does not let us through',
  LINK_PROXY_FAILED: 'the proxy does not answer or does not reach the hub',
  LINK_PROXY_UNTRUSTED: 'the certificate of the proxy is not trusted',
  PEER_UNAVAILABLE: 'the hub does not answer',
  PEER_REFUSED: 'the hub does not speak this protocol or refuses us',
  NOT_JOINED: 'the gateway has not joined the hub yet',
  JOIN_TOKEN_INVALID: 'this is no token for this hub',
  JOIN_REFUSED: 'the hub does not take this token',
  JOIN_OUTCOME_UNKNOWN: 'the token was sent and no answer came: ask for a new one',
};

export function linkFault(code: ErrorCode, facts: FoundFacts = {}, reason?: unknown): AifiError {
  const words = MESSAGES[code] ?? 'the link to the hub failed';
  return new AifiError(code, words, { cause: new FoundOnTheWay(facts, reason) });
}

/** The finding of any fault of the link, as it is shown. */
export function findingOf(fault: AifiError, target: LinkTarget, atMs: number): LinkFinding {
  const { host, port } = target;
  const { cause } = fault;
  const facts = cause instanceof FoundOnTheWay ? cause.facts : {};
  return {
    ...{ code: fault.code, atMs, host, port },
    ...{ setting: null, status: null, presented: null, exemption: null },
    ...facts,
  };
}

/** What of a certificate is shown; undefined when none was presented. */
export function presentedOf(certificate: PeerCertificate): FoundFacts['presented'] {
  if (!certificate.raw) return null;
  return {
    subject: nameOf(certificate.subject),
    issuer: nameOf(certificate.issuer),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    notBeforeMs: Date.parse(certificate.valid_from),
    notAfterMs: Date.parse(certificate.valid_to),
    names: certificate.subjectaltname ?? '',
  };
}

/** Common name, or organisation, as people know an authority by. */
function nameOf(name: PeerCertificate['subject'] | undefined): string {
  const parts = [name?.CN, name?.O].flat().filter((part) => part !== undefined);
  return parts.join(', ').slice(0, 200) || 'no name';
}

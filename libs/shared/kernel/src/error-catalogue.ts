/**
 * The one catalogue of faults: code → cause, retry, DICOM status, gRPC status, HTTP status, level.
 * Decides what every edge answers and whether a retry makes sense; no retry reads a message string.
 * Invariant: every AifiError has exactly one row here.
 * Source: PS3.4 B.2.3 and PS3.7 C (DIMSE status), gRPC status codes, RFC 9457.
 */
export type CauseClass = 'user' | 'operational' | 'bug';
export type RetryClass = 'transient' | 'ambiguous' | 'permanent';

interface CatalogueRow {
  readonly cause: CauseClass;
  readonly retry: RetryClass;
  /** C-STORE status, PS3.4 B.2.3 and PS3.7 C. */
  readonly dimse: number;
  /** gRPC status code number. */
  readonly grpc: number;
  readonly http: number;
  readonly level: 'error' | 'warn' | 'info';
}

const row = (
  cause: CauseClass,
  retry: RetryClass,
  [dimse, grpc, http]: readonly [number, number, number],
  level: CatalogueRow['level'],
): CatalogueRow => ({ cause, retry, dimse, grpc, http, level });

export const ERROR_CATALOGUE = {
  /** The dataset does not parse, is cut short or contradicts itself. */
  DICOM_MALFORMED: row('user', 'permanent', [0xc000, 3, 400], 'warn'),
  /** The object ended the process that read it, three times: it is not read again. */
  POISON_INPUT: row('user', 'permanent', [0xc000, 3, 400], 'error'),
  /** UIDs of command, file meta and dataset differ. */
  DICOM_SOP_MISMATCH: row('user', 'permanent', [0xa900, 3, 400], 'warn'),
  /** The SOP class is not taken here. */
  DICOM_SOP_CLASS_UNSUPPORTED: row('user', 'permanent', [0x0122, 3, 400], 'warn'),
  /** Disk or quota full: the sender may try again. */
  OUT_OF_RESOURCES: row('operational', 'transient', [0xa700, 8, 507], 'error'),
  /** An identifier does not have its format. */
  INVALID_IDENTIFIER: row('user', 'permanent', [0xc000, 3, 400], 'warn'),
  /** A message, manifest or file does not match its schema. */
  INVALID_ARGUMENT: row('user', 'permanent', [0x0110, 3, 400], 'warn'),
  /** Bytes do not have the digest or size that was declared. */
  DIGEST_MISMATCH: row('operational', 'transient', [0x0110, 15, 409], 'warn'),
  /** A signature, seal or certificate does not verify. */
  UNTRUSTED: row('user', 'permanent', [0x0110, 16, 401], 'error'),
  /** Nobody is signed in, or the session has ended. */
  UNAUTHENTICATED: row('user', 'permanent', [0x0124, 16, 401], 'info'),
  /** A dangerous act needs authentication that is fresh (RFC 9470). */
  STEP_UP_REQUIRED: row('user', 'permanent', [0x0124, 16, 401], 'info'),
  /** A second person has not agreed, or the grant has ended. */
  APPROVAL_REQUIRED: row('user', 'permanent', [0x0124, 7, 403], 'info'),
  /** The peer is known but may not do this. */
  FORBIDDEN: row('user', 'permanent', [0x0124, 7, 403], 'warn'),
  NOT_FOUND: row('user', 'permanent', [0x0110, 5, 404], 'info'),
  /** A state machine was asked for a step that does not exist. */
  STATE_CONFLICT: row('operational', 'permanent', [0x0110, 9, 409], 'warn'),
  /** The study was selected by rules that are no longer near the newest: it is selected anew. */
  RULES_OUTDATED: row('operational', 'transient', [0x0110, 9, 409], 'warn'),
  /** The peer does not answer or the link is cut; the outcome may be unknown. */
  PEER_UNAVAILABLE: row('operational', 'ambiguous', [0x0110, 14, 503], 'warn'),
  /** The peer refused with a status of its own. */
  PEER_REFUSED: row('operational', 'permanent', [0x0110, 9, 502], 'warn'),
  DEADLINE_EXCEEDED: row('operational', 'ambiguous', [0x0110, 4, 504], 'warn'),
  /** A limit of limits.ts was reached. */
  LIMIT_EXCEEDED: row('user', 'permanent', [0xc000, 8, 413], 'warn'),
  /** The model crashed, hung or gave unusable output. */
  MODEL_FAILED: row('operational', 'transient', [0x0110, 13, 500], 'warn'),
  /** Configuration is missing or wrong; start is refused. */
  CONFIG_INVALID: row('user', 'permanent', [0x0110, 9, 500], 'error'),
  /** Somebody between us and the hub opens the encryption and shows a certificate of its own. */
  LINK_INSPECTED: row('operational', 'transient', [0x0110, 16, 502], 'error'),
  /** The hub's certificate is not valid now: expired, not yet valid, or our clock is wrong. */
  LINK_CERTIFICATE_TIME: row('operational', 'transient', [0x0110, 16, 502], 'error'),
  /** The certificate is of the right authority but for another name. */
  LINK_WRONG_NAME: row('operational', 'transient', [0x0110, 16, 502], 'error'),
  /** What answers there does not speak TLS: a web page, a sign-in page of a network. */
  LINK_NOT_TLS: row('operational', 'transient', [0x0110, 14, 502], 'warn'),
  /** The proxy wants a name and password, or other ones (HTTP 407). */
  LINK_PROXY_AUTHENTICATION: row('operational', 'transient', [0x0110, 14, 502], 'error'),
  /** The proxy does not let us through to the hub (HTTP 403 and alike). */
  LINK_PROXY_REFUSED: row('operational', 'transient', [0x0110, 14, 502], 'error'),
  /** The proxy does not answer, or does not reach the hub (HTTP 502 to 504). */
  LINK_PROXY_FAILED: row('operational', 'transient', [0x0110, 14, 502], 'warn'),
  /** The certificate of an HTTPS proxy is not of the authority in our configuration. */
  LINK_PROXY_UNTRUSTED: row('operational', 'transient', [0x0110, 16, 502], 'error'),
  /** The gateway has no certificate yet: it has to join first. */
  NOT_JOINED: row('operational', 'transient', [0x0110, 14, 503], 'warn'),
  /** The token does not have its form, or is not for this hub. */
  JOIN_TOKEN_INVALID: row('user', 'permanent', [0x0110, 3, 400], 'warn'),
  /** The hub takes the token no more: used, expired, withdrawn or unknown. */
  JOIN_REFUSED: row('user', 'permanent', [0x0110, 9, 409], 'warn'),
  /** The token was sent and no answer came: it may be used up, so a new one is needed. */
  JOIN_OUTCOME_UNKNOWN: row('operational', 'permanent', [0x0110, 14, 502], 'warn'),
  /** A broken invariant: a defect of ours. */
  INTERNAL: row('bug', 'permanent', [0x0110, 13, 500], 'error'),
} as const satisfies Record<string, CatalogueRow>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

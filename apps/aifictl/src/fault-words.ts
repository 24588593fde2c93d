/**
 * Faults in plain words: what a code of the error catalogue means to hospital IT.
 * Decides the words for every code of the kernel and for everything that is refused at the door.
 * Invariant: a code without words does not compile; one of a newer service is shown as it is.
 */
import { isReasonCode, REASON_CODES, type ErrorCode } from '@aifi/shared-kernel';
import { deadLetterWords, type RefusalView } from '@aifi/contracts-rest';

const FAULT_WORDS: Readonly<Record<ErrorCode, string>> = {
  DICOM_MALFORMED: 'the data is cut short or contradicts itself',
  POISON_INPUT: 'the object stopped the listener three times and is not read again',
  DICOM_SOP_MISMATCH: 'the object is not the one that was announced',
  DICOM_SOP_CLASS_UNSUPPORTED: 'this kind of object (SOP class) is not taken',
  OUT_OF_RESOURCES: 'the disk is full',
  INVALID_IDENTIFIER: 'an identifier is not valid',
  INVALID_ARGUMENT: 'a message is not what it should be',
  DIGEST_MISMATCH: 'the bytes are not the ones that were announced',
  UNTRUSTED: 'a signature or certificate does not verify',
  UNAUTHENTICATED: 'nobody is signed in, or the session has ended',
  STEP_UP_REQUIRED: 'this needs a fresh sign-in',
  APPROVAL_REQUIRED: 'a second person has not agreed, or the time has passed',
  FORBIDDEN: 'the other side may not do this',
  NOT_FOUND: 'it is not there',
  RULES_OUTDATED: 'the study was selected by rules that are too old',
  STATE_CONFLICT: 'somebody else has moved it on',
  PEER_UNAVAILABLE: 'the other side does not answer',
  PEER_REFUSED: 'the other side refuses',
  DEADLINE_EXCEEDED: 'the other side did not answer in time',
  LIMIT_EXCEEDED: 'a limit is reached',
  MODEL_FAILED: 'the model crashed or gave unusable output',
  CONFIG_INVALID: 'the configuration is wrong',
  LINK_INSPECTED: 'somebody on the way to the hub opens the encryption',
  LINK_CERTIFICATE_TIME: "the hub's certificate is not valid now",
  LINK_WRONG_NAME: "the hub's certificate is for another name",
  LINK_NOT_TLS: 'what answers at the address of the hub is no hub',
  LINK_PROXY_AUTHENTICATION: 'the proxy wants a name and password, or other ones',
  LINK_PROXY_REFUSED: 'the proxy does not let the gateway through',
  LINK_PROXY_FAILED: 'the proxy does not answer, or does not reach the hub',
  LINK_PROXY_UNTRUSTED: 'the certificate of the proxy is not trusted',
  NOT_JOINED: 'the gateway has not joined the hub yet',
  JOIN_TOKEN_INVALID: 'this is no valid token for this hub',
  JOIN_REFUSED: 'the hub does not take this token (any more)',
  JOIN_OUTCOME_UNKNOWN: 'no answer came to the token: ask for a new one',
  INTERNAL: 'a defect of the platform: quote the log line to the operator',
};

/** `PEER_UNAVAILABLE (the other side does not answer)` */
export function faultWords(code: string): string {
  const own = Object.hasOwn(FAULT_WORDS, code) ? FAULT_WORDS[code as ErrorCode] : undefined;
  const other = isReasonCode(code) ? REASON_CODES[code].en : deadLetterWords(code)?.en;
  const words = own ?? other;
  return words === undefined ? code : `${code} (${words})`;
}

/** The English text of a reason code; undefined for one that this version does not know. */
export function reasonWords(code: string): string | undefined {
  return isReasonCode(code) ? REASON_CODES[code].en : undefined;
}

/** What was refused, for `what/code`; the part before the slash alone is the fallback. */
const REFUSAL_WORDS: Readonly<Record<string, string>> = {
  'association/FORBIDDEN': 'a caller with an AE title or address that is not configured here',
  'association/NOT_FOUND': 'a call to another AE title than ours',
  'association/LIMIT_EXCEEDED': 'more connections at once than are allowed',
  association: 'an association',
  context: 'an offer of a kind of object (SOP class or transfer syntax) that is not taken',
  'object/DICOM_MALFORMED': 'an object that is cut short or contradicts itself',
  'object/POISON_INPUT': 'an object that stopped the listener three times: it is not read again',
  'object/DICOM_SOP_MISMATCH': 'an object that is not the one that was announced',
  'object/DICOM_SOP_CLASS_UNSUPPORTED': 'an object of a kind (SOP class) that is not taken',
  'object/INVALID_IDENTIFIER': 'an object without valid UIDs',
  'object/LIMIT_EXCEEDED': 'an object that is larger than is allowed',
  'object/OUT_OF_RESOURCES': 'an object for which the disk had no room: the sender may try again',
  object: 'an object that could not be kept',
  'stream/PEER_UNAVAILABLE': 'an object whose sender broke off in the middle',
  stream: 'a stream of bytes that is not DICOM',
};

/** One refusal in words. Whatever it was: nothing of it was kept, and the sender still has it. */
export function refusalWords({ what, code }: Pick<RefusalView, 'what' | 'code'>): string {
  return REFUSAL_WORDS[`${what}/${code}`] ?? REFUSAL_WORDS[what] ?? code;
}

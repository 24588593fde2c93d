/**
 * What both renderings of a record share: codes of its act, action, outcome, object, purpose.
 * Decides how a record of an act that this version does not know is still rendered: as the use of a
 * restricted function, never left out. Invariant: text of people and of the wire reaches a
 * rendering only through `plainText`, so no control character can forge a line.
 * Source: PS3.15 A.5.2 and A.5.3; security specification 7 (V16, log injection).
 */
import { isRole, type Act } from '@aifi/access-authorisation';
import type { AuditRecord } from '@aifi/contracts-rest';
import { canonicalJson } from '@aifi/shared-kernel';
import {
  ACT_CODES,
  EVENTS,
  ROLE_PURPOSES,
  type ActCodes,
  type PurposeOfUse,
} from './act-codes.table.js';

/** The server that wrote the record. */
export interface AuditSource {
  /** Name of the process or host. */
  readonly sourceId: string;
  /** The hospital, or the organisation of the hub. */
  readonly enterpriseSiteId: string;
  /** Address under which people reach it, such as https://gateway.hospital.example. */
  readonly serverAddress: string;
}

/** Designator of codes of our own, as in the DICOM objects that we write. */
export const OWN_SCHEME = '99AIFI';

const isAct = (act: string): act is Act => Object.hasOwn(ACT_CODES, act);
/** Codes of the act; of one that a newer version knows, a security alert. */
export function codesOf({ act }: AuditRecord): ActCodes {
  return isAct(act) ? ACT_CODES[act] : ACT_CODES['interface.describe'];
}

/** EventActionCode: where a message of the standard allows one only, that one. */
export function actionOf(record: AuditRecord): AuditRecord['action'] {
  const { event } = codesOf(record);
  switch (event.code) {
    case EVENTS.query.code:
    case EVENTS.securityAlert.code:
    case EVENTS.userAuthentication.code:
      return 'E';
    case EVENTS.auditLogUsed.code:
    case EVENTS.exported.code:
      return 'R';
    case EVENTS.imported.code:
      return 'C';
    default:
      return record.action;
  }
}

/** EventOutcomeIndicator (PS3.15 A.5.2). */
export const OUTCOME_CODES: Readonly<Record<AuditRecord['outcome'], '0' | '4' | '8' | '12'>> = {
  success: '0',
  refused: '4',
  failed: '8',
  unavailable: '12',
};

export function purposeOf(record: AuditRecord): PurposeOfUse | undefined {
  const { purpose } = codesOf(record);
  return purpose ?? (isRole(record.role) ? ROLE_PURPOSES[record.role] : undefined);
}

/** ParticipantObjectTypeCodeRole, the same numbers in FHIR (object-role). */
interface ObjectKind {
  readonly role: string;
  readonly text: string;
}
const OBJECT_KINDS: Readonly<Record<string, ObjectKind>> = {
  study: { role: '3', text: 'Study' },
  job: { role: '20', text: 'Job' },
  approval: { role: '13', text: 'Approval' },
  session: { role: '13', text: 'Session' },
  audit: { role: '13', text: 'Security Audit Log' },
  'patient-flag': { role: '13', text: 'Patient flag' },
  alert: { role: '13', text: 'Alert' },
  'dead-letter': { role: '20', text: 'Dead letter' },
  'pixel-hold': { role: '3', text: 'Images held' },
  result: { role: '3', text: 'Result' },
  vault: { role: '13', text: 'Vault' },
};
const RESOURCE: ObjectKind = { role: '13', text: 'Resource' };
export function objectKindOf({ objectType }: AuditRecord): ObjectKind {
  return Object.hasOwn(OBJECT_KINDS, objectType) ? OBJECT_KINDS[objectType]! : RESOURCE;
}

/** What explains the act, and where the record is in its chain: for whoever follows it back. */
export function detailsOf(record: AuditRecord, withOwn = true): [string, string][] {
  const { chain, sequence, hash, correlationId, code, reason, siteId, detail } = record;
  const fixed: [string, string | null][] = [
    ['chain', chain],
    ['sequence', String(sequence)],
    ['hash', hash],
    ['act', record.act],
    ['siteId', siteId],
    ['correlationId', correlationId],
    ['code', code],
    ['reason', reason],
  ];
  const own = withOwn ? Object.entries(detail) : [['detail', 'left out: too long'] as const];
  const all = [...fixed, ...own.map(([key, value]) => [`detail.${key}`, String(value)] as const)];
  return all.flatMap(([key, value]) => (value === null || value === '' ? [] : [[key, value]]));
}

/** The search that a record is about, as text. */
export const queryOf = (record: AuditRecord): string => canonicalJson(record.detail);

/** Control characters, and what XML 1.0 cannot hold. */
// eslint-disable-next-line no-control-regex -- finding them is what this is for
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffe\uffff]/g;
/** One line of text without control characters; each becomes U+FFFD, so that it shows. */
export const plainText = (text: string): string =>
  text.toWellFormed().replace(UNPRINTABLE, '\ufffd');

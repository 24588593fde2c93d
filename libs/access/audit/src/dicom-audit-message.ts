/**
 * DICOM Audit Message: a record as the XML that audit repositories of hospitals read.
 * Decides participants and objects: who asked and the second person, the server, what it was about
 * and whose it was. Invariants: one line, well-formed whatever people typed, valid against the
 * schema of the standard. At the hub the patient object holds a pseudonym.
 * Source: PS3.15 A.5 (message format; A.5.1 schema, A.5.2 conventions, A.5.3 messages).
 */
import { isIP } from 'node:net';
import type { AuditRecord } from '@aifi/contracts-rest';
import { EVENTS, type Code } from './act-codes.table.js';
import {
  actionOf,
  codesOf,
  detailsOf,
  objectKindOf,
  OUTCOME_CODES,
  OWN_SCHEME,
  plainText,
  queryOf,
  type AuditSource,
} from './rendering.js';

export interface MessageOptions {
  /** False leaves the record's own details out, for a message that would be too long. */
  readonly withDetail?: boolean;
}

export function toDicomAuditMessage(
  record: AuditRecord,
  source: AuditSource,
  { withDetail = true }: MessageOptions = {},
): string {
  const message = element(
    'AuditMessage',
    {},
    eventIdentification(record),
    ...participants(record, source),
    element(
      'AuditSourceIdentification',
      { AuditEnterpriseSiteID: source.enterpriseSiteId, AuditSourceID: source.sourceId },
      // 4: application server (A.5.1.2.1).
      element('AuditSourceTypeCode', { 'csd-code': '4' }),
    ),
    mainObject(record, source, withDetail),
    ...patientObject(record),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>${message}`;
}

function eventIdentification(record: AuditRecord): string {
  const { event, types } = codesOf(record);
  const attributes = {
    EventActionCode: actionOf(record),
    EventDateTime: new Date(record.atMs).toISOString(),
    EventOutcomeIndicator: OUTCOME_CODES[record.outcome],
  };
  return element(
    'EventIdentification',
    attributes,
    coded('EventID', event, 'DCM'),
    ...types.map((type) => coded('EventTypeCode', type, 'DCM')),
    coded('EventTypeCode', { code: record.act, text: record.act }, OWN_SCHEME),
    ...(record.code === null ? [] : [element('EventOutcomeDescription', {}, escaped(record.code))]),
  );
}

const SOURCE_ROLE: Code = { code: '110153', text: 'Source Role ID' };
const DESTINATION_ROLE: Code = { code: '110152', text: 'Destination Role ID' };
/** Events in which data leave the server. */
const SENT: ReadonlySet<string> = new Set([EVENTS.exported.code, EVENTS.instancesTransferred.code]);
const APPLICATION: Code = { code: '110150', text: 'Application' };

function participants(record: AuditRecord, source: AuditSource): string[] {
  const { role, userId, userName, responsibleUserId, sourceAddress } = record;
  const { event } = codesOf(record);
  const isQuery = event.code === EVENTS.query.code;
  const isSent = SENT.has(event.code);
  // A query goes from who asks to the server, data from the server to who asks.
  const userRole = isQuery ? [SOURCE_ROLE] : isSent ? [DESTINATION_ROLE] : [];
  const serverRole = isQuery ? DESTINATION_ROLE : isSent ? SOURCE_ROLE : APPLICATION;
  const user = element(
    'ActiveParticipant',
    {
      UserID: userId || '-',
      UserName: userName,
      UserIsRequestor: 'true',
      ...network(sourceAddress),
    },
    // A server that does it by itself is not its own destination.
    ...(record.userKind === 'system' ? [] : userRole).map((code) =>
      coded('RoleIDCode', code, 'DCM'),
    ),
    coded(
      'RoleIDCode',
      { code: role ?? record.userKind, text: role ?? record.userKind },
      OWN_SCHEME,
    ),
  );
  const responsible = { code: 'responsible', text: 'Responsible user, second person' };
  const second =
    responsibleUserId === null
      ? []
      : [
          element(
            'ActiveParticipant',
            { UserID: responsibleUserId || '-', UserIsRequestor: 'false' },
            coded('RoleIDCode', responsible, OWN_SCHEME),
          ),
        ];
  const server = element(
    'ActiveParticipant',
    { UserID: source.sourceId, UserIsRequestor: 'false', ...network(source.serverAddress) },
    coded('RoleIDCode', serverRole, 'DCM'),
  );
  return [user, ...second, server];
}

/** 1 a name of a machine, 2 an IP address, 5 a URI. */
function network(address: string): Record<string, string> {
  if (address === '') return {};
  const type = isIP(address) ? '2' : address.includes('://') ? '5' : '1';
  return { NetworkAccessPointID: address, NetworkAccessPointTypeCode: type };
}

/** PS3.5 9.1: what a Study Instance UID looks like; anything else is a pseudonym. */
const UID = /^[0-2](\.(0|[1-9]\d*))+$/;

function mainObject(record: AuditRecord, source: AuditSource, withDetail: boolean): string {
  const { event, interaction } = codesOf(record);
  const isAuditLog = event.code === EVENTS.auditLogUsed.code;
  const isSearch = interaction === 'search';
  const kind = objectKindOf(record);
  const id = isAuditLog ? `${source.serverAddress}/api/v1/audit` : record.objectId || '-';
  const attributes = {
    ParticipantObjectID: id,
    ParticipantObjectTypeCode: '2',
    ParticipantObjectTypeCodeRole: isAuditLog ? '13' : isSearch ? '24' : kind.role,
  };
  // The schema takes a name or a query, never both.
  const what = isSearch
    ? element('ParticipantObjectQuery', {}, base64(withDetail ? queryOf(record) : '{}'))
    : element('ParticipantObjectName', {}, isAuditLog ? 'Security Audit Log' : kind.text);
  return element(
    'ParticipantObjectIdentification',
    attributes,
    objectIdType(record, { isAuditLog, isSearch }),
    what,
    ...detailsOf(record, withDetail).map(([type, value]) =>
      element('ParticipantObjectDetail', { type, value: base64(value) }),
    ),
  );
}

function objectIdType(
  { objectType, objectId }: AuditRecord,
  { isAuditLog, isSearch }: { isAuditLog: boolean; isSearch: boolean },
): string {
  const name = 'ParticipantObjectIDTypeCode';
  if (isAuditLog) return coded(name, { code: '12', text: 'URI' }, 'RFC-3881');
  if (isSearch) return coded(name, { code: '10', text: 'Search Criteria' }, 'RFC-3881');
  if (objectType === 'study' && UID.test(objectId)) {
    return coded(name, { code: '110180', text: 'Study Instance UID' }, 'DCM');
  }
  return coded(name, { code: objectType || '-', text: objectType || '-' }, OWN_SCHEME);
}

function patientObject({ patientId }: AuditRecord): string[] {
  if (patientId === null) return [];
  const attributes = {
    ParticipantObjectID: patientId || '-',
    ParticipantObjectTypeCode: '1',
    ParticipantObjectTypeCodeRole: '1',
  };
  const idType = { code: '2', text: 'Patient Number' };
  return [
    element(
      'ParticipantObjectIdentification',
      attributes,
      coded('ParticipantObjectIDTypeCode', idType, 'RFC-3881'),
      // No name is in the trail; the schema wants the element.
      element('ParticipantObjectName', {}),
    ),
  ];
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function coded(name: string, { code, text }: Code, scheme: string): string {
  return element(name, { 'csd-code': code, codeSystemName: scheme, originalText: text });
}

/** `children` are XML already. */
function element(
  name: string,
  attributes: Readonly<Record<string, string>>,
  ...children: readonly string[]
): string {
  const start = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(value)}"`);
  const content = children.join('');
  return `<${name}${start.join('')}${content === '' ? '/>' : `>${content}</${name}>`}`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};
const escaped = (text: string): string =>
  plainText(text).replace(/[&<>"']/g, (character) => ENTITIES[character]!);

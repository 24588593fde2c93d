/**
 * FHIR AuditEvent (R4): a record as the Basic Audit Log Patterns of IHE have it.
 * Decides which profile a record claims: only a success that has all that the profile asks for;
 * what was refused or failed has the same shape without the claim, as BALP says.
 * Invariants: no empty text and no control character; the patient is a logical reference, so that
 * no name is needed; the id is the record's hash. Source: HL7 FHIR R4 AuditEvent; IHE BALP 1.1.
 */
import { isIP } from 'node:net';
import type { AuditRecord } from '@aifi/contracts-rest';
import type { Json } from '@aifi/shared-kernel';
import { PURPOSES_OF_USE, type Code, type Interaction } from './act-codes.table.js';
import {
  actionOf,
  codesOf,
  detailsOf,
  objectKindOf,
  OUTCOME_CODES,
  OWN_SCHEME,
  plainText,
  purposeOf,
  queryOf,
  type AuditSource,
} from './rendering.js';

export type FhirAuditEvent = { readonly resourceType: 'AuditEvent' } & Readonly<
  Record<string, Json>
>;
type Fields = Readonly<Record<string, Json>>;

const TERMINOLOGY = 'http://terminology.hl7.org/CodeSystem';
const DCM = 'http://dicom.nema.org/resources/ontology/DCM';
const BALP = 'https://profiles.ihe.net/ITI/BALP';

const coding = (system: string, code: string, display?: string): Fields => ({
  ...{ system, code },
  ...(display ? { display } : {}),
});
const dcm = ({ code, text }: Code): Fields => coding(DCM, code, text);
/** Codes of our own have no published system: the designator, as a URI. */
const own = (code: string): Fields => coding(`urn:${OWN_SCHEME.toLowerCase()}`, plainText(code));

export function toFhirAuditEvent(record: AuditRecord, source: AuditSource): FhirAuditEvent {
  const { event, interaction } = codesOf(record);
  const profile = profileOf(record, source);
  const purpose = purposeOf(record);
  return {
    resourceType: 'AuditEvent',
    id: record.hash,
    ...(profile ? { meta: { profile: [`${BALP}/StructureDefinition/${profile}`] } } : {}),
    type: interaction
      ? coding(`${TERMINOLOGY}/audit-event-type`, 'rest', 'RESTful Operation')
      : dcm(event),
    subtype: subtypesOf(record),
    action: fhirAction(record),
    recorded: new Date(record.atMs).toISOString(),
    outcome: OUTCOME_CODES[record.outcome],
    ...(record.code === null ? {} : { outcomeDesc: plainText(record.code) }),
    ...(purpose ? { purposeOfEvent: [purposeConcept(record, purpose)] } : {}),
    agent: agents(record, source),
    source: {
      site: plainText(source.enterpriseSiteId),
      observer: { display: plainText(source.sourceId) },
      type: [coding(`${TERMINOLOGY}/security-source-type`, '4', 'Application Server')],
    },
    entity: entities(record),
  };
}

function subtypesOf(record: AuditRecord): Fields[] {
  const { event, types, interaction, disclosure } = codesOf(record);
  const ours = [...types.map(dcm), own(record.act)];
  if (disclosure) return [coding(`${TERMINOLOGY}/iso-21089-lifecycle`, 'disclose'), ...ours];
  if (!interaction) return ours;
  const rest = coding('http://hl7.org/fhir/restful-interaction', interaction);
  // The profile of a deletion has room for one only.
  return interaction === 'delete' ? [rest] : [rest, dcm(event), ...ours];
}

/** BALP wants the action of the interaction, DICOM that of its message. */
const ACTIONS: Readonly<Record<Interaction, string>> = {
  ...{ read: 'R', search: 'E', create: 'C', update: 'U', delete: 'D' },
};
function fhirAction(record: AuditRecord): string {
  const { interaction } = codesOf(record);
  return interaction ? ACTIONS[interaction] : actionOf(record);
}

const PROFILES: Readonly<Record<Interaction, string>> = {
  ...{ read: 'Read', search: 'Query', create: 'Create', update: 'Update', delete: 'Delete' },
};
function profileOf(record: AuditRecord, source: AuditSource): string | undefined {
  const { interaction, disclosure } = codesOf(record);
  const hasPatient = record.patientId !== null;
  const hasNetwork = record.sourceAddress !== '' && source.serverAddress !== '';
  if (record.outcome !== 'success' || !hasNetwork) return undefined;
  if (disclosure) return hasPatient ? 'IHE.BasicAudit.PrivacyDisclosure.Source' : undefined;
  if (!interaction) return undefined;
  return `IHE.BasicAudit.${hasPatient ? 'Patient' : ''}${PROFILES[interaction]}`;
}

function purposeConcept({ reason }: AuditRecord, purpose: keyof typeof PURPOSES_OF_USE): Fields {
  const code = coding(`${TERMINOLOGY}/v3-ActReason`, purpose, PURPOSES_OF_USE[purpose]);
  return { coding: [code], ...(reason ? { text: plainText(reason) } : {}) };
}

const SOURCE_ROLE = coding(DCM, '110153', 'Source Role ID');
const DESTINATION_ROLE = coding(DCM, '110152', 'Destination Role ID');
const participation = (code: string, display: string): Fields => ({
  coding: [coding(`${TERMINOLOGY}/v3-ParticipationType`, code, display)],
});

/** The client and the server as machines, then the people. */
function agents(record: AuditRecord, source: AuditSource): Fields[] {
  const { interaction, disclosure } = codesOf(record);
  const machine = (role: Fields, name: string, address: string): Fields => ({
    type: { coding: [role] },
    who: { display: plainText(name || '-') },
    requestor: false,
    ...network(address),
  });
  const { sourceAddress } = record;
  const [client, server] = machineRoles(interaction, disclosure === true);
  return [
    // What the server does by itself has no client.
    ...(sourceAddress === '' ? [] : [machine(client, sourceAddress, sourceAddress)]),
    machine(server, source.sourceId, source.serverAddress),
    userAgent(record),
    ...(record.responsibleUserId === null ? [] : [responsibleAgent(record.responsibleUserId)]),
  ];
}

/** What client and server are: who sends to whom, except when something is deleted. */
function machineRoles(
  interaction: Interaction | null,
  isDisclosure: boolean,
): readonly [client: Fields, server: Fields] {
  if (interaction === 'delete') {
    const custodian = `${TERMINOLOGY}/provenance-participant-type`;
    return [coding(DCM, '110150', 'Application'), coding(custodian, 'custodian', 'Custodian')];
  }
  const serverSends = interaction === 'read' || isDisclosure;
  return serverSends ? [DESTINATION_ROLE, SOURCE_ROLE] : [SOURCE_ROLE, DESTINATION_ROLE];
}

function userAgent(record: AuditRecord): Fields {
  const { interaction } = codesOf(record);
  const isAuthor = ['create', 'update', 'delete'].includes(interaction ?? '');
  const { role, userKind, userId, userName } = record;
  const purpose = purposeOf(record);
  return {
    type: isAuthor
      ? participation('AUT', 'Author')
      : participation('IRCP', 'information recipient'),
    role: [{ coding: [own(role ?? userKind)], text: plainText(role ?? userKind) }],
    who: { identifier: { value: plainText(userId || '-') } },
    ...(userName === '' ? {} : { name: plainText(userName) }),
    requestor: true,
    ...(purpose ? { purposeOfUse: [purposeConcept(record, purpose)] } : {}),
  };
}

function responsibleAgent(userId: string): Fields {
  return {
    type: participation('RESP', 'responsible party'),
    who: { identifier: { value: plainText(userId || '-') } },
    requestor: false,
  };
}

/** 1 a name of a machine, 2 an IP address, 5 a URI. */
function network(address: string): Fields {
  if (address === '') return {};
  const type = isIP(address) ? '2' : address.includes('://') ? '5' : '1';
  return { network: { address: plainText(address), type } };
}

function entities(record: AuditRecord): Fields[] {
  const patient = record.patientId === null ? [] : [patientEntity(record.patientId)];
  return [transactionEntity(record), dataEntity(record), ...patient, trailEntity(record)];
}

/** The request that it came with. */
function transactionEntity({ correlationId }: AuditRecord): Fields {
  return {
    what: { identifier: { value: plainText(correlationId || '-') } },
    type: coding(`${BALP}/CodeSystem/BasicAuditEntityType`, 'XrequestId'),
  };
}

/** Place in the chain and details: an entity of our own, because the others may have no details. */
function trailEntity(record: AuditRecord): Fields {
  return {
    type: own('audit-trail'),
    detail: detailsOf(record).map(([type, valueString]) => ({
      ...{ type: plainText(type), valueString: plainText(valueString) },
    })),
  };
}

function dataEntity(record: AuditRecord): Fields {
  const type = coding(`${TERMINOLOGY}/audit-entity-type`, '2', 'System Object');
  const role = (code: string, display: string): Fields =>
    coding(`${TERMINOLOGY}/object-role`, code, display);
  if (codesOf(record).interaction === 'search') {
    const query = Buffer.from(queryOf(record)).toString('base64');
    return { type, role: role('24', 'Query'), query };
  }
  const kind = objectKindOf(record);
  const what = { identifier: { value: plainText(record.objectId || '-') }, display: kind.text };
  // BALP takes report, job or resource for the data of a REST act.
  const roles: Readonly<Record<string, string>> = { '3': 'Report', '20': 'Job' };
  const display = roles[kind.role];
  return { what, type, role: display ? role(kind.role, display) : role('4', 'Domain Resource') };
}

function patientEntity(patientId: string): Fields {
  return {
    what: { type: 'Patient', identifier: { value: plainText(patientId || '-') } },
    type: coding(`${TERMINOLOGY}/audit-entity-type`, '1', 'Person'),
    role: coding(`${TERMINOLOGY}/object-role`, '1', 'Patient'),
  };
}

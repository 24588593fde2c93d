/**
 * What each act is in the codes of DICOM and FHIR: the one table behind both renderings.
 * Decides event, event types, the REST interaction and the purpose that an act always has.
 * Invariant: every act of the access table has a row, or this file does not compile. Acts that
 * leave no record when they succeed have one too, because their refusal does.
 * Source: PS3.15 A.5.3 and PS3.16 CID 400 to 403; IHE BALP 1.1; HL7 v3 ActReason.
 */
import type { Act, Role } from '@aifi/access-authorisation';

export interface Code {
  readonly code: string;
  readonly text: string;
}
const dcm = <C extends string>(code: C, text: string): Code & { readonly code: C } => ({
  code,
  text,
});

/** Families of events (CID 400). */
export const EVENTS = {
  auditLogUsed: dcm('110101', 'Audit Log Used'),
  instancesAccessed: dcm('110103', 'DICOM Instances Accessed'),
  instancesTransferred: dcm('110104', 'DICOM Instances Transferred'),
  exported: dcm('110106', 'Export'),
  imported: dcm('110107', 'Import'),
  patientRecord: dcm('110110', 'Patient Record'),
  procedureRecord: dcm('110111', 'Procedure Record'),
  query: dcm('110112', 'Query'),
  securityAlert: dcm('110113', 'Security Alert'),
  userAuthentication: dcm('110114', 'User Authentication'),
} as const;
/** Types within a family (CID 401 to 403). */
const LOGIN = dcm('110122', 'Login');
const LOGOUT = dcm('110123', 'Logout');
const SECURITY_CONFIGURATION = dcm('110129', 'Security Configuration');
const SOFTWARE_CONFIGURATION = dcm('110131', 'Software Configuration');
const RESTRICTED = dcm('110132', 'Use of Restricted Function');
const OBJECT_SECURITY = dcm('110135', 'Object Security Attributes Changed');
const USER_SECURITY = dcm('110137', 'User Security Attributes Changed');

/** HL7 v3 ActReason. */
export const PURPOSES_OF_USE = {
  TREAT: 'treatment',
  HOPERAT: 'healthcare operations',
  HSYSADMIN: 'health system administration',
  HCOMPL: 'health compliance',
  PATRQT: 'patient requested',
  BTG: 'break the glass',
} as const;
export type PurposeOfUse = keyof typeof PURPOSES_OF_USE;

/** FHIR REST interaction whose BALP profile the act follows. */
export type Interaction = 'read' | 'search' | 'create' | 'update' | 'delete';
export interface ActCodes {
  readonly event: Code;
  readonly types: readonly Code[];
  /** Null: no REST act, so the FHIR event has the DICOM code. */
  readonly interaction: Interaction | null;
  /** Patient data leaves for somebody outside: BALP privacy disclosure. */
  readonly disclosure?: true;
  /** Absent: the role says why. */
  readonly purpose?: PurposeOfUse;
}

const restricted = (interaction: Interaction): ActCodes => ({
  ...{ event: EVENTS.securityAlert, types: [RESTRICTED], interaction },
});
const authentication = (type: Code): ActCodes => ({
  ...{ event: EVENTS.userAuthentication, types: [type], interaction: null },
});
const record = (event: Code, purpose?: PurposeOfUse): ActCodes => ({
  ...{ event, types: [], interaction: 'read' },
  ...(purpose ? { purpose } : {}),
});
/** What the server does by itself: no REST act. */
const byServer = (event: Code, ...types: readonly Code[]): ActCodes => ({
  ...{ event, types, interaction: null, purpose: 'HOPERAT' },
});
const rights = (type: Code, interaction: Interaction): ActCodes => ({
  ...{ event: EVENTS.securityAlert, types: [type], interaction },
});
const AUDIT_LOG: ActCodes = {
  ...{ event: EVENTS.auditLogUsed, types: [], interaction: null, purpose: 'HCOMPL' },
};

export const ACT_CODES: Readonly<Record<Act, ActCodes>> = {
  'process.probe': restricted('read'),
  'interface.describe': restricted('read'),
  'session.start': authentication(LOGIN),
  'session.step-up': authentication(LOGIN),
  'session.end': authentication(LOGOUT),
  'session.revoke': authentication(LOGOUT),
  'session.read': restricted('read'),
  'page.follow': restricted('read'),
  'health.read': restricted('read'),
  'models.read': restricted('read'),
  'study-list.read': { event: EVENTS.query, types: [], interaction: 'search' },
  // The way of a study through the platform, without its pixels.
  'study.read': record(EVENTS.procedureRecord),
  'hospital-study-list.read': { event: EVENTS.query, types: [], interaction: 'search' },
  'hospital-study.read': record(EVENTS.procedureRecord),
  'identity.open': record(EVENTS.patientRecord),
  'dead-letters.read': { event: EVENTS.query, types: [], interaction: 'search' },
  'dead-letter.replay': restricted('update'),
  'reconciliation.read': { event: EVENTS.query, types: [], interaction: 'search' },
  'missed-study.dismiss': restricted('update'),
  'missed-study.fetch': restricted('create'),
  'retrievals.read': { event: EVENTS.query, types: [], interaction: 'search' },
  'retrieval.request': restricted('create'),
  'retrieval.withdraw': restricted('update'),
  'product.request': restricted('create'),
  'catalogue.read': restricted('read'),
  'catalogue.check': restricted('read'),
  'catalogue.import': rights(SOFTWARE_CONFIGURATION, 'create'),
  'catalogue.roll-back': rights(SOFTWARE_CONFIGURATION, 'update'),
  'objections.read': record(EVENTS.patientRecord),
  'objection.set': {
    ...{ event: EVENTS.patientRecord, types: [], interaction: 'create', purpose: 'PATRQT' },
  },
  'objection.withdraw': {
    ...{ event: EVENTS.patientRecord, types: [], interaction: 'update', purpose: 'PATRQT' },
  },
  'objection-list.check': restricted('read'),
  'objection-list.import': { event: EVENTS.imported, types: [], interaction: 'create' },
  'consent.receive': {
    ...{ event: EVENTS.patientRecord, types: [], interaction: 'create', purpose: 'PATRQT' },
  },
  'pixel-holds.read': { event: EVENTS.query, types: [], interaction: 'search' },
  'pixel-hold.open': record(EVENTS.instancesAccessed),
  'pixel-hold.release': restricted('update'),
  'pixel-hold.reject': restricted('update'),
  'job.retry': restricted('update'),
  'results-register.read': { event: EVENTS.query, types: [], interaction: 'search' },
  'patient-code.read': restricted('read'),
  'vault.erase': {
    ...{ event: EVENTS.patientRecord, types: [], interaction: 'delete', purpose: 'PATRQT' },
  },
  'approvals.read': restricted('search'),
  'approval.request': restricted('create'),
  // Somebody gets, or loses, a right for a time.
  'approval.decide': rights(USER_SECURITY, 'update'),
  'approval.end': rights(USER_SECURITY, 'update'),
  'linkage.read': record(EVENTS.patientRecord),
  'pixels.read': record(EVENTS.instancesAccessed, 'BTG'),
  'patient-flags.read': restricted('search'),
  'patient-flag.set': rights(OBJECT_SECURITY, 'create'),
  'patient-flag.remove': rights(OBJECT_SECURITY, 'delete'),
  'alerts.read': restricted('search'),
  'alert.acknowledge': restricted('update'),
  'audit.search': AUDIT_LOG,
  'audit.anchors': AUDIT_LOG,
  'audit.export': AUDIT_LOG,
  'patient-extract.read': {
    ...{ event: EVENTS.exported, types: [], interaction: null },
    ...{ disclosure: true, purpose: 'PATRQT' },
  },
  'product-stops.read': restricted('read'),
  'product.stop': restricted('update'),
  'product.resume': restricted('update'),
  'gateway.take-over': rights(SECURITY_CONFIGURATION, 'update'),
  'certificates.read': restricted('read'),
  'join-token.issue': rights(SECURITY_CONFIGURATION, 'create'),
  'certificate.revoke': rights(SECURITY_CONFIGURATION, 'update'),
  'authority.rotate': rights(SECURITY_CONFIGURATION, 'update'),
  'binding.create': rights(SECURITY_CONFIGURATION, 'create'),
  'binding.end': rights(SECURITY_CONFIGURATION, 'update'),
  'link.join': rights(SECURITY_CONFIGURATION, 'create'),
  'setup.check': { ...restricted('read'), interaction: null },
  'setup.plan': restricted('read'),
  'setup.change': rights(SOFTWARE_CONFIGURATION, 'update'),
  'probe.run': { ...restricted('read'), interaction: null },
  'gateway.join': byServer(EVENTS.securityAlert, SECURITY_CONFIGURATION),
  'certificate.renew': byServer(EVENTS.securityAlert, SECURITY_CONFIGURATION),
  'authority.create': byServer(EVENTS.securityAlert, SECURITY_CONFIGURATION),
  'authority.retire': byServer(EVENTS.securityAlert, SECURITY_CONFIGURATION),
  'site.enrol': byServer(EVENTS.securityAlert, SECURITY_CONFIGURATION),
  'site.change': byServer(EVENTS.securityAlert, SECURITY_CONFIGURATION),
  'deployment.change': byServer(EVENTS.securityAlert, SOFTWARE_CONFIGURATION),
  'rules.publish': byServer(EVENTS.securityAlert, SOFTWARE_CONFIGURATION),
  'audit.cut': byServer(EVENTS.securityAlert, RESTRICTED),
  // Leaves the hospital's own security domain, as a pseudonym.
  'study.export': byServer(EVENTS.exported),
  // To the PACS, within the hospital.
  'result.store': byServer(EVENTS.instancesTransferred),
  // Which patient a result belongs to is looked up, and forgotten: no patient is named.
  'vault.open': byServer(EVENTS.securityAlert, RESTRICTED),
  'vault.expire': byServer(EVENTS.securityAlert, RESTRICTED),
  'vault.erase-again': byServer(EVENTS.securityAlert, RESTRICTED),
  // An encrypted copy, for another disk.
  'vault.back-up': byServer(EVENTS.exported),
  'vault.restore': byServer(EVENTS.imported),
  'vault.check': byServer(EVENTS.securityAlert, RESTRICTED),
  'vault.replace': byServer(EVENTS.securityAlert, SECURITY_CONFIGURATION),
  'keys.rotate': byServer(EVENTS.securityAlert, SECURITY_CONFIGURATION),
  'keys.retire': byServer(EVENTS.securityAlert, SECURITY_CONFIGURATION),
  'keys.wrap': byServer(EVENTS.securityAlert, SECURITY_CONFIGURATION),
  'link.upload': { event: EVENTS.imported, types: [], interaction: null },
  'link.fetch': { event: EVENTS.exported, types: [], interaction: null },
};

/** Why people in a role look at anything; an act's own purpose comes first. */
export const ROLE_PURPOSES: Readonly<Record<Role, PurposeOfUse>> = {
  'hospital-it': 'HSYSADMIN',
  radiologist: 'TREAT',
  'central-operator': 'HSYSADMIN',
  'model-manager': 'HOPERAT',
  vendor: 'HOPERAT',
  auditor: 'HCOMPL',
  raio: 'HOPERAT',
  procurement: 'HOPERAT',
  radiographer: 'TREAT',
  resident: 'TREAT',
  'physician-assistant': 'TREAT',
  'referring-clinician': 'TREAT',
  'clinical-physicist': 'HOPERAT',
  'privacy-officer': 'HCOMPL',
};

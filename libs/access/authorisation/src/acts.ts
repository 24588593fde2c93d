/**
 * Acts: everything that somebody can do, with the cell of the table that allows it.
 * Decides what is audited, what needs fresh authentication and what needs a second person.
 * Invariant: this is the audit catalogue too: each audited act leaves exactly one record.
 * Source: security specification 5; NEN 7513.
 */
import type { AccessObject, Letter } from './access-table.js';

export interface ActRule {
  /**
   * public: anyone; person: anyone signed in; gateway: a client certificate; system: the server by
   * itself or a command on its machine, never a caller; or a table cell.
   */
  readonly by:
    'public' | 'person' | 'gateway' | 'system' | { object: AccessObject; letter: Letter };
  /** DICOM EventActionCode (PS3.15 A.5.2). */
  readonly action: 'C' | 'R' | 'U' | 'D' | 'E';
  /** Successes leave a record; a refusal of a signed-in caller always does. */
  readonly audited: boolean;
  /** Needs authentication not older than STEP_UP_MS_MAX. */
  readonly stepUp?: true;
  /** May only be done under a grant that a second person gave, for so long. @unit ms */
  readonly grantMs?: number;
}

/** How long a step-up lasts: one act and what belongs to it. [policy] @unit ms */
export const STEP_UP_MS_MAX = 5 * 60_000;
/** A request that nobody decides. [policy] @unit ms */
export const APPROVAL_REQUEST_MS_MAX = 24 * 3_600_000;
const HOUR_MS = 3_600_000;

const cell = (object: AccessObject, letter: Letter): { object: AccessObject; letter: Letter } => ({
  object,
  letter,
});

export const ACTS = {
  // Processes and documents
  'process.probe': { by: 'public', action: 'R', audited: false },
  'interface.describe': { by: 'public', action: 'R', audited: false },
  // Sign-in: the acts before there is a principal
  'session.start': { by: 'public', action: 'E', audited: true },
  'session.step-up': { by: 'person', action: 'E', audited: true },
  'session.end': { by: 'person', action: 'E', audited: true },
  'session.revoke': { by: 'public', action: 'E', audited: true },
  'session.read': { by: 'person', action: 'R', audited: false },
  'page.follow': { by: 'person', action: 'R', audited: false },
  // Overviews: counts, names of sites and products
  'health.read': { by: cell('gateway-health', 'R'), action: 'R', audited: false },
  'models.read': { by: cell('models', 'R'), action: 'R', audited: false },
  // Studies
  'study-list.read': { by: cell('study-trace', 'R'), action: 'R', audited: true },
  'study.read': { by: cell('study-trace', 'R'), action: 'R', audited: true },
  'hospital-study-list.read': { by: cell('hospital-studies', 'R'), action: 'R', audited: true },
  'hospital-study.read': { by: cell('hospital-studies', 'R'), action: 'R', audited: true },
  'identity.open': { by: cell('identified-data', 'R'), action: 'R', audited: true },
  // Dead letters of a gateway
  'dead-letters.read': { by: cell('dead-letters', 'R'), action: 'R', audited: true },
  'dead-letter.replay': { by: cell('dead-letters', 'W'), action: 'U', audited: true },
  // What the PACS has and the gateway should have seen: studies of the hospital, with their UIDs
  'reconciliation.read': { by: cell('missed-studies', 'R'), action: 'R', audited: true },
  'missed-study.dismiss': { by: cell('missed-studies', 'W'), action: 'U', audited: true },
  'missed-study.fetch': { by: cell('missed-studies', 'W'), action: 'C', audited: true },
  // Studies that are fetched from the PACS, with their UIDs
  'retrievals.read': { by: cell('retrievals', 'R'), action: 'R', audited: true },
  'retrieval.request': { by: cell('retrievals', 'W'), action: 'C', audited: true },
  'retrieval.withdraw': { by: cell('retrievals', 'W'), action: 'U', audited: true },
  // "Run this AI on this study"; the study by its UID
  'product.request': { by: cell('product-requests', 'W'), action: 'C', audited: true },
  // The hospital's procedure codes: no patient is in them, so that a look is not on record
  'catalogue.read': { by: cell('procedure-catalogue', 'R'), action: 'R', audited: false },
  'catalogue.check': { by: cell('procedure-catalogue', 'W'), action: 'R', audited: false },
  'catalogue.import': { by: cell('procedure-catalogue', 'W'), action: 'C', audited: true },
  'catalogue.roll-back': { by: cell('procedure-catalogue', 'W'), action: 'U', audited: true },
  // Objections of patients; a check of a list tells numbers of lines alone
  'objections.read': { by: cell('objections', 'R'), action: 'R', audited: true },
  'objection.set': { by: cell('objections', 'W'), action: 'C', audited: true },
  'objection.withdraw': { by: cell('objections', 'W'), action: 'U', audited: true },
  'objection-list.check': { by: cell('objections', 'W'), action: 'R', audited: false },
  'objection-list.import': { by: cell('objections', 'W'), action: 'C', audited: true },
  'consent.receive': { by: cell('objections', 'W'), action: 'C', audited: true },
  // Images that wait for a person: a look shows who they may be of, so it is as opening an identity
  'pixel-holds.read': { by: cell('pixel-holds', 'R'), action: 'R', audited: true },
  'pixel-hold.open': { by: cell('identified-data', 'R'), action: 'R', audited: true },
  // What leaves the hospital cannot be taken back.
  'pixel-hold.release': {
    ...{ by: cell('pixel-holds', 'W'), action: 'U', audited: true },
    stepUp: true,
  },
  'pixel-hold.reject': { by: cell('pixel-holds', 'W'), action: 'U', audited: true },
  'job.retry': { by: cell('stopped-jobs', 'W'), action: 'U', audited: true },
  // A gateway gets its certificate: whoever has the token decides whose hub it works with.
  'link.join': {
    ...{ by: cell('gateway-config', 'W'), action: 'C', audited: true },
    stepUp: true,
  },
  // Set-up: requests to the PACS by order of a person, and settings that restart the gateway
  'setup.check': { by: cell('gateway-config', 'W'), action: 'E', audited: true },
  'setup.plan': { by: cell('gateway-config', 'W'), action: 'R', audited: false },
  'setup.change': {
    ...{ by: cell('gateway-config', 'W'), action: 'U', audited: true },
    stepUp: true,
  },
  'probe.run': { by: cell('gateway-config', 'W'), action: 'E', audited: true },
  // Recall, and the right to be forgotten
  'results-register.read': { by: cell('results-register', 'R'), action: 'R', audited: true },
  'patient-code.read': { by: cell('vault-erasure', 'A'), action: 'R', audited: true },
  'vault.erase': {
    ...{ by: cell('vault-erasure', 'W'), action: 'D', audited: true },
    ...{ stepUp: true, grantMs: HOUR_MS },
  },
  // Two persons
  'approvals.read': { by: cell('approvals', 'R'), action: 'R', audited: false },
  'approval.request': { by: cell('approvals', 'R'), action: 'C', audited: true, stepUp: true },
  'approval.decide': { by: cell('approvals', 'R'), action: 'U', audited: true, stepUp: true },
  'approval.end': { by: cell('approvals', 'R'), action: 'U', audited: true },
  'linkage.read': {
    ...{ by: cell('linkage', 'W'), action: 'R', audited: true },
    ...{ stepUp: true, grantMs: HOUR_MS },
  },
  'pixels.read': {
    ...{ by: cell('hub-pixels', 'W'), action: 'R', audited: true },
    ...{ stepUp: true, grantMs: HOUR_MS },
  },
  // Privacy
  'patient-flags.read': { by: cell('patient-flags', 'R'), action: 'R', audited: true },
  'patient-flag.set': { by: cell('patient-flags', 'W'), action: 'C', audited: true },
  'patient-flag.remove': { by: cell('patient-flags', 'W'), action: 'D', audited: true },
  'alerts.read': { by: cell('privacy-alerts', 'R'), action: 'R', audited: true },
  'alert.acknowledge': { by: cell('privacy-alerts', 'W'), action: 'U', audited: true },
  // Audit
  'audit.search': { by: cell('audit-log', 'R'), action: 'R', audited: true },
  'audit.anchors': { by: cell('audit-log', 'R'), action: 'R', audited: false },
  'audit.export': { by: cell('audit-export', 'R'), action: 'R', audited: true, stepUp: true },
  'patient-extract.read': {
    ...{ by: cell('patient-extract', 'R'), action: 'R', audited: true },
    stepUp: true,
  },
  // Kill switches: one person stops, another one resumes.
  'product-stops.read': { by: cell('kill-switches', 'R'), action: 'R', audited: false },
  'product.stop': {
    ...{ by: cell('kill-switches', 'W'), action: 'U', audited: true },
    stepUp: true,
  },
  'product.resume': {
    ...{ by: cell('kill-switches', 'W'), action: 'U', audited: true },
    stepUp: true,
  },
  // Results of a lost gateway go to another one, for good: two persons.
  'gateway.take-over': {
    ...{ by: cell('enrolment', 'W'), action: 'U', audited: true },
    ...{ stepUp: true, grantMs: HOUR_MS },
  },
  // Enrolment of gateways: who has a token or a certificate is a hospital's gateway
  'certificates.read': { by: cell('enrolment', 'R'), action: 'R', audited: false },
  'join-token.issue': {
    ...{ by: cell('enrolment', 'W'), action: 'C', audited: true },
    stepUp: true,
  },
  'certificate.revoke': {
    ...{ by: cell('enrolment', 'W'), action: 'U', audited: true },
    stepUp: true,
  },
  'authority.rotate': {
    ...{ by: cell('enrolment', 'W'), action: 'U', audited: true },
    stepUp: true,
  },
  // A certificate of somebody else's authority becomes a hospital's gateway: two persons.
  'binding.create': {
    ...{ by: cell('enrolment', 'W'), action: 'C', audited: true },
    ...{ stepUp: true, grantMs: HOUR_MS },
  },
  'binding.end': {
    ...{ by: cell('enrolment', 'W'), action: 'U', audited: true },
    stepUp: true,
  },
  'gateway.join': { by: 'system', action: 'C', audited: true },
  'certificate.renew': { by: 'gateway', action: 'C', audited: true },
  'authority.create': { by: 'system', action: 'C', audited: true },
  'authority.retire': { by: 'system', action: 'D', audited: true },
  // What a server does by itself, from its configuration or its retention rule
  'site.enrol': { by: 'system', action: 'C', audited: true },
  'site.change': { by: 'system', action: 'U', audited: true },
  'deployment.change': { by: 'system', action: 'U', audited: true },
  'rules.publish': { by: 'system', action: 'C', audited: true },
  'audit.cut': { by: 'system', action: 'D', audited: true },
  // What the pipeline of a gateway does with a patient's data, by its journal
  'study.export': { by: 'system', action: 'E', audited: true },
  'result.store': { by: 'system', action: 'C', audited: true },
  // The link: gateways by their certificate
  'link.upload': { by: 'gateway', action: 'C', audited: false },
  'link.fetch': { by: 'gateway', action: 'R', audited: false },
  // What is done with a gateway's vault and keys, by its stages or by commands on its machine
  'vault.open': { by: 'system', action: 'R', audited: true },
  'vault.expire': { by: 'system', action: 'D', audited: true },
  'vault.erase-again': { by: 'system', action: 'D', audited: true },
  'vault.back-up': { by: 'system', action: 'E', audited: true },
  'vault.restore': { by: 'system', action: 'U', audited: true },
  'vault.check': { by: 'system', action: 'R', audited: true },
  // Another vault than that of the last record lies there: a restored one, or somebody's copy.
  'vault.replace': { by: 'system', action: 'U', audited: true },
  'keys.rotate': { by: 'system', action: 'U', audited: true },
  'keys.retire': { by: 'system', action: 'D', audited: true },
  'keys.wrap': { by: 'system', action: 'U', audited: true },
} as const satisfies Record<string, ActRule>;
export type Act = keyof typeof ACTS;

/** The rule of an act, with every optional part present. */
export const ruleOf = (act: Act): ActRule => ACTS[act];

/** Acts that a second person must allow first. */
export const ACTS_BY_TWO = (Object.keys(ACTS) as Act[]).filter(
  (act) => ruleOf(act).grantMs !== undefined,
);
export type ActByTwo =
  'linkage.read' | 'pixels.read' | 'vault.erase' | 'binding.create' | 'gateway.take-over';

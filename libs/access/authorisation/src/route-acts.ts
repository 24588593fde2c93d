/**
 * Which act each route is. Decides nothing else: a route without a row does not compile.
 * Invariant: REST routes of hub and gateway, and every gRPC method of the link, are here.
 * Source: security specification 5 (T-AUTHZ).
 */
import type { GatewayRouteId, HubRouteId, signInRoutes } from '@aifi/contracts-rest';
import type { downlink, enrolment, uplink } from '@aifi/contracts-proto';
import type { Act } from './acts.js';

const SHARED = {
  session: 'session.read',
  events: 'page.follow',
  openApi: 'interface.describe',
  protectedResource: 'interface.describe',
  health: 'process.probe',
  metrics: 'process.probe',
  listApprovals: 'approvals.read',
  requestApproval: 'approval.request',
  decideApproval: 'approval.decide',
  endApproval: 'approval.end',
  searchAudit: 'audit.search',
  exportAudit: 'audit.export',
  auditAnchors: 'audit.anchors',
  status: 'health.read',
  listStudies: 'study-list.read',
  study: 'study.read',
} as const;

export const HUB_ROUTE_ACTS: Record<HubRouteId, Act> = {
  ...SHARED,
  sites: 'health.read',
  siteActivity: 'health.read',
  models: 'models.read',
  productStops: 'product-stops.read',
  stopProduct: 'product.stop',
  resumeProduct: 'product.resume',
  takeOverGateway: 'gateway.take-over',
  job: 'study.read',
  studyInstances: 'pixels.read',
  instancePreview: 'pixels.read',
  issueJoinToken: 'join-token.issue',
  certificates: 'certificates.read',
  revokeCertificate: 'certificate.revoke',
  authority: 'certificates.read',
  rotateAuthority: 'authority.rotate',
  inspectCertificate: 'certificates.read',
  createBinding: 'binding.create',
  endBinding: 'binding.end',
};

export const GATEWAY_ROUTE_ACTS: Record<GatewayRouteId, Act> = {
  ...SHARED,
  listStudies: 'hospital-study-list.read',
  study: 'hospital-study.read',
  jobTrace: 'hospital-study.read',
  link: 'health.read',
  joinLink: 'link.join',
  deadLetters: 'dead-letters.read',
  replayDeadLetter: 'dead-letter.replay',
  replayDeadLetters: 'dead-letter.replay',
  reconciliation: 'reconciliation.read',
  dismissMissedStudy: 'missed-study.dismiss',
  fetchMissedStudy: 'missed-study.fetch',
  retrievals: 'retrievals.read',
  requestRetrieval: 'retrieval.request',
  withdrawRetrieval: 'retrieval.withdraw',
  productRequests: 'hospital-study.read',
  requestProduct: 'product.request',
  catalogue: 'catalogue.read',
  catalogueCoverage: 'catalogue.read',
  exportCatalogue: 'catalogue.read',
  checkCatalogue: 'catalogue.check',
  importCatalogue: 'catalogue.import',
  rollBackCatalogue: 'catalogue.roll-back',
  findObjections: 'objections.read',
  setObjection: 'objection.set',
  withdrawObjection: 'objection.withdraw',
  checkObjectionList: 'objection-list.check',
  importObjectionList: 'objection-list.import',
  receiveConsent: 'consent.receive',
  pixelHolds: 'pixel-holds.read',
  openPixelHold: 'pixel-hold.open',
  pixelHoldPreview: 'pixel-hold.open',
  releasePixelHold: 'pixel-hold.release',
  rejectPixelHold: 'pixel-hold.reject',
  retryJob: 'job.retry',
  setup: 'health.read',
  runSetupChecks: 'setup.check',
  stopSetupChecks: 'setup.check',
  planSetup: 'setup.plan',
  applySetup: 'setup.change',
  undoSetup: 'setup.change',
  probe: 'health.read',
  runProbe: 'probe.run',
  recall: 'results-register.read',
  exportRecall: 'results-register.read',
  registeredResult: 'results-register.read',
  patientCode: 'patient-code.read',
  erasePatient: 'vault.erase',
  openIdentity: 'identity.open',
  reidentify: 'linkage.read',
  patientFlags: 'patient-flags.read',
  setPatientFlag: 'patient-flag.set',
  removePatientFlag: 'patient-flag.remove',
  alerts: 'alerts.read',
  acknowledgeAlert: 'alert.acknowledge',
  patientExtract: 'patient-extract.read',
};

export const SIGN_IN_ROUTE_ACTS: Record<keyof typeof signInRoutes, Act> = {
  signIn: 'session.start',
  stepUp: 'session.step-up',
  callback: 'session.start',
  signOut: 'session.end',
  backChannelLogout: 'session.revoke',
};

/** Names of the methods of a generated service, without the index signature it extends. */
type MethodOf<S> = keyof { [K in keyof S as string extends K ? never : K]: S[K] };

export const LINK_METHOD_ACTS: Record<
  | MethodOf<uplink.UplinkServiceServer>
  | MethodOf<downlink.DownlinkServiceServer>
  | MethodOf<enrolment.EnrolmentServiceServer>,
  Act
> = {
  openStudy: 'link.upload',
  putObjects: 'link.upload',
  closeStudy: 'link.upload',
  getRoutingRules: 'link.fetch',
  streamOutcomes: 'link.fetch',
  streamControl: 'link.fetch',
  getAuditAnchors: 'link.fetch',
  renew: 'certificate.renew',
  getTrust: 'link.fetch',
};

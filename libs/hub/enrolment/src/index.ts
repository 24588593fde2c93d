/** Enrolment at the hub: authority, join tokens, certificates of gateways, bindings. */
export * from './bindings.js';
export { OVERLAP_MS, type CertificateRecord, type RevokedCertificate } from './certificates.js';
export { listCertificates, revokeCertificate } from './certificates.js';
export {
  GATEWAY_DAYS,
  serialOf,
  systemRandomness,
  type Randomness,
} from './certificate-profile.js';
export * from './expiry-watch.js';
export * from './hub-authority.js';
export * from './hub-enrolment.js';
export { HubTrust } from './hub-trust.js';
export * from './join-protocol.js';
export type { JoinAnswer } from './join-service.js';
export { insertToken, newSecret, tokenText, TOKEN_MS } from './join-token.js';
export { createEnrolmentService } from './renewal-service.js';
export * from './subject-identity.js';

/**
 * Certificates and bindings as the pages see them. Decides which state of a certificate is shown:
 * revoked before ended before valid. Invariant: no certificate text and no key is in a view.
 */
import type { BindingView, GatewayCertificateView } from '@aifi/contracts-rest';
import type { Binding, CertificateRecord } from '@aifi/hub-enrolment';
import type { Sha256 } from '@aifi/shared-kernel';

export function certificateView(record: CertificateRecord, nowMs: number): GatewayCertificateView {
  const { siteId, serial, gateway, notBeforeMs, notAfterMs, validUntilMs } = record;
  const ended = nowMs >= validUntilMs ? 'ended' : 'valid';
  return {
    ...{ siteId, serial, gateway, authorityId: record.authorityId as Sha256 },
    ...{ notBeforeMs, notAfterMs, validUntilMs },
    state: record.revokedAtMs === null ? ended : 'revoked',
    revokedAtMs: record.revokedAtMs,
    revokedBy: record.revokedBy,
    revocationReason: record.revocationReason,
  };
}

export function bindingView(binding: Binding): BindingView {
  const { id, siteId, gateway, issuer, subjectSerial, subjectKeySha256 } = binding;
  const { identitySha256, requestedBy, approvedBy, createdAtMs, endedAtMs } = binding;
  return {
    ...{ id, siteId, gateway, issuer, subjectSerial, subjectKeySha256, identitySha256 },
    ...{ requestedBy, approvedBy, createdAtMs, endedAtMs },
  };
}

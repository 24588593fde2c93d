/**
 * RenewalService: a gateway that is known keeps its certificate and what it trusts up to date.
 * Decides that a new certificate is for the calling gateway and nobody else, and that what it had
 * before goes on for a week at most, so that a renewal drops no stream.
 * Invariants: certificate and record are one transaction; a certificate that holds no longer is not
 * renewed, also on a connection that is still open; one of a national PKI is renewed there.
 * Source: security specification 5 (machines: renewal at 60 d); RFC 5280.
 */
import { createPublicKey, randomUUID, X509Certificate } from 'node:crypto';
import type { enrolment } from '@aifi/contracts-proto';
import { appendAudit, systemDraft, type HubDatabase } from '@aifi/hub-database';
import { siteUnary, type FaultListener, type LinkPeer } from '@aifi/hub-identity';
import { AifiError, crashPoint, type Clock } from '@aifi/shared-kernel';
import { readRequest, serialOf, signGateway, type Randomness } from './certificate-profile.js';
import { endOthers, findCertificate, recordCertificate, requireInForce } from './certificates.js';
import type { HubAuthority } from './hub-authority.js';
import type { TrustBundle, TrustBundles } from './trust-bundle.js';

export interface RenewalServiceOptions {
  readonly database: HubDatabase;
  readonly clock: Clock;
  readonly authority: HubAuthority;
  readonly bundles: TrustBundles;
  readonly randomness: Randomness;
}

export class RenewalService {
  constructor(private readonly options: RenewalServiceOptions) {}

  async renew(
    peer: LinkPeer,
    csr: Uint8Array,
    certificate: Uint8Array | undefined,
  ): Promise<enrolment.RenewResponse> {
    const { database, clock, authority, bundles, randomness } = this.options;
    const calling = callingCertificate(peer, certificate);
    const publicKey = await readRequest(csr);
    const issued = await database.withAccess(async (sql) => {
      const nowMs = clock.nowMs();
      const renews = serialOf(calling);
      // The connection may be older than the revocation.
      await requireInForce(sql, peer, { serial: renews, nowMs });
      const signer = await authority.signer(sql);
      const made = await signGateway(signer, peer, publicKey, { nowMs, randomness });
      crashPoint('hub.enrolment.before-renewal-recorded');
      await recordCertificate(sql, peer, { ...made, authorityId: signer.id, renews });
      await endOthers(sql, peer, { serial: made.serial, nowMs });
      const { siteId, gateway } = peer;
      const draft = systemDraft('certificate.renew', {
        ...{ siteId, objectType: 'certificate', objectId: made.serial },
        ...{ correlationId: randomUUID(), detail: { gateway, renews } },
      });
      const by = { userId: siteId, userName: siteId, userKind: 'machine' } as const;
      await appendAudit(sql, { ...draft, ...by }, nowMs);
      return made;
    });
    crashPoint('hub.enrolment.after-renewal-recorded');
    const bundle = await bundles.bundle();
    const der = new X509Certificate(issued.certificate).raw;
    return { certificate: der, ...derOf(bundle) };
  }

  async trust(
    peer: LinkPeer,
    certificate: Uint8Array | undefined,
  ): Promise<enrolment.GetTrustResponse> {
    const { database, bundles } = this.options;
    const calling = certificate && new X509Certificate(certificate);
    const record =
      calling &&
      (await database.withAccess((sql) => findCertificate(sql, peer.siteId, serialOf(calling))));
    const bundle = await bundles.bundle();
    const { document, signature } = bundles.configurationFor(peer, bundle);
    const notAfterMs = record?.validUntilMs ?? calling?.validToDate.getTime() ?? 0;
    return { ...derOf(bundle), configuration: document, signature, notAfterMs };
  }
}

/** The handlers of EnrolmentService. */
export function createEnrolmentService(
  service: RenewalService,
  onFault: FaultListener,
): enrolment.EnrolmentServiceServer {
  return {
    renew: siteUnary(
      (peer, { csr }: enrolment.RenewRequest, certificate) => service.renew(peer, csr, certificate),
      onFault,
    ),
    getTrust: siteUnary(
      (peer, _request: enrolment.GetTrustRequest, certificate) => service.trust(peer, certificate),
      onFault,
    ),
  };
}

/** The certificate of the call; FORBIDDEN when it does not name the gateway itself. */
function callingCertificate(
  { siteId, gateway }: LinkPeer,
  raw: Uint8Array | undefined,
): X509Certificate {
  const calling = raw && new X509Certificate(raw);
  const uri = `URI:spiffe://aifi/site/${siteId}/gw/${gateway}`;
  const names = calling?.subjectAltName?.split(', ') ?? [];
  if (calling && names.includes(uri)) return calling;
  throw new AifiError('FORBIDDEN', 'a certificate of another authority is renewed there');
}

const derOf = ({
  trustAnchors,
  signingKeys,
}: TrustBundle): {
  readonly trustAnchors: Buffer[];
  readonly signingKeys: Buffer[];
} => ({
  trustAnchors: trustAnchors.map((pem) => new X509Certificate(pem).raw),
  signingKeys: signingKeys.map((pem) =>
    createPublicKey(pem).export({ type: 'spki', format: 'der' }),
  ),
});

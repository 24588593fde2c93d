/**
 * IdentityInForce: the gateway's identity in force, and the changes that are allowed to it.
 * Decides that joining, renewing and following the hub's trust happen one after the other, each
 * checked before it is written and written before it is used.
 * Invariants: the site never changes; the number of the gateway changes only by joining again; an
 * older configuration is never followed. Source: reliability specification C1, 2 (DURABLE).
 */
import type { KeyObject } from 'node:crypto';
import {
  configurationDigest,
  decodeManifest,
  gatewayConfigurationSchema,
  type GatewayConfiguration,
} from '@aifi/contracts-manifests';
import { AifiError, crashPoint, type Clock } from '@aifi/shared-kernel';
import { certificateFacts } from './certificate-facts.js';
import { makeCertificateRequest } from './certificate-request.js';
import type { EnrolmentPort } from './enrolment-port.js';
import type { IdentityChange, IdentityFile, LinkIdentity } from './identity-file.js';
import type { JoinAnswer } from './join-exchange.js';
import {
  hasFingerprint,
  signingKeysOf,
  trustedCertificate,
  trustedConfiguration,
  type OwnPlace,
} from './received-trust.js';
import type { LinkCredentials } from './tls-dial.js';

export interface IdentityDependencies {
  readonly file: IdentityFile;
  readonly place: OwnPlace;
  readonly clock: Clock;
  /** After each change that connections must follow. */
  readonly onCredentials: () => void;
}

export class IdentityInForce {
  #identity: LinkIdentity | undefined;
  #keys: readonly KeyObject[] = [];
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly dependencies: IdentityDependencies) {
    this.#identity = dependencies.file.read();
    if (this.#identity) this.#keys = signingKeysOf(this.#identity.signingKeys);
  }

  get current(): LinkIdentity | undefined {
    return this.#identity;
  }
  /** Of the hub; none before joining. */
  get signingKeys(): readonly KeyObject[] {
    return this.#keys;
  }
  /** Digest of the hub's configuration that is followed; '' before joining. */
  get configurationSha256(): string {
    const identity = this.#identity;
    return identity ? configurationDigest(followedBy(identity)) : '';
  }
  get credentials(): LinkCredentials {
    const identity = this.#identity;
    if (!identity) return { trustAnchors: [] };
    const { key, certificate, trustAnchors } = identity;
    return { trustAnchors, own: { key, certificate } };
  }

  /** `exchange` brings a request (PKCS #10, PEM) to the hub; `pin` is the token's authority. */
  join(exchange: (csr: string) => Promise<JoinAnswer>, pin: string): Promise<void> {
    return this.#inTurn(async () => {
      const { place, clock } = this.dependencies;
      const request = await makeCertificateRequest(`gateway of ${place.siteId}`);
      const answer = await exchange(request.csr);
      const { document, signature } = answer.configuration;
      const keys = signingKeysOf(answer.signingKeys);
      const configuration = trustedConfiguration({ document, signature }, keys, place);
      const { trustAnchors, signingKeys } = configuration;
      if (!hasFingerprint(trustAnchors, pin)) {
        throw new AifiError('UNTRUSTED', "the token's authority is not among those to trust");
      }
      const options = { ...place, anchors: trustAnchors, nowMs: clock.nowMs() };
      const { gateway } = trustedCertificate(answer.certificate, request.key, options);
      if (gateway !== configuration.gateway || answer.siteId !== place.siteId) {
        throw new AifiError('UNTRUSTED', 'certificate and configuration are for two gateways');
      }
      const identity: LinkIdentity = {
        ...{ schema: 'aifi.gateway-identity.v1', key: request.key },
        ...{ certificate: answer.certificate, trustAnchors, signingKeys },
        configuration: encoded({ document, signature }),
        joinedAtMs: clock.nowMs(),
      };
      await this.#follow(identity, 'join');
    });
  }

  /** A new key and a new certificate for it. */
  renew(port: EnrolmentPort): Promise<void> {
    return this.#inTurn(async () => {
      const { place, clock } = this.dependencies;
      const before = this.#joined();
      const request = await makeCertificateRequest(`gateway of ${place.siteId}`);
      crashPoint('gateway.link.before-renewal-sent');
      const certificate = await port.renew(request.csr);
      crashPoint('gateway.link.after-renewal-answered');
      const options = { ...place, anchors: before.trustAnchors, nowMs: clock.nowMs() };
      const { gateway } = trustedCertificate(certificate, request.key, options);
      if (gateway !== certificateFacts(before.certificate).gateway) {
        throw new AifiError('UNTRUSTED', 'the new certificate is for another gateway');
      }
      await this.#follow({ ...before, key: request.key, certificate }, 'renewal');
    });
  }

  /**
   * Follows what the hub's signed configuration says now; true when whom to trust changed. The
   * newest document is kept either way: an older one is refused by its time.
   */
  refreshTrust(port: EnrolmentPort): Promise<boolean> {
    return this.#inTurn(async () => {
      const before = this.#joined();
      const signed = await port.getTrust();
      const { document } = signed;
      if (before.configuration.document === Buffer.from(document).toString('base64')) return false;
      const next = trustedConfiguration(signed, this.#keys, this.dependencies.place);
      const old = followedBy(before);
      if (next.issuedAtMs < old.issuedAtMs || next.gateway !== old.gateway) {
        throw new AifiError('UNTRUSTED', 'the configuration is older, or for another gateway');
      }
      const { trustAnchors, signingKeys } = next;
      const configuration = encoded(signed);
      await this.#follow({ ...before, trustAnchors, signingKeys, configuration }, 'trust');
      return !isSame(before.trustAnchors, trustAnchors) || !isSame(before.signingKeys, signingKeys);
    });
  }

  async #follow(identity: LinkIdentity, change: IdentityChange): Promise<void> {
    // Read before it is written: a key that does not parse must not be kept.
    const keys = signingKeysOf(identity.signingKeys);
    const isSameTls =
      identity.certificate === this.#identity?.certificate &&
      isSame(identity.trustAnchors, this.#identity.trustAnchors);
    await this.dependencies.file.write(identity, change);
    this.#identity = identity;
    this.#keys = keys;
    if (!isSameTls) this.dependencies.onCredentials();
  }

  #joined(): LinkIdentity {
    if (this.#identity) return this.#identity;
    throw new AifiError('NOT_JOINED', 'the gateway has not joined the hub yet');
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

const followedBy = ({ configuration }: LinkIdentity): GatewayConfiguration =>
  decodeManifest(gatewayConfigurationSchema, Buffer.from(configuration.document, 'base64'));

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  String(one) === String(other);

const encoded = (signed: {
  readonly document: Uint8Array;
  readonly signature: Uint8Array;
}): LinkIdentity['configuration'] => ({
  document: Buffer.from(signed.document).toString('base64'),
  signature: Buffer.from(signed.signature).toString('base64'),
});

/**
 * Trust bundle: what a gateway has to trust, and the configuration that the hub signs for it.
 * Decides which authorities a gateway learns: those behind the hub's own certificate, the static
 * ones, and the hub's authorities for gateways; never a national one, which vouches for no hub.
 * Invariant: the configuration names the gateway that it is for. Source: ADR 0021.
 */
import { createPublicKey, type KeyObject, type X509Certificate } from 'node:crypto';
import {
  encodeManifest,
  gatewayConfigurationSchema,
  signManifest,
} from '@aifi/contracts-manifests';
import type { LinkPeer } from '@aifi/hub-identity';
import type { Clock, Purpose } from '@aifi/shared-kernel';
import type { HubAuthority } from './hub-authority.js';
import type { ServerChain } from './pem-file.js';

export interface TrustBundle {
  /** PEM, each one certificate. */
  readonly trustAnchors: readonly string[];
  /** PEM, Ed25519. */
  readonly signingKeys: readonly string[];
}
export interface SignedConfiguration {
  /** Canonical JSON of aifi.gateway-configuration.v1. */
  readonly document: Buffer;
  readonly signature: Buffer;
}

export interface TrustBundlesOptions {
  readonly authority: HubAuthority;
  readonly clock: Clock;
  readonly signingKey: KeyObject;
  readonly purpose: Purpose;
  readonly staticAnchors: readonly X509Certificate[];
  /** As of now: the hub's certificate may change while it runs. */
  readonly serverChain: () => ServerChain;
}

export class TrustBundles {
  readonly #signingKey: string;

  constructor(private readonly options: TrustBundlesOptions) {
    const key = createPublicKey(options.signingKey);
    this.#signingKey = key.export({ type: 'spki', format: 'pem' }).toString();
  }

  async bundle(): Promise<TrustBundle> {
    const { authority, serverChain, staticAnchors } = this.options;
    const own = (await authority.list()).filter(({ state }) => state !== 'retired');
    const all = [
      ...serverChain().authorities,
      ...staticAnchors.map((one) => one.toString()),
      ...own.map(({ certificate }) => `${certificate.trim()}\n`),
    ];
    return { trustAnchors: [...new Set(all)], signingKeys: [this.#signingKey] };
  }

  /** The configuration of one gateway, signed now. */
  configurationFor(peer: LinkPeer, bundle: TrustBundle): SignedConfiguration {
    const { clock, purpose, signingKey } = this.options;
    const document = encodeManifest(gatewayConfigurationSchema, {
      schema: 'aifi.gateway-configuration.v1',
      ...{ siteId: peer.siteId, gateway: peer.gateway, purpose, issuedAtMs: clock.nowMs() },
      signingKeys: [...bundle.signingKeys],
      trustAnchors: [...bundle.trustAnchors],
    });
    return { document, signature: signManifest(document, signingKey) };
  }
}

/**
 * Trust bundle: what a gateway has to trust, and the configuration that the hub signs for it.
 * Decides which authorities a gateway learns: those behind the hub's own certificate, as
 * shown and as configured, and the hub's authorities for gateways; never one that vouches for
 * gateways alone.
 * Invariant: the configuration names the gateway that it is for. Source: ADR 0021.
 */
import { createPublicKey, type KeyObject, type X509Certificate } from 'node:crypto';
import {
  configurationDigest,
  configurationReferenceSchema,
  encodeManifest,
  gatewayConfigurationSchema,
  signManifest,
  type GatewayConfiguration,
} from '@aifi/contracts-manifests';
import type { LinkPeer } from '@aifi/hub-identity';
import type { Clock, Purpose, Sha256 } from '@aifi/shared-kernel';
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

/** Says which configuration a gateway should have; the gateway fetches it by itself. */
export interface SignedReference {
  readonly sequence: number;
  readonly sha256: Sha256;
  readonly bytes: Buffer;
  readonly signature: Buffer;
}

/** A hundred streams that ask within this time are one look at files and records. @unit ms */
const RECENT_MS = 1_000;

export interface TrustBundlesOptions {
  readonly authority: HubAuthority;
  readonly clock: Clock;
  readonly signingKey: KeyObject;
  readonly purpose: Purpose;
  readonly serverAnchors: readonly X509Certificate[];
  /** As of now: the hub's certificate may change while it runs. */
  readonly serverChain: () => ServerChain;
}

export class TrustBundles {
  readonly #signingKey: string;
  #recent: { readonly bundle: Promise<TrustBundle>; readonly untilMs: number } | undefined;

  constructor(private readonly options: TrustBundlesOptions) {
    const key = createPublicKey(options.signingKey);
    this.#signingKey = key.export({ type: 'spki', format: 'pem' }).toString();
  }

  async bundle(): Promise<TrustBundle> {
    const { authority, serverChain, serverAnchors } = this.options;
    const own = (await authority.list()).filter(({ state }) => state !== 'retired');
    const all = [
      ...serverChain().authorities,
      ...serverAnchors.map((one) => one.toString()),
      ...own.map(({ certificate }) => `${certificate.trim()}\n`),
    ];
    return { trustAnchors: [...new Set(all)], signingKeys: [this.#signingKey] };
  }

  /** The configuration of one gateway, signed now. */
  configurationFor(peer: LinkPeer, bundle: TrustBundle): SignedConfiguration {
    const { signingKey } = this.options;
    const configuration = this.#configurationOf(peer, bundle);
    const document = encodeManifest(gatewayConfigurationSchema, configuration);
    return { document, signature: signManifest(document, signingKey) };
  }

  /** What the control stream tells a gateway; as of a moment ago. */
  async reference(peer: LinkPeer): Promise<SignedReference> {
    const { clock, signingKey } = this.options;
    const nowMs = clock.monotonicMs();
    if (!this.#recent || nowMs >= this.#recent.untilMs) {
      this.#recent = { bundle: this.bundle(), untilMs: nowMs + RECENT_MS };
    }
    const configuration = this.#configurationOf(peer, await this.#recent.bundle);
    const { issuedAtMs } = configuration;
    const sha256 = configurationDigest(configuration);
    // Time rises with every change, also over processes and restarts.
    const reference = { sequence: Math.max(1, issuedAtMs), sha256, issuedAtMs };
    const bytes = encodeManifest(configurationReferenceSchema, {
      schema: 'aifi.configuration-reference.v1',
      ...reference,
    });
    const { sequence } = reference;
    return { sequence, sha256, bytes, signature: signManifest(bytes, signingKey) };
  }

  #configurationOf({ siteId, gateway }: LinkPeer, bundle: TrustBundle): GatewayConfiguration {
    const { clock, purpose } = this.options;
    return {
      schema: 'aifi.gateway-configuration.v1',
      ...{ siteId, gateway, purpose, issuedAtMs: clock.nowMs() },
      signingKeys: [...bundle.signingKeys],
      trustAnchors: [...bundle.trustAnchors],
    };
  }
}

/**
 * Link view: the link as people see it, on the gateway's page and the command line.
 * Decides which facts of certificates and proxy are shown.
 * Invariant: no key, token, name of a proxy's user or password in it.
 */
import type { GatewayLinkView } from '@aifi/contracts-rest';
import { connectivityState } from '@grpc/grpc-js';
import { alarmOf, certificateFacts, chanceOf, daysLeft, renewalAtMs } from './certificate-facts.js';
import type { IdentityInForce } from './identity-in-force.js';
import type { LinkKeeper } from './link-keeper.js';
import { targetOf, type LinkSettings } from './link-settings.js';
import type { LinkWatch } from './link-watch.js';
import { certificatesOf } from './received-trust.js';
import type { SwappableChannel } from './swappable-channel.js';

interface JoinedParts {
  readonly settings: LinkSettings;
  readonly nowMs: number;
  readonly channel: SwappableChannel;
  readonly identity: IdentityInForce;
  readonly keeper: LinkKeeper;
  readonly watch: LinkWatch;
}

export function viewOfJoined(parts: JoinedParts): GatewayLinkView {
  const { settings, nowMs, channel, identity, keeper, watch } = parts;
  const { current, signingKeys } = identity;
  const { address, proxy } = settings;
  const { lastContactAtMs, finding } = watch;
  return {
    mode: current ? 'joined' : 'not-joined',
    state: current && !watch.isRefused ? stateOf(channel.getConnectivityState(false)) : 'down',
    ...{ hub: address, serverName: targetOf(settings).serverName },
    proxy: proxy ? { url: proxy.url, isAuthenticated: proxy.userName !== undefined } : null,
    certificate: current ? certificateView(current.certificate, nowMs, true) : null,
    trustAnchors: (current?.trustAnchors ?? []).flatMap(anchorViews),
    signingKeys: signingKeys.length,
    joinedAtMs: current?.joinedAtMs ?? null,
    ...{ lastContactAtMs, trustCheckedAtMs: keeper.trustCheckedAtMs, finding },
  };
}

/** Of certificates that are files of the configuration: nothing renews them. */
export function viewOfFiles(options: {
  readonly address: string;
  readonly nowMs: number;
  readonly state: GatewayLinkView['state'];
  readonly certificate: string;
  readonly trustAnchors: string;
  readonly watch: Pick<LinkWatch, 'lastContactAtMs' | 'finding'>;
}): GatewayLinkView {
  const { address, nowMs, state, certificate, trustAnchors, watch } = options;
  const { lastContactAtMs, finding } = watch;
  return {
    ...{ mode: 'files', state, hub: address, serverName: targetOf({ address }).serverName },
    ...{ proxy: null, certificate: certificateView(certificate, nowMs, false) },
    ...{ trustAnchors: anchorViews(trustAnchors), signingKeys: 1, joinedAtMs: null },
    ...{ lastContactAtMs, trustCheckedAtMs: null, finding },
  };
}

export function stateOf(state: connectivityState): GatewayLinkView['state'] {
  if (state === connectivityState.READY) return 'up';
  const isTrying = state === connectivityState.CONNECTING || state === connectivityState.IDLE;
  return isTrying ? 'connecting' : 'down';
}

function certificateView(
  pem: string,
  nowMs: number,
  isRenewed: boolean,
): GatewayLinkView['certificate'] {
  const facts = certificateFacts(pem);
  const { serialNumber, gateway, notBeforeMs, notAfterMs } = facts;
  return {
    ...{ serialNumber, gateway, notBeforeMs, notAfterMs, daysLeft: daysLeft(facts, nowMs) },
    alarm: alarmOf(facts, nowMs),
    renewAtMs: isRenewed ? renewalAtMs(facts, chanceOf(facts)) : null,
  };
}

const anchorViews = (pem: string): GatewayLinkView['trustAnchors'] =>
  certificatesOf(pem).map((one) => {
    const { subject, fingerprint, notAfterMs } = certificateFacts(one.toString());
    return { subject, fingerprint, notAfterMs };
  });

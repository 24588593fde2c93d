/**
 * Provider: the OpenID provider that a server names, and what it gives to this program.
 * Decides how a person without a browser here signs in: with a code, in a browser elsewhere.
 * Invariants: the server's own word says who its provider is, and that word must be about the very
 * address that was asked; nothing secret goes over plain HTTP, except on this machine.
 * Source: RFC 8628 (device authorization grant); RFC 9728 (protected resource metadata).
 */
import * as openid from 'openid-client';
import { accessRoutes } from '@aifi/contracts-rest';
import { ask } from './api-client.js';
import type { Terminal } from './terminal.js';
import type { SavedTokens } from './tokens.js';

/** Public client of the realm (deploy/keycloak) and of the embedded provider. */
const CLIENT_ID = 'aifi-cli';
/** Level of authentication for acts that need a fresh sign-in. @source sign-in settings */
const STEP_UP_ACR = 'aifi-step-up';
/** A provider that gives no lifetime: ask again soon. @unit s */
const LIFETIME_SECONDS = 60;

/** Why a sign-in did not come about, in words that follow the server's address. */
export class SignInFault extends Error {}

type World = Pick<Terminal, 'fetch' | 'nowMs'>;
interface Provider {
  readonly config: openid.Configuration;
  readonly server: string;
  readonly issuer: string;
}

/** True for addresses over which a token may go. */
export function isConfidential(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  const isHere = hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname);
  return protocol === 'https:' || isHere;
}

async function providerOf(server: string, world: World): Promise<Provider> {
  requireConfidential(server, 'is not on https: a token could be read on its way');
  const { path, response } = accessRoutes.protectedResource;
  const about = await ask(world.fetch, { url: server, path: path.slice(1) }, response);
  if (about.kind === 'absent') throw new SignInFault('names no provider: is this the address?');
  if (about.kind === 'unreachable') throw new SignInFault(about.why);
  const { resource, authorization_servers: issuers } = about.document;
  if (resource.replace(/\/$/, '') !== server) {
    throw new SignInFault(`calls itself ${resource}: use that address`);
  }
  const [issuer] = issuers;
  if (issuer === undefined) throw new SignInFault('names no provider');
  requireConfidential(issuer, 'has a provider that is not on https');
  return { config: await discovered(issuer, world), server, issuer };
}

function requireConfidential(address: string, words: string): void {
  if (!isConfidential(address)) throw new SignInFault(words);
}

async function discovered(issuer: string, { fetch }: World): Promise<openid.Configuration> {
  // What is not https passed as an address of this machine.
  const isPlain = new URL(issuer).protocol === 'http:';
  try {
    return await openid.discovery(new URL(issuer), CLIENT_ID, undefined, openid.None(), {
      [openid.customFetch]: fetch as openid.CustomFetch,
      execute: isPlain ? [openid.allowInsecureRequests] : [],
    });
  } catch (cause) {
    throw new SignInFault('has a provider that does not answer', { cause });
  }
}

/** Where to sign in, and with which code. */
export interface DevicePrompt {
  readonly address: string;
  readonly code: string;
}

/** Signs in by RFC 8628; `show` is called once, then this waits for the person. */
export async function signInByDevice(
  server: string,
  options: { readonly stepUp: boolean; readonly show: (prompt: DevicePrompt) => void },
  world: World,
): Promise<SavedTokens> {
  const provider = await providerOf(server, world);
  const { config } = provider;
  try {
    const device = await openid.initiateDeviceAuthorization(config, {
      scope: scopeOf(config),
      ...(options.stepUp ? { acr_values: STEP_UP_ACR, max_age: '0', prompt: 'login' } : {}),
    });
    const address = device.verification_uri_complete ?? device.verification_uri;
    options.show({ address, code: device.user_code });
    const granted = await openid.pollDeviceAuthorizationGrant(config, device);
    return savedTokens(provider, granted, world);
  } catch (cause) {
    throw new SignInFault(wordsOf(cause), { cause });
  }
}

/** Without `offline_access` some providers give no refresh token, others refuse to know it. */
function scopeOf(config: openid.Configuration): string {
  const { scopes_supported: scopes = [] } = config.serverMetadata();
  return ['openid', 'profile', 'offline_access']
    .filter((scope) => scope !== 'offline_access' || scopes.includes(scope))
    .join(' ');
}

/** New tokens for old ones; undefined when the provider does not take them any more. */
export async function refreshed(
  tokens: SavedTokens,
  world: World,
): Promise<SavedTokens | undefined> {
  const { server, issuer, refreshToken } = tokens;
  if (refreshToken === null) return undefined;
  const config = await discovered(issuer, world);
  try {
    const granted = await openid.refreshTokenGrant(config, refreshToken);
    const saved = savedTokens({ config, server, issuer }, granted, world);
    return { ...saved, refreshToken: saved.refreshToken ?? refreshToken };
  } catch (error) {
    if (error instanceof openid.ResponseBodyError) return undefined;
    throw new SignInFault('has a provider that does not answer', { cause: error });
  }
}

function savedTokens(
  { server, issuer }: Provider,
  granted: openid.TokenEndpointResponse,
  { nowMs }: World,
): SavedTokens {
  return {
    ...{ schema: 'aifictl.tokens.v1', server, issuer, accessToken: granted.access_token },
    refreshToken: granted.refresh_token ?? null,
    expiresAtMs: nowMs() + (granted.expires_in ?? LIFETIME_SECONDS) * 1_000,
  };
}

/** The provider's codes in words. @source RFC 8628 3.5, RFC 6749 5.2 */
function wordsOf(cause: unknown): string {
  const code = cause instanceof openid.ResponseBodyError ? cause.error : undefined;
  if (code === 'access_denied') return 'has a provider where the sign-in was refused';
  if (code === 'expired_token') return 'has a provider that waited too long: try again';
  if (code !== undefined) return 'has a provider that does not let aifictl sign in';
  return 'has a provider that does not answer as it should';
}

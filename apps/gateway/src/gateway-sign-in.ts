/**
 * Sign-in at the gateway: the hospital's own provider, or the embedded one with visible accounts.
 * Decides which of the two starts, and with which names. Invariants: nothing of it needs the hub;
 * the embedded provider is a part of this process, knows this hospital's people only, and ends with
 * it. Source: security specification 5; OpenID Connect Core 1.0.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isRole, type Role } from '@aifi/access-authorisation';
import { demoAccounts, startEmbeddedProvider } from '@aifi/access-embedded-provider';
import {
  CALLBACK_PATH,
  createSignIn,
  type ProviderSettings,
  type SignIn,
  type SignInConfig,
} from '@aifi/access-sign-in';
import { signInRoutes } from '@aifi/contracts-rest';
import { loadOrCreateSessionKey, type GatewayAccess } from '@aifi/gateway-access';
import { AifiError, type Clock } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { GatewayConfig } from './gateway-config.js';

export interface GatewaySignInOptions {
  readonly config: Pick<
    GatewayConfig,
    'siteId' | 'publicUrl' | 'dataFolder' | 'signIn' | 'sessionKeyFile'
  >;
  readonly access: GatewayAccess;
  readonly clock: Clock;
  readonly logger: Logger;
}
export interface GatewaySignIn {
  readonly signIn: SignIn;
  readonly issuer: string;
  close(): Promise<void>;
}
interface RunningProvider {
  readonly settings: ProviderSettings;
  stop(): Promise<void>;
}
type Embedded = Extract<SignInConfig, { kind: 'embedded' }>;
type External = Extract<SignInConfig, { kind: 'oidc' }>;

export async function openGatewaySignIn(options: GatewaySignInOptions): Promise<GatewaySignIn> {
  const { config, access, clock } = options;
  const { siteId: homeSite, publicUrl, dataFolder, sessionKeyFile } = config;
  const keyFile = sessionKeyFile ?? join(dataFolder, 'keys', 'session.key');
  const sessionKey = await loadOrCreateSessionKey(keyFile);
  const { settings, stop } = await openProvider(options);
  try {
    const signIn = await createSignIn({
      ...settings,
      ...{ publicUrl, sessionKey, homeSite, clock },
      sessions: access.sessions,
      recordAnonymous: (draft) => access.trail.sink.append(draft),
    });
    return { signIn, issuer: settings.issuer, close: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openProvider(options: GatewaySignInOptions): Promise<RunningProvider> {
  const { signIn } = options.config;
  if (signIn.kind === 'embedded') return openEmbedded(options, signIn);
  return { settings: externalSettings(signIn), stop: async () => undefined };
}

function externalSettings(config: External): ProviderSettings {
  const { issuer, discoveryUrl, clientId, clientSecretFile, audience } = config;
  const { rolesClaim, sitesClaim, stepUpAcr } = config;
  return {
    ...{ issuer, clientId, audience, rolesClaim, sitesClaim, stepUpAcr },
    clientSecret: readSecret(clientSecretFile),
    ...(discoveryUrl !== undefined && { discoveryUrl }),
  };
}

async function openEmbedded(
  { config, clock, logger }: GatewaySignInOptions,
  { listen, automationSecretFile, automationRoles }: Embedded,
): Promise<RunningProvider> {
  const { publicUrl, dataFolder } = config;
  const siteIds = [config.siteId];
  const clientSecret = randomBytes(32).toString('hex');
  const provider = await startEmbeddedProvider({
    ...{ listen, clientSecret, audience: publicUrl, clock },
    redirectUris: [publicUrl + CALLBACK_PATH],
    postLogoutRedirectUris: [`${publicUrl}/`],
    backChannelLogoutUri: publicUrl + signInRoutes.backChannelLogout.path,
    accounts: demoAccounts({ siteIds }),
    keyFolder: join(dataFolder, 'keys', 'provider'),
    onFault: (fault) => logger.fault('the embedded provider failed', fault),
    ...(automationSecretFile !== undefined && {
      automation: {
        secret: readSecret(automationSecretFile),
        ...{ roles: rolesOf(automationRoles), siteIds },
      },
    }),
  });
  const { issuer, clientId } = provider;
  const names = { rolesClaim: 'aifi_roles', sitesClaim: 'aifi_sites', stepUpAcr: 'aifi-step-up' };
  return {
    settings: { issuer, clientId, clientSecret, audience: publicUrl, ...names },
    stop: () => provider.stop(),
  };
}

function rolesOf(names: readonly string[]): Role[] {
  if (names.every(isRole)) return [...(names as readonly Role[])];
  throw new AifiError('CONFIG_INVALID', 'signIn.automationRoles names a role that is none');
}

/** For anybody on the machine. */
const WORLD_READABLE = 0o004;

function readSecret(path: string): string {
  let mode: number;
  let text: string;
  try {
    mode = statSync(path).mode;
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new AifiError('CONFIG_INVALID', 'a secret file of signIn does not read', {
      cause: error,
    });
  }
  if ((mode & WORLD_READABLE) === 0) return text;
  throw new AifiError('CONFIG_INVALID', 'a secret file of signIn may be read by anybody');
}

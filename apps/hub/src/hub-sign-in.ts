/**
 * Sign-in at the hub: the hospital group's provider, or the embedded one with its visible accounts.
 * Decides which of the two starts, and with which names. Invariants: the embedded provider is part
 * of this process and ends with it; its secret is made at each start and leaves nowhere.
 * Source: security specification 5; OpenID Connect Core 1.0.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { isRole } from '@aifi/access-authorisation';
import {
  CALLBACK_PATH,
  createSignIn,
  type ProviderSettings,
  type SignIn,
  type SignInConfig,
} from '@aifi/access-sign-in';
import { demoAccounts, startEmbeddedProvider } from '@aifi/access-embedded-provider';
import { signInRoutes } from '@aifi/contracts-rest';
import { ALL_SITES } from '@aifi/hub-database';
import { AifiError } from '@aifi/shared-kernel';
import { readSecret, type HubParts } from './hub-parts.js';
import { readSessionKey } from './session-key.js';

export interface HubSignIn {
  readonly signIn: SignIn;
  readonly issuer: string;
  /** Of the embedded provider. */
  readonly providerPort?: number;
  close(): Promise<void>;
}
type Embedded = Extract<SignInConfig, { kind: 'embedded' }>;
type External = Extract<SignInConfig, { kind: 'oidc' }>;

interface RunningProvider {
  readonly settings: ProviderSettings;
  readonly port?: number;
  stop(): Promise<void>;
}

export async function openHubSignIn(parts: HubParts): Promise<HubSignIn> {
  const { config, clock, access } = parts;
  const sessionKey = readSessionKey(config);
  const provider = await openProvider(parts);
  try {
    const signIn = await createSignIn({
      ...provider.settings,
      ...{ publicUrl: config.publicUrl, sessionKey, homeSite: ALL_SITES, clock },
      sessions: access.sessions,
      recordAnonymous: (draft) => access.acts.append(draft),
    });
    const { settings, port, stop } = provider;
    const own = { signIn, issuer: settings.issuer, close: stop };
    return port === undefined ? own : { ...own, providerPort: port };
  } catch (error) {
    await provider.stop();
    throw error;
  }
}

async function openProvider(parts: HubParts): Promise<RunningProvider> {
  const { signIn } = parts.config;
  if (signIn.kind === 'embedded') return openEmbedded(parts, signIn);
  return { settings: externalSettings(signIn), stop: async () => undefined };
}

function externalSettings(config: External): ProviderSettings {
  const { issuer, discoveryUrl, clientId, audience, rolesClaim, sitesClaim, stepUpAcr } = config;
  const clientSecret = readText(config.clientSecretFile, 'signIn.clientSecretFile');
  return {
    ...{ issuer, clientId, clientSecret, audience, rolesClaim, sitesClaim, stepUpAcr },
    ...(discoveryUrl !== undefined && { discoveryUrl }),
  };
}

const readText = (path: string, setting: string): string =>
  readSecret(path, setting).toString('utf8').trim();

async function openEmbedded(
  { config, clock, logger }: HubParts,
  { listen, automationSecretFile, automationRoles }: Embedded,
): Promise<RunningProvider> {
  const { publicUrl, dataFolder, deployments } = config;
  const siteIds = [...new Set(deployments.map(({ siteId }) => siteId))];
  const clientSecret = randomBytes(32).toString('hex');
  const audience = publicUrl;
  if (!automationRoles.every(isRole)) {
    throw new AifiError('CONFIG_INVALID', 'signIn.automationRoles names a role that is none');
  }
  const provider = await startEmbeddedProvider({
    ...{ listen, clientSecret, audience, clock },
    redirectUris: [publicUrl + CALLBACK_PATH],
    postLogoutRedirectUris: [`${publicUrl}/`],
    backChannelLogoutUri: publicUrl + signInRoutes.backChannelLogout.path,
    accounts: demoAccounts({ siteIds }),
    keyFolder: join(dataFolder, 'provider'),
    onFault: (fault) => logger.fault('the embedded provider failed', fault),
    ...(automationSecretFile !== undefined && {
      automation: {
        secret: readText(automationSecretFile, 'signIn.automationSecretFile'),
        ...{ roles: automationRoles, siteIds },
      },
    }),
  });
  const { issuer, clientId, port } = provider;
  const names = { rolesClaim: 'aifi_roles', sitesClaim: 'aifi_sites', stepUpAcr: 'aifi-step-up' };
  return {
    settings: { issuer, clientId, clientSecret, audience, ...names },
    port,
    stop: () => provider.stop(),
  };
}

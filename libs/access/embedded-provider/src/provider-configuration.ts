/**
 * Configuration of oidc-provider: clients, claims, lives of tokens, features.
 * Decides that nothing is on that the platform does not use, that PKCE is required and that our own
 * pages need no consent. Invariants: exact redirect addresses; access tokens live 5 min; a refresh
 * token works once; every token of the pages ends with their session.
 * Source: RFC 9700; RFC 9068; security specification 5 and 7 (V9, V10).
 */
import {
  interactionPolicy,
  type ClientMetadata,
  type Configuration,
  type JWKS,
} from 'oidc-provider';
import type { EmbeddedProviderOptions } from './embedded-provider-options.js';
import type { Features, KoaContextWithOIDC } from './library.js';
import { devicePages } from './device-pages.js';
import { contextLanguage, isStepUp, SIGN_IN_ACR, STEP_UP_ACR } from './login-routes.js';
import { formPage } from './pages.js';
import { claimsOf, type People } from './people.js';
import type { ProviderStore } from './provider-store.js';
import type { SignOut } from './sign-out.js';
import { SIGNING_ALGORITHM } from './signing-keys.js';
import { TEXTS } from './texts.js';

export const PAGES_CLIENT_ID = 'aifi-pages';
export const CLI_CLIENT_ID = 'aifi-cli';
export const AUTOMATION_CLIENT_ID = 'automation';
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
/** Every access token is for the platform: nobody has to name it. */
const RESOURCE = 'urn:aifi:platform';
const SCOPES = ['openid', 'profile', 'offline_access'];
/** @source security specification 7 (V9) @unit s */
const ACCESS_SECONDS = 300;
/** @source security specification 5: a session lives 8 h @unit s */
const SESSION_SECONDS = 8 * 3_600;
/** Time to choose an account and enter a password. @unit s */
const INTERACTION_SECONDS = 600;

export interface ConfigurationParts {
  readonly options: EmbeddedProviderOptions;
  readonly port: number;
  readonly keys: JWKS;
  readonly store: ProviderStore;
  readonly people: People;
  readonly signOut: SignOut;
}

export function providerConfiguration(parts: ConfigurationParts): Configuration {
  const { options, port, keys, store, people } = parts;
  return {
    adapter: store.adapter,
    jwks: keys,
    clients: clientsOf(options),
    clientDefaults: { id_token_signed_response_alg: SIGNING_ALGORITHM },
    scopes: SCOPES,
    responseTypes: ['code'],
    acrValues: [SIGN_IN_ACR, STEP_UP_ACR],
    claims: {
      openid: [
        ...['sub', 'name', 'preferred_username', 'aifi_roles', 'aifi_sites'],
        ...['acr', 'auth_time'],
      ],
    },
    conformIdTokenClaims: false,
    findAccount: people.findAccount,
    extraTokenClaims: (context, token) => accessClaims(parts, context, token),
    loadExistingGrant,
    interactions: {
      policy: policy(),
      url: (_context, { uid }) => `/interaction/${uid}`,
    },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: async (_context, client) => client.grantTypeAllowed('refresh_token'),
    // A command line goes on when the browser that connected it has left.
    expiresWithSession: async (_context, token) => token.clientId !== CLI_CLIENT_ID,
    ttl: {
      ...{ AccessToken: ACCESS_SECONDS, ClientCredentials: ACCESS_SECONDS },
      ...{ AuthorizationCode: 60, DeviceCode: 600, IdToken: ACCESS_SECONDS },
      ...{ Grant: SESSION_SECONDS, RefreshToken: SESSION_SECONDS, Session: SESSION_SECONDS },
      Interaction: INTERACTION_SECONDS,
    },
    cookies: cookiesOf(port),
    clientBasedCORS: () => false,
    fetch: (address, init) => fetch(address, withoutDispatcher(init)),
    renderError,
    features: features(parts),
  };
}

/** The library's dispatcher refuses loopback; back-channel logout goes only to our own setting. */
const withoutDispatcher = (init: RequestInit | undefined): RequestInit =>
  ({ ...init, dispatcher: undefined }) as unknown as RequestInit;

function clientsOf(options: EmbeddedProviderOptions): ClientMetadata[] {
  const { redirectUris, postLogoutRedirectUris, backChannelLogoutUri, automation } = options;
  const pages: ClientMetadata = {
    ...{ client_id: PAGES_CLIENT_ID, client_secret: options.clientSecret },
    ...{ redirect_uris: redirectUris, post_logout_redirect_uris: postLogoutRedirectUris },
    ...{ grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] },
    response_modes: ['query'],
    ...(backChannelLogoutUri !== undefined && {
      backchannel_logout_uri: backChannelLogoutUri,
      backchannel_logout_session_required: true,
    }),
  };
  const cli: ClientMetadata = {
    ...{ client_id: CLI_CLIENT_ID, client_name: 'aifictl', token_endpoint_auth_method: 'none' },
    ...{ grant_types: [DEVICE_GRANT, 'refresh_token'], response_types: [], redirect_uris: [] },
  };
  if (!automation) return [pages, cli];
  const machine: ClientMetadata = {
    ...{ client_id: AUTOMATION_CLIENT_ID, client_secret: automation.secret },
    ...{ grant_types: ['client_credentials'], response_types: [], redirect_uris: [] },
  };
  return [pages, cli, machine];
}

/** Cookies know no port: without it in the name two providers of one machine would collide. */
function cookiesOf(port: number): NonNullable<Configuration['cookies']> {
  const attributes = { httpOnly: true, secure: true, sameSite: 'lax' } as const;
  return {
    names: {
      session: `__Host-aifi-provider-${port}`,
      interaction: `__Secure-aifi-interaction-${port}`,
      resume: `__Secure-aifi-resume-${port}`,
    },
    long: attributes,
    short: attributes,
  };
}

function policy(): interactionPolicy.DefaultPolicy {
  const { base, Check } = interactionPolicy;
  const steps = base();
  const isLoginNeeded = ({ oidc }: KoaContextWithOIDC): boolean =>
    isStepUp(oidc.params ?? {}) && oidc.result?.login === undefined;
  steps
    .get('login')
    ?.checks.add(
      new Check('step_up', 'a step-up authenticates anew', 'login_required', isLoginNeeded),
    );
  // Our own clients: what they get is decided here, not by the person.
  steps.remove('consent');
  return steps;
}

async function loadExistingGrant(context: KoaContextWithOIDC) {
  const { provider, client, session, account } = context.oidc;
  const { clientId = '' } = client ?? {};
  const grantId = session?.grantIdFor(clientId);
  const known = grantId === undefined ? undefined : await provider.Grant.find(grantId);
  if (known || !account) return known;
  const grant = new provider.Grant({ accountId: account.accountId, clientId });
  grant.addOIDCScope(SCOPES.join(' '));
  await grant.save();
  return grant;
}

/** What an access token says of a person, or of the automation. */
function accessClaims(
  { options, people }: ConfigurationParts,
  { oidc }: KoaContextWithOIDC,
  token: { readonly kind?: string; readonly accountId?: string },
): Record<string, unknown> {
  const { automation } = options;
  if (token.kind === 'ClientCredentials') {
    const { roles = [], siteIds = [] } = automation ?? {};
    return { name: AUTOMATION_CLIENT_ID, aifi_roles: [...roles], aifi_sites: [...siteIds] };
  }
  const account = people.byId(token.accountId ?? '');
  const { AuthorizationCode: code, DeviceCode: device, RefreshToken: refresh } = oidc.entities;
  const { acr, authTime } = code ?? device ?? refresh ?? {};
  return { ...(account && claimsOf(account)), acr, auth_time: authTime };
}

function features({ options, signOut }: ConfigurationParts): Features {
  return {
    devInteractions: { enabled: false },
    userinfo: { enabled: false },
    dPoP: { enabled: false },
    pushedAuthorizationRequests: { enabled: false },
    backchannelLogout: { enabled: true },
    clientCredentials: { enabled: options.automation !== undefined },
    deviceFlow: { enabled: true, charset: 'base-20', mask: '****-****', ...devicePages },
    introspection: {
      enabled: true,
      allowedPolicy: (_context, client) => client.clientAuthMethod !== 'none',
    },
    revocation: {
      enabled: true,
      allowedPolicy: (_context, client, token) => token.clientId === client.clientId,
    },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: signOut.logoutSource,
      postLogoutSuccessSource: signOut.postLogoutSuccessSource,
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => RESOURCE,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        ...{ scope: '', audience: options.audience, accessTokenTTL: ACCESS_SECONDS },
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: SIGNING_ALGORITHM } },
      }),
    },
  };
}

function renderError(context: KoaContextWithOIDC, out: { readonly error: string }): void {
  const language = contextLanguage(context, undefined);
  const { error: title, errorHelp: words } = TEXTS[language];
  context.type = 'html';
  context.body = formPage({ language, title, words, alert: out.error });
}

/**
 * KeycloakRig: a real Keycloak on another registrable name than the hub, and the hub moved to it.
 * Decides that both are served over TLS under names that only the test's browser knows, while the
 * hub reaches the provider by an address of this machine, as in a hospital's own network.
 * Invariant: the hub of the stack is the same process configuration, but for where people sign in.
 * Source: OpenID Connect Discovery 1.0; deploy/keycloak, deploy/services/keycloak.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '@aifi/shared-testing';
import type { Stack } from '@aifi/demo';
import { makeDevelopmentCertificates } from '../../../../deploy/certs/make-certs.mjs';
import {
  prepareKeycloak,
  TEST_USERS_FILE,
  type PreparedKeycloak,
} from '../../../../deploy/services/keycloak/start.mjs';
import { FIRST_SITE, HUB_NAME, LOGIN_NAME } from './world.js';

const AUDIENCE = 'aifi';

export interface KeycloakRig {
  /** Origins as the browser names them. */
  readonly hubUrl: string;
  readonly origins: readonly string[];
  /** False: out, at the provider. */
  setEnabled(userName: string, isEnabled: boolean): Promise<void>;
}

/** Starts Keycloak and restarts the hub, which from then on trusts nobody else. */
export async function moveToKeycloak(stack: Stack): Promise<KeycloakRig> {
  const { folder, hub, hubServer } = stack.parts;
  const [httpPort = 0, httpsPort = 0] = await freePorts(2);
  const certificates = await makeDevelopmentCertificates({
    folder: join(folder, 'tls'),
    sites: [],
  });
  const { certificateFile, keyFile } = certificates.hub;
  const hubUrl = `https://${HUB_NAME}:${new URL(hubServer.url).port}`;
  const loginUrl = `https://${LOGIN_NAME}:${httpsPort}`;
  const secret = randomBytes(32).toString('base64url');
  const keycloakFolder = join(folder, 'keycloak');
  mkdirSync(keycloakFolder, { mode: 0o700 });
  const prepared = prepareKeycloak({
    ...{ folder: keycloakFolder, httpPort, publicUrl: loginUrl, usersFile: TEST_USERS_FILE },
    https: { port: httpsPort, certificateFile, keyFile },
    pages: { url: hubUrl, secret },
    ...{ audience: AUDIENCE, testSite: FIRST_SITE },
  });
  await startKeycloak(stack, prepared);
  const clientSecretFile = join(folder, 'secrets', 'keycloak');
  writeFileSync(clientSecretFile, secret, { mode: 0o600 });
  const { issuer, discoveryUrl } = prepared;
  await hub.stop();
  await hub.start({
    AIFI_PUBLIC_URL: hubUrl,
    AIFI_HTTP__TLS: JSON.stringify({ certificateFile, keyFile }),
    AIFI_SIGN_IN: JSON.stringify({
      ...{ kind: 'oidc', issuer, discoveryUrl, clientSecretFile, audience: AUDIENCE },
    }),
  });
  return {
    ...{ hubUrl, origins: [hubUrl, loginUrl] },
    setEnabled: (userName, isEnabled) => setEnabled(prepared, userName, isEnabled),
  };
}

async function startKeycloak(stack: Stack, prepared: PreparedKeycloak): Promise<void> {
  const { command, arguments: words, environment, healthUrl } = prepared;
  const isReady = (): Promise<boolean> =>
    fetch(healthUrl).then(
      ({ ok }) => ok,
      () => false,
    );
  const order = { name: 'keycloak', command, arguments: words, isReady };
  await stack.add(order, environment).start();
}

/** By the administration interface of the provider, as its own staff would. */
async function setEnabled(
  { admin }: PreparedKeycloak,
  userName: string,
  isEnabled: boolean,
): Promise<void> {
  const body = new URLSearchParams({
    ...{ grant_type: 'password', client_id: 'admin-cli' },
    ...{ username: 'admin', password: admin.adminPassword },
  });
  const granted = await answered(fetch(admin.tokenUrl, { method: 'POST', body }));
  const { access_token: token } = (await granted.json()) as { access_token: string };
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const search = `${admin.url}/users?exact=true&username=${encodeURIComponent(userName)}`;
  const found = (await (await answered(fetch(search, { headers }))).json()) as { id: string }[];
  const change = { method: 'PUT', headers, body: JSON.stringify({ enabled: isEnabled }) };
  await answered(fetch(`${admin.url}/users/${found[0]?.id}`, change));
}

async function answered(asked: Promise<Response>): Promise<Response> {
  const response = await asked;
  if (!response.ok) throw new Error(`Keycloak answers ${response.status}`);
  return response;
}

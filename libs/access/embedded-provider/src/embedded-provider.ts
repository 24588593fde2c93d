/**
 * startEmbeddedProvider: an OpenID provider with visible accounts, for demonstration only.
 * Decides how the parts go together: headers, our own pages, the library, one HTTP server.
 * Invariants: the issuer never follows the Host header; cookies are Secure also on localhost, which
 * browsers trust; nothing of it writes to the console.
 * Source: OpenID Connect Core 1.0; security specification 5 and 7.
 */
import type { EventEmitter } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Middleware } from 'koa';
import { Provider } from 'oidc-provider';
import { AifiError, systemClock } from '@aifi/shared-kernel';
import { prefillCode } from './device-pages.js';
import type { EmbeddedProvider, EmbeddedProviderOptions } from './embedded-provider-options.js';
import { LoginRoutes } from './login-routes.js';
import { LoginTries } from './login-tries.js';
import { People } from './people.js';
import { PAGES_CLIENT_ID, providerConfiguration } from './provider-configuration.js';
import { ProviderStore } from './provider-store.js';
import { responseHeaders } from './response-headers.js';
import { SignOut } from './sign-out.js';
import { loadOrCreateSigningKeys } from './signing-keys.js';
import { TokenIntrospection } from './token-introspection.js';

/** A request of a browser or a server of this machine takes moments. @unit ms */
const REQUEST_MS_MAX = 15_000;

export async function startEmbeddedProvider(
  options: EmbeddedProviderOptions,
): Promise<EmbeddedProvider> {
  const keys = loadOrCreateSigningKeys(options.keyFolder);
  const store = new ProviderStore(join(options.keyFolder, 'provider.db'));
  const server = createServer({ requestTimeout: REQUEST_MS_MAX, headersTimeout: REQUEST_MS_MAX });
  try {
    const port = await listen(server, options.listen);
    const issuer = (options.publicUrl ?? `http://localhost:${port}`).replace(/\/$/, '');
    const people = new People(options.accounts);
    store.keepAccounts(options.accounts.map(({ id }) => id));
    const signOut = new SignOut(store);
    const configuration = { options, port, keys, store, people, signOut };
    const provider = new Provider(issuer, providerConfiguration(configuration));
    const introspection = new TokenIntrospection({
      keys,
      store,
      people,
      audience: options.audience,
    });
    introspection.watch(provider);
    trustOnly(provider, issuer);
    const tries = new LoginTries(options.clock ?? systemClock);
    provider.use(headers(issuer, options));
    provider.use(prefillCode);
    provider.use(signOut.middleware);
    provider.use(introspection.middleware);
    provider.use(new LoginRoutes({ provider, people, tries }).middleware);
    reportFaults(provider, options.onFault);
    const handle = provider.callback();
    server.on('request', (request, response) => void handle(request, response));
    return {
      ...{ issuer, clientId: PAGES_CLIENT_ID, port },
      disable: (accountId) => {
        people.disable(accountId);
        store.endAccount(accountId);
      },
      enable: (accountId) => people.enable(accountId),
      stop: () => stop(server, store),
    };
  } catch (error) {
    await stop(server, store);
    throw error;
  }
}

function listen(
  server: Server,
  { host, port }: EmbeddedProviderOptions['listen'],
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new AifiError('CONFIG_INVALID', 'the provider cannot listen there', { cause })),
    );
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

async function stop(server: Server, store: ProviderStore): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
  store.close();
}

/** The library builds addresses from the request: they come from the issuer instead. */
function trustOnly(provider: Provider, issuer: string): void {
  const { origin, host, protocol } = new URL(issuer);
  Object.defineProperties(provider.request, {
    origin: { get: () => origin },
    host: { get: () => host },
    protocol: { get: () => protocol.slice(0, -1) },
    // Browsers take localhost for secure; the cookie library looks at the protocol alone.
    secure: { get: () => true },
  });
}

function headers(issuer: string, options: EmbeddedProviderOptions): Middleware {
  const callbacks = [...options.redirectUris, ...options.postLogoutRedirectUris];
  const values = responseHeaders(issuer, callbacks);
  return async (context, next) => {
    context.set(values);
    try {
      await next();
    } catch (error) {
      // Koa would answer by itself, without these headers.
      context.status = 500;
      context.body = 'Internal error';
      context.app.emit('error', error);
    }
  };
}

function reportFaults(provider: Provider, onFault: EmbeddedProviderOptions['onFault']): void {
  const report = (cause: unknown): void =>
    onFault?.(new AifiError('INTERNAL', 'the embedded provider failed', { cause }));
  // Koa writes to the console unless somebody listens.
  (provider as EventEmitter).on('error', report);
  provider.on('server_error', (_context, error) => report(error));
}

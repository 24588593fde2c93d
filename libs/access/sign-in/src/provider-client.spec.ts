/**
 * Goal: only the configured provider is trusted, and only over connections nobody can read.
 * Method: metadata and settings that are wrong in one place; answers that do not end.
 */
import { describe, expect, it } from '@jest/globals';
import { boundedFetch, isConfidential } from './bounded-fetch.js';
import { createSignIn } from './create-sign-in.js';
import { FAKE_ISSUER } from './fake-provider.js';
import { ProviderClient } from './provider-client.js';
import { SignInRig } from './sign-in-rig.js';
import type { SignInOptions } from './sign-in-options.js';

const LOCAL = 'http://127.0.0.1:8180/realms/aifi';

describe(ProviderClient.name, () => {
  it.each([
    ['another issuer', { issuer: 'https://evil.test' }],
    ['the issuer with a slash more', { issuer: `${FAKE_ISSUER}/` }],
    ['plain HTTP for tokens', { token_endpoint: 'http://idp.hospital.test/token' }],
    ['plain HTTP for keys', { jwks_uri: 'http://idp.hospital.test/keys' }],
    ['plain HTTP for pages', { authorization_endpoint: 'http://idp.hospital.test/auth' }],
    ['a script for a page', { end_session_endpoint: 'javascript:alert(1)' }],
    ['no keys', { jwks_uri: undefined }],
  ])('does not start with metadata that name %s', async (_, changes) => {
    const { provider, options } = await SignInRig.make();
    Object.assign(provider.metadata, changes);
    await expect(createSignIn(options)).rejects.toMatchObject({ code: 'UNTRUSTED' });
  });

  it.each<[string, Partial<SignInOptions>]>([
    ['a short session key', { sessionKey: new Uint8Array(16) }],
    ['the client as audience', { audience: 'aifi-pages' }],
    ['no audience', { audience: '' }],
    ['a secret to guess', { clientSecret: 'secret' }],
    ['pages over plain HTTP', { publicUrl: 'http://hub.example.test' }],
    ['pages below a path', { publicUrl: 'https://hub.example.test/pages' }],
  ])('does not start with %s', async (_, changes) => {
    const { options } = await SignInRig.make();
    await expect(createSignIn({ ...options, ...changes })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });

  it('reads the metadata elsewhere, and the issuer must still be the configured one', async () => {
    const { provider, options } = await SignInRig.make();
    const asked: string[] = [];
    const split = {
      ...{ ...options, discoveryUrl: LOCAL },
      fetch: (address: string, init: RequestInit) => {
        asked.push(address);
        return provider.fetch(address, init);
      },
    };
    await createSignIn(split);
    expect(asked).toEqual([`${LOCAL}/.well-known/openid-configuration`]);
    Object.assign(provider.metadata, { issuer: LOCAL });
    await expect(createSignIn(split)).rejects.toMatchObject({ code: 'UNTRUSTED' });
  });

  it('sends browsers to plain HTTP only for a provider of this machine', async () => {
    const { provider, options } = await SignInRig.make();
    const issuer = 'http://idp.other.test:8180/realms/aifi';
    Object.assign(provider.metadata, { issuer, authorization_endpoint: `${issuer}/auth` });
    const local = { ...options, issuer, discoveryUrl: LOCAL };
    await expect(createSignIn(local)).resolves.toBeDefined();
    const remote = { ...options, issuer, discoveryUrl: FAKE_ISSUER };
    await expect(createSignIn(remote)).rejects.toMatchObject({ code: 'UNTRUSTED' });
  });
});

describe(boundedFetch.name, () => {
  it('never leaves this machine over plain HTTP', async () => {
    const hosts = ['localhost', '127.0.0.1:1', '[::1]', 'idp.localhost'];
    for (const host of hosts) expect(isConfidential(new URL(`http://${host}/`))).toBe(true);
    const others = [
      'http://10.0.0.1/',
      'http://localhost.evil.test/',
      'http://127.0.0.1.nip.test/',
    ];
    const sut = boundedFetch(() => Promise.reject(new Error('was asked')));
    for (const address of [...others, 'file:///etc/passwd', 'ftp://localhost/']) {
      await expect(sut(address, {})).rejects.toMatchObject({ code: 'UNTRUSTED' });
    }
  });

  it('stops reading an answer without end', async () => {
    let given = 0;
    let isCancelled = false;
    const endless = new ReadableStream({
      pull: (controller) => {
        given += 1;
        controller.enqueue(new Uint8Array(64 * 1024));
      },
      cancel: () => {
        isCancelled = true;
      },
    });
    const sut = boundedFetch(() => Promise.resolve(new Response(endless)));
    await expect(sut('https://idp.test/', {})).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(isCancelled).toBe(true);
    expect(given).toBeLessThan(10);
  });

  it('passes on that it was told to stop', async () => {
    const stop = new AbortController();
    const sut = boundedFetch(
      (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(new Error('stopped')));
        }),
    );
    const answer = sut('https://idp.test/', { signal: stop.signal });
    stop.abort();
    await expect(answer).rejects.toThrow('stopped');
  });
});

/**
 * Goal: a script of the stack always asks with a token that is good, also when the provider was
 * killed and has forgotten it. Method: a server and a provider of our own on loopback.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { statSync } from 'node:fs';
import { z } from 'zod';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { writeSecret } from './secrets.js';
import { ServerClient } from './server-client.js';

describe(ServerClient.name, () => {
  let folder: TemporaryFolder;
  let server: Server;
  let sut: ServerClient;
  /** Tokens given out; the last one is good. */
  let given: string[];
  let lifeSeconds: number;
  let orders: { readonly address: string; readonly authorization: string | undefined }[];

  const json = (response: ServerResponse, status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  function answer(address: string, authorization: string | undefined, to: ServerResponse): void {
    if (address === '/.well-known/openid-configuration') {
      return json(to, 200, { token_endpoint: `${sut.issuer}/token` });
    }
    if (address === '/token') {
      given.push(`token-${given.length}`);
      return json(to, 200, { access_token: given.at(-1), expires_in: lifeSeconds });
    }
    if (authorization !== `Bearer ${given.at(-1)}`) return json(to, 401, {});
    if (address === '/list?limit=200') return json(to, 200, { items: [1, 2], nextCursor: 'a/b' });
    if (address.startsWith('/list')) return json(to, 200, { items: [3], nextCursor: null });
    return json(to, Number(address.slice(1)) || 200, { address });
  }
  beforeEach(async () => {
    folder = temporaryFolder('server-client');
    [given, orders, lifeSeconds] = [[], [], 300];
    server = createServer((request, response) => {
      const { url: address = '', headers } = request;
      orders.push({ address, authorization: headers.authorization });
      answer(address, headers.authorization, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://localhost:${(server.address() as AddressInfo).port}`;
    sut = new ServerClient({ url, issuer: url, secretFile: writeSecret(folder.path, 'hub') });
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    folder.remove();
  });
  const schema = z.object({ address: z.string() });
  const codeOf = (path: string): Promise<unknown> =>
    sut.read(path, schema).then(
      () => undefined,
      (error: { code?: string }) => error.code,
    );

  it('asks for one token, whoever comes first, and names no secret in an address', async () => {
    await Promise.all(['/a', '/b', '/c'].map((path) => sut.read(path, schema)));
    expect(given).toHaveLength(1);
    const [secretOrder] = orders.filter(({ address }) => address === '/token');
    expect(secretOrder?.authorization).toMatch(/^Basic /);
  });
  it('asks for another one shortly before the end of the first', async () => {
    lifeSeconds = 1;
    await sut.read('/a', schema);
    await sut.read('/b', schema);
    expect(given).toHaveLength(2);
  });
  it('asks for another one, once, when the server does not take it', async () => {
    await sut.read('/a', schema);
    given.push('of a provider that came back');
    expect(await sut.read('/b', schema)).toEqual({ address: '/b' });
    expect(await codeOf('/401')).toBe('PEER_REFUSED');
  });
  it('tells "not there", "cannot" and "may not" apart', async () => {
    expect(await codeOf('/404')).toBe('NOT_FOUND');
    expect(await codeOf('/503')).toBe('PEER_UNAVAILABLE');
    expect(await codeOf('/403')).toBe('PEER_REFUSED');
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(await codeOf('/a')).toBe('PEER_UNAVAILABLE');
  });
  it('reads a list to its end', async () => {
    const page = z.object({ items: z.array(z.number()), nextCursor: z.string().nullable() });
    expect(await sut.list('/list', page)).toEqual([1, 2, 3]);
    expect(orders.at(-1)?.address).toBe('/list?limit=200&cursor=a%2Fb');
  });
  it('keeps its secret in a file that only its user can read, another one for each server', () => {
    const [a, b] = [writeSecret(folder.path, 'a'), writeSecret(folder.path, 'b')];
    expect([a, b].map((file) => statSync(file).mode & 0o777)).toEqual([0o600, 0o600]);
    expect(a).not.toBe(b);
  });
});

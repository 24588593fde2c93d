/**
 * Goal: nobody is let in by a name alone, and no credential goes without TLS; who sends is who is
 * proven to. Method: a good configuration and one fault each; peers that show this and that.
 */
import { describe, expect, it } from '@jest/globals';
import { sha256Hex } from '@aifi/shared-kernel';
import { webCallerOf, type WebCaller, type WebPeer } from './web-caller.js';
import { webConfigSchema } from './web.config.js';

const tls = { port: 2762, certificateFile: 'c', keyFile: 'k', caFile: 'a' };
const certificateSha256 = 'a'.repeat(64);
const good = { tls, callers: [{ name: 'WEB1', certificateSha256 }] };
const problems = (config: object): string[] => {
  const { error } = webConfigSchema.safeParse(config);
  return (error?.issues ?? []).map(({ path }) => path.join('.'));
};

describe('webConfigSchema', () => {
  it('takes callers by certificate, by credential over TLS, and by address where that is said', () => {
    const callers = [
      { name: 'A', certificateSha256 },
      { name: 'B', bearerTokenFile: '/token' },
      { name: 'C', host: '10.0.0.1', plain: true, lane: 'acute' },
    ];
    expect(problems(good)).toEqual([]);
    expect(problems({ tls, port: 8080, callers })).toEqual([]);
    expect(webConfigSchema.parse(good).callers[0]).toMatchObject({ lane: 'routine', plain: false });
  });
  it.each([
    ['no port', { callers: [{ name: 'A', host: '10.0.0.1', plain: true }] }, 'port'],
    ['one port for both', { ...good, port: 2762 }, 'tls.port'],
    ['a name alone', { tls, callers: [{ name: 'A' }] }, 'callers.0.certificateSha256'],
    [
      'a name twice',
      { tls, callers: [...good.callers, { name: 'WEB1', host: '::1' }] },
      'callers.1.name',
    ],
    [
      'a proof twice',
      { tls, callers: [...good.callers, { name: 'B', certificateSha256 }] },
      'callers.1',
    ],
    [
      'plain without an address',
      { port: 1, callers: [{ name: 'A', plain: true }] },
      'callers.0.host',
    ],
    [
      'a credential in plain text',
      {
        tls,
        port: 1,
        callers: [{ name: 'A', host: '10.0.0.1', plain: true, bearerTokenFile: 't' }],
      },
      'callers.0.bearerTokenFile',
    ],
    [
      'a caller over TLS where there is none',
      { port: 1, callers: good.callers },
      'callers.0.plain',
    ],
    ['nobody', { tls, callers: [] }, 'callers'],
    ['a setting that nobody knows', { ...good, path: '/' }, ''],
  ])('refuses %s', (_name, config, path) => {
    expect(problems(config)).toContain(path);
  });
});

describe(webCallerOf.name, () => {
  const token = 't'.repeat(40);
  const caller = (name: string, part: Partial<WebCaller>): WebCaller => ({
    ...{ name, host: undefined, certificateSha256: undefined, tokenSha256: undefined },
    ...{ plain: false, lane: 'routine', ...part },
  });
  const callers = [
    caller('CERT', { certificateSha256 }),
    caller('BOTH', { certificateSha256: 'b'.repeat(64), host: '10.0.0.2' }),
    caller('HOST', { host: '10.0.0.3' }),
    caller('TOKEN', { tokenSha256: sha256Hex(token) }),
    caller('PLAIN', { host: '10.0.0.4', plain: true }),
  ];
  const over = (address: string, certificate?: string): WebPeer => ({
    ...{ address, isTls: true, certificateSha256: certificate },
  });
  const nameOf = (peer: WebPeer, authorization?: string): string | undefined =>
    webCallerOf(callers, peer, authorization)?.name;

  it.each<[string, WebPeer, string | undefined, string | undefined]>([
    ['a certificate', over('10.0.0.9', certificateSha256), undefined, 'CERT'],
    ['another certificate', over('10.0.0.9', 'c'.repeat(64)), undefined, undefined],
    ['certificate and address', over('10.0.0.2', 'b'.repeat(64)), undefined, 'BOTH'],
    ['that certificate elsewhere', over('10.0.0.9', 'b'.repeat(64)), undefined, undefined],
    ['an address with any certificate', over('10.0.0.3', 'c'.repeat(64)), undefined, 'HOST'],
    ['an address without one', over('10.0.0.3'), undefined, undefined],
    ['a credential', over('10.0.0.9'), `Bearer ${token}`, 'TOKEN'],
    ['another credential', over('10.0.0.9'), `Bearer ${token}t`, undefined],
    ['no bearer', over('10.0.0.9'), `Basic ${token}`, undefined],
    ['an endless credential', over('10.0.0.9'), `Bearer ${'t'.repeat(9_000)}`, undefined],
    ['plain', { ...over('10.0.0.4'), isTls: false }, undefined, 'PLAIN'],
    ['plain from elsewhere', { ...over('10.0.0.5'), isTls: false }, undefined, undefined],
    [
      'a credential in plain text',
      { ...over('10.0.0.9'), isTls: false },
      `Bearer ${token}`,
      undefined,
    ],
    ['plain where TLS is asked', { ...over('10.0.0.3'), isTls: false }, undefined, undefined],
  ])('%s', (_what, peer, authorization, name) => {
    expect(nameOf(peer, authorization)).toBe(name);
  });
});

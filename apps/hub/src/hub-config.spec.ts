/**
 * Goal: settings that would expose data are refused before anything starts.
 * Method: a good configuration with one thing changed.
 */
import { describe, expect, it } from '@jest/globals';
import { hubConfigSchema as sut } from './hub-config.js';

const OIDC = {
  ...{ kind: 'oidc', issuer: 'https://idp.example', clientSecretFile: 's', audience: 'hub' },
};
const TLS = { certificateFile: 'c', keyFile: 'k' };
const GRPC = { port: 1, caFile: 'a', certificateFile: 'c', keyFile: 'k' };
const GOOD = {
  roles: ['api', 'jobs'],
  purpose: 'demonstration',
  dataFolder: 'data',
  grpc: GRPC,
  http: { port: 2 },
  publicUrl: 'http://localhost:2',
  signIn: { kind: 'embedded', listen: { port: 3 } },
  database: { kind: 'embedded' },
  signingKeyFile: 'k',
  modelsFolder: 'm',
  workerUrl: 'http://127.0.0.1:4',
  deployments: [],
};
const problemsOf = (change: object): string[] => {
  const { error } = sut.safeParse({ ...GOOD, ...change });
  return (error?.issues ?? []).map(({ path }) => path.join('.'));
};

describe('the configuration of a hub', () => {
  it.each<[string, object]>([
    ['as in the demonstration', {}],
    ['clinical, with the hospital group as provider', { purpose: 'clinical', signIn: OIDC }],
    [
      'beyond this machine with TLS',
      { http: { host: '0.0.0.0', port: 443, tls: TLS }, publicUrl: 'https://hub.example' },
    ],
    ['with gateways without a record', { grpc: { ...GRPC, gatewayCaFile: 'a' } }],
    ['on the other loopback', { http: { host: '::1', port: 2 }, publicUrl: 'http://[::1]:2' }],
    ['with a syslog receiver', { audit: { syslog: { host: 'log.example', caFile: 'a' } } }],
  ])('is taken %s', (_name, change) => {
    expect(problemsOf(change)).toEqual([]);
  });
  it.each<[string, object, string]>([
    ['visible accounts with clinical data', { purpose: 'clinical' }, 'signIn.kind'],
    [
      'gateways without a record with clinical data',
      { purpose: 'clinical', signIn: OIDC, grpc: { ...GRPC, gatewayCaFile: 'a' } },
      'grpc.gatewayCaFile',
    ],
    ['plain HTTP beyond this machine', { http: { host: '0.0.0.0', port: 2 } }, 'http.tls'],
    ['plain HTTP at an address', { http: { host: '192.168.1.2', port: 2 } }, 'http.tls'],
    ['plain HTTP at a name', { http: { host: '127.0.0.1.example', port: 2 } }, 'http.tls'],
    [
      'visible accounts beyond this machine',
      { signIn: { kind: 'embedded', listen: { host: '0.0.0.0', port: 3 } } },
      'signIn.listen.host',
    ],
    ['pages that are not encrypted', { publicUrl: 'http://hub.example' }, 'publicUrl'],
    ['pages below a path', { publicUrl: 'https://hub.example/hub' }, 'publicUrl'],
    ['pages of another kind', { publicUrl: 'ftp://hub.example' }, 'publicUrl'],
    ['unknown settings', { debug: true }, ''],
    ['one role beside the embedded database', { roles: ['api'] }, 'roles'],
    [
      'a syslog receiver without an authority',
      { audit: { syslog: { host: 'l' } } },
      'audit.syslog.caFile',
    ],
  ])('is refused for %s', (_name, change, path) => {
    expect(problemsOf(change)).toContain(path);
  });
});

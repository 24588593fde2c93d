/** Goal: what would be unsafe does not start. Method: a good configuration, and one fault each. */
import { describe, expect, it } from '@jest/globals';
import { gatewayConfigSchema } from './gateway-config.js';

const good = {
  ...{ siteId: 'site-a', purpose: 'demonstration', dataFolder: '/data' },
  http: { port: 8443 },
  publicUrl: 'http://localhost:8443/',
  signIn: { kind: 'embedded', listen: { port: 8444 } },
  dicom: {
    ...{ port: 11112, aeTitle: 'AIFI' },
    callers: [{ aeTitle: 'PACS', host: '10.0.0.1', plain: true }],
  },
  pacs: { host: '10.0.0.1', port: 104, calledAeTitle: 'PACS', callingAeTitle: 'AIFI' },
  hub: {
    ...{ address: 'hub.example:443', caFile: 'ca', certificateFile: 'c', keyFile: 'k' },
    signingPublicKeyFile: 's',
  },
};
const external = {
  ...{ kind: 'oidc', issuer: 'https://login.hospital.example', clientSecretFile: 's' },
  audience: 'aifi-gateway',
};
const tls = { certificateFile: 'c', keyFile: 'k' };
const problems = (part: object): string[] => {
  const parsed = gatewayConfigSchema.safeParse({ ...good, ...part });
  return parsed.success ? [] : parsed.error.issues.map(({ path }) => path.join('.'));
};

describe('the configuration of a gateway', () => {
  it('takes a demonstration on this machine, and clinical use with the own provider', () => {
    expect(problems({})).toEqual([]);
    expect(gatewayConfigSchema.parse(good).publicUrl).toBe('http://localhost:8443');
    expect(problems({ pacs: { ...good.pacs, commitment: {} } })).toEqual([]);
    const clinical = { purpose: 'clinical', signIn: external };
    const network = { http: { host: '10.0.0.2', port: 443, tls } };
    expect(problems({ ...clinical, ...network, publicUrl: 'https://ai.hospital.example' })).toEqual(
      [],
    );
  });
  it('takes a hub that is joined with a token, or all files of a certificate, never a mixture', () => {
    const { address, ...files } = good.hub;
    const proxy = { url: 'http://proxy.example:3128' };
    expect(problems({ hub: { address } })).toEqual([]);
    expect(problems({ hub: { address, serverName: 'hub', proxy } })).toEqual([]);
    expect(problems({ hub: { address, caFile: 'ca' } })).toEqual(['hub']);
    expect(problems({ hub: { address, ...files, proxy } })).toEqual(['hub']);
    expect(problems({ hub: { address, trust: 'everybody' } })).toEqual(['hub']);
  });
  it('is as strict about identity as it can be, and relaxes outside clinical use only', () => {
    const strict = { placeholderBirthDates: [], identityRemovedElsewhere: 'refuse' };
    expect(gatewayConfigSchema.parse(good).pseudonymise).toEqual({
      ...{ ...strict, dates: 'by-contract' },
    });
    const relaxed = { pseudonymise: { identityRemovedElsewhere: 'allow' } };
    expect(problems(relaxed)).toEqual([]);
    const clinical = { purpose: 'clinical', signIn: external };
    expect(problems({ ...clinical, pseudonymise: { dates: 'remove' } })).toEqual([]);
    expect(problems({ ...clinical, ...relaxed })).toEqual([
      'pseudonymise.identityRemovedElsewhere',
    ]);
  });
  it.each([
    [
      'a placeholder that is no date of DICOM',
      { pseudonymise: { placeholderBirthDates: ['1970-01-01'] } },
      'pseudonymise.placeholderBirthDates.0',
    ],
    ['visible accounts in clinical use', { purpose: 'clinical' }, 'signIn.kind'],
    ['plain text over a network', { http: { host: '0.0.0.0', port: 80 } }, 'http.tls'],
    ['a page that keeps no cookie', { publicUrl: 'http://ai.hospital.example' }, 'publicUrl'],
    ['an address that is none', { publicUrl: 'ftp://localhost' }, 'publicUrl'],
    [
      'the embedded provider on a network',
      { signIn: { kind: 'embedded', listen: { host: '10.0.0.2', port: 1 } } },
      'signIn.listen.host',
    ],
    ['no sign-in', { signIn: undefined }, 'signIn'],
    [
      'storage commitment of a PACS that may not call',
      { pacs: { ...good.pacs, calledAeTitle: 'OTHER', commitment: {} } },
      'pacs.commitment',
    ],
    [
      'a retrieval by C-MOVE from a PACS that may not call',
      { pacs: { ...good.pacs, calledAeTitle: 'OTHER' }, retrieve: { way: 'move' } },
      'retrieve.way',
    ],
    ['a retrieval by WADO-RS without DICOMweb', { retrieve: { way: 'wado' } }, 'retrieve.way'],
    [
      'a rule that looks back further than studies are taken',
      { retrieve: { rules: [{ name: 'r', modality: 'CT', lookBackHours: 48 }] } },
      'retrieve.rules.0.lookBackHours',
    ],
    [
      'batches in the data folder',
      { folderIntake: { folder: '/data/drop' } },
      'folderIntake.folder',
    ],
    ['batches around the data folder', { folderIntake: { folder: '/' } }, 'folderIntake.folder'],
    ['a key that nobody knows', { signOn: true }, ''],
  ])('refuses %s', (_name, part, path) => {
    expect(problems(part)).toContain(path);
  });
});

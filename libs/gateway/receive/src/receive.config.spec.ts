/**
 * Goal: no caller without proof, no plain DICOM by accident.
 * Method: good settings, and one fault each.
 */
import { describe, expect, it } from '@jest/globals';
import { receiveConfigSchema } from './receive.config.js';

const plain = { aeTitle: 'CT1', host: '10.0.0.9', plain: true };
const secured = { aeTitle: 'MR1', certificateSha256: 'ab'.repeat(32), lane: 'acute' };
const tls = { port: 2762, certificateFile: 'c', keyFile: 'k', caFile: 'ca' };
const good = { port: 104, tls, aeTitle: 'AIFI', callers: [plain, secured] };
const problems = (part: object): string[] => {
  const parsed = receiveConfigSchema.safeParse({ ...good, ...part });
  return parsed.success ? [] : parsed.error.issues.map(({ path }) => path.join('.'));
};

describe('the settings of the listener', () => {
  it('take callers with TLS, and without it where that is said', () => {
    expect(problems({})).toEqual([]);
    expect(problems({ tls: undefined, callers: [plain] })).toEqual([]);
    expect(problems({ port: undefined, callers: [secured] })).toEqual([]);
    expect(problems({ port: 0, tls: { ...tls, port: 0 } })).toEqual([]);
  });

  it('take a title of its own for each product, and the zone of the hospital', () => {
    const aeTitles = [
      { aeTitle: 'AI_LUNG', product: 'lung' },
      { aeTitle: 'AI_HAND', product: 'hand', lane: 'acute' },
    ];
    expect(problems({ aeTitles, timeZone: 'America/Curacao' })).toEqual([]);
  });

  it('are strict where nothing is said: TLS, routine, this machine', () => {
    const callers = [{ aeTitle: 'MR1', host: '10.0.0.9' }];
    expect(receiveConfigSchema.parse({ ...good, callers })).toMatchObject({
      host: '127.0.0.1',
      callers: [{ plain: false, lane: 'routine' }],
    });
  });

  it.each([
    ['2001:DB8:0::9', '2001:db8::9'],
    ['::ffff:10.0.0.9', '10.0.0.9'],
  ])('know a caller at %s as the socket names it', (host, address) => {
    const callers = [{ aeTitle: 'MR1', host }];
    expect(receiveConfigSchema.parse({ ...good, callers }).callers[0]?.host).toBe(address);
  });

  it.each([
    ['every interface', { host: '0.0.0.0' }, 'host'],
    ['every interface of IPv6', { host: '::' }, 'host'],
    ['every interface, spelt otherwise', { host: '0:0:0:0:0:0:0:0' }, 'host'],
    ['every interface, mapped', { host: '::ffff:0.0.0.0' }, 'host'],
    ['a name that may resolve to anything', { host: 'localhost' }, 'host'],
    ['no port at all', { port: undefined, tls: undefined, callers: [plain] }, 'port'],
    ['one port for both', { tls: { ...tls, port: 104 } }, 'tls.port'],
    ['nobody to answer', { callers: [] }, 'callers'],
    ['an AE title twice', { callers: [plain, plain] }, 'callers.1.aeTitle'],
    ['an AE title alone', { callers: [{ aeTitle: 'MR1' }] }, 'callers.0.certificateSha256'],
    ['plain without a host', { callers: [{ ...secured, plain: true }] }, 'callers.0.host'],
    ['plain without a port', { port: undefined, callers: [plain] }, 'callers.0.plain'],
    ['TLS that is not there', { tls: undefined, callers: [secured] }, 'callers.0.plain'],
    [
      'a fingerprint in another form',
      { callers: [{ ...secured, certificateSha256: 'AB:CD' }] },
      'callers.0.certificateSha256',
    ],
    ['a name for a host', { callers: [{ ...plain, host: 'ct1.local' }] }, 'callers.0.host'],
    ['its own title again', { aeTitles: [{ aeTitle: 'AIFI', product: 'lung' }] }, 'aeTitles.0'],
    [
      'one title for two products',
      {
        aeTitles: [
          { aeTitle: 'AI_RUN', product: 'lung' },
          { aeTitle: 'AI_RUN', product: 'hand' },
        ],
      },
      'aeTitles.1',
    ],
    ['a zone that is none', { timeZone: 'Europe/Atlantis' }, 'timeZone'],
    ['a key that nobody knows', { callers: [{ ...plain, trusted: true }] }, 'callers.0'],
  ])('refuse %s', (_name, part, path) => {
    expect(problems(part)).toContain(path);
  });
});

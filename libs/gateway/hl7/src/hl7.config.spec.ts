/**
 * Goal: no sender without proof, no plain MLLP by accident.
 * Method: good settings, and one fault each.
 */
import { describe, expect, it } from '@jest/globals';
import { hl7ConfigSchema, senderOf } from './hl7.config.js';

const SHA = 'ab'.repeat(32);
const plain = { name: 'zis', host: '10.0.0.9', plain: true };
const secured = { name: 'ris', certificateSha256: SHA };
const tls = { port: 2576, certificateFile: 'c', keyFile: 'k', caFile: 'ca' };
const good = { port: 2575, tls, senders: [plain, secured] };
const problems = (part: object): string[] => {
  const parsed = hl7ConfigSchema.safeParse({ ...good, ...part });
  return parsed.success ? [] : parsed.error.issues.map(({ path }) => path.join('.'));
};

describe('the settings of HL7', () => {
  it('take senders with TLS, and without it where that is said', () => {
    expect(problems({})).toEqual([]);
    expect(problems({ tls: undefined, senders: [plain] })).toEqual([]);
    expect(problems({ port: undefined, senders: [secured] })).toEqual([]);
  });
  it.each([
    ['every interface', { host: '0.0.0.0' }, 'host'],
    ['every interface, mapped', { host: '::ffff:0.0.0.0' }, 'host'],
    ['a name for an interface', { host: 'localhost' }, 'host'],
    ['no port', { port: undefined, tls: undefined, senders: [plain] }, 'port'],
    ['one port for both', { tls: { ...tls, port: 2575 } }, 'tls.port'],
    ['nobody to hear', { senders: [] }, 'senders'],
    ['a name twice', { senders: [plain, { ...secured, name: 'zis' }] }, 'senders.1'],
    ['a host twice', { senders: [plain, { ...plain, name: 'b' }] }, 'senders.1'],
    ['a certificate twice', { senders: [secured, { ...secured, name: 'b' }] }, 'senders.1'],
    ['a name alone', { senders: [{ name: 'a' }] }, 'senders.0.certificateSha256'],
    ['plain without a host', { senders: [{ ...secured, plain: true }] }, 'senders.0.host'],
    ['plain without a port', { port: undefined, senders: [plain] }, 'senders.0.plain'],
    ['no TLS to call over', { tls: undefined, senders: [secured] }, 'senders.0.plain'],
    ['a time zone that is none', { timeZone: 'Europe/Nergenshuizen' }, 'timeZone'],
    ['a kind of objection that is none', { consent: { types: { A: ['x'] } } }, 'consent.types.A.0'],
    ['another field for the number', { accessionFrom: ['PID-3'] }, 'accessionFrom.0'],
    ['a key that nobody knows', { senders: [{ ...plain, trusted: true }] }, 'senders.0'],
  ])('refuse %s', (_, part, path) => expect(problems(part)).toContain(path));

  const { senders } = hl7ConfigSchema.parse({
    ...good,
    senders: [plain, secured, { name: 'lab', host: '::ffff:10.0.0.8' }],
  });
  it.each([
    ['its address, without TLS', '10.0.0.9', undefined, 'zis'],
    ['its certificate, from anywhere', '10.9.9.9', SHA, 'ris'],
    ['its address, over TLS', '10.0.0.8', 'cd'.repeat(32), 'lab'],
    ['nothing of the list', '10.9.9.9', 'cd'.repeat(32), undefined],
    ['an address that has to use TLS', '10.0.0.8', undefined, undefined],
  ])('know a sender by %s', (_, address, certificateSha256, name) => {
    expect(senderOf(senders, { address, certificateSha256 })?.name).toBe(name);
  });
});

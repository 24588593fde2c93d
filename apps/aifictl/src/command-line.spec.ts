/** Goal: a wrong use is refused, options win over the environment. Method: pure. */
import { describe, expect, it } from '@jest/globals';
import * as contract from '@aifi/contracts-rest';
import { AUDIT_FORMATS, AUDIT_OUTCOMES, parseCommandLine, UsageError } from './command-line.js';

describe(parseCommandLine.name, () => {
  const environment = { AIFI_GATEWAY_URLS: 'http://a:1/,http://b:2', AIFI_HUB_URL: 'http://h/' };

  it('takes gateways and hub of the environment, and options before them', () => {
    expect(parseCommandLine(['status'], environment)).toMatchObject({
      ...{ name: 'status', id: '', json: false },
      ...{ gateways: ['http://a:1', 'http://b:2'], hub: 'http://h' },
    });
    const args = ['trace', '1.2', '--json', '--gateway', 'http://c', '--hub', 'http://i'];
    expect(parseCommandLine(args, environment)).toMatchObject({
      ...{ name: 'trace', id: '1.2', json: true, gateways: ['http://c'], hub: 'http://i' },
    });
    expect(parseCommandLine(['status'], { AIFI_GATEWAY_URL: 'http://d' })).toMatchObject({
      gateways: ['http://d'],
    });
  });
  it.each([
    ['no command', []],
    ['an unknown command', ['delete']],
    ['an unknown option', ['status', '--force']],
    ['a trace of nothing', ['trace']],
    ['a trace of two', ['trace', '1', '2']],
    ['an argument too many', ['status', '1.2']],
    ['an address that is none', ['status', '--hub', 'file:///etc/passwd']],
    ['an option of another command', ['status', '--reason', 'because']],
    ['a decision without a reason', ['approvals', 'approve', 'x', '--hub', 'http://h']],
    ['half a command', ['audit', '--hub', 'http://h']],
    ['a time that is none', ['audit', 'search', '--from', 'tuesday', '--hub', 'http://h']],
    ['a limit that is none', ['audit', 'search', '--limit', '-1', '--hub', 'http://h']],
    ['a format that is none', ['audit', 'export', '--format', 'pdf', '--hub', 'http://h']],
    ['dead letters of two gateways', ['dead-letters', 'list']],
    ['a dead letter without its id', ['dead-letters', 'replay', '--gateway', 'http://a']],
    ['all dead letters and one', ['dead-letters', 'replay-all', 'x', '--gateway', 'http://a']],
    ['an outcome that is none', ['audit', 'search', '--outcome', 'x', '--hub', 'http://h']],
  ])('refuses %s', (_, args) => {
    expect(() => parseCommandLine(args, environment)).toThrow(UsageError);
  });
  it('wants one server where something is signed or changed, and takes the one that is named', () => {
    expect(() => parseCommandLine(['login'], environment)).toThrow(/one server/);
    expect(() => parseCommandLine(['audit', 'search'], environment)).toThrow(/one server/);
    const named = parseCommandLine(['login', '--gateway', 'http://c/'], environment);
    expect(named).toMatchObject({ server: 'http://c', gateways: ['http://c'], hub: undefined });
    const only = parseCommandLine(['logout'], { AIFI_HUB_URL: 'http://h' });
    expect(only).toMatchObject({ server: 'http://h' });
  });
  it('asks the one gateway about dead letters, and the hub of the environment never', () => {
    const own = { AIFI_GATEWAY_URL: 'http://a', AIFI_HUB_URL: 'http://h' };
    const args = ['dead-letters', 'replay-all', '--older-than', '2h'];
    expect(parseCommandLine(args, own)).toMatchObject({
      ...{ name: 'dead-letters replay-all', id: '', server: 'http://a', hub: undefined },
      options: { 'older-than': '2h' },
    });
    const hub = { AIFI_HUB_URL: 'http://h' };
    expect(() => parseCommandLine(args, hub)).toThrow(/one gateway/);
  });
  it('asks nobody to verify a file', () => {
    const args = ['audit', 'verify', 'trail.ndjson', '--anchors', 'anchors.json'];
    expect(parseCommandLine(args, environment)).toMatchObject({
      ...{ name: 'audit verify', id: 'trail.ndjson', gateways: [], hub: undefined },
      options: { anchors: 'anchors.json' },
    });
  });
  it('takes the file with a token of the environment, and the option before it', () => {
    const own = { ...environment, AIFI_TOKEN_FILE: 'a' };
    expect(parseCommandLine(['status'], own)).toMatchObject({ tokenFile: 'a' });
    const args = ['status', '--token-file', 'b'];
    expect(parseCommandLine(args, own)).toMatchObject({ tokenFile: 'b' });
  });
  it('refuses a command with nobody to ask', () => {
    expect(() => parseCommandLine(['status'], {})).toThrow(/nobody to ask/);
    expect(() => parseCommandLine(['sites', '--gateway', 'http://a'], {})).toThrow(/the hub/);
  });
  it('takes the words of the contract for audit trails, and no others', () => {
    expect(AUDIT_FORMATS).toEqual(contract.AUDIT_FORMATS);
    expect(AUDIT_OUTCOMES).toEqual(contract.AUDIT_OUTCOMES);
  });
  it('shows help whatever else is asked', () => {
    expect(parseCommandLine(['--help'], {})).toBe('help');
  });
});

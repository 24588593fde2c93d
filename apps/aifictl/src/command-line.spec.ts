/** Goal: a wrong use is refused, options win over the environment. Method: pure. */
import { describe, expect, it } from '@jest/globals';
import { parseCommandLine, UsageError } from './command-line.js';

describe(parseCommandLine.name, () => {
  const environment = { AIFI_GATEWAY_URLS: 'http://a:1/,http://b:2', AIFI_HUB_URL: 'http://h/' };

  it('takes gateways and hub of the environment, and options before them', () => {
    expect(parseCommandLine(['status'], environment)).toEqual({
      ...{ name: 'status', id: '', json: false },
      ...{ gateways: ['http://a:1', 'http://b:2'], hub: 'http://h' },
    });
    const args = ['trace', '1.2', '--json', '--gateway', 'http://c', '--hub', 'http://i'];
    expect(parseCommandLine(args, environment)).toEqual({
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
  ])('refuses %s', (_, args) => {
    expect(() => parseCommandLine(args, environment)).toThrow(UsageError);
  });
  it('refuses a command with nobody to ask', () => {
    expect(() => parseCommandLine(['status'], {})).toThrow(/nobody to ask/);
    expect(() => parseCommandLine(['sites', '--gateway', 'http://a'], {})).toThrow(/the hub/);
  });
  it('shows help whatever else is asked', () => {
    expect(parseCommandLine(['--help'], {})).toBe('help');
  });
});

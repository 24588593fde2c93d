/**
 * Goal: the offline command says what it needs, and its report holds no value.
 * Method: the arguments, pure; counts and digests by hand.
 */
import { describe, expect, it } from '@jest/globals';
import { parseCommandLine, UsageError } from './command-line.js';
import { AttributeCounts, pathDigest } from './pseudonymise-report.js';

const whole = ['pseudonymise', '--in', 'a', '--out', 'b', '--key', 'k', '--json', 'r'];

describe('pseudonymise', () => {
  it('takes folders, key, report and profile, and asks no server', () => {
    const command = parseCommandLine([...whole, '--profile', 'p'], { AIFI_HUB_URL: 'http://h' });
    expect(command).toMatchObject({
      ...{ name: 'pseudonymise', id: '', server: '', gateways: [], hub: undefined, json: false },
      options: { in: 'a', out: 'b', key: 'k', report: 'r', profile: 'p' },
    });
  });

  it.each(['--in', '--out', '--key', '--json'])('does not run without %s', (option) => {
    const at = whole.indexOf(option);
    const args = whole.filter((_, i) => i !== at && i !== at + 1);
    expect(() => parseCommandLine(args, {})).toThrow(`needs ${option}`);
  });

  it('has no argument and no option of another command', () => {
    expect(() => parseCommandLine([...whole, 'more'], {})).toThrow(UsageError);
    expect(() => parseCommandLine([...whole, '--reason', 'x'], {})).toThrow(UsageError);
    expect(() => parseCommandLine(['status', '--in', 'x'], {})).toThrow(UsageError);
  });

  it('verifies one folder', () => {
    expect(parseCommandLine(['pseudonymise', 'verify', 'b', '--json'], {})).toMatchObject({
      ...{ name: 'pseudonymise verify', id: 'b', json: true },
    });
    expect(() => parseCommandLine(['pseudonymise', 'verify'], {})).toThrow(UsageError);
  });
});

describe(AttributeCounts.name, () => {
  it('counts by attribute, place and action, of files that passed only', () => {
    const sut = new AttributeCounts();
    const [passed, refused] = [sut.forFile(), sut.forFile()];
    for (const { report } of [passed, passed, refused]) report(0x00100010, [], 'replaced');
    passed.report(0x00080100, [0x00081032], 'kept');
    passed.add();
    expect(sut.rows()).toEqual([
      {
        ...{ tag: '(0008,0100)', keyword: 'CodeValue', within: ['ProcedureCodeSequence'] },
        ...{ action: 'kept', count: 1 },
      },
      {
        ...{ tag: '(0010,0010)', keyword: 'PatientName', within: [] },
        ...{ action: 'replaced', count: 2 },
      },
    ]);
  });

  it('names private attributes by their group only', () => {
    const sut = new AttributeCounts();
    const { report, add } = sut.forFile();
    report(0x00091001, [], 'removed');
    report(0x00091002, [], 'removed');
    add();
    expect(sut.rows()).toEqual([
      {
        ...{ tag: '(0009,xxxx)', keyword: 'private (0009,xxxx)', within: [] },
        ...{ action: 'removed', count: 2 },
      },
    ]);
  });
});

describe(pathDigest.name, () => {
  it('is the same for who holds the key, and another under another key', () => {
    const [key, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    expect(pathDigest('Berg^Jan/1.dcm', key)).toMatch(/^[0-9a-f]{32}$/);
    expect(pathDigest('Berg^Jan/1.dcm', key)).toBe(pathDigest('Berg^Jan/1.dcm', key));
    expect(pathDigest('Berg^Jan/1.dcm', key)).not.toBe(pathDigest('Berg^Jan/1.dcm', other));
    expect(pathDigest('Berg^Jan/1.dcm', key)).not.toBe(pathDigest('Berg^Jan/2.dcm', key));
  });
});

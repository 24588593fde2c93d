/**
 * Goal: values are what the message says, in its own delimiters, escapes and character set; what
 * cannot be read is refused with the right code, in bounded time.
 * Method: small messages; bombs; bytes of each character set.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decoderOf } from './hl7-charset.js';
import { MESSAGE_LIMITS, parseMessage, readHeader, type Hl7Message } from './hl7-message.js';
import { refusalIn } from './hl7-refusal.js';
import { isDate, timeOf } from './hl7-time.js';

const ZONE = 'Europe/Amsterdam';
const PLACE = { segment: 'MSH' };
const header = (set = '') => `MSH|^~\\&|A|B|C|D|20261105||ADT^A08|1|P|2.5||||||${set}`;
function parsed(text: string | Buffer): Hl7Message {
  const bytes = Buffer.isBuffer(text) ? text : Buffer.from(text, 'latin1');
  const read = readHeader(bytes);
  if (!read) throw new Error('no header');
  return parseMessage(bytes, read);
}
function conditionOf(work: () => unknown): number {
  try {
    work();
    return 0;
  } catch (error) {
    return refusalIn(error).condition;
  }
}
const valueOf = (value: string) => parsed(`${header()}\rNTE|${value}\r`).first('NTE')!.field(1);

describe('a message', () => {
  it('has its own delimiters', () => {
    const { segments } = parsed('MSH#*+!%#A#B\rPID#1##1*2*3%4+5##a!F!b!S!c!R!d!E!e!T!f\r');
    const pid = segments[1]!;
    expect(pid.text(3, 1)).toBe('1');
    expect(pid.field(3).component(3).subcomponent(2).text).toBe('4');
    expect(pid.repetitions(3)[1]!.component(1).text).toBe('5');
    expect(pid.text(5)).toBe('a#b*c+d!e%f');
  });

  it.each([
    ['no MSH', 'PID|1\r'],
    ['no end of MSH', 'MSH|^~\\&|A'],
    ['two delimiters that are one', 'MSH|^~\\^|A\r'],
    ['a letter for a delimiter', 'MSHa^~\\&a\r'],
    ['too few delimiters', 'MSH|^~|A\r'],
    ['nothing', ''],
  ])('cannot be answered with %s', (_, text) => {
    expect(readHeader(Buffer.from(text))).toBeUndefined();
  });

  it.each([
    ['a segment without a name', `${header()}\rpid|1\r`, 100],
    ['an empty segment', `${header()}\r\rPID|1\r`, 100],
    ['two headers', `${header()}\r${header()}\r`, 100],
    ['another delimiter after the name', `${header()}\rPID^1\r`, 100],
    ['a line feed', `${header()}\r\nPID|1\r`, 100],
    ['a control character', `${header()}\rPID|a\x00b\r`, 102],
    ['too many segments', `${header()}\r${'NTE|1\r'.repeat(MESSAGE_LIMITS.segments)}`, 104],
    ['too many fields', `${header()}\rNTE${'|'.repeat(MESSAGE_LIMITS.fields + 1)}\r`, 104],
  ])('is refused with %s', (_, text, condition) => {
    expect(conditionOf(() => parsed(text))).toBe(condition);
  });

  it('has bounded repetitions and components', () => {
    const { repetitions, components } = MESSAGE_LIMITS;
    const nte = parsed(`${header()}\rNTE|${'~'.repeat(repetitions)}|${'^'.repeat(components)}\r`);
    expect(conditionOf(() => nte.segments[1]!.repetitions(1))).toBe(104);
    expect(conditionOf(() => nte.segments[1]!.text(2))).toBe(104);
    expect(nte.segments[1]!.text(99)).toBe('');
  });

  it('tells an empty value from one that is said to be none', () => {
    expect([valueOf('').isEmpty, valueOf('').isNull, valueOf('').text]).toEqual([true, false, '']);
    expect([valueOf('""').isEmpty, valueOf('""').isNull, valueOf('""').text]).toEqual([
      ...[false, true],
      '',
    ]);
    expect(valueOf('""').component(1).text).toBe('');
  });
});

describe('escapes', () => {
  it.each([
    ['\\X4142\\', 'AB'],
    ['a\\.br\\b', 'a\nb'],
    ['\\H\\a\\N\\', 'a'],
    ['\\E\\T\\E\\', '\\T\\'],
    ['a\\S\\b', 'a^b'],
  ])('read %s', (value, text) => expect(valueOf(value).text).toBe(text));

  it.each(['\\', 'a\\T', '\\T\\\\', '\\Q\\', '\\X4\\', '\\X00\\', '\\X\\', '\\C2842\\', '\\Zx\\'])(
    'refuse %s',
    (value) => expect(conditionOf(() => valueOf(value).text)).toBe(102),
  );

  it('never make a value longer, and are read once', () => {
    const bomb = '\\E\\'.repeat(100_000);
    const { text } = valueOf(bomb);
    expect(text).toBe('\\'.repeat(100_000));
    expect(conditionOf(() => valueOf(`\\X${'41'.repeat(513)}\\`).text)).toBe(102);
  });

  it('are left alone in fields that nobody reads', () => {
    expect(parsed(`${header()}\rNTE|AC\\DC|1\r`).first('NTE')!.text(2)).toBe('1');
  });

  it('give any text back that was written with them', () => {
    const write = (text: string): string =>
      text.replace(/[|^~\\&]/g, (each) => `\\${'FSRET'['|^~\\&'.indexOf(each)]}\\`);
    const text = fc.string({ unit: fc.constantFrom(...'|^~\\&aé "') });
    fc.assert(
      fc.property(text, (value) => {
        fc.pre(value !== '""');
        const bytes = Buffer.from(`${header('UNICODE UTF-8')}\rNTE|${write(value)}\r`);
        expect(parsed(bytes).first('NTE')!.field(1).text).toBe(value.trim());
      }),
    );
  });
});

describe('character sets', () => {
  it.each([
    ['', 'Jan', 'latin1'],
    ['ASCII', 'Jan', 'latin1'],
    ['UNICODE UTF-8', 'Şükrü – 山田', 'utf8'],
    ['8859/1', 'Çelik Müller', 'latin1'],
  ] as const)('%s reads %s', (set, text, encoding) => {
    expect(decoderOf(set)(Buffer.from(text, encoding))).toBe(text);
  });
  it('8859/15 reads what 8859/1 has not', () => {
    expect(decoderOf('8859/15')(Buffer.from([0xa4, 0xb8, 0xbd]))).toBe('€žœ');
    expect(decoderOf('8859/1')(Buffer.from([0xa4, 0xb8, 0xbd]))).toBe('¤¸½');
  });
  it.each([
    ['UTF-8 as 8859/1', '8859/1', Buffer.from('Müller')],
    ['UTF-8 as 8859/15', '8859/15', Buffer.from('Müller')],
    ['8859/1 as UTF-8', 'UNICODE UTF-8', Buffer.from('Müller', 'latin1')],
    ['overlong UTF-8', 'UNICODE UTF-8', Buffer.from([0xc0, 0xaf])],
    ['anything but ASCII', '', Buffer.from('Müller', 'latin1')],
    ['a quotation mark of Windows', '8859/1', Buffer.from([0x92])],
  ])('refuse %s', (_, set, bytes) => expect(conditionOf(() => decoderOf(set)(bytes))).toBe(102));
  it.each(['ISO IR87', 'UNICODE', '8859/2', 'constructor'])('do not know %s', (set) => {
    expect(conditionOf(() => decoderOf(set))).toBe(103);
  });
});

describe('times', () => {
  it.each([
    ['20261105083000', '2026-11-05T07:30:00.000Z'],
    ['20260705083000', '2026-07-05T06:30:00.000Z'],
    ['202611050830', '2026-11-05T07:30:00.000Z'],
    ['20261105', '2026-11-04T23:00:00.000Z'],
    ['2026', '2025-12-31T23:00:00.000Z'],
    ['20261105083000.1234+0200', '2026-11-05T06:30:00.123Z'],
    ['20261105083000-0330', '2026-11-05T12:00:00.000Z'],
    // The hour that comes twice is its first, and the one that never comes is moved on.
    ['20261025023000', '2026-10-25T00:30:00.000Z'],
    ['20260329023000', '2026-03-29T01:30:00.000Z'],
  ])('of the hospital: %s is %s', (text, expected) => {
    expect(new Date(timeOf(text, ZONE, PLACE)).toISOString()).toBe(expected);
  });
  it.each(['', '26', '20261', '20261301', '20260230', '2026110524', '202611050860', '19690101'])(
    'are refused: %s',
    (text) => expect(conditionOf(() => timeOf(text, ZONE, PLACE))).toBe(102),
  );
  it('know the days of the calendar', () => {
    expect(['20240229', '19000228', '00990101', '20230229', '2023'].map(isDate)).toEqual([
      ...[true, true, false],
      ...[false, false],
    ]);
  });
});

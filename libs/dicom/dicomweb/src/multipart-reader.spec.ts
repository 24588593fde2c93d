/**
 * Goal: parts come out as they were put in, whatever pieces the body comes in; what could be read
 * in two ways is not read. Method: bodies by hand, and generated ones cut at random places.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MultipartReader } from './multipart-reader.js';

const LIMITS = { partsMax: 100 };

/** Header and bytes of each part; throws what the reader throws. */
function partsIn(pieces: Iterable<Uint8Array>, boundary = 'b'): [string, string][] {
  const sut = new MultipartReader(boundary, LIMITS);
  const parts: { header: string; bytes: Uint8Array[]; isOver: boolean }[] = [];
  for (const piece of pieces) {
    for (const event of sut.push(piece)) {
      const part = parts.at(-1)!;
      if (event.kind === 'part') {
        parts.push({ header: JSON.stringify([...event.headers]), bytes: [], isOver: false });
      } else if (event.kind === 'data') part.bytes.push(Uint8Array.from(event.bytes));
      else part.isOver = true;
    }
  }
  sut.end();
  expect(parts.every(({ isOver }) => isOver)).toBe(true);
  return parts.map(({ header, bytes }) => [header, Buffer.concat(bytes).toString('latin1')]);
}
const read = (text: string, boundary?: string): [string, string][] =>
  partsIn([Buffer.from(text, 'latin1')], boundary);
const codeOf = (text: string, boundary?: string): string | undefined => {
  try {
    read(text, boundary);
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

describe(MultipartReader.name, () => {
  it('reads parts with and without header, and drops what stands beside them', () => {
    const text =
      'before\r\n--b \t\r\nContent-Type: a/b\r\nX-Y:  z \r\n\r\none\r\n--b\r\n\r\n\r\n--b\r\n\r\n' +
      '\r\n\r\n--b--\r\nafter';
    expect(read(text)).toEqual([
      ['[["content-type","a/b"],["x-y","z"]]', 'one'],
      ['[]', ''],
      ['[]', '\r\n'],
    ]);
  });

  it('gives any bytes back in any pieces', () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    const nearly = fc.constantFrom('\r\n--', '\r', '\r\n', '\r\n--bound', '--boundary', '\r\n-');
    const content = fc
      .array(
        fc.oneof(
          bytes,
          nearly.map((text) => Uint8Array.from(Buffer.from(text))),
        ),
      )
      .map((list) => Buffer.concat(list))
      .filter((one) => !Buffer.concat([Buffer.from('\r\n'), one]).includes('\r\n--boundary'));
    fc.assert(
      fc.property(
        fc.array(content, { minLength: 1, maxLength: 5 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
        (contents, lengths) => {
          const body = Buffer.concat([
            ...contents.flatMap((one) => [Buffer.from('\r\n--boundary\r\n\r\n'), one]),
            Buffer.from('\r\n--boundary--'),
          ]);
          const pieces: Buffer[] = [];
          for (let at = 0; at < body.length;) {
            const length = lengths.next().value as number;
            pieces.push(body.subarray(at, at + length));
            at += length;
          }
          const expected = contents.map((one) => ['[]', one.toString('latin1')]);
          expect(partsIn(pieces, 'boundary')).toEqual(expected);
          expect(partsIn([body], 'boundary')).toEqual(expected);
        },
      ),
    );
  });

  it.each([
    ['no delimiter', 'nothing'],
    ['nothing', ''],
    ['no end', '--b\r\n\r\none'],
    ['an end without hyphens', '--b\r\n\r\none\r\n--b'],
    ['a longer boundary', '--bc\r\n\r\none\r\n--bc--'],
    ['a header without colon', '--b\r\nheader\r\n\r\none\r\n--b--'],
    ['a folded header', '--b\r\nA: b\r\n c\r\n\r\none\r\n--b--'],
    ['a header that comes twice', '--b\r\nA: b\r\na: c\r\n\r\none\r\n--b--'],
    ['a control character in a header', '--b\r\nA: \0\r\n\r\none\r\n--b--'],
    ['bare line feeds', '--b\nA: b\n\none\n--b--\n'],
  ])('refuses %s', (_name, text) => {
    expect(codeOf(text)).toBe('INVALID_ARGUMENT');
  });

  it.each([
    ['header', `--b\r\nA: ${'x'.repeat(9_000)}`],
    [
      'number of fields',
      `--b\r\n${Array.from({ length: 40 }, (_, i) => `A${i}: b\r\n`).join('')}\r\n`,
    ],
    ['preamble', 'x'.repeat(5_000)],
    ['epilogue', `--b\r\n\r\n\r\n--b--${'x'.repeat(5_000)}`],
    ['number of parts', '--b\r\n\r\n\r\n'.repeat(101)],
  ])('bounds %s', (_name, text) => {
    expect(codeOf(text)).toBe('LIMIT_EXCEEDED');
  });

  it.each(['', 'x'.repeat(129), 'a ', 'a\r\nb', 'ü'])('takes no boundary %j', (boundary) => {
    expect(codeOf('', boundary)).toBe('INVALID_ARGUMENT');
  });
});

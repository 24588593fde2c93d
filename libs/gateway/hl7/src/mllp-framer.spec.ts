/**
 * Goal: the same frames for any chunks, and each breach of the framing ends as it should.
 * Method: streams of frames cut at every place; random bytes.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { framed, MllpFramer, type FrameEvent } from './mllp-framer.js';

const MAX = 100;
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
function events(chunks: readonly Buffer[], max = MAX): FrameEvent[] {
  const sut = new MllpFramer(max);
  const found = chunks.flatMap((chunk) => [...sut.push(chunk)]);
  const rest = sut.end();
  return rest ? [...found, rest] : found;
}
const told = (found: readonly FrameEvent[]): string[] =>
  found.map((event) => {
    if (event.kind === 'frame') return `frame ${event.bytes.toString('latin1')}`;
    return event.kind === 'broken' ? `${event.reason} ${event.head.toString('latin1')}` : 'junk';
  });

describe(MllpFramer.name, () => {
  const cases: [string, string, string[]][] = [
    ['a frame', '\v1\x1c\r', ['frame 1']],
    ['an empty frame', '\v\x1c\r', ['frame ']],
    ['frames with line ends between them', '\v1\x1c\r\r\n\v2\x1c\r\n', ['frame 1', 'frame 2']],
    ['a frame without its end before another', '\v1\v2\x1c\r', ['no-end 1', 'frame 2']],
    ['a frame that the connection cuts', '\v1', ['no-end 1']],
    ['a frame that the connection cuts in its end', '\v1\x1c', ['no-end 1']],
    ['an end block without CR', '\v1\x1c\v2\x1c\r', ['no-end 1']],
    ['bytes before a frame', 'x\v1\x1c\r', ['junk']],
    ['bytes between frames', '\v1\x1c\rx\v2\x1c\r', ['frame 1', 'junk']],
    ['nothing', '', []],
  ];
  it.each(cases)('reads %s, cut anywhere', (_, stream, expected) => {
    const whole = bytes(stream);
    expect(told(events([whole]))).toEqual(expected);
    expect(told(events([...whole].map((byte) => Buffer.from([byte]))))).toEqual(expected);
    for (let at = 1; at < whole.length; at += 1) {
      expect(told(events([whole.subarray(0, at), whole.subarray(at)]))).toEqual(expected);
    }
  });

  it('ends at a frame that is too long, with its beginning', () => {
    const long = '\v' + 'a'.repeat(MAX + 1);
    expect(told(events([bytes(long)]))).toEqual([`too-long ${'a'.repeat(MAX + 1)}`]);
    const pieces = [...bytes(`${long}\x1c\r\v1\x1c\r`)].map((byte) => Buffer.from([byte]));
    expect(told(events(pieces))).toEqual([`too-long ${'a'.repeat(MAX + 1)}`]);
    expect(told(events([framed(bytes('a'.repeat(MAX)))]))[0]).toMatch(/^frame a{100}$/);
  });

  it('keeps no more of 100 MB than its beginning', () => {
    const sut = new MllpFramer(1024 * 1024);
    const chunk = Buffer.alloc(64 * 1024, 'a');
    const found = [...sut.push(bytes('\vMSH|'))];
    for (let n = 0; n < 1_600; n += 1) found.push(...sut.push(chunk));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ kind: 'broken', reason: 'too-long' });
    const [event] = found;
    expect(event?.kind === 'broken' && event.head.length).toBe(4_096);
  });

  it('tells when it is within a frame', () => {
    const sut = new MllpFramer(MAX);
    expect(sut.isWithin).toBe(false);
    expect([...sut.push(bytes('\v1'))]).toEqual([]);
    expect(sut.isWithin).toBe(true);
    expect([...sut.push(bytes('\x1c\r'))]).toHaveLength(1);
    expect(sut.isWithin).toBe(false);
  });

  it('reads the same for any bytes in any chunks', () => {
    const alphabet = fc.constantFrom(0x0b, 0x1c, 0x0d, 0x0a, 0x41, 0x42);
    const stream = fc.array(alphabet, { maxLength: 40 }).map((all) => Buffer.from(all));
    const cut = fc.array(fc.nat(40), { maxLength: 4 });
    fc.assert(
      fc.property(stream, cut, (whole, cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), whole.length];
        const chunks = places.slice(1).map((end, at) => whole.subarray(places[at], end));
        expect(told(events(chunks, 8))).toEqual(told(events([whole], 8)));
      }),
      { numRuns: 500 },
    );
  });
});

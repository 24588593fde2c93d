/**
 * Target: multipart bodies of STOW-RS. The first byte chooses the boundary; the rest is the body.
 * Properties: only refusals of the catalogue; parts and bytes do not depend on chunks; no part
 * holds a delimiter; what was accepted reads the same after it was written by ourselves.
 * Source: RFC 2046 5.1.1; PS3.18 8.6.1.
 */
import { deepStrictEqual, ok } from 'node:assert';
import { MultipartReader } from '@aifi/dicom-dicomweb';
import { chunksOf } from '../chunked.js';
import { outcomeOf, type FuzzTarget, type Outcome } from '../fuzz-target.js';

interface Part {
  readonly headers: readonly (readonly [string, string])[];
  readonly bytes: Buffer;
}
const BOUNDARIES = ['b', 'between-the-parts', '--', "'()+_,-./:=? x"];
const LIMITS = { partsMax: 50 };
const token = (text: string): Buffer => Buffer.from(text, 'latin1');

function partsOf(boundary: string, chunks: Iterable<Uint8Array>): Outcome<Part[]> {
  return outcomeOf(() => {
    const reader = new MultipartReader(boundary, LIMITS);
    const parts: { headers: Part['headers']; pieces: Uint8Array[] }[] = [];
    for (const chunk of chunks) {
      for (const event of reader.push(chunk)) {
        if (event.kind === 'part') parts.push({ headers: [...event.headers], pieces: [] });
        else if (event.kind === 'data') parts.at(-1)!.pieces.push(event.bytes.slice());
      }
    }
    reader.end();
    return parts.map(({ headers, pieces }) => ({ headers, bytes: Buffer.concat(pieces) }));
  });
}

function written(boundary: string, parts: readonly Part[]): Buffer {
  const pieces = parts.flatMap(({ headers, bytes }) => {
    const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    return [token(`\r\n--${boundary}\r\n${fields}\r\n`), bytes];
  });
  return Buffer.concat([...pieces, token(`\r\n--${boundary}--`)]);
}

function run(input: Uint8Array): void {
  if (input.length === 0) return;
  const boundary = BOUNDARIES[input[0]! % BOUNDARIES.length]!;
  const body = input.subarray(1);
  const whole = partsOf(boundary, [body]);
  const cut = partsOf(boundary, chunksOf(body));
  // A body that is wrong in two ways is refused for either of them.
  if (whole.accepted || cut.accepted) deepStrictEqual(cut, whole, 'chunks change the parts');
  if (!whole.accepted) return;
  const delimiter = token(`\r\n--${boundary}`);
  ok(!whole.value.some(({ bytes }) => bytes.includes(delimiter)), 'a part holds a delimiter');
  deepStrictEqual(partsOf(boundary, [written(boundary, whole.value)]), whole, 'reads differently');
}

export const multipartBodyTarget: FuzzTarget = {
  name: 'multipart-body',
  covers: ['libs/dicom/dicomweb/src/multipart-reader'],
  maxBytes: 24 * 1024,
  tokens: [
    ...['\r\n', '\r\n\r\n', '--b', '\r\n--b', '--b--', '\r\n--b--', ' \t', ': '].map(token),
    token('Content-Type: application/dicom\r\n\r\n'),
  ],
  run,
  *seeds() {
    for (const [index, boundary] of BOUNDARIES.entries()) {
      const part = (text: string): string => `--${boundary}\r\n${text}\r\n`;
      const bodies = [
        `--${boundary}--\r\n`,
        `${part('Content-Type: application/dicom\r\n\r\nDICM')}--${boundary}--\r\n`,
        `before\r\n${part('\r\none')}${part('a: b\r\nc: d\r\n\r\n\r\n--two')}--${boundary}--after`,
        `${part('\r\n')}${part(`\r\n\r\n--${boundary.slice(0, -1)}`)}--${boundary} \t\r\n\r\n`,
      ];
      for (const body of bodies) yield Buffer.concat([Buffer.of(index), token(body)]);
    }
  },
};

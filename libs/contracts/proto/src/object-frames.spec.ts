/**
 * Goal: the frames of a connection come out as they went in, however the network cuts them, and
 * nothing longer than allowed is gathered. Method: random frames, cut at random.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FRAME, frameHead, frameOf, FrameReader, type FramePiece } from './object-frames.js';

const sut = (): FrameReader => new FrameReader(new Set([FRAME.header, FRAME.chunk, FRAME.alive]));

/** Pieces of one chunk, joined; an empty chunk leaves no trace. */
function joined(pieces: readonly FramePiece[]): string[] {
  const all: string[] = [];
  let chunks = '';
  for (const { kind, bytes } of pieces) {
    if (kind === FRAME.chunk) {
      chunks += bytes.toString('hex');
      continue;
    }
    all.push(chunks, `${kind}:${bytes.toString('hex')}`);
    chunks = '';
  }
  return [...all, chunks];
}

describe(FrameReader.name, () => {
  it('gives back what was framed, wherever the bytes are cut', () => {
    const frame = fc.oneof(
      fc.uint8Array({ maxLength: 50 }).map((bytes) => ({ kind: FRAME.header, bytes })),
      fc.uint8Array({ maxLength: 50 }).map((bytes) => ({ kind: FRAME.chunk, bytes })),
      fc.constant({ kind: FRAME.alive, bytes: new Uint8Array() }),
    );
    fc.assert(
      fc.property(fc.array(frame), fc.array(fc.nat(40)), (frames, cuts) => {
        const wire = Buffer.concat(frames.map(({ kind, bytes }) => frameOf(kind, bytes)));
        const reader = sut();
        const pieces: FramePiece[] = [];
        let at = 0;
        for (const cut of [...cuts, wire.length]) {
          pieces.push(...reader.read(wire.subarray(at, at + cut)));
          at = Math.min(wire.length, at + cut);
        }
        const sent = frames.map(({ kind, bytes }) => ({ kind, bytes: Buffer.from(bytes) }));
        expect(joined(pieces)).toEqual(joined(sent as FramePiece[]));
        expect(reader.isBetweenFrames).toBe(true);
      }),
    );
  });

  it.each([
    ['a header over 8 KiB', FRAME.header, 8 * 1024 + 1],
    ['a chunk over 256 KiB', FRAME.chunk, 256 * 1024 + 1],
    ['bytes with an alive', FRAME.alive, 1],
  ])('refuses %s by its first five octets', (_, kind, length) => {
    expect(() => [...sut().read(frameHead(kind, length))]).toThrow('too long');
  });

  it.each([
    ['what only the other side may send', FRAME.ack],
    ['what nobody sends', 0],
  ])('refuses %s', (_, kind) => {
    expect(() => [...sut().read(frameHead(kind as typeof FRAME.ack, 0))]).toThrow('another kind');
  });
});

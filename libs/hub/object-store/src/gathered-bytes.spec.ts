/**
 * Goal: whoever sends an object byte by byte holds no more memory than who sends it in one piece.
 * Method: pieces of every size, and how many buffers are held for them.
 */
import { describe, expect, it } from '@jest/globals';
import { GatheredBytes } from './gathered-bytes.js';

describe(GatheredBytes.name, () => {
  it('gives back the bytes in their order, whatever the sizes of the pieces', () => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 31) % 251));
    for (const sizes of [[1], [4096], [1, 4095, 4096, 70_000], [65_536], [3, 5, 8_000]]) {
      const sut = new GatheredBytes();
      for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
        const size = sizes[turn % sizes.length]!;
        sut.add(bytes.subarray(at, at + size));
        at += size;
      }
      expect(sut.length).toBe(bytes.length);
      expect(Buffer.concat(sut.take()).equals(bytes)).toBe(true);
      expect([sut.length, sut.pieceCount, sut.take()]).toEqual([0, 0, []]);
    }
  });

  it('holds one block of 64 KiB for as many single bytes', () => {
    const sut = new GatheredBytes();
    const network = Buffer.alloc(65_536);
    for (let at = 0; at < 1_000_000; at += 1)
      sut.add(network.subarray(at % 65_536, (at % 65_536) + 1));
    expect(sut.pieceCount).toBe(Math.ceil(1_000_000 / 65_536));
    for (const piece of sut.take()) {
      expect(piece.buffer).not.toBe(network.buffer);
      expect(piece.buffer.byteLength).toBe(65_536);
    }
  });
});

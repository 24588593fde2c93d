/**
 * The same bytes in other chunks: what must make no difference to any streaming parser.
 * Decides the cuts from the bytes themselves, so that an input alone reproduces its run.
 */
import { chunkEnds, hashOf, SeededRandom } from './seeded-random.js';

/** Chunks of `bytes`, each with memory of its own, so that nothing can lean on its neighbour. */
export function* chunksOf(bytes: Uint8Array, salt = 0): Generator<Uint8Array> {
  let from = 0;
  for (const end of chunkEnds(bytes.length, new SeededRandom(hashOf(bytes) ^ salt))) {
    yield bytes.slice(from, end);
    from = end;
  }
}

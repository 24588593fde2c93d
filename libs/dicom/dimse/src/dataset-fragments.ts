/**
 * Cuts a dataset into the fragments that a peer takes, whatever chunks it comes in.
 * Decides which fragment is the last one, although the end of a stream shows only afterwards.
 * Invariants: no byte is copied or lost; every fragment has an even length; at most one fragment
 * and one chunk are held. Source: PS3.8 annex E.
 */
import { AifiError } from '@aifi/shared-kernel';

/**
 * Bytes of a dataset: in memory, or read anew by each call. A chunk must not be changed after it
 * was given: it may still wait for the network.
 */
export type DatasetSource = Uint8Array | (() => AsyncIterable<Uint8Array>);

export interface DatasetFragment {
  /** The bytes, in order. */
  readonly pieces: readonly Uint8Array[];
  readonly lengthBytes: number;
  readonly isLast: boolean;
}

/** The chunks of a dataset, however it is given. */
export async function* chunksOf(source: DatasetSource): AsyncGenerator<Uint8Array> {
  if (source instanceof Uint8Array) yield source;
  else yield* source();
}

/** DICOM_MALFORMED, before the last fragment, when the dataset is empty or of odd length. */
export async function* fragmentsOf(
  chunks: AsyncIterable<Uint8Array>,
  fragmentBytes: number,
): AsyncGenerator<DatasetFragment> {
  let pieces: Uint8Array[] = [];
  let lengthBytes = 0;
  for await (const chunk of chunks) {
    let rest = chunk;
    // Only when more bytes are there: a fragment that is just full may be the last one.
    while (lengthBytes + rest.length > fragmentBytes) {
      const taken = rest.subarray(0, fragmentBytes - lengthBytes);
      if (taken.length > 0) pieces.push(taken);
      yield { pieces, lengthBytes: fragmentBytes, isLast: false };
      [pieces, lengthBytes] = [[], 0];
      rest = rest.subarray(taken.length);
    }
    if (rest.length > 0) pieces.push(rest);
    lengthBytes += rest.length;
  }
  // PS3.5 7.1: every value is padded to an even length.
  if (lengthBytes === 0 || lengthBytes % 2 !== 0) {
    throw new AifiError('DICOM_MALFORMED', 'the dataset is empty or of odd length');
  }
  yield { pieces, lengthBytes, isLast: true };
}

/**
 * GatheredBytes: what has come of an object and is not written yet.
 * Decides that small pieces are copied together: a piece of a network buffer keeps the whole buffer
 * in memory, so a sender of single bytes would hold thousands of times what it sent.
 * Invariants: the order is that of the pieces; memory held is a small multiple of the bytes.
 * Source: reliability specification 2 (back-pressure, bytes in memory); F7.
 */

/** From here on a piece costs less to keep than to copy. @unit bytes */
const COPY_BELOW_BYTES = 4096;
const BLOCK_BYTES = 64 * 1024;

export class GatheredBytes {
  #pieces: Uint8Array[] = [];
  #block: Buffer | undefined;
  #used = 0;
  #length = 0;

  /** @unit bytes */
  get length(): number {
    return this.#length;
  }
  /** Buffers held now. */
  get pieceCount(): number {
    return this.#pieces.length + (this.#used > 0 ? 1 : 0);
  }

  /** Bytes of large pieces are kept as they are: they may not change any more. */
  add(bytes: Uint8Array): void {
    this.#length += bytes.length;
    if (bytes.length >= COPY_BELOW_BYTES) {
      this.#closeBlock();
      this.#pieces.push(bytes);
      return;
    }
    if (this.#used + bytes.length > BLOCK_BYTES) this.#closeBlock();
    // Not from the pool: its slabs would be kept as a whole.
    this.#block ??= Buffer.allocUnsafeSlow(BLOCK_BYTES);
    this.#block.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** All of it, in order; nothing is held afterwards. */
  take(): Uint8Array[] {
    this.#closeBlock();
    const pieces = this.#pieces;
    [this.#pieces, this.#length] = [[], 0];
    return pieces;
  }

  #closeBlock(): void {
    if (this.#block && this.#used > 0) this.#pieces.push(this.#block.subarray(0, this.#used));
    [this.#block, this.#used] = [undefined, 0];
  }
}

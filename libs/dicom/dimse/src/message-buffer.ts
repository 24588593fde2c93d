/**
 * MessageBuffer: gathers the fragments of a command or of a short dataset.
 * Decides how it grows: by doubling, so that tiny fragments cost no more than large ones.
 * Invariant: never longer than its limit; the bytes belong to nobody else.
 */
import { tooLong } from './pdu.js';

/** Most commands fit in this. @unit bytes */
const FIRST_BYTES = 512;

export class MessageBuffer {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;

  constructor(private readonly maxBytes: number) {}

  /** LIMIT_EXCEEDED when `length` more bytes would be too many; checked before they are here. */
  expect(length: number): void {
    if (this.#length + length > this.maxBytes) throw tooLong('message is too long');
  }
  append(part: Uint8Array): void {
    this.expect(part.length);
    const length = this.#length + part.length;
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(2 * length);
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    this.#bytes.set(part, this.#length);
    this.#length = length;
  }
  /** What was gathered; the buffer is not to be used afterwards. */
  take(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }
}

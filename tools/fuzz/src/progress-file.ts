/**
 * ProgressFile: the input in hand, in a file that outlives the process.
 * Decides nothing; it lets the parent see a hang and keep the input of a crash. Invariant: what is
 * read is whole whenever the process stands still or is gone.
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

/** Number of the execution (64 bit) and length of the input. @unit bytes */
const HEADER_BYTES = 12;

export class ProgressWriter {
  readonly #file: number;
  readonly #buffer: Buffer;
  #executions = 0;

  constructor(path: string, maxBytes: number) {
    this.#file = openSync(path, 'w');
    this.#buffer = Buffer.alloc(HEADER_BYTES + maxBytes);
  }
  write(input: Uint8Array): void {
    this.#executions += 1;
    this.#buffer.writeDoubleLE(this.#executions, 0);
    this.#buffer.writeUInt32LE(input.length, 8);
    this.#buffer.set(input, HEADER_BYTES);
    writeSync(this.#file, this.#buffer, 0, HEADER_BYTES + input.length, 0);
  }
}

export interface Progress {
  readonly executions: number;
  readonly input: Uint8Array;
}
export function readProgress(path: string): Progress | undefined {
  const file = openSync(path, 'r');
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    if (readSync(file, header, 0, HEADER_BYTES, 0) < HEADER_BYTES) return undefined;
    const input = Buffer.alloc(header.readUInt32LE(8));
    readSync(file, input, 0, input.length, HEADER_BYTES);
    return { executions: header.readDoubleLE(0), input };
  } finally {
    closeSync(file);
  }
}

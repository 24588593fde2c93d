/**
 * Sealed answer: the tensors of a worker's answer, read by range from the sealed object.
 * Decides that a tensor is used only by its name and with the size that its reader expects, so that
 * a large one is in memory only when somebody asks for it. Invariant: a size that does not fit, or
 * an answer that is cut short, is INVALID_ARGUMENT, never a guess.
 * Source: Open Inference Protocol v2 with its binary extension; reliability specification P4.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { AifiError } from '@aifi/shared-kernel';

interface Tensor {
  readonly name: string;
  readonly datatype?: string;
  readonly shape: readonly number[];
  readonly data?: readonly unknown[];
  readonly parameters?: { readonly binary_data_size?: number };
}
type NumberType = 'FP32' | 'INT32' | 'INT64';

/** Bytes of one number in a binary tensor; INT64 comes in JSON only. */
const NUMBER_WIDTH = 4;
/** Most numbers of one tensor that are read as numbers: boxes and sizes, never voxels. */
const NUMBERS_MAX = 1 << 20;

/** The output of the model does not fit; `what` never holds a value of it. */
export function invalid(what: string): AifiError {
  return new AifiError('INVALID_ARGUMENT', `model output: ${what}`);
}

export class SealedAnswer {
  private constructor(
    private readonly file: FileHandle,
    private readonly headerSizeBytes: number,
    private readonly outputs: readonly Tensor[],
  ) {}

  /** Opens the answer for `use` and closes it after. */
  static async read<T>(
    path: string,
    headerSizeBytes: number,
    use: (answer: SealedAnswer) => Promise<T>,
  ): Promise<T> {
    const file = await open(path, 'r');
    try {
      const header = await readRange(file, 0, headerSizeBytes);
      const { outputs } = JSON.parse(header.toString('utf8')) as { outputs: readonly Tensor[] };
      return await use(new SealedAnswer(file, headerSizeBytes, outputs));
    } finally {
      await file.close();
    }
  }

  shape(name: string): readonly number[] {
    return this.#tensor(name).shape;
  }

  /** Values that the answer carries in its JSON; empty when there are none. */
  data(name: string): readonly unknown[] {
    return this.#tensor(name).data ?? [];
  }

  /** Bytes `offset`..`offset + length` of a binary tensor of `sizeBytes` in all. */
  async bytes(
    name: string,
    sizeBytes: number,
    range = { offset: 0, length: sizeBytes },
  ): Promise<Buffer> {
    const place = this.#place(name);
    if (place.length !== sizeBytes) throw invalid(`${name} of another size`);
    return readRange(this.file, place.offset + range.offset, range.length);
  }

  /** Exactly `count` finite numbers, from JSON or from the binary part. */
  async numbers(name: string, datatype: NumberType, count: number): Promise<number[]> {
    const tensor = this.#tensor(name);
    const isKnown = tensor.datatype === datatype && count <= NUMBERS_MAX;
    if (!isKnown) throw invalid(`${name} of another type`);
    const numbers = tensor.data ?? (await this.#binaryNumbers(name, datatype, count));
    if (numbers.length !== count || !numbers.every(Number.isFinite)) {
      throw invalid(`${name} of another size`);
    }
    return numbers as number[];
  }

  async #binaryNumbers(name: string, datatype: NumberType, count: number): Promise<number[]> {
    const bytes = await this.bytes(name, count * NUMBER_WIDTH);
    return Array.from({ length: count }, (_, index) =>
      datatype === 'FP32'
        ? bytes.readFloatLE(index * NUMBER_WIDTH)
        : bytes.readInt32LE(index * NUMBER_WIDTH),
    );
  }

  #tensor(name: string): Tensor {
    const tensor = this.outputs.find((candidate) => candidate.name === name);
    if (!tensor) throw invalid(`no ${name}`);
    return tensor;
  }

  /** Binary tensors follow the header in the order of the outputs. */
  #place(name: string): { readonly offset: number; readonly length: number } {
    let offset = this.headerSizeBytes;
    for (const tensor of this.outputs) {
      const length = tensor.parameters?.binary_data_size ?? 0;
      if (tensor.name === name) return { offset, length };
      offset += length;
    }
    throw invalid(`no ${name}`);
  }
}

async function readRange(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) throw invalid('cut short');
    filled += bytesRead;
  }
  return bytes;
}

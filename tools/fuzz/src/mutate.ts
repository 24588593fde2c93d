/**
 * Mutations: a new input from one or two old ones.
 * Decides what is changed: bits, numbers, blocks, tokens, and lengths with what they count.
 * Invariant: never longer than allowed, the old inputs stay as they are.
 */
import type { SeededRandom } from './seeded-random.js';

export interface MutationOptions {
  readonly maxBytes: number;
  /** Byte sequences that mean something in this format. */
  readonly tokens: readonly Uint8Array[];
  /** Another input of the corpus. */
  readonly other: Uint8Array;
}
type Mutation = (input: Uint8Array, random: SeededRandom, options: MutationOptions) => Uint8Array;
type Width = 1 | 2 | 4;

const WIDTHS: readonly Width[] = [1, 2, 4];
/** Where comparisons and signs turn, for every width. */
const INTERESTING = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 32, 64, 100, 127, 128, 255, 256, 512, 1000, 1024, 4095,
  4096, 0x7fff, 0x8000, 0xfffe, 0xffff, 0x10000, 0x100000, 0x7fffffff, 0x80000000, 0xfffffffe,
  0xffffffff,
];
/** What values are padded with, and what UIDs and numbers are made of. */
const PADDING = [0x00, 0x20, 0x2e, 0x30, 0x5c];
/** Changes of one input in a row. */
const STEPS_MAX = 12;
const BLOCK_BYTES_MAX = 256;

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
function read(bytes: Uint8Array, at: number, width: Width, isBig: boolean): number {
  let value = 0;
  for (let i = 0; i < width; i += 1) value = value * 256 + bytes[at + (isBig ? i : width - 1 - i)]!;
  return value;
}
function written(bytes: Uint8Array, at: number, field: Field, value: number): Uint8Array {
  const out = Uint8Array.from(bytes);
  for (let i = 0; i < field.width; i += 1) {
    out[at + (field.isBig ? field.width - 1 - i : i)] = Math.floor(value / 256 ** i) % 256;
  }
  return out;
}
interface Field {
  readonly width: Width;
  readonly isBig: boolean;
}
const fieldOf = (random: SeededRandom): Field => ({
  width: random.pick(WIDTHS),
  isBig: random.chance(0.5),
});
const blockOf = (input: Uint8Array, random: SeededRandom): [number, number] => {
  const at = random.below(input.length);
  const length = 1 + random.skewed(Math.min(BLOCK_BYTES_MAX, input.length - at));
  return [at, Math.min(input.length, at + length)];
};

const flipBit: Mutation = (input, random) => {
  const out = Uint8Array.from(input);
  out[random.below(out.length)]! ^= 1 << random.below(8);
  return out;
};
const setByte: Mutation = (input, random) => {
  const out = Uint8Array.from(input);
  out[random.below(out.length)] = random.below(256);
  return out;
};
const setNumber: Mutation = (input, random) => {
  const field = fieldOf(random);
  if (input.length < field.width) return input;
  const at = random.below(input.length - field.width + 1);
  return written(input, at, field, random.pick(INTERESTING));
};
const addNumber: Mutation = (input, random) => {
  const field = fieldOf(random);
  if (input.length < field.width) return input;
  const at = random.below(input.length - field.width + 1);
  const modulus = 256 ** field.width;
  const sum = read(input, at, field.width, field.isBig) + random.between(-16, 16);
  return written(input, at, field, (sum + modulus) % modulus);
};
const truncate: Mutation = (input, random) => input.slice(0, random.below(input.length));
const remove: Mutation = (input, random) => {
  const [from, to] = blockOf(input, random);
  return joined(input.subarray(0, from), input.subarray(to));
};
const duplicate: Mutation = (input, random) => {
  const [from, to] = blockOf(input, random);
  const at = random.chance(0.5) ? to : random.below(input.length + 1);
  return joined(input.subarray(0, at), input.subarray(from, to), input.subarray(at));
};
const insert: Mutation = (input, random) => {
  const at = random.below(input.length + 1);
  const length = 1 + random.skewed(32);
  const block = random.chance(0.5)
    ? random.bytes(length)
    : new Uint8Array(length).fill(random.pick([0, 0xff, 0x20, 0x30]));
  return joined(input.subarray(0, at), block, input.subarray(at));
};
const overwrite: Mutation = (input, random) => {
  const [from, to] = blockOf(input, random);
  const out = Uint8Array.from(input);
  out.copyWithin(random.below(input.length), from, to);
  return out;
};
const splice: Mutation = (input, random, { other }) =>
  joined(
    input.subarray(0, random.below(input.length + 1)),
    other.subarray(random.below(other.length + 1)),
  );
const insertOther: Mutation = (input, random, { other }) => {
  if (other.length === 0) return input;
  const [from, to] = blockOf(other, random);
  const at = random.below(input.length + 1);
  return joined(input.subarray(0, at), other.subarray(from, to), input.subarray(at));
};
const token: Mutation = (input, random, { tokens }) => {
  if (tokens.length === 0) return input;
  const at = random.below(input.length + 1);
  const bytes = random.pick(tokens);
  const skipped = random.chance(0.5) ? bytes.length : 0;
  return joined(input.subarray(0, at), bytes, input.subarray(Math.min(input.length, at + skipped)));
};

/** A place that looks like the length of what follows it. */
function lengthField(input: Uint8Array, random: SeededRandom): [number, Field] | undefined {
  for (let attempt = 0; attempt < 32; attempt += 1) {
    const field = fieldOf(random);
    const at = random.below(input.length - field.width + 1);
    const value = at + field.width <= input.length ? read(input, at, field.width, field.isBig) : 0;
    if (value > 0 && at + field.width + value <= input.length) return [at, field];
  }
  return undefined;
}
/** Grows or shrinks a value and its length together, so that what is around it stays valid. */
const resize: Mutation = (input, random) => {
  const found = lengthField(input, random);
  if (!found) return input;
  const [at, field] = found;
  const start = at + field.width;
  const length = read(input, at, field.width, field.isBig);
  const cut = start + random.below(length + 1);
  if (random.chance(0.5)) {
    const removed = 1 + random.below(start + length - cut);
    const kept = written(input, at, field, Math.max(0, length - removed));
    return joined(kept.subarray(0, cut), kept.subarray(Math.min(start + length, cut + removed)));
  }
  const added = random.bytes(random.pick([1, 2, 4, 8, 12, 16, 64]));
  if (length + added.length >= 256 ** field.width) return input;
  const kept = written(input, at, field, length + added.length);
  return joined(kept.subarray(0, cut), added, kept.subarray(cut));
};
/** A long run of one byte inside a value: what takes quadratic time shows with nothing less. */
const inflate: Mutation = (input, random, { maxBytes }) => {
  const found = lengthField(input, random);
  if (!found) return input;
  const [at, field] = found;
  const length = read(input, at, field.width, field.isBig);
  const room = Math.min(maxBytes - input.length, 256 ** field.width - 1 - length);
  if (room <= 0) return input;
  const run = new Uint8Array(random.between(room >> 1, room)).fill(random.pick(PADDING));
  const cut = at + field.width + random.below(length + 1);
  const kept = written(input, at, field, length + run.length);
  return joined(kept.subarray(0, cut), run, kept.subarray(cut));
};
/** A length that just fits, or just does not. */
const lieAboutLength: Mutation = (input, random) => {
  const field = fieldOf(random);
  if (input.length < field.width) return input;
  const at = random.below(input.length - field.width + 1);
  const rest = input.length - at - field.width + random.between(-9, 9);
  return written(input, at, field, Math.max(0, rest) % 256 ** field.width);
};

const MUTATIONS: readonly Mutation[] = [
  flipBit,
  setByte,
  setNumber,
  addNumber,
  truncate,
  remove,
  duplicate,
  insert,
  overwrite,
  splice,
  insertOther,
  token,
  token,
  resize,
  resize,
  lieAboutLength,
];

/** One in so many inputs is a long one: they are slow. */
const INFLATE_EVERY = 128;

/** A changed copy; a few changes mostly, many seldom. */
export function mutate(
  input: Uint8Array,
  random: SeededRandom,
  options: MutationOptions,
): Uint8Array {
  let out = input;
  for (let left = 1 + random.skewed(STEPS_MAX); left > 0; left -= 1) {
    const change = out.length === 0 ? insert : random.pick(MUTATIONS);
    const changed = change(out, random, options);
    if (changed.length <= options.maxBytes) out = changed;
  }
  if (out.length === 0 || random.below(INFLATE_EVERY) > 0) return out;
  const long = inflate(out, random, options);
  return long.length <= options.maxBytes ? long : out;
}

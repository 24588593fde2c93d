/**
 * Framings: every legal way to cut a C-STORE into P-DATA-TF PDUs that a suite tries.
 * Decides sizes and places of the cuts; the random ones come from a seed, so that a failure can be
 * repeated. Source: PS3.8 9.3.5 and annex D.1; reliability specification F1 (two PDVs in a PDU).
 */
import { rawDataPdu, rawPdv } from './raw-encoding.js';

export interface RawMessage {
  readonly contextId: number;
  readonly command: Buffer;
  readonly dataset: Buffer;
}
/** The PDUs of a message, in order. */
export type Framing = (message: RawMessage) => Generator<Buffer>;

/** PDV length field, context id and control header. */
const PDV_OVERHEAD = 6;
const COMMAND = { command: true, last: true } as const;

/** Pieces of at most `size` bytes; one empty piece for an empty value. */
function pieces(value: Buffer, size: number): Buffer[] {
  const cut: Buffer[] = [];
  for (let at = 0; at < value.length; at += size) cut.push(value.subarray(at, at + size));
  return cut.length > 0 ? cut : [value];
}
function dataPdvs({ contextId, dataset }: RawMessage, size: number): Buffer[] {
  const cut = pieces(dataset, size);
  return cut.map((value, index) =>
    rawPdv(contextId, value, { command: false, last: index === cut.length - 1 }),
  );
}
function commandPdu({ contextId, command }: RawMessage): Buffer {
  return rawDataPdu(rawPdv(contextId, command, COMMAND));
}

/** One PDV in a PDU of exactly `pduBytes` (the last one is shorter). */
export function onePdvPerPdu(pduBytes: number): Framing {
  return function* (message) {
    yield commandPdu(message);
    for (const pdv of dataPdvs(message, pduBytes - PDV_OVERHEAD)) yield rawDataPdu(pdv);
  };
}
/** `count` PDVs of `pdvBytes` in each PDU: the pattern of F1 with 2. */
export function manyPdvsPerPdu(count: number, pdvBytes: number): Framing {
  return function* (message) {
    yield commandPdu(message);
    const pdvs = dataPdvs(message, pdvBytes);
    for (let at = 0; at < pdvs.length; at += count) yield rawDataPdu(...pdvs.slice(at, at + count));
  };
}
/** Command set and dataset cut into PDVs of one byte, each in a PDU of its own. */
export function* oneByteFragments(message: RawMessage): Generator<Buffer> {
  const { contextId, command } = message;
  const cut = pieces(command, 1);
  for (const [index, value] of cut.entries()) {
    yield rawDataPdu(rawPdv(contextId, value, { command: true, last: index === cut.length - 1 }));
  }
  for (const pdv of dataPdvs(message, 1)) yield rawDataPdu(pdv);
}
/** Command set and the beginning of the dataset in the same PDU. */
export function commandAndDataTogether(pduBytes: number): Framing {
  return function* (message) {
    const [first, ...rest] = dataPdvs(message, pduBytes);
    yield rawDataPdu(rawPdv(message.contextId, message.command, COMMAND), first!);
    for (const pdv of rest) yield rawDataPdu(pdv);
  };
}
/** The dataset without a last fragment, then a last fragment of no bytes (PS3.8 annex E.2). */
export function emptyLastFragment(pduBytes: number): Framing {
  return function* (message) {
    const { contextId, dataset } = message;
    yield commandPdu(message);
    for (const value of pieces(dataset, pduBytes - PDV_OVERHEAD)) {
      yield rawDataPdu(rawPdv(contextId, value, { command: false, last: false }));
    }
    yield rawDataPdu(rawPdv(contextId, Buffer.alloc(0), { command: false, last: true }));
  };
}
/** PDUs of 1 to 8 PDVs of 0 to 20,000 bytes each. */
export function randomCuts(random: () => number): Framing {
  return function* (message) {
    const { contextId, dataset } = message;
    yield commandPdu(message);
    for (let at = 0, isLast = false; !isLast;) {
      const pdvs: Buffer[] = [];
      for (let left = 1 + Math.floor(random() * 8); left > 0 && !isLast; left -= 1) {
        const end = Math.min(dataset.length, at + Math.floor(random() * 20_000));
        isLast = end === dataset.length;
        pdvs.push(rawPdv(contextId, dataset.subarray(at, end), { command: false, last: isLast }));
        at = end;
      }
      yield rawDataPdu(...pdvs);
    }
  };
}

/** How the bytes of the PDUs are handed to TCP; PDUs as they are by default. */
export function* segments(bytes: Buffer, next: () => number): Generator<Buffer> {
  for (let at = 0; at < bytes.length;) {
    const end = at + Math.max(1, next());
    yield bytes.subarray(at, end);
    at = end;
  }
}

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

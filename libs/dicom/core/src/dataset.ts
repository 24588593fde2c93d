/**
 * DicomDataset: the elements of a dataset in memory, values as little-endian bytes.
 * Decides how header values are read and written; top-level pixel data is a range of a file and
 * never a value here. Invariant: a value that nobody set is the bytes that were read.
 * Source: PS3.5 6.2 (VR), 6.4 (multiplicity), 7.1 (elements), 7.5 (sequences).
 */
import { AifiError } from '@aifi/shared-kernel';
import { decodeText } from './character-set.js';
import { tagOf, vrOf } from './dictionary.js';

export interface DicomElement {
  /** (gggg,eeee) as one unsigned 32-bit number. */
  readonly tag: number;
  readonly vr: string;
  /** Value field, little-endian, padded to even length; items for VR SQ. */
  readonly value: Uint8Array | readonly DicomDataset[];
}

const SPECIFIC_CHARACTER_SET = 0x00080005;
const TEXT_VRS = new Set(['LO', 'LT', 'PN', 'SH', 'ST', 'UC', 'UT']);
const SINGLE_VALUED_VRS = new Set(['LT', 'ST', 'UT', 'UR']);
const NUMBER_READERS: Readonly<Record<string, [number, (v: DataView, at: number) => number]>> = {
  US: [2, (v, at) => v.getUint16(at, true)],
  SS: [2, (v, at) => v.getInt16(at, true)],
  UL: [4, (v, at) => v.getUint32(at, true)],
  SL: [4, (v, at) => v.getInt32(at, true)],
  FL: [4, (v, at) => v.getFloat32(at, true)],
  FD: [8, (v, at) => v.getFloat64(at, true)],
};

export type TagOrKeyword = number | string;
const toTag = (key: TagOrKeyword): number => (typeof key === 'string' ? tagOf(key) : key);

export class DicomDataset {
  readonly #elements = new Map<number, DicomElement>();
  #inheritedCharacterSets: readonly string[] = [];
  #characterSets: { readonly of: Uint8Array; readonly names: readonly string[] } | undefined;
  /** A header is gone through several times; undefined after a change. */
  #inOrder: readonly DicomElement[] | undefined;

  /** Elements in ascending tag order, as they are now: a change meanwhile is not seen. */
  [Symbol.iterator](): IterableIterator<DicomElement> {
    this.#inOrder ??= [...this.#elements.values()].sort((a, b) => a.tag - b.tag);
    return this.#inOrder.values();
  }
  get size(): number {
    return this.#elements.size;
  }
  get(key: TagOrKeyword): DicomElement | undefined {
    return this.#elements.get(toTag(key));
  }
  has(key: TagOrKeyword): boolean {
    return this.#elements.has(toTag(key));
  }
  delete(key: TagOrKeyword): boolean {
    this.#inOrder = undefined;
    return this.#elements.delete(toTag(key));
  }
  put(element: DicomElement): this {
    this.#inOrder = undefined;
    this.#elements.set(element.tag, element);
    return this;
  }
  /** Character sets of the enclosing dataset, used when this item has none of its own. */
  inheritCharacterSets(parent: DicomDataset): void {
    this.#inheritedCharacterSets = parent.characterSets;
  }
  get characterSets(): readonly string[] {
    const own = this.#elements.get(SPECIFIC_CHARACTER_SET)?.value;
    if (!(own instanceof Uint8Array)) return this.#inheritedCharacterSets;
    // Every text value and every item asks: the answer is kept while the element is the same.
    if (this.#characterSets?.of !== own) {
      this.#characterSets = { of: own, names: unpadded(latin1(own)).split('\\') };
    }
    return this.#characterSets.names;
  }

  /** Value bytes without interpretation; undefined when absent or a sequence. */
  bytes(key: TagOrKeyword): Uint8Array | undefined {
    const value = this.#elements.get(toTag(key))?.value;
    return value instanceof Uint8Array ? value : undefined;
  }
  /** Text values, padding removed; empty values stay as ''. Empty array when absent or empty. */
  strings(key: TagOrKeyword): string[] {
    const element = this.get(key);
    if (!element || !(element.value instanceof Uint8Array) || element.value.length === 0) return [];
    const text = TEXT_VRS.has(element.vr)
      ? decodeText(element.value, this.characterSets, element.vr)
      : latin1(element.value);
    const bare = unpadded(text);
    if (bare === '') return [];
    if (SINGLE_VALUED_VRS.has(element.vr)) return [bare];
    return bare.split('\\').map((value) => value.trim());
  }
  /** First text value, or undefined when absent or empty. */
  string(key: TagOrKeyword): string | undefined {
    return this.strings(key)[0] || undefined;
  }
  /**
   * Numeric values: binary VRs as stored, DS and IS parsed; a non-number throws DICOM_MALFORMED.
   */
  numbers(key: TagOrKeyword): number[] {
    const element = this.get(key);
    if (!element || !(element.value instanceof Uint8Array)) return [];
    const reader = NUMBER_READERS[element.vr];
    if (reader) {
      const [width, read] = reader;
      const { buffer, byteOffset, byteLength } = element.value;
      const view = new DataView(buffer, byteOffset, byteLength);
      return Array.from({ length: Math.floor(byteLength / width) }, (_, i) =>
        read(view, i * width),
      );
    }
    return this.strings(key).map((text) => {
      const number = Number(text);
      if (text === '' || !Number.isFinite(number)) {
        throw new AifiError('DICOM_MALFORMED', 'value is not a number');
      }
      return number;
    });
  }
  number(key: TagOrKeyword): number | undefined {
    return this.numbers(key)[0];
  }
  /** Items of a sequence; empty when absent. */
  items(key: TagOrKeyword): readonly DicomDataset[] {
    const value = this.#elements.get(toTag(key))?.value;
    return value === undefined || value instanceof Uint8Array ? [] : value;
  }

  /** Sets text values (UTF-8 for text VRs: the caller declares ISO_IR 192 or keeps to ASCII). */
  setStrings(key: TagOrKeyword, values: readonly string[], vr?: string): this {
    const tag = toTag(key);
    const settled = vr ?? vrOf(tag);
    return this.put({ tag, vr: settled, value: paddedText(values.join('\\'), settled) });
  }
  setString(key: TagOrKeyword, value: string, vr?: string): this {
    return this.setStrings(key, value === '' ? [] : [value], vr);
  }
  /** Sets numeric values in the VR of the dictionary (binary, DS or IS). */
  setNumbers(key: TagOrKeyword, values: readonly number[], vr?: string): this {
    const tag = toTag(key);
    const settled = vr ?? vrOf(tag);
    const width = NUMBER_READERS[settled]?.[0];
    if (width === undefined) {
      return this.setStrings(
        tag,
        values.map((v) => decimalString(v, settled)),
        settled,
      );
    }
    const value = new Uint8Array(values.length * width);
    const view = new DataView(value.buffer);
    values.forEach((number, i) => writeNumber(view, i * width, settled, number));
    return this.put({ tag, vr: settled, value });
  }
  setItems(key: TagOrKeyword, items: readonly DicomDataset[]): this {
    return this.put({ tag: toTag(key), vr: 'SQ', value: items });
  }
  setBytes(key: TagOrKeyword, value: Uint8Array, vr?: string): this {
    const tag = toTag(key);
    return this.put({ tag, vr: vr ?? vrOf(tag), value: evenPadded(value, 0) });
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
/**
 * Text without the spaces and NULs at its end. No regular expression: those take quadratic time on
 * long gaps, and a stranger chooses how long they are.
 */
export function unpadded(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === ' ' || text[end - 1] === '\0')) end -= 1;
  return text.slice(0, end);
}
function writeNumber(view: DataView, at: number, vr: string, value: number): void {
  if (vr === 'US') view.setUint16(at, value, true);
  else if (vr === 'SS') view.setInt16(at, value, true);
  else if (vr === 'UL') view.setUint32(at, value, true);
  else if (vr === 'SL') view.setInt32(at, value, true);
  else if (vr === 'FL') view.setFloat32(at, value, true);
  else view.setFloat64(at, value, true);
}

/** DS holds at most 16 characters (PS3.5 6.2): the shortest form that fits. */
function decimalString(value: number, vr: string): string {
  if (vr === 'IS') return String(Math.trunc(value));
  const exact = String(value);
  if (exact.length <= 16) return exact;
  for (let digits = 15; digits > 0; digits -= 1) {
    const text = String(Number(value.toPrecision(digits)));
    if (text.length <= 16) return text;
  }
  throw new AifiError('INTERNAL', 'number has no decimal string');
}

function paddedText(text: string, vr: string): Uint8Array {
  return evenPadded(Buffer.from(text, 'utf8'), vr === 'UI' ? 0x00 : 0x20);
}
function evenPadded(bytes: Uint8Array, pad: number): Uint8Array {
  if (bytes.length % 2 === 0) return bytes;
  const padded = new Uint8Array(bytes.length + 1).fill(pad);
  padded.set(bytes);
  return padded;
}

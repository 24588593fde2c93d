/**
 * ElementWalker: the strict, streaming parser of a dataset.
 * Decides whether bytes are a whole, consistent dataset; keeps the header, skips pixel data.
 * Invariants: every declared length fits its container; nothing is accepted that is cut short;
 * memory is bounded by the header limits, whatever the size of the pixel data.
 * Source: PS3.5 7.1, 7.5, A.4; reliability specification F2.
 */
import { AifiError, LIMITS } from '@aifi/shared-kernel';
import { DicomDataset } from './dataset.js';
import { vrOf } from './dictionary.js';
import { byteOrderWidth, LONG_LENGTH_VRS, swapped, type Encoding } from './transfer-syntax.js';

export const UNDEFINED_LENGTH = 0xffffffff;
const ITEM = 0xfffee000;
const ITEM_END = 0xfffee00d;
const SEQUENCE_END = 0xfffee0dd;
const PIXEL_DATA_TAGS: ReadonlySet<number> = new Set([0x7fe00008, 0x7fe00009, 0x7fe00010]);
const IMPLICIT: Encoding = { explicitVr: false, littleEndian: true };

/** Where top-level pixel data lies. Offsets in bytes from the first byte that was pushed. */
export interface PixelDataRange {
  readonly tag: number;
  readonly vr: string;
  /** First byte of the element's tag. */
  readonly elementOffset: number;
  /** First byte of the value: pixels, or the first item tag when encapsulated. */
  readonly valueOffset: number;
  /** Bytes of the value, item tags and the closing delimiter included. */
  readonly valueLength: number;
  readonly encapsulated: boolean;
  /** Value ranges of the items, the Basic Offset Table first; empty when native. */
  readonly fragments: readonly { readonly offset: number; readonly length: number }[];
}
export interface WalkResult {
  readonly dataset: DicomDataset;
  readonly pixelData: PixelDataRange | undefined;
  /** Bytes consumed. */
  readonly sizeBytes: number;
}

interface Container {
  readonly kind: 'dataset' | 'sequence' | 'item' | 'fragments';
  /** Absolute end, or undefined when a delimiter closes it. */
  readonly end: number | undefined;
  readonly encoding: Encoding;
  readonly dataset: DicomDataset;
  readonly items: DicomDataset[];
  readonly tag: number;
}
type Pixel = { -readonly [K in keyof PixelDataRange]: PixelDataRange[K] } & {
  fragments: { offset: number; length: number }[];
};

function malformed(what: string): AifiError {
  return new AifiError('DICOM_MALFORMED', what);
}

export class ElementWalker {
  /** Bytes not consumed yet: a view of #store, or of the caller's chunk during push. */
  #buffer: Uint8Array = new Uint8Array(0);
  #store: Uint8Array = new Uint8Array(0);
  /** Absolute offset of #buffer[0]. */
  #offset = 0;
  #skipBytes = 0;
  #headerBytes = 0;
  #pixel: Pixel | undefined;
  readonly #root = new DicomDataset();
  readonly #stack: Container[];

  constructor(encoding: Encoding) {
    const [dataset, items] = [this.#root, []];
    this.#stack = [{ kind: 'dataset', end: undefined, encoding, dataset, items, tag: 0 }];
  }

  /** The elements read so far: what precedes the current offset. */
  get dataset(): DicomDataset {
    return this.#root;
  }
  /** True once the header is complete: pixel data has begun. */
  get inPixelData(): boolean {
    return this.#pixel !== undefined;
  }
  get pixelDataSoFar(): PixelDataRange | undefined {
    return this.#pixel;
  }

  /** Takes the next bytes; throws DICOM_MALFORMED or LIMIT_EXCEEDED as soon as it is certain. */
  push(chunk: Uint8Array): void {
    let input = chunk;
    if (this.#skipBytes > 0) {
      const skipped = Math.min(this.#skipBytes, input.length);
      this.#skipBytes -= skipped;
      this.#offset += skipped;
      input = input.subarray(skipped);
      if (input.length === 0) return;
    }
    if (this.#buffer.length > 0) this.#append(input);
    else this.#buffer = input;
    while (this.#step());
    // The rest outlives the caller's chunk: own it.
    if (this.#buffer.buffer !== this.#store.buffer) this.#append(new Uint8Array(0));
  }

  /** Joins held and new bytes. The store doubles: tiny pieces cost no more than large ones. */
  #append(input: Uint8Array): void {
    const held = this.#buffer;
    const isOwned = held.buffer === this.#store.buffer;
    const length = held.length + input.length;
    let start = isOwned ? held.byteOffset : 0;
    if (!isOwned || start + length > this.#store.length) {
      this.#store = new Uint8Array(2 * length);
      this.#store.set(held);
      start = 0;
    }
    this.#store.set(input, start + held.length);
    this.#buffer = this.#store.subarray(start, start + length);
  }

  /** Ends the dataset; throws when anything is open, missing or contradictory. */
  end(): WalkResult {
    this.#closeEnded();
    if (this.#skipBytes > 0 || this.#buffer.length > 0) throw malformed('dataset is cut short');
    if (this.#stack.length !== 1) throw malformed('a sequence or pixel data is not closed');
    const pixel = this.#pixel;
    if (pixel && !pixel.encapsulated) checkNativeLength(this.#root, pixel);
    return { dataset: this.#root, pixelData: pixel, sizeBytes: this.#offset };
  }

  #top(): Container {
    return this.#stack[this.#stack.length - 1]!;
  }
  #take(length: number): Uint8Array {
    const taken = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length);
    this.#offset += length;
    return taken;
  }

  /** Closes containers of defined length that end here. */
  #closeEnded(): void {
    for (let top = this.#top(); top.end !== undefined; top = this.#top()) {
      if (this.#offset < top.end) return;
      if (this.#offset > top.end) throw malformed('an element runs past its container');
      this.#close();
    }
  }

  #close(): void {
    const closed = this.#stack.pop()!;
    if (closed.kind === 'sequence') {
      closed.dataset.put({ tag: closed.tag, vr: 'SQ', value: closed.items });
    } else if (closed.kind === 'fragments' && this.#stack.length === 1) {
      this.#pixel!.valueLength = this.#offset - this.#pixel!.valueOffset;
    }
  }

  /** Consumes one element header (with its small value) or delimiter; false: needs more bytes. */
  #step(): boolean {
    if (this.#skipBytes > 0) {
      const skipped = Math.min(this.#skipBytes, this.#buffer.length);
      this.#skipBytes -= skipped;
      this.#take(skipped);
      if (this.#skipBytes > 0) return false;
    }
    this.#closeEnded();
    const top = this.#top();
    if (this.#buffer.length < 8) return false;
    const view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset, this.#buffer.length);
    const little = top.encoding.littleEndian;
    const tag = ((view.getUint16(0, little) << 16) | view.getUint16(2, little)) >>> 0;
    if (top.kind === 'fragments') return this.#fragment(tag, view.getUint32(4, little));
    if (top.kind === 'sequence') return this.#item(tag, view.getUint32(4, little));
    if (tag >>> 16 === 0xfffe) return this.#itemEnd(tag);
    return this.#element(tag, view, top);
  }

  #fragment(tag: number, length: number): boolean {
    this.#take(8);
    if (tag === SEQUENCE_END) {
      this.#close();
      return true;
    }
    if (tag !== ITEM || length === UNDEFINED_LENGTH) throw malformed('bad pixel data fragment');
    this.#skipBytes = length;
    if (this.#stack.length > 2) return true;
    this.#pixel!.fragments.push({ offset: this.#offset, length });
    if (this.#pixel!.fragments.length > LIMITS.instancesPerStudyMax * 8) {
      throw new AifiError('LIMIT_EXCEEDED', 'too many pixel data fragments');
    }
    return true;
  }

  #item(tag: number, length: number): boolean {
    const sequence = this.#top();
    this.#take(8);
    if (tag === SEQUENCE_END && sequence.end === undefined) {
      this.#close();
      return true;
    }
    if (tag !== ITEM) throw malformed('a sequence holds something that is no item');
    const dataset = new DicomDataset();
    dataset.inheritCharacterSets(sequence.dataset);
    sequence.items.push(dataset);
    this.#open('item', length, { encoding: sequence.encoding, dataset, items: [], tag });
    return true;
  }

  #itemEnd(tag: number): boolean {
    const top = this.#top();
    if (tag !== ITEM_END || top.kind !== 'item' || top.end !== undefined) {
      throw malformed('a delimiter out of place');
    }
    this.#take(8);
    this.#close();
    return true;
  }

  #open(kind: Container['kind'], length: number, rest: Omit<Container, 'kind' | 'end'>): void {
    const end = length === UNDEFINED_LENGTH ? undefined : this.#offset + length;
    const outer = this.#stack.findLast((container) => container.end !== undefined)?.end;
    if (end !== undefined && outer !== undefined && end > outer) {
      throw malformed('a sequence or item runs past its container');
    }
    if (this.#stack.length >= LIMITS.sequenceDepthMax) {
      throw new AifiError('LIMIT_EXCEEDED', 'sequences are nested too deeply');
    }
    this.#stack.push({ kind, end, ...rest });
  }

  #element(tag: number, view: DataView, top: Container): boolean {
    const header = readHeader(tag, view, top.encoding);
    if (!header) return false;
    const { vr, headerLength, length } = header;
    this.#checkPlace(tag, top);
    const isPixel = this.#stack.length === 1 && PIXEL_DATA_TAGS.has(tag);
    const elementOffset = this.#offset;
    if (isPixel) {
      this.#take(headerLength);
      this.#beginPixelData({ tag, vr, elementOffset, length }, top);
      return true;
    }
    if (length === UNDEFINED_LENGTH && PIXEL_DATA_TAGS.has(tag)) {
      // Encapsulated pixels of an icon image (PS3.5 A.4): walked, not kept.
      this.#take(headerLength);
      const { encoding, dataset } = top;
      this.#open('fragments', length, { encoding, dataset, items: [], tag });
      return true;
    }
    if (vr === 'SQ' || length === UNDEFINED_LENGTH) {
      if (vr !== 'SQ' && vr !== 'UN') throw malformed('undefined length outside a sequence');
      this.#take(headerLength);
      // PS3.5 6.2.2 note 4: UN of undefined length is a sequence in Implicit VR Little Endian.
      const encoding = vr === 'UN' ? IMPLICIT : top.encoding;
      this.#open('sequence', length, { encoding, dataset: top.dataset, items: [], tag });
      return true;
    }
    if (length > LIMITS.headerValueBytesMax) {
      throw new AifiError('LIMIT_EXCEEDED', 'a header value is too long');
    }
    const outer = this.#stack.findLast((container) => container.end !== undefined)?.end;
    if (outer !== undefined && elementOffset + headerLength + length > outer) {
      throw malformed('an element runs past its container');
    }
    if (this.#buffer.length < headerLength + length) return false;
    this.#headerBytes += headerLength + length;
    if (this.#headerBytes > LIMITS.headerBytesMax) {
      throw new AifiError('LIMIT_EXCEEDED', 'the header is too long');
    }
    this.#take(headerLength);
    const raw = Uint8Array.from(this.#take(length));
    const width = top.encoding.littleEndian ? 1 : byteOrderWidth(vr);
    top.dataset.put({ tag, vr, value: width > 1 ? swapped(raw, width) : raw });
    return true;
  }

  /** PS3.5 7.1: an element occurs once. Two readers must never see two different patients. */
  #checkPlace(tag: number, top: Container): void {
    if (top.dataset.has(tag)) throw malformed('an element occurs twice');
    const isTrailing = this.#stack.length === 1 && this.#pixel !== undefined;
    if (isTrailing && tag < this.#pixel!.tag) throw malformed('header elements after pixel data');
  }

  #beginPixelData(
    at: { tag: number; vr: string; elementOffset: number; length: number },
    top: Container,
  ): void {
    const { tag, vr, elementOffset, length } = at;
    const encapsulated = length === UNDEFINED_LENGTH;
    const valueLength = encapsulated ? 0 : length;
    const valueOffset = this.#offset;
    if (this.#pixel) throw malformed('pixel data twice');
    this.#pixel = { tag, vr, elementOffset, valueOffset, valueLength, encapsulated, fragments: [] };
    if (!encapsulated) {
      this.#skipBytes = length;
      return;
    }
    const { encoding, dataset } = top;
    this.#open('fragments', UNDEFINED_LENGTH, { encoding, dataset, items: [], tag });
  }
}

function readHeader(
  tag: number,
  view: DataView,
  { explicitVr, littleEndian }: Encoding,
): { vr: string; headerLength: number; length: number } | undefined {
  if (!explicitVr) {
    return { vr: vrOf(tag), headerLength: 8, length: view.getUint32(4, littleEndian) };
  }
  const vr = String.fromCharCode(view.getUint8(4), view.getUint8(5));
  if (!/^[A-Z]{2}$/.test(vr)) throw malformed('an element has no valid VR');
  if (!LONG_LENGTH_VRS.has(vr)) {
    return { vr, headerLength: 8, length: view.getUint16(6, littleEndian) };
  }
  if (view.byteLength < 12) return undefined;
  return { vr, headerLength: 12, length: view.getUint32(8, littleEndian) };
}

/** PS3.5 8.1: native pixel data is exactly as long as its attributes say, padded to even. */
function checkNativeLength(dataset: DicomDataset, pixel: PixelDataRange): void {
  const rows = dataset.number('Rows') ?? 0;
  const columns = dataset.number('Columns') ?? 0;
  const samples = dataset.number('SamplesPerPixel') ?? 1;
  const bits = dataset.number('BitsAllocated') ?? 0;
  const frames = dataset.number('NumberOfFrames') ?? 1;
  // PS3.3 C.7.6.3.1.2: YBR_FULL_422 shares its colour samples between two pixels.
  const is422 = dataset.string('PhotometricInterpretation') === 'YBR_FULL_422';
  const pixels = rows * columns * (is422 ? 2 : samples) * frames;
  const expected = bits === 1 ? Math.ceil(pixels / 8) : pixels * Math.ceil(bits / 8);
  if (pixel.valueLength !== expected + (expected % 2)) {
    throw malformed('pixel data does not have the length of its attributes');
  }
}

/**
 * ElementWalker: the strict, streaming parser of a dataset.
 * Decides whether bytes are a whole, consistent dataset; keeps the header, skips pixel data.
 * Invariants: every declared length fits its container; nothing that is cut short is accepted;
 * memory is bounded, whatever the size of the pixel data.
 * Source: PS3.5 7.1, 7.5, A.4; reliability specification F2.
 */
import { AifiError, LIMITS } from '@aifi/shared-kernel';
import { DicomDataset } from './dataset.js';
import {
  implicitRuleOf,
  lengthAt,
  SeenTags,
  shortLengthAt,
  tagAt,
  vrRuleAt,
} from './element-header.js';
import {
  checkPixelData,
  malformed,
  PIXEL_DATA_VRS,
  PIXEL_DESCRIPTION_TAGS,
  type PixelDataRange,
} from './pixel-description.js';
import { byteOrderWidth, swapped, type Encoding } from './transfer-syntax.js';

export const UNDEFINED_LENGTH = 0xffffffff;
const ITEM = 0xfffee000;
const ITEM_END = 0xfffee00d;
const SEQUENCE_END = 0xfffee0dd;
const IMPLICIT: Encoding = { explicitVr: false, littleEndian: true };
const EMPTY = new Uint8Array(0);
/** Fragments of pixel data: more than the frames of any object within the size limit. */
const FRAGMENTS_MAX = LIMITS.instancesPerStudyMax * 8;
/** Items of sequences: 8,000 frames of a 4 GB object with 30 items each (PS3.3 C.7.6.16). */
const ITEMS_MAX = 250_000;
/** Elements of the datasets that are open at one time; real ones have a few hundred. */
const OPEN_ELEMENTS_MAX = 100_000;
/** A value that is kept by name is a short one; a longer one counts as absent. @unit bytes */
const NAMED_VALUE_BYTES_MAX = 4096;
/** Items that are kept of a sequence that is kept by name; real ones have one or two. */
const NAMED_ITEMS_MAX = 16;

export interface WalkOptions {
  /**
   * Elements to keep, besides those that describe pixels; in items of sequences that are named too.
   * All is checked either way, but then nothing else is held: no list of fragments. @default all
   */
  readonly keep?: ReadonlySet<number>;
  /** Elements of lower groups have no place in this dataset (PS3.5 7.1). @default 0 */
  readonly lowestGroup?: number;
}
export interface WalkResult {
  readonly dataset: DicomDataset;
  readonly pixelData: PixelDataRange | undefined;
  /** Bytes consumed. */
  readonly sizeBytes: number;
}

interface Container {
  readonly kind: 'dataset' | 'sequence' | 'item' | 'fragments';
  readonly tag: number;
  /** Absolute end, or undefined when a delimiter closes it. */
  readonly end: number | undefined;
  /** Nearest end of this container or one around it. */
  readonly limit: number | undefined;
  readonly encoding: Encoding;
  readonly seen: SeenTags;
  /** Undefined: walked, not kept. */
  readonly dataset: DicomDataset | undefined;
  readonly items: DicomDataset[];
}
type Pixel = { -readonly [K in keyof PixelDataRange]: PixelDataRange[K] } & {
  fragments: { offset: number; length: number }[];
};
interface ElementAt {
  readonly tag: number;
  readonly vr: string;
  readonly headerBytes: number;
  readonly length: number;
}

const exceeded = (what: string): AifiError => new AifiError('LIMIT_EXCEEDED', what);

export class ElementWalker {
  /** Bytes in hand and the place in them: the caller's chunk, or what is held of an element. */
  #bytes: Uint8Array = EMPTY;
  #at = 0;
  /** Absolute offset of that place. */
  #offset = 0;
  /** The start of an element that needs `#needed` bytes in all; the chunks of the caller end. */
  #held: Uint8Array = EMPTY;
  #heldLength = 0;
  #needed = 0;
  #skipBytes = 0;
  #headerBytes = 0;
  #openElements = 0;
  #itemCount = 0;
  #fragmentCount = 0;
  #pixel: Pixel | undefined;
  readonly #root = new DicomDataset();
  readonly #stack: Container[];
  readonly #keep: ReadonlySet<number> | undefined;
  readonly #lowestGroup: number;

  constructor(encoding: Encoding, { keep, lowestGroup = 0 }: WalkOptions = {}) {
    this.#keep = keep;
    this.#lowestGroup = lowestGroup;
    const open = { end: undefined, limit: undefined, items: [], tag: 0, seen: new SeenTags() };
    this.#stack = [{ kind: 'dataset', encoding, dataset: this.#root, ...open }];
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
    let from = 0;
    while (from < chunk.length) {
      if (this.#heldLength > 0) {
        from += this.#fillHeld(chunk, from);
        continue;
      }
      [this.#bytes, this.#at] = [chunk, from];
      this.#run();
      from = this.#at;
      if (this.#skipBytes === 0 && from < chunk.length) from += this.#fillHeld(chunk, from);
    }
    [this.#bytes, this.#at] = [EMPTY, 0];
  }

  /** Moves bytes of the caller to the element in hand; reads it when it is whole. */
  #fillHeld(chunk: Uint8Array, from: number): number {
    const taken = Math.min(this.#needed - this.#heldLength, chunk.length - from);
    if (this.#heldLength + taken > this.#held.length) {
      // Doubles, so that tiny pieces cost no more than large ones; a length alone costs nothing.
      const grown = new Uint8Array(Math.max(64, 2 * (this.#heldLength + taken)));
      grown.set(this.#held.subarray(0, this.#heldLength));
      this.#held = grown;
    }
    this.#held.set(chunk.subarray(from, from + taken), this.#heldLength);
    this.#heldLength += taken;
    if (this.#heldLength < this.#needed) return taken;
    [this.#bytes, this.#at] = [this.#held.subarray(0, this.#heldLength), 0];
    this.#run();
    // What was needed has been read whole, or more of the same element is needed.
    if (this.#at > 0) this.#heldLength = 0;
    return taken;
  }

  /** Ends the dataset; throws when anything is open, missing or contradictory. */
  end(): WalkResult {
    this.#closeEnded();
    if (this.#skipBytes > 0 || this.#heldLength > 0) throw malformed('dataset is cut short');
    if (this.#stack.length !== 1) throw malformed('a sequence or pixel data is not closed');
    const pixel = this.#pixel;
    if (pixel) {
      const { tag, encapsulated, valueLength } = pixel;
      checkPixelData(this.#root, tag, encapsulated ? undefined : valueLength);
    }
    return { dataset: this.#root, pixelData: pixel, sizeBytes: this.#offset };
  }

  #top(): Container {
    return this.#stack[this.#stack.length - 1]!;
  }
  #advance(length: number): void {
    this.#at += length;
    this.#offset += length;
  }
  /** Whether so many bytes are in hand. */
  #has(needed: number): boolean {
    this.#needed = needed;
    return this.#bytes.length - this.#at >= needed;
  }
  #countHeader(length: number): void {
    this.#headerBytes += length;
    if (this.#headerBytes > LIMITS.headerBytesMax) throw exceeded('the header is too long');
  }

  #run(): void {
    do {
      if (this.#skipBytes > 0) {
        const skipped = Math.min(this.#skipBytes, this.#bytes.length - this.#at);
        this.#skipBytes -= skipped;
        this.#advance(skipped);
        if (this.#skipBytes > 0) return;
      }
    } while (this.#step());
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
      closed.dataset?.put({ tag: closed.tag, vr: 'SQ', value: closed.items });
    } else if (closed.kind === 'item') {
      this.#openElements -= closed.seen.count;
    } else if (closed.kind === 'fragments' && this.#stack.length === 1) {
      this.#pixel!.valueLength = this.#offset - this.#pixel!.valueOffset;
    }
  }

  /** Consumes one element header (with its small value) or delimiter; false: needs more bytes. */
  #step(): boolean {
    this.#closeEnded();
    if (!this.#has(8)) return false;
    const top = this.#top();
    const tag = tagAt(this.#bytes, this.#at, top.encoding);
    if (top.kind === 'fragments') return this.#fragment(tag, top);
    if (top.kind === 'sequence') return this.#item(tag, top);
    if (tag >>> 16 === 0xfffe) return this.#itemEnd(tag, top);
    const element = this.#elementAt(tag, top.encoding);
    return element !== undefined && this.#element(element, top);
  }

  /** Takes an item's or delimiter's 8 bytes; its length. */
  #takeItemHeader(tag: number, { encoding, limit }: Container): number {
    const length = lengthAt(this.#bytes, this.#at + 4, encoding);
    if (tag !== ITEM && length !== 0) throw malformed('a delimiter with a length');
    this.#advance(8);
    if (limit !== undefined && this.#offset > limit) {
      throw malformed('an item or delimiter runs past its container');
    }
    return length;
  }

  #fragment(tag: number, top: Container): boolean {
    const length = this.#takeItemHeader(tag, top);
    if (tag === SEQUENCE_END) {
      this.#close();
      return true;
    }
    if (tag !== ITEM || length === UNDEFINED_LENGTH) throw malformed('bad pixel data fragment');
    if (top.limit !== undefined && this.#offset + length > top.limit) {
      throw malformed('a fragment runs past its container');
    }
    this.#skipBytes = length;
    this.#fragmentCount += 1;
    if (this.#fragmentCount > FRAGMENTS_MAX) throw exceeded('too many pixel data fragments');
    if (this.#keep || this.#stack.length > 2) return true;
    this.#pixel!.fragments.push({ offset: this.#offset, length });
    return true;
  }

  #item(tag: number, sequence: Container): boolean {
    const length = this.#takeItemHeader(tag, sequence);
    this.#countHeader(8);
    if (tag === SEQUENCE_END && sequence.end === undefined) {
      this.#close();
      return true;
    }
    if (tag !== ITEM) throw malformed('a sequence holds something that is no item');
    this.#itemCount += 1;
    if (this.#itemCount > ITEMS_MAX) throw exceeded('too many items of sequences');
    const isFull = this.#keep && sequence.items.length >= NAMED_ITEMS_MAX;
    const dataset = isFull ? undefined : sequence.dataset && new DicomDataset();
    dataset?.inheritCharacterSets(sequence.dataset!);
    if (dataset) sequence.items.push(dataset);
    this.#open('item', length, { ...sequence, seen: new SeenTags(), dataset, tag });
    return true;
  }

  #itemEnd(tag: number, top: Container): boolean {
    if (tag !== ITEM_END || top.kind !== 'item' || top.end !== undefined) {
      throw malformed('a delimiter out of place');
    }
    this.#takeItemHeader(tag, top);
    this.#countHeader(8);
    this.#close();
    return true;
  }

  #open(kind: Container['kind'], length: number, around: Container): void {
    const end = length === UNDEFINED_LENGTH ? undefined : this.#offset + length;
    if (end !== undefined && around.limit !== undefined && end > around.limit) {
      throw malformed('a sequence or item runs past its container');
    }
    if (this.#stack.length > 2 * LIMITS.sequenceDepthMax) {
      throw exceeded('sequences are nested too deeply');
    }
    this.#stack.push({ ...around, kind, end, limit: end ?? around.limit, items: [] });
  }

  #elementAt(tag: number, encoding: Encoding): ElementAt | undefined {
    const [bytes, at] = [this.#bytes, this.#at];
    if (!encoding.explicitVr) {
      return { tag, ...implicitRuleOf(tag), length: lengthAt(bytes, at + 4, encoding) };
    }
    const rule = vrRuleAt(bytes, at + 4);
    if (!rule) throw malformed('an element has no valid VR');
    const { vr, headerBytes } = rule;
    if (headerBytes === 8) {
      return { tag, vr, headerBytes, length: shortLengthAt(bytes, at + 6, encoding) };
    }
    if (!this.#has(12)) return undefined;
    return { tag, vr, headerBytes, length: lengthAt(bytes, at + 8, encoding) };
  }

  #element(element: ElementAt, top: Container): boolean {
    const { tag, vr, headerBytes, length } = element;
    this.#checkPlace(tag);
    if (this.#stack.length === 1 && PIXEL_DATA_VRS.has(tag)) {
      this.#beginPixelData(element, top);
      return true;
    }
    if (vr === 'SQ' || length === UNDEFINED_LENGTH) {
      this.#beginSequence(element, top);
      return true;
    }
    if (length > LIMITS.headerValueBytesMax) throw exceeded('a header value is too long');
    const { limit } = top;
    if (limit !== undefined && this.#offset + headerBytes + length > limit) {
      throw malformed('an element runs past its container');
    }
    const isKept = top.dataset !== undefined && this.#isKept(tag, length);
    if (isKept && !this.#has(headerBytes + length)) return false;
    this.#see(tag, top);
    this.#countHeader(headerBytes + length);
    this.#advance(headerBytes);
    if (!isKept) {
      this.#skipBytes = length;
      return true;
    }
    const raw = new Uint8Array(length);
    raw.set(this.#bytes.subarray(this.#at, this.#at + length));
    this.#advance(length);
    const width = top.encoding.littleEndian ? 1 : byteOrderWidth(vr);
    top.dataset!.put({ tag, vr, value: width > 1 ? swapped(raw, width) : raw });
    return true;
  }

  #isKept(tag: number, length: number): boolean {
    if (!this.#keep || PIXEL_DESCRIPTION_TAGS.has(tag)) return true;
    return length <= NAMED_VALUE_BYTES_MAX && this.#keep.has(tag);
  }

  #checkPlace(tag: number): void {
    const group = tag >>> 16;
    if (group < this.#lowestGroup || group === 0xffff) {
      throw malformed('an element of a group that has no place here');
    }
    const isTrailing = this.#stack.length === 1 && this.#pixel !== undefined;
    if (isTrailing && tag < this.#pixel!.tag) throw malformed('header elements after pixel data');
  }

  /** PS3.5 7.1: an element occurs once. Two readers must never see two different patients. */
  #see(tag: number, top: Container): void {
    if (!top.seen.add(tag)) throw malformed('an element occurs twice');
    this.#openElements += 1;
    if (this.#openElements > OPEN_ELEMENTS_MAX) throw exceeded('too many elements');
  }

  #beginSequence({ tag, vr, headerBytes, length }: ElementAt, top: Container): void {
    this.#see(tag, top);
    this.#advance(headerBytes);
    this.#countHeader(headerBytes);
    if (length === UNDEFINED_LENGTH && PIXEL_DATA_VRS.has(tag)) {
      // Encapsulated pixels of an icon image (PS3.5 A.4): walked, not kept.
      this.#open('fragments', length, { ...top, tag });
      return;
    }
    if (vr !== 'SQ' && vr !== 'UN') throw malformed('undefined length outside a sequence');
    // PS3.5 6.2.2 note 4: UN of undefined length is a sequence in Implicit VR Little Endian.
    const encoding = vr === 'UN' ? IMPLICIT : top.encoding;
    const dataset = this.#keep?.has(tag) === false ? undefined : top.dataset;
    this.#open('sequence', length, { ...top, tag, encoding, dataset });
  }

  #beginPixelData({ tag, vr, headerBytes, length }: ElementAt, top: Container): void {
    if (this.#pixel) throw malformed('pixel data twice');
    if (!PIXEL_DATA_VRS.get(tag)!.includes(vr)) throw malformed('pixel data of another VR');
    const elementOffset = this.#offset;
    this.#see(tag, top);
    this.#advance(headerBytes);
    const encapsulated = length === UNDEFINED_LENGTH;
    const valueLength = encapsulated ? 0 : length;
    const valueOffset = this.#offset;
    this.#pixel = { tag, vr, elementOffset, valueOffset, valueLength, encapsulated, fragments: [] };
    if (encapsulated) this.#open('fragments', length, { ...top, tag });
    else this.#skipBytes = length;
  }
}

/**
 * Codestream sweep: is anything that identifies in the comments of compressed frames?
 * Decides by the rules of the identifier sweep, on every frame, while the pixel data go by: frames
 * leave as they came, with whatever a device wrote into them.
 * Invariants: memory is the comments of one frame; no comment is told to anybody; what is no
 * codestream is searched whole, and does not leave when it is too long for that (video, JPEG XL).
 * Source: PS3.5 A.4 (items of encapsulated pixel data), 8.2; pseudonymisation specification 1.3.
 */
import type { DicomDataset, FileMeta, PixelDataRange } from '@aifi/dicom-core';
import { AifiError } from '@aifi/shared-kernel';
import { CodestreamComments, codestreamKind, START_BYTES } from './codestream-comments.js';
import type { DeidentificationContext } from './deidentification-context.js';
import { IdentifierFound, IdentifierSweep } from './identifier-sweep.js';
import { knownIdentifiersOf, type KnownIdentifiers } from './known-identifiers.js';

const PIXEL_DATA = 0x7fe00010;
const ITEM = 0xe000;
const ITEM_HEADER_BYTES = 8;
/** Shorter runs of letters occur in binary data by chance. @unit characters */
const RUN_MIN = 4;
/** Less than a kept value may have; the overlap is longer than any identifier. @unit characters */
const [WINDOW, OVERLAP] = [3_800, 200];
/** Letters, digits and what stands between them; line ends are a space. */
const RUN = new RegExp(`[\\p{L}\\p{M}\\p{N}\\p{P}\\p{S} ]{${RUN_MIN},}`, 'gu');

/** Readable text of a comment: UTF-8 or Latin-1, also when every second byte is zero. */
export function textsOfComment(bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes);
  const utf8 = buffer.toString('utf8');
  const decoded = utf8.includes('\ufffd') ? buffer.toString('latin1') : utf8;
  // Wide characters, as in Exif: without the zeros they read the same.
  const texts = [decoded, ...(decoded.includes('\0') ? [decoded.replaceAll('\0', '')] : [])];
  return texts.flatMap((text) => {
    const runs = text.replace(/[\t\r\n]+/g, ' ').match(RUN) ?? [];
    return runs.flatMap((run) => {
      const windows: string[] = [];
      for (let at = 0; at === 0 || at + OVERLAP < run.length; at += WINDOW - OVERLAP) {
        windows.push(run.slice(at, at + WINDOW));
      }
      return windows;
    });
  });
}

/** RLE has no place for a comment (PS3.5 annex G). */
const RLE_LOSSLESS = '1.2.840.10008.1.2.5';

interface ReceivedImage {
  readonly meta: Pick<FileMeta, 'transferSyntaxUid'>;
  readonly dataset: DicomDataset;
  readonly pixelData: Pick<PixelDataRange, 'encapsulated'> | undefined;
}

/** Undefined when the pixel data are no codestreams. */
export function codestreamSweepOf(
  { meta, dataset, pixelData }: ReceivedImage,
  context: Pick<DeidentificationContext, 'placeholderBirthDates'>,
): CodestreamSweep | undefined {
  if (!pixelData?.encapsulated || meta.transferSyntaxUid === RLE_LOSSLESS) return undefined;
  return new CodestreamSweep(dataset, context);
}

/** Takes the value of encapsulated pixel data as it goes by. */
export class CodestreamSweep {
  readonly #header = Buffer.alloc(ITEM_HEADER_BYTES);
  #headerBytes = 0;
  /** First bytes of a fragment, until they tell whether a codestream begins. */
  #start: number[] = [];
  #isStart = false;
  /** Of the fragment. @unit bytes */
  #left = 0;
  #codestream: CodestreamComments | undefined;
  readonly #known: KnownIdentifiers;
  #isFound = false;

  constructor(
    received: DicomDataset,
    context: Pick<DeidentificationContext, 'placeholderBirthDates'> = {},
  ) {
    this.#known = knownIdentifiersOf(received, context);
  }

  /** The next bytes: items, and the delimiter. */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length && !this.#isFound) {
      if (this.#left > 0) at = this.#fragment(bytes, at);
      else this.#headerByte(bytes[at++]!);
    }
  }
  /** True when an identifier was found in any comment. */
  end(): boolean {
    this.#codestream?.end();
    return this.#isFound;
  }

  /** Item headers are little endian in every encapsulated syntax. */
  #headerByte(byte: number): void {
    this.#header[this.#headerBytes++] = byte;
    if (this.#headerBytes < ITEM_HEADER_BYTES) return;
    this.#headerBytes = 0;
    const isItem = this.#header.readUInt16LE(2) === ITEM;
    this.#left = isItem ? this.#header.readUInt32LE(4) : 0;
    this.#start = [];
    this.#isStart = true;
  }

  #fragment(bytes: Uint8Array, from: number): number {
    let at = from;
    const end = Math.min(bytes.length, at + this.#left);
    while (this.#isStart && at < end) {
      this.#start.push(bytes[at++]!);
      if (this.#start.length === START_BYTES) this.#begin();
    }
    if (!this.#isStart) this.#codestream?.push(bytes.subarray(at, end));
    this.#left -= end - from;
    if (this.#isStart && this.#left === 0) this.#begin();
    return end;
  }

  /** A fragment that begins no codestream goes on with the one before. */
  #begin(): void {
    this.#isStart = false;
    const start = Uint8Array.from(this.#start);
    const kind = codestreamKind(start);
    if (kind || !this.#codestream) {
      this.#codestream?.end();
      // A sweep of its own: it holds what was searched, and frames are many.
      const sweep = new IdentifierSweep(this.#known);
      this.#codestream = new CodestreamComments(kind ?? 'unknown', (comment) => {
        this.#isFound ||= textsOfComment(comment).some((text) => identifies(text, sweep));
      });
    }
    this.#codestream?.push(start);
  }
}

function identifies(text: string, sweep: IdentifierSweep): boolean {
  try {
    sweep.check(text, PIXEL_DATA);
    return false;
  } catch (error) {
    // More comments than any device writes: what cannot be searched does not leave either.
    if (error instanceof IdentifierFound || error instanceof AifiError) return true;
    throw error;
  }
}

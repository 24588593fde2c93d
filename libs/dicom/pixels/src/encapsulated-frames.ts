/**
 * Encapsulated frames: which fragments of compressed pixel data make up which frame.
 * Decides by the offset table, else by one fragment a frame, else by where codestreams begin; when
 * none of these tells, nothing is read: a frame of wrong fragments would be a wrong picture.
 * Invariant: every fragment belongs to exactly one frame, in order.
 * Source: PS3.5 A.4 (basic offset table, fragments), PS3.3 C.7.6.3.1.8 (extended offset table).
 */
import type { DicomDataset, PixelDataRange } from '@aifi/dicom-core';
import { ok, refuse, type Result } from '@aifi/shared-kernel';
import { isCodestreamStart } from './codestream-header.js';
import type { DatasetBytes } from './dataset-bytes.js';

export type Fragment = PixelDataRange['fragments'][number];

/** Tag and length of an item. @unit bytes */
const ITEM_HEADER_BYTES = 8;

export interface FrameQuestion {
  readonly dataset: DicomDataset;
  readonly pixelData: PixelDataRange;
  readonly frames: number;
  readonly bytes: DatasetBytes;
  /** RLE frames are one fragment each (PS3.5 A.4.2). */
  readonly isRle: boolean;
}

/** The fragments of every frame; MALFORMED when they cannot be told apart. */
export async function frameFragments(question: FrameQuestion): Promise<Result<Fragment[][]>> {
  const { pixelData, frames, bytes, isRle } = question;
  const [table, ...fragments] = pixelData.fragments;
  if (!table || fragments.length < frames || (isRle && fragments.length !== frames)) {
    return refuse('MALFORMED', 'pixel data has fewer or more fragments than frames');
  }
  if (fragments.length === frames) return ok(fragments.map((fragment) => [fragment]));
  if (frames === 1) return ok([fragments]);
  const offsets = extendedOffsets(question.dataset) ?? (await basicOffsets(table, bytes));
  const starts = offsets ? startsAt(offsets, fragments) : await startsByContent(fragments, bytes);
  if (starts?.length !== frames || starts[0] !== 0) {
    return refuse('MALFORMED', 'frames of compressed pixel data cannot be told apart');
  }
  return ok(starts.map((start, i) => fragments.slice(start, starts[i + 1])));
}

function extendedOffsets(dataset: DicomDataset): number[] | undefined {
  const value = dataset.bytes('ExtendedOffsetTable');
  if (!value || value.length < 8) return undefined;
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  return Array.from({ length: Math.floor(value.length / 8) }, (_, i) =>
    Number(view.getBigUint64(i * 8, true)),
  );
}

async function basicOffsets(table: Fragment, bytes: DatasetBytes): Promise<number[] | undefined> {
  if (table.length < 4) return undefined;
  const value = await bytes.read(table.offset, table.length);
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  return Array.from({ length: Math.floor(value.length / 4) }, (_, i) =>
    view.getUint32(i * 4, true),
  );
}

/** Indices of the fragments at these offsets; undefined when one offset names no fragment. */
function startsAt(
  offsets: readonly number[],
  fragments: readonly Fragment[],
): number[] | undefined {
  const first = fragments[0]!.offset;
  const places = new Map(fragments.map((fragment, i) => [fragment.offset - first, i]));
  const starts = offsets.map((offset) => places.get(offset));
  const isAscending = starts.every(
    (start, i) => start !== undefined && start > (starts[i - 1] ?? -1),
  );
  return isAscending ? (starts as number[]) : undefined;
}

async function startsByContent(
  fragments: readonly Fragment[],
  bytes: DatasetBytes,
): Promise<number[]> {
  const starts: number[] = [];
  for (const [index, { offset, length }] of fragments.entries()) {
    const start = await bytes.read(offset, Math.min(length, ITEM_HEADER_BYTES));
    if (isCodestreamStart(start)) starts.push(index);
  }
  return starts;
}

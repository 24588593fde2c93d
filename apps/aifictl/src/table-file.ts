/**
 * Table files: a CSV file as the interface takes it.
 * Decides that it goes compressed, and how a long list is cut: at line ends, each part with the
 * header, so that the numbers of lines can be told as they are in the whole file.
 * Invariant: bytes go as they are; which letters they mean is the gateway's to find out.
 */
import { gzipSync } from 'node:zlib';
import { UsageError } from './command-line.js';
import type { Terminal } from './terminal.js';

/** As the contract bounds a file. @unit characters */
const FILE_LENGTH_MAX = 240_000;
/** A few megabytes less than the interface unpacks. @unit bytes */
const PART_BYTES_MAX = 3 * 1024 * 1024;
const LINES_PER_PART = 20_000;

export interface TablePart {
  /** base64 of the compressed bytes. */
  readonly file: string;
  /** Added to a line's number in the part it is that of the whole file. */
  readonly linesBefore: number;
}

/** The file whole. Throws UsageError when it does not read or is too long for one request. */
export function tableFile(path: string, { files }: Terminal): string {
  return packed(bytesOf(path, files));
}

/** The file in parts; one unless it is long. Throws UsageError. */
export function tableParts(
  path: string,
  { files }: Terminal,
  linesPerPart: number = LINES_PER_PART,
): TablePart[] {
  const bytes = bytesOf(path, files);
  const headerEnd = lineEnd(bytes, 0);
  const header = bytes.subarray(0, headerEnd);
  const parts: TablePart[] = [];
  let [at, linesBefore] = [headerEnd, 0];
  do {
    const begin = at;
    let lines = 0;
    while (at < bytes.length && lines < linesPerPart && at - begin < PART_BYTES_MAX) {
      at = lineEnd(bytes, at);
      lines += 1;
    }
    const part = Buffer.concat([header, bytes.subarray(begin, at)]);
    parts.push({ file: packed(part), linesBefore });
    linesBefore += lines;
  } while (at < bytes.length);
  return parts;
}

function lineEnd(bytes: Uint8Array, from: number): number {
  const end = bytes.indexOf(0x0a, from);
  return end < 0 ? bytes.length : end + 1;
}

function packed(bytes: Uint8Array): string {
  const text = gzipSync(bytes).toString('base64');
  if (text.length <= FILE_LENGTH_MAX) return text;
  throw new UsageError('the file is too long for one request');
}

function bytesOf(path: string, files: Terminal['files']): Uint8Array {
  try {
    return files.readBytes(path);
  } catch {
    throw new UsageError('the file does not read');
  }
}

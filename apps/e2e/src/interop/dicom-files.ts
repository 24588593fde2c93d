/**
 * The files of the shared test data, and objects made here as a floor where that data is absent.
 * Decides how a file is offered to a listener: by its own file meta where that can be read, else as
 * it lies, in Explicit VR Little Endian under UIDs made of its digest.
 * Reads file meta with a few lines of its own; group length is not needed, VRs must be right.
 * Source: PS3.10 7.1.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createHash } from 'node:crypto';
import type { RawObject } from './raw-encoding.js';

/** The folder of test files that no clone has; suites say so when it is missing. */
export const SHARED_DICOM = join(import.meta.dirname, '../../../../../shared/data/dicom');
export const hasSharedFiles = existsSync(SHARED_DICOM);

const EXPLICIT = '1.2.840.10008.1.2.1';
const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';
const UID = /^[0-9.]{1,128}$/;
/** VRs of group 0002, PS3.10 7.1, with and without a 32-bit length; any other is damage. */
const LONG_LENGTH = new Set(['OB', 'OW', 'UN', 'UT', 'SQ']);
const SHORT_LENGTH = new Set(['AE', 'LO', 'SH', 'UI', 'UL', 'UR']);

/** Paths of all files below a folder of the test data, sorted, relative to that data. */
export function sharedFiles(folder = ''): string[] {
  if (!hasSharedFiles) return [];
  const entries = readdirSync(join(SHARED_DICOM, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(SHARED_DICOM, join(entry.parentPath, entry.name)))
    .sort();
}
export const sharedPath = (path: string): string => join(SHARED_DICOM, path);

/** Group 0002 by element number, and where the dataset begins; undefined when it is not one. */
function fileMeta(file: Buffer): { values: Map<number, string>; end: number } | undefined {
  let at = file.toString('latin1', 128, 132) === 'DICM' ? 132 : 0;
  const values = new Map<number, string>();
  while (at + 12 <= file.length && file.readUInt16LE(at) === 0x0002) {
    const number = file.readUInt16LE(at + 2);
    const vr = file.toString('latin1', at + 4, at + 6);
    const isLong = LONG_LENGTH.has(vr);
    if (!isLong && !SHORT_LENGTH.has(vr)) return undefined;
    const length = isLong ? file.readUInt32LE(at + 8) : file.readUInt16LE(at + 6);
    const from = at + (isLong ? 12 : 8);
    if (from + length > file.length) return undefined;
    const value = file.toString('latin1', from, from + length);
    values.set(number, value.replace(/[\0 ]+$/, ''));
    at = from + length;
  }
  return values.size > 0 ? { values, end: at } : undefined;
}

/** The object that a file says it is; undefined when its file meta does not say. */
export function ownObjectOf(file: Buffer): RawObject | undefined {
  const meta = fileMeta(file);
  const [sopClassUid, sopInstanceUid, transferSyntaxUid] = [0x0002, 0x0003, 0x0010].map(
    (number) => meta?.values.get(number) ?? '',
  ) as [string, string, string];
  if (meta && [sopClassUid, sopInstanceUid, transferSyntaxUid].every((uid) => UID.test(uid))) {
    return {
      sopClassUid,
      sopInstanceUid,
      transferSyntaxUid,
      dataset: file.subarray(meta.end),
    };
  }
  return undefined;
}

/** The object that is offered for the bytes of a file, whatever they are. */
export function objectOf(file: Buffer): RawObject {
  const own = ownObjectOf(file);
  if (own) return own;
  const digest = createHash('sha256').update(file).digest('hex').slice(0, 32);
  return {
    sopClassUid: SECONDARY_CAPTURE,
    sopInstanceUid: `2.25.${BigInt(`0x${digest}`)}`,
    transferSyntaxUid: EXPLICIT,
    dataset: file,
  };
}
/** Those files of a folder of the test data that say what they are. */
export function sharedObjects(folder: string): RawObject[] {
  return sharedFiles(folder).flatMap((path) => ownObjectOf(readFileSync(sharedPath(path))) ?? []);
}

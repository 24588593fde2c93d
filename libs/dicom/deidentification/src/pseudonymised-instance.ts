/**
 * PseudonymisedInstance: the only thing that may leave a gateway, and its only maker.
 * Decides how a received file becomes a pseudonymised one: new header and file meta, pixel bytes
 * copied untouched. Invariants: no other code makes a value of this type; the file is durable under
 * its own SHA-256 when the value exists; memory does not grow with the pixel data.
 * Source: PS3.10 7.1, PS3.15 E.1.1 (7); reliability specification H4, P1; architecture 4.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import {
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
  type DicomDataset,
  elementHeader,
  encodeDataset,
  encodeFileMeta,
  encodingOf,
  EXPLICIT_VR_LITTLE_ENDIAN,
  readDatasetRange,
  readPart10,
  UNDEFINED_LENGTH,
  type Part10File,
} from '@aifi/dicom-core';
import {
  AifiError,
  DurableWriter,
  ok,
  refuse,
  type JobId,
  type PseudonymousUid,
  type Result,
  type Sha256,
} from '@aifi/shared-kernel';
import type { DeidentificationContext, PixelClearance, UidMap } from './deidentification-context.js';
import { pseudonymiseHeader } from './pseudonymise-header.js';

declare const pseudonymised: unique symbol;

/** A file without identity. Only `writePseudonymisedInstance` makes one. */
export interface PseudonymisedInstance {
  readonly [pseudonymised]: true;
  readonly sopInstanceUid: PseudonymousUid;
  readonly sopClassUid: string;
  readonly seriesInstanceUid: PseudonymousUid;
  readonly studyInstanceUid: PseudonymousUid;
  readonly transferSyntaxUid: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: Sha256;
}

/** One job's upload: what the spool takes. Holds no identity. */
export interface PseudonymisedStudy {
  readonly jobId: JobId;
  readonly revision: number;
  /** Canonical bytes of the study manifest. */
  readonly manifest: Buffer;
  readonly manifestSha256: Sha256;
  /** Sealed return envelope (guard C4). */
  readonly envelope: Buffer;
  readonly instances: readonly PseudonymisedInstance[];
}

export interface WriteRequest {
  /** A received Part 10 file. */
  readonly sourcePath: string;
  /** Where the output goes, as `<sha256>.dcm`. */
  readonly folder: string;
  readonly context: DeidentificationContext;
  /** What the pixel gate has found. @default NOT_EXAMINED */
  readonly clearance?: PixelClearance | undefined;
  /** Told every remapped UID; the caller makes the map durable before anything leaves. */
  readonly onUids?: (uids: UidMap) => void;
}

const PIXEL_DATA = 0x7fe00010;

/**
 * Writes the pseudonymised form of one file, durably. The same source, keys and site code give the
 * same bytes. Refuses QUARANTINED_* or MALFORMED; throws only for faults of the disk.
 */
export async function writePseudonymisedInstance(
  request: WriteRequest,
): Promise<Result<PseudonymisedInstance>> {
  const { sourcePath, folder, context } = request;
  const source = await readSource(sourcePath);
  if (!source.ok) return source;
  const { dataset, meta, pixelData } = source.value;
  if (meta.sopInstanceUid !== dataset.string('SOPInstanceUID')) {
    return refuse('QUARANTINED_IDENTIFIER', 'file meta and dataset name different instances');
  }
  if (pixelData && pixelData.tag !== PIXEL_DATA) {
    return refuse('QUARANTINED_PIXELS', 'pixel data of an unexpected kind');
  }
  const header = pseudonymiseHeader(dataset, context);
  if (!header.ok) return header;
  request.onUids?.(header.value.uids);

  const output = header.value.dataset;
  // Deflated input is written plain: nothing on the way gains from compressing it again.
  const transferSyntaxUid =
    meta.transferSyntaxUid === DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
      ? EXPLICIT_VR_LITTLE_ENDIAN
      : meta.transferSyntaxUid;
  const parts = outputParts({ request, source: source.value, output, transferSyntaxUid });
  const file = await writeNamedByDigest(folder, parts);
  return ok({
    sopInstanceUid: output.string('SOPInstanceUID') as PseudonymousUid,
    sopClassUid: output.string('SOPClassUID')!,
    seriesInstanceUid: output.string('SeriesInstanceUID') as PseudonymousUid,
    studyInstanceUid: output.string('StudyInstanceUID') as PseudonymousUid,
    transferSyntaxUid,
    ...file,
  } as PseudonymisedInstance);
}

async function readSource(path: string): Promise<Result<Part10File>> {
  try {
    return ok(await readPart10(path));
  } catch (error) {
    const { code } = AifiError.from(error);
    if (code !== 'DICOM_MALFORMED' && code !== 'LIMIT_EXCEEDED') throw error;
    return refuse('MALFORMED', 'the stored file does not parse');
  }
}

interface OutputPlan {
  readonly request: WriteRequest;
  readonly source: Part10File;
  readonly output: DicomDataset;
  readonly transferSyntaxUid: string;
}

async function* outputParts(plan: OutputPlan): AsyncGenerator<Uint8Array> {
  const { request, source, output, transferSyntaxUid } = plan;
  const encoding = encodingOf(transferSyntaxUid);
  yield encodeFileMeta({
    sopClassUid: output.string('SOPClassUID')!,
    sopInstanceUid: output.string('SOPInstanceUID')!,
    transferSyntaxUid,
  });
  yield encodeDataset(output, encoding);
  const pixels = source.pixelData;
  if (!pixels) return;
  const length = pixels.encapsulated ? UNDEFINED_LENGTH : pixels.valueLength;
  yield elementHeader(pixels.tag, pixels.vr, length, encoding);
  if (pixels.valueLength === 0) return;
  const range = { offset: pixels.valueOffset, length: pixels.valueLength };
  yield* readDatasetRange(request.sourcePath, source, range);
}

async function writeNamedByDigest(
  folder: string,
  parts: AsyncIterable<Uint8Array>,
): Promise<{ path: string; sizeBytes: number; sha256: Sha256 }> {
  const writer = await DurableWriter.open(folder);
  try {
    // The name is the digest, so it is needed before the writer gives its own at commit.
    const hash = createHash('sha256');
    for await (const bytes of parts) {
      hash.update(bytes);
      await writer.append(bytes);
    }
    return await writer.commit(join(folder, `${hash.digest('hex')}.dcm`));
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

/**
 * PseudonymisedInstance: the only thing that may leave a gateway, and its only maker.
 * Decides how a received file becomes a pseudonymised one, in one pass over it: new file meta and
 * header as soon as the old header is complete, pixel bytes copied untouched, nothing of what
 * follows them. Invariants: no other code makes a value of this type; file and name are durable
 * when the value exists; memory does not grow with the pixel data; a file that turns out not to be
 * whole leaves nothing behind.
 * Source: PS3.10 7.1, PS3.15 E.1.1 (7); reliability specification H4, P1; architecture 4.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
  type DicomDataset,
  elementHeader,
  encodeDataset,
  encodeFileMeta,
  encodingOf,
  EXPLICIT_VR_LITTLE_ENDIAN,
  UNDEFINED_LENGTH,
} from '@aifi/dicom-core';
import type { CleanedPixels } from '@aifi/dicom-pixels';
import {
  AifiError,
  fileFault,
  nodeFileSystem,
  ok,
  refuse,
  type JobId,
  type PseudonymousUid,
  type Result,
  type Sha256,
} from '@aifi/shared-kernel';
import { codestreamSweepOf, type CodestreamSweep } from './codestream-sweep.js';
import {
  NOT_EXAMINED,
  type DeidentificationContext,
  type PixelClearance,
  type UidMap,
} from './deidentification-context.js';
import {
  pseudonymiseHeader,
  type ActionReport,
  type PseudonymisedHeader,
} from './pseudonymise-header.js';
import { InstanceFile, PART_NAME } from './pseudonymised-instance-file.js';
import {
  ChunkPool,
  InstanceSource,
  NotAsReceived,
  type SourceHeader,
} from './pseudonymised-instance-source.js';
import { startWriter } from './writer-thread.js';

declare const pseudonymised: unique symbol;
declare const pending: unique symbol;

interface InstanceFacts {
  readonly sopInstanceUid: PseudonymousUid;
  readonly sopClassUid: string;
  readonly seriesInstanceUid: PseudonymousUid;
  readonly studyInstanceUid: PseudonymousUid;
  readonly transferSyntaxUid: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: Sha256;
}
/** A file without identity, durable under its name. */
export interface PseudonymisedInstance extends InstanceFacts {
  readonly [pseudonymised]: true;
}
/** The same, on disk under its name, but the name itself is not durable yet. */
export interface PendingInstance extends InstanceFacts {
  readonly [pending]: true;
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

/** What has been read of a file, valid while `clear` is asked. */
export type ReceivedInstance = Pick<SourceHeader, 'metaDataset' | 'whole'>;

export interface InstanceRequest {
  /** A received Part 10 file. */
  readonly sourcePath: string;
  /** Its digest as recorded when it came: other bytes are refused. @default not compared */
  readonly expectedSha256?: Sha256 | undefined;
  readonly context: DeidentificationContext;
  /** What is known of the pixels. @default NOT_EXAMINED */
  readonly clearance?: PixelClearance | undefined;
  /**
   * Asked instead, with the header as received and what else has been read, before anything is
   * written; its refusal is that of the file. What it throws is thrown.
   */
  readonly clear?:
    | ((header: DicomDataset, received: ReceivedInstance) => Promise<Result<PixelClearance>>)
    | undefined;
  /** The file gets its name only when this has settled. @default at once */
  readonly after?: Promise<unknown> | undefined;
  /** Told every remapped UID; the caller makes the map durable before anything leaves. */
  readonly onUids?: ((uids: UidMap) => void) | undefined;
  /** Told what was done with every attribute, never a value. */
  readonly report?: ActionReport | undefined;
}
export interface WriteRequest extends InstanceRequest {
  /** Where the output goes, as `<sha256>.dcm`. */
  readonly folder: string;
}
export interface FolderOptions {
  /**
   * Path of a file, from what it is; an existing file is never replaced: the same bytes under that
   * name count as written, others are CONFLICTING_INSTANCE. @default `<folder>/<sha256>.dcm`
   */
  readonly pathOf?: (instance: Omit<InstanceFacts, 'path'>) => string;
}

const PIXEL_DATA = 0x7fe00010;
/** Frames of a cleaned instance that turn out not to decode. */
class NotDecoded extends Error {}
/** Frames that leave as they came would name somebody. */
class NamesSomebody extends Error {}

/** A folder of pseudonymised files of one job: written side by side, made durable together. */
export class PseudonymisedFolder {
  readonly #pool = new ChunkPool();
  readonly #folders = new Set<string>();

  private constructor(
    private readonly folder: string,
    private readonly options: FolderOptions,
  ) {}

  /** Makes the folder when it is missing; removes what an earlier run did not finish. */
  static async open(folder: string, options: FolderOptions = {}): Promise<PseudonymisedFolder> {
    startWriter();
    await makeFolder(folder);
    try {
      for (const name of await readdir(folder)) {
        if (PART_NAME.test(name)) await rm(join(folder, name), { force: true });
      }
    } catch (error) {
      throw fileFault(error);
    }
    return new PseudonymisedFolder(folder, options);
  }

  /**
   * Writes the pseudonymised form of one file; several may be written at the same time. The same
   * source, keys, site code and clearance give the same bytes. Refuses QUARANTINED_*, MALFORMED or
   * CONFLICTING_INSTANCE; throws only for faults of the disk.
   */
  async write(request: InstanceRequest): Promise<Result<PendingInstance>> {
    const { sourcePath, expectedSha256 } = request;
    const source = await InstanceSource.open(sourcePath, this.#pool, expectedSha256);
    try {
      return await this.#write(source, request);
    } catch (error) {
      const refusal = refusalOfFault(error);
      if (!refusal) throw error;
      return refusal;
    } finally {
      await source.close();
    }
  }

  async #write(source: InstanceSource, request: InstanceRequest): Promise<Result<PendingInstance>> {
    const received = await source.header();
    const prepared = await headerOf(received, request);
    if (!prepared.ok) {
      // Of a file that is not whole nothing else is said: nobody has to look at it.
      await source.skipPixels();
      return prepared;
    }
    const { header, cleaned } = prepared.value;
    const plan = planOf(received, header.dataset, cleaned);
    const file = new InstanceFile(this.folder);
    try {
      if (cleaned) await copyCleaned(source, cleaned, plan.head, file);
      else await copyPixels(source, plan.head, file, codestreamSweepOf(received, request.context));
      // What it was read with serves another one while the disk is waited for.
      await source.close();
      const settled = await this.#settle(file, plan, request.after);
      if (settled.ok) request.onUids?.(header.uids);
      return settled;
    } catch (error) {
      await file.discard();
      throw error;
    }
  }

  /** Syncs the file and gives it its name. */
  async #settle(
    file: InstanceFile,
    plan: OutputPlan,
    after: Promise<unknown> | undefined,
  ): Promise<Result<PendingInstance>> {
    const facts = { ...plan.facts, ...(await file.sync()) };
    // Its fault is that of somebody else.
    await after?.catch(() => undefined);
    const { pathOf } = this.options;
    const path = pathOf?.(facts) ?? join(this.folder, `${facts.sha256}.dcm`);
    const folder = dirname(path);
    if (!this.#folders.has(folder)) {
      await makeFolder(folder);
      this.#folders.add(folder);
    }
    if (!pathOf) {
      file.nameByDigest(path);
    } else if (!file.nameAnew(path)) {
      await file.discard();
      const isSame = (await digestOf(path)) === facts.sha256;
      if (!isSame) return refuse('CONFLICTING_INSTANCE', 'written before, with other content');
    }
    return ok({ ...facts, path } as PendingInstance);
  }

  /** Makes the names durable, with one sync of each folder. */
  seal(instances: readonly PendingInstance[]): Promise<readonly PseudonymisedInstance[]> {
    return sealInstances(this.folder, instances, this.#folders);
  }
}

/** As `PseudonymisedFolder.seal`, also of what another thread has written into this folder. */
export async function sealInstances(
  root: string,
  instances: readonly PendingInstance[],
  leaves: ReadonlySet<string> = new Set(instances.map(({ path }) => dirname(path))),
  files = nodeFileSystem,
): Promise<readonly PseudonymisedInstance[]> {
  // A folder is found again only when the one around it is durable too.
  const all = new Set([dirname(root)]);
  for (const leaf of leaves)
    for (let at = leaf; at !== dirname(at) && !all.has(at); at = dirname(at)) all.add(at);
  try {
    for (const folder of all) await files.syncFolder(folder);
  } catch (error) {
    throw fileFault(error);
  }
  return instances as readonly InstanceFacts[] as readonly PseudonymisedInstance[];
}

/** Writes one file of its own, durably. As `PseudonymisedFolder.write`. */
export async function writePseudonymisedInstance(
  request: WriteRequest,
): Promise<Result<PseudonymisedInstance>> {
  const folder = await PseudonymisedFolder.open(request.folder);
  const written = await folder.write(request);
  if (!written.ok) return written;
  const [instance] = await folder.seal([written.value]);
  return ok(instance!);
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw fileFault(error);
  }
}

/** What a fault says of the file; undefined when it says nothing, but is one of the disk. */
function refusalOfFault(error: unknown): Result<never> | undefined {
  if (error instanceof NotAsReceived) return refuse('MALFORMED', error.message);
  if (error instanceof NamesSomebody) return refuse('QUARANTINED_IDENTIFIER', error.message);
  if (error instanceof NotDecoded) return refuse('QUARANTINED_PIXELS', error.message);
  const { code } = AifiError.from(error);
  if (code === 'DICOM_MALFORMED' || code === 'LIMIT_EXCEEDED') {
    return refuse('MALFORMED', 'the stored file does not parse');
  }
  return undefined;
}

function refusalOf({ meta, dataset, pixelData }: SourceHeader): Result<never> | undefined {
  if (meta.sopInstanceUid !== dataset.string('SOPInstanceUID')) {
    return refuse('QUARANTINED_IDENTIFIER', 'file meta and dataset name different instances');
  }
  if (pixelData && pixelData.tag !== PIXEL_DATA) {
    return refuse('QUARANTINED_PIXELS', 'pixel data of an unexpected kind');
  }
  return undefined;
}

interface PreparedHeader {
  readonly header: PseudonymisedHeader;
  readonly cleaned: CleanedPixels | undefined;
}

/** The new header, when the file may leave. */
async function headerOf(
  received: SourceHeader,
  { context, clear, clearance = NOT_EXAMINED, report }: InstanceRequest,
): Promise<Result<PreparedHeader>> {
  const refusal = refusalOf(received);
  if (refusal) return refusal;
  const { dataset } = received;
  const cleared = clear ? await clear(dataset, received) : ok(clearance);
  if (!cleared.ok) return cleared;
  const header = pseudonymiseHeader(dataset, context, cleared.value, report);
  return header.ok ? ok({ header: header.value, cleaned: cleared.value.cleaned }) : header;
}

interface OutputPlan {
  readonly facts: Omit<InstanceFacts, 'path' | 'sizeBytes' | 'sha256'>;
  /** File meta, header, and the tag, VR and length of the pixel data. */
  readonly head: Uint8Array;
}

function planOf(
  { meta, pixelData }: SourceHeader,
  output: DicomDataset,
  cleaned: CleanedPixels | undefined,
): OutputPlan {
  // Deflated input is written plain: nothing on the way gains from compressing it again.
  const isDeflated = meta.transferSyntaxUid === DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN;
  const untouched = isDeflated ? EXPLICIT_VR_LITTLE_ENDIAN : meta.transferSyntaxUid;
  const facts = {
    sopInstanceUid: output.string('SOPInstanceUID') as PseudonymousUid,
    sopClassUid: output.string('SOPClassUID')!,
    seriesInstanceUid: output.string('SeriesInstanceUID') as PseudonymousUid,
    studyInstanceUid: output.string('StudyInstanceUID') as PseudonymousUid,
    transferSyntaxUid: cleaned?.transferSyntaxUid ?? untouched,
  };
  const encoding = encodingOf(facts.transferSyntaxUid);
  const parts: Uint8Array[] = [encodeFileMeta(facts), encodeDataset(output, encoding)];
  if (cleaned) {
    const length = cleaned.length ?? UNDEFINED_LENGTH;
    parts.push(elementHeader(PIXEL_DATA, cleaned.vr, length, encoding));
  } else if (pixelData) {
    const length = pixelData.encapsulated ? UNDEFINED_LENGTH : pixelData.valueLength;
    parts.push(elementHeader(PIXEL_DATA, pixelData.vr, length, encoding));
  }
  return { facts, head: Buffer.concat(parts) };
}

const IN_A_COMMENT = 'an identifier in a comment of a compressed frame';
/** Head and pixel bytes as they were received. */
async function copyPixels(
  source: InstanceSource,
  head: Uint8Array,
  file: InstanceFile,
  sweep: CodestreamSweep | undefined,
): Promise<void> {
  const whole = source.wholePixels();
  if (whole) {
    sweep?.push(whole.pixels);
    if (sweep?.end()) throw new NamesSomebody(IN_A_COMMENT);
    source.confirm(await file.appendLast([head, whole.pixels], whole.undigested));
    return;
  }
  let isHeadWritten = false;
  for await (const bytes of source.pixels()) {
    sweep?.push(bytes);
    if (isHeadWritten) await file.append(bytes);
    else await file.append(head, bytes);
    isHeadWritten = true;
  }
  if (!isHeadWritten) await file.append(head);
  if (sweep?.end()) throw new NamesSomebody(IN_A_COMMENT);
}

/** Head and other pixel data; the source is walked to its end first. */
async function copyCleaned(
  source: InstanceSource,
  cleaned: CleanedPixels,
  head: Uint8Array,
  file: InstanceFile,
): Promise<void> {
  await source.skipPixels();
  await file.append(head);
  let length = 0;
  try {
    for await (const bytes of cleaned.chunks()) {
      await file.append(bytes);
      length += bytes.length;
    }
  } catch (error) {
    if (AifiError.from(error).code !== 'DICOM_MALFORMED') throw error;
    throw new NotDecoded('the pixel data do not decode', { cause: error });
  }
  if (cleaned.length !== undefined && cleaned.length !== length) {
    throw new AifiError('INTERNAL', 'cleaned pixel data of another length');
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const bytes of createReadStream(path)) hash.update(bytes as Buffer);
  return hash.digest('hex');
}

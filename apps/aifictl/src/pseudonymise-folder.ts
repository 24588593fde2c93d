/**
 * Pseudonymises a folder of files offline, with the engine and the pixel gate of a gateway.
 * Decides the verdict of every file, and that a study which names two patients, in files that pass
 * or in files that do not, is withdrawn whole.
 * Invariants: what the gateway would hold for a person does not pass here; output files are named
 * by pseudonyms and never written over; memory does not grow with pixels or with the files of a
 * study. Source: pseudonymisation specification 1.2, 1.6.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DicomDataset } from '@aifi/dicom-core';
import {
  CLASS_FAMILIES,
  patientKey,
  PseudonymisedFolder,
  type DeidentificationContext,
  type PendingInstance,
  type PixelClearance,
} from '@aifi/dicom-deidentification';
import {
  clearanceOf,
  unattended,
  type PixelGate,
  type PixelQuestion,
} from '@aifi/dicom-pixel-gate';
import { AifiError, hmacSha256, refuse, type Result } from '@aifi/shared-kernel';
import type { SiteKeys } from '@aifi/shared-site-keys';
import { filesBelow, isDicomObject, type FoundFile, type Folders } from './pseudonymise-inputs.js';
import { AttributeCounts, pathDigest, type FileVerdict } from './pseudonymise-report.js';

/** Two are worked on, the writer's turns, while others wait for the disk. */
const FILES_AT_A_TIME = 6;
const FAMILY_CLASSES = new Set(CLASS_FAMILIES.flatMap(({ sopClassUids }) => sopClassUids));

export interface FolderWork {
  readonly folders: Folders;
  readonly context: DeidentificationContext;
  readonly keys: Pick<SiteKeys, 'uid'>;
  readonly gate: Pick<PixelGate, 'judge'>;
  /** Verdicts in the order of the files. */
  readonly onVerdict: (verdict: FileVerdict) => Promise<void>;
}
export interface FolderOutcome {
  readonly passed: number;
  readonly quarantined: number;
  readonly staysBehind: number;
  readonly passedOver: number;
  readonly bytesWritten: number;
  readonly cleaned: number;
  readonly withdrawn: readonly { readonly study: string; readonly files: number }[];
}

interface OneFile {
  readonly folder: PseudonymisedFolder;
  readonly file: FoundFile;
  readonly number: number;
  /** The file before it. */
  readonly after: Promise<unknown>;
}

interface Study {
  /** Keyed digest of its patient: the identity itself is not kept. */
  readonly patient: string;
  /** Of what was written. */
  pseudonym: string | undefined;
  files: number;
  bytes: number;
  isWithdrawn: boolean;
}
const NEW_STUDY = { pseudonym: undefined, files: 0, bytes: 0, isWithdrawn: false };

export class FolderPseudonymiser {
  readonly attributes = new AttributeCounts();
  /** By Study Instance UID as received. */
  readonly #studies = new Map<string, Study>();
  #outcome = { passed: 0, quarantined: 0, staysBehind: 0, passedOver: 0, cleaned: 0, bytes: 0 };

  /** Of the header before: most often that of the next one too. */
  #lastPatient: { readonly words: string; readonly digest: string } | undefined;
  /** Of paths and patients; of a key that every key file has had. */
  readonly #digestKey: Buffer;

  constructor(private readonly work: FolderWork) {
    this.#digestKey = hmacSha256(work.keys.uid, 'aifictl.digest');
  }

  async run(): Promise<FolderOutcome> {
    const { input, output } = this.work.folders;
    const folder = await PseudonymisedFolder.open(output, {
      pathOf: ({ studyInstanceUid, seriesInstanceUid, sopInstanceUid }) =>
        join(output, studyInstanceUid, seriesInstanceUid, `${sopInstanceUid}.dcm`),
    });
    const files = filesBelow(input, () => (this.#outcome.passedOver += 1));
    let before: Promise<unknown> = Promise.resolve();
    await this.#inOrder(files, (file, number) => {
      // Names are given in order, so that of two contents of one instance the first one stands.
      const verdict = this.#one({ folder, file, number, after: before });
      before = verdict;
      return verdict;
    });
    await folder.seal([]);
    return this.#withdraw();
  }

  /** Some files at a time; verdicts are told in order. */
  async #inOrder(
    files: AsyncIterator<FoundFile>,
    one: (file: FoundFile, number: number) => Promise<FileVerdict>,
  ): Promise<void> {
    const running: Promise<FileVerdict>[] = [];
    try {
      for (let number = 1; ; number += 1) {
        const next = await files.next();
        if (next.done) break;
        const verdict = one(next.value, number);
        // Looked at in its turn; until then a fault of it is nobody's.
        verdict.catch(() => undefined);
        running.push(verdict);
        if (running.length >= FILES_AT_A_TIME) await this.#tell(running.shift()!);
      }
      while (running.length > 0) await this.#tell(running.shift()!);
    } finally {
      await Promise.allSettled(running);
    }
  }
  async #tell(pending: Promise<FileVerdict>): Promise<void> {
    const verdict = await pending;
    if (verdict.verdict === 'passed') this.#outcome.passed += 1;
    else if (verdict.verdict === 'quarantined') this.#outcome.quarantined += 1;
    else this.#outcome.staysBehind += 1;
    await this.work.onVerdict(verdict);
  }

  async #one({ folder, file, number, after }: OneFile): Promise<FileVerdict> {
    const { path, name } = file;
    const base = { file: number, pathDigest: pathDigest(name, this.#digestKey) };
    const counts = this.attributes.forFile();
    let header: DicomDataset | undefined;
    let isCleaned = false;
    const written = await folder.write({
      ...{ sourcePath: path, context: this.work.context, report: counts.report, after },
      clear: async (asReceived, received) => {
        header = asReceived;
        this.#see(header);
        const clearance = await this.#clear({ path, header, received });
        isCleaned = clearance.ok && clearance.value.cleaned !== undefined;
        return clearance;
      },
    });
    if (!written.ok) {
      const { code, detail: reason } = written.refusal;
      const words = { code, ...(reason === undefined ? {} : { reason }) };
      const stays = await staysBehind(path, header);
      if (stays) return { ...base, verdict: 'stays behind', reason: stays };
      return { ...base, verdict: 'quarantined', ...words };
    }
    counts.add();
    if (isCleaned) this.#outcome.cleaned += 1;
    const { studyInstanceUid, seriesInstanceUid, sopInstanceUid, sha256 } = written.value;
    this.#count(written.value, header!);
    return {
      ...{ ...base, verdict: 'passed', study: studyInstanceUid, series: seriesInstanceUid },
      ...{ instance: sopInstanceUid, sha256, ...(isCleaned ? { isCleaned } : {}) },
    };
  }

  async #clear(
    image: Pick<PixelQuestion, 'path' | 'header' | 'received'>,
  ): Promise<Result<PixelClearance>> {
    if (!FAMILY_CLASSES.has(image.header.string('SOPClassUID') ?? '')) {
      return refuse('QUARANTINED_IDENTIFIER', 'no keep-list for this SOP class');
    }
    const question = { ...image, isReleased: false } as const;
    return unattended(await clearanceOf(this.work.gate, question));
  }

  /**
   * A study is of one patient: its first header says of whom. Every header counts, also that of a
   * file which is refused later: what it names is in the study as received.
   */
  #see(header: DicomDataset): void {
    const uid = studyUidOf(header);
    if (uid === undefined) return;
    const patient = this.#patientOf(header);
    const study = this.#studies.get(uid);
    if (!study) this.#studies.set(uid, { ...NEW_STUDY, patient });
    else if (study.patient !== patient) study.isWithdrawn = true;
  }
  #count({ studyInstanceUid, sizeBytes }: PendingInstance, header: DicomDataset): void {
    const study = this.#studies.get(studyUidOf(header)!)!;
    study.pseudonym = studyInstanceUid;
    study.files += 1;
    study.bytes += sizeBytes;
    this.#outcome.bytes += sizeBytes;
  }
  /** One that is missing or does not decode is another one than any that can be read. */
  #patientOf(header: DicomDataset): string {
    const words = readable(() => patientKey(header)) ?? '';
    if (this.#lastPatient?.words !== words) {
      const digest = hmacSha256(this.#digestKey, 'aifictl.patient', words).toString('base64');
      this.#lastPatient = { words, digest };
    }
    return this.#lastPatient.digest;
  }

  async #withdraw(): Promise<FolderOutcome> {
    const withdrawn: { study: string; files: number }[] = [];
    for (const { pseudonym, files, bytes, isWithdrawn } of this.#studies.values()) {
      // Of some studies nothing was written: there is nothing to take back.
      if (!isWithdrawn || pseudonym === undefined) continue;
      await rm(join(this.work.folders.output, pseudonym), { recursive: true });
      withdrawn.push({ study: pseudonym, files });
      this.#outcome.passed -= files;
      this.#outcome.quarantined += files;
      this.#outcome.bytes -= bytes;
    }
    const { bytes: bytesWritten, ...outcome } = this.#outcome;
    return { ...outcome, bytesWritten, withdrawn };
  }
}

function studyUidOf(header: DicomDataset): string | undefined {
  return readable(() => header.string('StudyInstanceUID'));
}
function readable(read: () => string | undefined): string | undefined {
  try {
    return read();
  } catch (error) {
    if (AifiError.from(error).code !== 'DICOM_MALFORMED') throw error;
    return undefined;
  }
}

/** Why a refused file is none that any product asks for; undefined when it is one. */
async function staysBehind(
  path: string,
  header: DicomDataset | undefined,
): Promise<string | undefined> {
  if (header && !FAMILY_CLASSES.has(header.string('SOPClassUID') ?? '')) {
    return 'no product asks for this SOP class';
  }
  if (header) return undefined;
  return (await isDicomObject(path)) ? undefined : 'no DICOM object';
}

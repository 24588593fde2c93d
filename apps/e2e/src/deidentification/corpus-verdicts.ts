/**
 * Verdicts of the offline pseudonymisation on the files of the shared test data.
 * Decides what a verdict is, and which files are clean: images of CR, DX, CT and MR as a hospital's
 * own devices send them. Every other file of those classes is told with the reason why it is not.
 * Invariant: each file is judged by itself, in a folder of its own: many test files share UIDs.
 * Source: pseudonymisation specification 1.5, 1.6, 3 (false quarantine on clean images).
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readPart10, readPart10Header, type DicomDataset, type Part10File } from '@aifi/dicom-core';
import {
  DEFAULT_CONTRACT,
  familyOf,
  type DeidentificationContext,
  type PixelClearance,
  type PseudonymisedFolder,
} from '@aifi/dicom-deidentification';
import {
  clearanceOf,
  KNOWN_MANUFACTURERS,
  unattended,
  type PixelGate,
} from '@aifi/dicom-pixel-gate';
import { refuse, type Result } from '@aifi/shared-kernel';
import { fakeSiteKeys } from '@aifi/shared-testing';
import { sharedPath } from '../interop/dicom-files.js';

export interface CorpusVerdict {
  /** passes; stays behind; malformed; or quarantined: and a code. */
  readonly verdict: string;
  /** Fixed words. */
  readonly reason?: string;
  /** Regions were blacked out. */
  readonly isCleaned?: true;
  /** Of a CR, DX, CT or MR image: clean, or why it is not. */
  readonly clean?: string;
  /**
   * The verdict on the same image without the mark that its identity was removed, when nothing else
   * keeps it from being clean: published images carry it, those of a hospital do not.
   */
  readonly unmarked?: string;
}

/** A product that allows faces: else the heads of this data would say nothing of the rest. */
const CONTEXT: DeidentificationContext = {
  siteCode: 'CORPUS',
  keys: fakeSiteKeys('corpus'),
  contract: { ...DEFAULT_CONTRACT, recognisableVisualFeatures: 'allow' },
};
const CLEAN_FAMILIES: ReadonlySet<string> = new Set([
  ...['CR, DX', 'CT', 'MR', 'Enhanced CT', 'Enhanced MR'],
]);
/** The converter of the shared MR series, which a research site would name to its gateway. */
export const SITE_MANUFACTURERS = ['BIOLAB'];
/** Damaged on purpose, and told so by those who publish them. */
const DAMAGED: ReadonlyMap<string, string> = new Map([
  ['small/MR_small_padded.dcm', 'pixel data with bytes too many'],
]);
const IDENTITY_REMOVED = 'the identity was removed before';
const [CLEAN, NOT_CLEAN, SEPARATOR] = ['clean', 'no: ', ', '];
const UNKNOWN_DEVICE = 'a device that nobody knows';

export interface Judges {
  readonly gate: Pick<PixelGate, 'judge'>;
  readonly folder: PseudonymisedFolder;
  /** For copies. */
  readonly scratch: string;
  /** Of the same file, by dcmdump. */
  readonly isValid: boolean;
}

/** What the engine and the gate make of one file, as `aifictl pseudonymise` uses them. */
export async function verdictOf(path: string, judges: Judges): Promise<CorpusVerdict> {
  const sourcePath = sharedPath(path);
  const file = await readHeader(sourcePath);
  const reasons = file && reasonsOf(path, file, judges.isValid);
  const verdict = await judged(sourcePath, judges);
  if (!reasons) return verdict;
  const clean = reasons.length === 0 ? CLEAN : `${NOT_CLEAN}${reasons.join(SEPARATOR)}`;
  const others = reasons.filter((reason) => reason !== UNKNOWN_DEVICE);
  if (others.join() !== IDENTITY_REMOVED) return { ...verdict, clean };
  const copy = await unmarkedCopy(sourcePath, judges.scratch);
  const unmarked = await judged(copy, judges);
  const words = [unmarked.verdict, unmarked.reason].filter((word) => word !== undefined);
  return { ...verdict, clean, unmarked: words.join(', ') };
}

/**
 * The verdict that counts of a clean image; undefined of any other. Images of unknown devices may
 * be counted in: a person looks at them, which a hospital with such a device will feel.
 */
export function cleanVerdictOf(
  { verdict, clean, unmarked }: CorpusVerdict,
  withUnknownDevices: boolean,
): string | undefined {
  if (clean === undefined) return undefined;
  const reasons = clean === CLEAN ? [] : clean.slice(NOT_CLEAN.length).split(SEPARATOR);
  const allowed = [IDENTITY_REMOVED, ...(withUnknownDevices ? [UNKNOWN_DEVICE] : [])];
  if (!reasons.every((reason) => allowed.includes(reason))) return undefined;
  return unmarked ?? verdict;
}

type Header = Pick<Part10File, 'meta' | 'dataset'> & { readonly hasPixels: boolean };

/** Of a file that does not parse to its end, what comes before its pixels. */
async function readHeader(path: string): Promise<Header | undefined> {
  try {
    const { meta, dataset, pixelData } = await readPart10(path);
    return { meta, dataset, hasPixels: pixelData !== undefined };
  } catch {
    const head = await readPart10Header(path).catch(() => undefined);
    return head && { ...head, hasPixels: true };
  }
}

async function judged(sourcePath: string, { folder, gate }: Judges): Promise<CorpusVerdict> {
  let sopClassUid: string | undefined;
  let isCleaned = false;
  const written = await folder.write({
    ...{ sourcePath, context: CONTEXT },
    clear: async (received) => {
      sopClassUid = received.string('SOPClassUID') ?? '';
      const clearance = await examined(sourcePath, received, gate);
      isCleaned = clearance.ok && clearance.value.cleaned !== undefined;
      return clearance;
    },
  });
  if (written.ok) return { verdict: 'passes', ...(isCleaned ? { isCleaned: true as const } : {}) };
  const { code, detail } = written.refusal;
  const reason = detail === undefined ? {} : { reason: detail };
  if (code === 'MALFORMED') return { verdict: 'malformed', ...reason };
  if (sopClassUid !== undefined && !familyOf(sopClassUid)) return { verdict: 'stays behind' };
  return { verdict: `quarantined: ${code}`, ...reason };
}

async function examined(
  path: string,
  header: DicomDataset,
  gate: Pick<PixelGate, 'judge'>,
): Promise<Result<PixelClearance>> {
  if (!familyOf(header.string('SOPClassUID') ?? '')) {
    return refuse('QUARANTINED_IDENTIFIER', 'no keep-list for this SOP class');
  }
  const question = { path, header, isReleased: false } as const;
  return unattended(await clearanceOf(gate, question));
}

/** Undefined for other classes than CR, DX, CT and MR; else why the file is not clean. */
function reasonsOf(path: string, file: Header, isValid: boolean): string[] | undefined {
  const { dataset } = file;
  const family = familyOf(dataset.string('SOPClassUID') ?? '');
  if (!family || !CLEAN_FAMILIES.has(family.name)) return undefined;
  const damage = DAMAGED.get(path) ?? (path.startsWith('malformed/') && 'made to be damaged');
  if (damage) return [damage];
  if (!isValid) return ['dcmdump rejects it'];
  return WHY_NOT.filter(([, is]) => is(file, family.name)).map(([reason]) => reason);
}

/** What no device of this hospital sends of a patient, or what asks to be held back. */
const WHY_NOT: readonly (readonly [string, (file: Header, family: string) => boolean])[] = [
  ['burned-in annotation is declared', ({ dataset }) => says(dataset, 'BurnedInAnnotation')],
  ['no Patient ID', ({ dataset }) => dataset.string('PatientID') === undefined],
  ['no image in it', ({ dataset, hasPixels }) => !dataset.has('Rows') || !hasPixels],
  // Over a network the gateway writes the file meta itself.
  [
    'file meta and dataset name different instances',
    ({ dataset, meta }) => meta.sopInstanceUid !== dataset.string('SOPInstanceUID'),
  ],
  [UNKNOWN_DEVICE, ({ dataset }, family) => isUnknown(dataset, family)],
  [IDENTITY_REMOVED, ({ dataset }) => says(dataset, 'PatientIdentityRemoved')],
];

function says(header: DicomDataset, keyword: string): boolean {
  return header.string(keyword)?.toUpperCase() === 'YES';
}
/** CT and MR of unknown devices are for a person to look at; of CR and DX nobody asks. */
function isUnknown(header: DicomDataset, family: string): boolean {
  if (family === 'CR, DX') return false;
  const manufacturer = `${(header.string('Manufacturer') ?? '').toUpperCase()} `;
  const known = [...KNOWN_MANUFACTURERS, ...SITE_MANUFACTURERS];
  return !known.some((name) => manufacturer.startsWith(name));
}

/** A copy that says NO where the file says that its identity was removed; the rest is the same. */
async function unmarkedCopy(path: string, folder: string): Promise<string> {
  const bytes = await readFile(path);
  // (0012,0062) in either byte order; VR and length, at most 8 bytes, stand before its value.
  for (const tag of ['12006200', '00120062']) {
    const at = bytes.indexOf(Buffer.from(tag, 'hex'));
    const value = at < 0 ? -1 : bytes.subarray(at, at + 12).indexOf('YES');
    if (value >= 0) bytes.write('NO ', at + value, 'latin1');
  }
  const copy = join(folder, 'unmarked.dcm');
  await writeFile(copy, bytes);
  return copy;
}

/**
 * Verdicts of the offline pseudonymisation on the files of the shared test data.
 * Decides what a verdict is, and which files are clean: images of CR, DX, CT and MR as a hospital's
 * own devices send them. Every other file of those classes is told with the reason why it is not.
 * Invariant: each file is judged by itself, in a folder of its own: many test files share UIDs.
 * Source: pseudonymisation specification 1.5, 1.6, 3 (false quarantine on clean images).
 */
import { readPart10Header, type DicomDataset } from '@aifi/dicom-core';
import {
  DEFAULT_CONTRACT,
  familyOf,
  type DeidentificationContext,
  type PixelClearance,
  type PseudonymisedFolder,
} from '@aifi/dicom-deidentification';
import type { PixelGate } from '@aifi/dicom-pixel-gate';
import { blackOut } from '@aifi/dicom-pixels';
import { ok, refuse, type Result } from '@aifi/shared-kernel';
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
const NOT_EXAMINED = { kind: 'hold', reason: 'the pixels could not be examined' } as const;

export interface Judges {
  readonly gate: Pick<PixelGate, 'judge'>;
  readonly folder: PseudonymisedFolder;
  /** Of the same file, by dcmdump. */
  readonly isValid: boolean;
}

/** What the engine and the gate make of one file, as `aifictl pseudonymise` uses them. */
export async function verdictOf(path: string, judges: Judges): Promise<CorpusVerdict> {
  const sourcePath = sharedPath(path);
  const head = await readPart10Header(sourcePath).catch(() => undefined);
  const header = head?.dataset;
  const clean = header && cleanOf(path, header, judges.isValid);
  const told = clean === undefined ? {} : { clean };
  let isCleaned = false;
  const written = await judges.folder.write({
    ...{ sourcePath, context: CONTEXT },
    clear: async (received) => {
      const clearance = await clearanceOf(sourcePath, received, judges.gate);
      isCleaned = clearance.ok && clearance.value.cleaned !== undefined;
      return clearance;
    },
  });
  if (written.ok) return { verdict: 'passes', ...(isCleaned && { isCleaned }), ...told };
  const { code, detail } = written.refusal;
  const reason = detail === undefined ? {} : { reason: detail };
  if (code === 'MALFORMED') return { verdict: 'malformed', ...reason, ...told };
  if (header && !familyOf(header.string('SOPClassUID') ?? '')) return { verdict: 'stays behind' };
  return { verdict: `quarantined: ${code}`, ...reason, ...told };
}

async function clearanceOf(
  path: string,
  header: DicomDataset,
  gate: Pick<PixelGate, 'judge'>,
): Promise<Result<PixelClearance>> {
  if (!familyOf(header.string('SOPClassUID') ?? '')) {
    return refuse('QUARANTINED_IDENTIFIER', 'no keep-list for this SOP class');
  }
  const question = { path, header, lane: 'routine', isReleased: false } as const;
  const decision = await gate.judge(question).catch(() => NOT_EXAMINED);
  if (decision.kind === 'clear') return ok({ isExamined: true });
  if (decision.kind !== 'clean') return refuse('QUARANTINED_PIXELS', decision.reason);
  const cleaned = await blackOut(path, decision.regions);
  return cleaned.ok ? ok({ isExamined: true, cleaned: cleaned.value }) : cleaned;
}

/** Undefined for other classes than CR, DX, CT and MR. */
function cleanOf(path: string, header: DicomDataset, isValid: boolean): string | undefined {
  const family = familyOf(header.string('SOPClassUID') ?? '');
  if (!family || !CLEAN_FAMILIES.has(family.name)) return undefined;
  if (path.startsWith('malformed/')) return 'no: made to be damaged';
  if (!isValid) return 'no: dcmdump rejects it';
  const reason = WHY_NOT.find(([, is]) => is(header))?.[0];
  return reason === undefined ? 'clean' : `no: ${reason}`;
}

const says = (header: DicomDataset, keyword: string): boolean =>
  header.string(keyword)?.toUpperCase() === 'YES';
/** Headers that no device of a hospital sends of a patient, or that ask to be held back. */
const WHY_NOT: readonly (readonly [string, (header: DicomDataset) => boolean])[] = [
  ['burned-in annotation is declared', (header) => says(header, 'BurnedInAnnotation')],
  ['the identity was removed before', (header) => says(header, 'PatientIdentityRemoved')],
  ['no Patient ID', (header) => header.string('PatientID') === undefined],
  ['no image in it', (header) => !header.has('Rows')],
];

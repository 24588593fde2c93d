/**
 * Verification of a folder of pseudonymised files, with or without their originals.
 * Decides whether the folder may be called pseudonymised. Invariants: one file is in memory at a
 * time, and of that its header only; a finding never holds a value; an empty folder does not pass.
 * Source: pseudonymisation specification 2.2.
 */
import { AifiError } from '@aifi/shared-kernel';
import { failed, type Finding, type ObjectFinding } from './finding.js';
import { filesBelow } from './files-below.js';
import { holdsAny } from './marker-search.js';
import { notRunOf, SET_FILES_MAX, type NotRun, type RunFacts } from './not-run.js';
import { OriginalIndex, type Original } from './original-index.js';
import type { PatientCharacteristic } from './profile-oracle.js';
import { readObject } from './read-object.js';
import { SetCheck } from './set-check.js';
import { contradictionsOf, newErrorsOf } from './validators.js';
import { verifyObject, type ReadObject } from './verify-object.js';

export interface VerifyOptions {
  /** Folder with the files as received; adds the checks that need both sides. */
  readonly originals?: string | undefined;
  /** Texts that no output may hold, in any encoding. */
  readonly markers?: readonly string[] | undefined;
  /** Asks dciodvfy and dcentvfy too, where they are installed. @default false */
  readonly validators?: boolean | undefined;
  /** What the product's contract keeps of the patient. @default age and sex */
  readonly retain?: readonly PatientCharacteristic[] | undefined;
}
export interface Verification {
  /** Files that were looked at. */
  readonly files: number;
  readonly findings: readonly Finding[];
  /** True when there were files and no finding is an error. */
  readonly isPassed: boolean;
  /** What this verification does not say. */
  readonly notRun: readonly NotRun[];
}
export interface FileOptions extends Omit<VerifyOptions, 'originals'> {
  /** The file as received. */
  readonly original?: string | undefined;
}

interface Run {
  readonly options: VerifyOptions;
  readonly originals: OriginalIndex | undefined;
  readonly set: SetCheck;
  readonly findings: Finding[];
  readonly paths: string[];
  readonly originalPaths: string[];
  cleaned: number;
}

export async function verifyFolder(
  folder: string,
  options: VerifyOptions = {},
): Promise<Verification> {
  const { originals, validators } = options;
  const run: Run = {
    options,
    originals: originals === undefined ? undefined : await OriginalIndex.of(originals),
    ...{ set: new SetCheck(), findings: [], paths: [], originalPaths: [], cleaned: 0 },
  };
  for await (const path of filesBelow(folder)) await verifyNext(path, run);
  if (validators) {
    const count = await contradictionsOf(
      run.paths.slice(0, SET_FILES_MAX),
      run.originalPaths.slice(0, SET_FILES_MAX),
    );
    if (count > 0) run.findings.push({ file: 0, ...failed('validator.set') });
  }
  return verificationOf(run, { hasOriginals: originals !== undefined, isSet: true });
}

/** One file alone; what only a set shows is not looked at. */
export async function verifyFile(path: string, options: FileOptions = {}): Promise<Verification> {
  const { original, ...others } = options;
  const run: Run = {
    options: others,
    originals: undefined,
    ...{ set: new SetCheck(), findings: [], paths: [], originalPaths: [], cleaned: 0 },
  };
  const known =
    original === undefined ? undefined : { path: original, object: await readObject(original) };
  await verifyNext(path, run, known);
  return verificationOf(run, { hasOriginals: known !== undefined, isSet: false });
}

function verificationOf(
  { options, paths, findings, cleaned }: Run,
  asked: Pick<RunFacts, 'hasOriginals' | 'isSet'>,
): Verification {
  const files = paths.length;
  const isPassed = files > 0 && findings.every(({ severity }) => severity !== 'error');
  const hasMarkers = (options.markers ?? []).length > 0;
  const asksValidators = options.validators === true;
  const notRun = notRunOf({ ...asked, hasMarkers, asksValidators, files, cleaned });
  return { files, findings, isPassed, notRun };
}

async function verifyNext(path: string, run: Run, known?: Original): Promise<void> {
  run.paths.push(path);
  const file = run.paths.length;
  const tell = (...found: readonly ObjectFinding[]): void => {
    run.findings.push(...found.map((finding) => ({ file, ...finding })));
  };
  const { options, originals } = run;
  if (options.markers && (await holdsAny(path, options.markers))) tell(failed('marker.found'));
  const object = await readOrTell(path, tell);
  if (!object) return;
  const original = known ?? (await originals?.take(object));
  if (originals && !original) tell(failed('set.original'));
  if (original) run.originalPaths.push(original.path);
  const { retain, validators } = options;
  const verification = verifyObject(object, { original: original?.object, retain });
  tell(...verification.findings);
  if (verification.isCleaned) run.cleaned += 1;
  run.findings.push(...run.set.add(file, object, verification));
  if (validators && original) {
    const paths = await newErrorsOf(path, original.path);
    tell(...paths.map((tag) => failed('validator.object', tag)));
  }
}

async function readOrTell(
  path: string,
  tell: (finding: ObjectFinding) => void,
): Promise<ReadObject | undefined> {
  try {
    return await readObject(path);
  } catch (error) {
    const { code } = AifiError.from(error);
    if (code !== 'DICOM_MALFORMED' && code !== 'LIMIT_EXCEEDED') throw error;
    tell(failed('file.malformed'));
    return undefined;
  }
}

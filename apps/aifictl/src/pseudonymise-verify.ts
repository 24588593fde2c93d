/**
 * aifictl pseudonymise verify: whether a folder may be called pseudonymised.
 * Decides nothing itself: the checks are a library of their own that shares no rule with the
 * engine. Invariants: a finding names a place, never a value; an empty folder does not pass; what
 * was not checked is told with its reason. Source: pseudonymisation specification 2.2.
 */
import { stat } from 'node:fs/promises';
import { verifyFolder, type Finding, type NotRun } from '@aifi/dicom-deidentification-check';
import { UsageError, type Command } from './command-line.js';
import { count } from './plain-values.js';
import { readProfile } from './pseudonymise-profile.js';

export interface VerifyDocument {
  readonly schema: 'aifictl.pseudonymise-verify.v1';
  readonly files: number;
  readonly passed: boolean;
  readonly findings: readonly Finding[];
  readonly notRun: readonly NotRun[];
}

/** Lines on the terminal; all findings are in the JSON document. */
const LINES_MAX = 50;

export async function pseudonymiseVerify({
  id: folder,
  options,
}: Command): Promise<VerifyDocument> {
  const { contract } = await readProfile(options.profile);
  const { originals } = options;
  await requireFolder(folder, 'the folder is not there');
  if (originals !== undefined) {
    await requireFolder(originals, 'the folder of --originals is not there');
  }
  // Validators complain of what was received, too: without it nobody can tell what is new.
  const asked = { originals, retain: contract.retain, validators: originals !== undefined };
  const { files, findings, isPassed, notRun } = await verifyFolder(folder, asked);
  const schema = 'aifictl.pseudonymise-verify.v1';
  return { schema, files, passed: isPassed, findings, notRun };
}

async function requireFolder(path: string, words: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory()) throw new UsageError(words);
}

/** File 0 is the whole set. */
function lineOf({ file, check, path, severity }: Finding): string {
  const place = file === 0 ? 'all files' : `file ${file}`;
  return `  ${severity === 'error' ? 'ERROR' : 'warning'}  ${place}  ${check}  ${path}`.trimEnd();
}
function notRunLine({ checks, reason, files }: NotRun): string {
  const of = files === undefined ? '' : ` (${count(files, 'file')})`;
  return `  not checked  ${checks.join(', ')}: ${reason}${of}`;
}

export function renderPseudonymiseVerify(document: VerifyDocument): string {
  const { files, passed, findings, notRun } = document;
  const lines = findings.slice(0, LINES_MAX).map((finding) => lineOf(finding));
  const more = findings.length - lines.length;
  const verdict = passed ? 'passed' : 'NOT PASSED';
  const words = `${count(files, 'file')}: ${verdict}, ${count(findings.length, 'finding')}`;
  const rest = more > 0 ? [`  and ${more} more`] : [];
  return `${[words, ...lines, ...rest, ...notRun.map((one) => notRunLine(one))].join('\n')}\n`;
}

/**
 * aifictl pseudonymise verify: whether a folder may be called pseudonymised.
 * Decides nothing itself: the checks are a library of their own that shares no rule with the
 * engine. Invariant: a finding names a place, never a value; an empty folder does not pass.
 * Source: pseudonymisation specification 2.2.
 */
import { verifyFolder, type Finding } from '@aifi/dicom-deidentification-check';
import { UsageError, type Command } from './command-line.js';
import { count } from './plain-values.js';

export interface VerifyDocument {
  readonly schema: 'aifictl.pseudonymise-verify.v1';
  readonly files: number;
  readonly passed: boolean;
  readonly findings: readonly Finding[];
}

/** Lines on the terminal; all findings are in the JSON document. */
const LINES_MAX = 50;

export async function pseudonymiseVerify({ id: folder }: Command): Promise<VerifyDocument> {
  try {
    const { files, findings, isPassed } = await verifyFolder(folder);
    return { schema: 'aifictl.pseudonymise-verify.v1', files, passed: isPassed, findings };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new UsageError('the folder is not there');
  }
}

/** File 0 is the whole set. */
function lineOf({ file, check, path, severity }: Finding): string {
  const place = file === 0 ? 'all files' : `file ${file}`;
  return `  ${severity === 'error' ? 'ERROR' : 'warning'}  ${place}  ${check}  ${path}`.trimEnd();
}

export function renderPseudonymiseVerify({ files, passed, findings }: VerifyDocument): string {
  const lines = findings.slice(0, LINES_MAX).map((finding) => lineOf(finding));
  const more = findings.length - lines.length;
  const verdict = passed ? 'passed' : 'NOT PASSED';
  const words = `${count(files, 'file')}: ${verdict}, ${count(findings.length, 'finding')}`;
  return `${[words, ...lines, ...(more > 0 ? [`  and ${more} more`] : [])].join('\n')}\n`;
}

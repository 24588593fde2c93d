/**
 * What a failed file operation means to the platform.
 * Decides that a full disk is for the sender to try again, and everything else is ours.
 * Invariant: no path is in the words. Source: reliability specification 2 ("Disk").
 */
import { AifiError } from './aifi-error.js';
import { reportNoSpace } from './no-space.js';

/** ENOSPC and EDQUOT become OUT_OF_RESOURCES (retryable for the sender), the rest INTERNAL. */
export function fileFault(error: unknown): AifiError {
  if (error instanceof AifiError) return error;
  const code = (error as NodeJS.ErrnoException).code;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') {
    const words = `file operation failed (${code ?? 'unknown'})`;
    return new AifiError('INTERNAL', words, { cause: error });
  }
  reportNoSpace();
  return new AifiError('OUT_OF_RESOURCES', 'no space left for the spool', { cause: error });
}

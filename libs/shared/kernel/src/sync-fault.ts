/**
 * What a failed sync means.
 * Decides that a disk which cannot keep bytes ends the process: pages of a failed sync count as
 * clean afterwards, so that a second try would claim what is not so. A full disk is no such case:
 * the file goes, and the object is sent again.
 * Source: reliability specification 2 ("A failed fsync is fatal for the process").
 */
import type { AifiError } from './aifi-error.js';
import { fileFault } from './file-fault.js';

export function syncFault(error: unknown): AifiError {
  const fault = fileFault(error);
  if ((error as NodeJS.ErrnoException).code === 'EIO') {
    // Outside of every handler: nobody can take it for an answer.
    queueMicrotask(() => {
      throw fault;
    });
  }
  return fault;
}

/**
 * The engine over a folder of files without the pixel gate, which no other tool has.
 * Decides that one context serves all of them, as a gateway has one for a job.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PseudonymisedFolder, type PendingInstance } from '@aifi/dicom-deidentification';
import { AifiError } from '@aifi/shared-kernel';
import type { SiteKeys } from '@aifi/shared-site-keys';

/** As a gateway takes of one job. */
const FILES_AT_A_TIME = 6;

export async function pseudonymiseFiles(from: string, to: string, keys: SiteKeys): Promise<void> {
  const folder = await PseudonymisedFolder.open(to);
  const names = (await readdir(from)).sort();
  const context = { siteCode: 'BENCH', keys };
  const written: PendingInstance[] = [];
  const lane = async (): Promise<void> => {
    for (let name = names.shift(); name; name = names.shift()) {
      // Nothing was looked at, and so nothing is claimed of the pixels.
      const result = await folder.write({ sourcePath: join(from, name), context });
      if (!result.ok) throw new AifiError('PEER_REFUSED', result.refusal.detail ?? '');
      written.push(result.value);
    }
  };
  await Promise.all(Array.from({ length: FILES_AT_A_TIME }, lane));
  await folder.seal(written);
}

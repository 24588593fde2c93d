/**
 * Entry of the process that shows what the engine and the writer cost without the pixel gate, which
 * no other tool has: every file of a folder, some at a time.
 * Usage: engine-main IN OUT KEYFILE.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PseudonymisedFolder, type PendingInstance } from '@aifi/dicom-deidentification';
import { AifiError } from '@aifi/shared-kernel';
import { loadKeyRing } from '@aifi/shared-site-keys';

/** As a gateway takes of one job. */
const FILES_AT_A_TIME = 6;

const [from = '', to = '', key = ''] = process.argv.slice(2);
const { current: keys } = await loadKeyRing({ path: key, mayCreate: false });
const folder = await PseudonymisedFolder.open(to);
const names = (await readdir(from)).sort();
// One for all of them, as a gateway has one for a job.
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

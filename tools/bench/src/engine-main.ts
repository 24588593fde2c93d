/**
 * Entry of the process that shows what the engine and the writer cost, its start included.
 * Usage: engine-main IN OUT KEYFILE.
 */
import { loadKeyRing } from '@aifi/shared-site-keys';
import { pseudonymiseFiles } from './engine-files.js';

const [from = '', to = '', key = ''] = process.argv.slice(2);
const { current: keys } = await loadKeyRing({ path: key, mayCreate: false });
await pseudonymiseFiles(from, to, keys);

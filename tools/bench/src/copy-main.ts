/**
 * Entry of the process that the pseudonymise bench compares with: reads every file of a folder,
 * writes it to another one and waits until its bytes are on disk.
 * Decides nothing else. Usage: copy-main IN OUT WIDTH, where WIDTH files are copied at a time.
 */
import { copyFiles } from './copy-files.js';

const [from = '', to = '', width = '1'] = process.argv.slice(2);
await copyFiles(from, to, Number(width));

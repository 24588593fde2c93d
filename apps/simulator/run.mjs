/**
 * `npm run simulate` after the bootstrap: builds what changed, then runs the compiled simulator.
 * Everything after `--` belongs to it.
 */
import { buildFirst } from '../../tools/build-first.mjs';

buildFirst();
await import('./dist/main.js');

/**
 * `npm run chaos` after the bootstrap: builds what changed, then runs the compiled chaos runner.
 * Everything after `--` belongs to it.
 */
import { buildFirst } from '../build-first.mjs';

buildFirst();
await import('./dist/main.js');

/**
 * `npm run demo` after the bootstrap: builds what changed, then runs the compiled demo.
 * Everything after `--` belongs to it.
 */
import { buildFirst } from '../build-first.mjs';

buildFirst();
await import('./dist/main.js');

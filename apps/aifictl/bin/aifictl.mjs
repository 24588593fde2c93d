#!/usr/bin/env node
/**
 * aifictl as a command: the compiled program, which `npm run build` makes.
 * What the engine has compiled is kept for the next call, in a folder of this user alone: code
 * from there is run. A Node that cannot keep it does without.
 */
import * as modules from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

const named = process.env['XDG_CACHE_HOME'] ?? '';
const cache = named.startsWith('/') ? named : join(homedir(), '.cache');
modules.enableCompileCache?.(join(cache, 'aifictl'));
await import('../dist/main.js');

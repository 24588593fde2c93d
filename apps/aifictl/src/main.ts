/**
 * Entry point of aifictl.
 * Decides nothing but where input and output are: arguments, environment, terminal, files. It asks
 * the services over HTTP only and runs on any Node that has fetch.
 */
import { randomUUID } from 'node:crypto';
import { createWriteStream, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { runAifictl } from './run.js';
import { tokenFiles } from './tokens.js';

/** XDG Base Directory Specification: an empty or relative value counts as none. */
function configFolder(): string {
  const named = process.env['XDG_CONFIG_HOME'] ?? '';
  return join(named.startsWith('/') ? named : join(homedir(), '.config'), 'aifictl');
}

async function* lines(path: string): AsyncGenerator<string> {
  const file = await open(path);
  yield* file.readLines();
}

async function write(path: string, content: AsyncIterable<Uint8Array>): Promise<number> {
  // What was there may be open to others: the new file is made anew.
  rmSync(path, { force: true });
  const file = createWriteStream(path, { mode: 0o600, flags: 'wx' });
  await pipeline(content, file);
  return file.bytesWritten;
}

process.exitCode = await runAifictl(process.argv.slice(2), {
  environment: process.env,
  out: (text) => void process.stdout.write(text),
  error: (text) => void process.stderr.write(text),
  // Both are slow to load, and an offline command needs neither.
  fetch: (...request) => fetch(...request),
  nowMs: () => Date.now(),
  get timeZone() {
    return new Intl.DateTimeFormat().resolvedOptions().timeZone;
  },
  newKey: () => randomUUID(),
  tokens: tokenFiles(configFolder()),
  files: {
    readText: (path) => readFileSync(path, 'utf8'),
    readBytes: (path) => readFileSync(path),
    lines,
    write,
  },
});

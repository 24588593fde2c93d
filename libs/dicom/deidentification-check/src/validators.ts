/**
 * Validators that others wrote: dciodvfy for one object, dcentvfy for a set.
 * Decides that only what is new counts: an output may be no worse than its original.
 * Invariant: their words, which quote values, are compared with the values cut out and never told.
 * Source: pseudonymisation specification 2.2 (c, d).
 */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { withPlainFile } from './inflated-copy.js';

/** Where Debian installs them; the environment is not read. */
const FOLDERS = ['/usr/bin', '/usr/local/bin', '/bin'];
/** Far beyond what they say of one object. @unit characters */
const OUTPUT_MAX = 4_000_000;

export function installed(program: string): string | undefined {
  return FOLDERS.map((folder) => join(folder, program)).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function said(program: string, words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    // Each stream by itself: a line of one must not end up inside a line of the other.
    const texts = [child.stdout, child.stderr].map((stream) => {
      const collected = { text: '' };
      stream.on('data', (chunk: Buffer) => {
        if (collected.text.length < OUTPUT_MAX) collected.text += chunk.toString('latin1');
      });
      return collected;
    });
    child.once('error', reject);
    child.once('close', () => resolve(texts.map(({ text }) => text).join('\n')));
  });
}

/** One line per kind of complaint: item numbers and quoted values cut out. */
function complaintsIn(text: string, kinds: RegExp): Set<string> {
  const lines = text.split('\n').filter((line) => kinds.test(line));
  return new Set(
    lines.map((line) =>
      line
        .replace(/<[^</>][^>]*>/g, '<>')
        .replace(/\[\d+\]/g, '[]')
        .replace(/=.*$/, '')
        .trim(),
    ),
  );
}

function errorsOf(program: string, path: string): Promise<Set<string>> {
  return withPlainFile(path, async (plain) =>
    complaintsIn(await said(program, ['-new', plain]), /^Error/),
  );
}

/** Tags that new errors of dciodvfy name; one entry, '' if nameless, per new complaint. */
export async function newErrorsOf(output: string, original?: string): Promise<string[]> {
  const program = installed('dciodvfy');
  if (!program) return [];
  const after = await errorsOf(program, output);
  const before = original ? await errorsOf(program, original) : new Set<string>();
  return [...after].filter((line) => !before.has(line)).map(tagIn);
}
/** The last tag that a line names, in the form of a finding. */
function tagIn(line: string): string {
  const tags = [...line.matchAll(/\((?:0x)?([0-9a-f]{4}),(?:0x)?([0-9a-f]{4})\)/gi)];
  const last = tags.at(-1);
  return last ? `(${last[1]},${last[2]})`.toUpperCase() : '';
}

/** How many new contradictions between files dcentvfy finds. */
export async function contradictionsOf(
  outputs: readonly string[],
  originals: readonly string[] = [],
): Promise<number> {
  const program = installed('dcentvfy');
  if (!program || outputs.length === 0) return 0;
  const after = complaintsIn(await said(program, outputs), /^Error/);
  const before =
    originals.length > 0 ? complaintsIn(await said(program, originals), /^Error/) : new Set();
  return [...after].filter((line) => !before.has(line)).length;
}

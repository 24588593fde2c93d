/**
 * Comparison with another reader: which files that we accept does DCMTK's dcmdump reject?
 * Decides nothing: two readers may differ; the counts and the words are for a person to judge.
 * Source: DCMTK dcmdump.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Files of one call: well under any limit of a command line. */
const BATCH = 200;

export interface Comparison {
  readonly compared: number;
  readonly rejected: number;
  /** dcmdump's words, without names and numbers, with how often they came. */
  readonly reasons: Readonly<Record<string, number>>;
  /** The same of what it takes with a warning. */
  readonly warnings: Readonly<Record<string, number>>;
  readonly rejectedFiles: readonly string[];
}

/** Counts a line by what it says in general. */
function count(words: Record<string, number>, line: string): void {
  const general = line
    .replace(/\([0-9a-f]{4},[0-9a-f]{4}\)/gi, '(#)')
    .replace(/\b[A-Z][A-Za-z]*(?= \(#\))/g, '#')
    .replace(/\d+/g, '#');
  words[general] = (words[general] ?? 0) + 1;
}

/** Undefined: nothing was kept, or there is no dcmdump. */
export function compareWithDcmdump(folder: string): Comparison | undefined {
  if (!existsSync(folder)) return undefined;
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.dcm'))
    .map((name) => join(folder, name));
  const reasons: Record<string, number> = {};
  const warnings: Record<string, number> = {};
  const rejected = new Set<string>();
  for (let at = 0; at < files.length; at += BATCH) {
    const batch = files.slice(at, at + BATCH);
    const { error, stderr } = spawnSync('dcmdump', batch, {
      encoding: 'utf8',
      maxBuffer: 1 << 30,
    });
    if (error) return undefined;
    for (const line of stderr.split('\n')) {
      if (line.startsWith('W: ')) count(warnings, line.slice(3));
      const found = /^E: dcmdump: (.*): reading file: (.*)$/.exec(line);
      if (!found) continue;
      rejected.add(basename(found[2]!));
      count(reasons, found[1]!);
    }
  }
  const rejectedFiles = [...rejected].sort();
  return { compared: files.length, rejected: rejected.size, reasons, warnings, rejectedFiles };
}

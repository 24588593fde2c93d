/**
 * The named crash points of gateway and hub, read from the source.
 * Decides which points there are, so that none is forgotten: every call of `crashPoint` with a
 * fixed name; of a computed one, the names of the table or of the union of words in its file.
 * Invariant: a call whose names cannot be read from its file is a defect and is told.
 * Source: reliability specification 3 (at least 40 named points, each hit at least five times).
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AifiError } from '@aifi/shared-kernel';

/** Root of the checkout: three folders above tools/chaos/{src,dist}/. */
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const CALL = /\bcrashPoint\(\s*(?:'([^']*)'|`([^`]*)`)?/g;
const NAME = /^(gateway|hub)\.[a-z-]+\.[a-z-]+$/;
const LITERAL = /'((?:gateway|hub)\.[a-z-]+\.[a-z-]+)'/g;
/** Where the function itself is. */
const DEFINITION = 'libs/shared/kernel/src/crash-point.ts';

/** Process that a point kills. */
export type App = 'gateway' | 'hub';

/** Names of all points, in the order of the alphabet. @param root of a checkout */
export function readCrashPoints(root: string = ROOT): string[] {
  const names = new Set<string>();
  for (const path of globSync('{apps,libs}/**/src/**/*.ts', { cwd: root, exclude: isLeftOut })) {
    if (/\.spec\.ts$/.test(path) || path === DEFINITION) continue;
    const text = readFileSync(join(root, path), 'utf8');
    for (const name of namesIn(text)) {
      if (!NAME.test(name)) {
        throw new AifiError('CONFIG_INVALID', `${path}: a crash point without a fixed name`);
      }
      names.add(name);
    }
  }
  return [...names].sort();
}

/** An empty name stands for a call that nobody can read. */
function namesIn(text: string): string[] {
  return [...text.matchAll(CALL)].flatMap(([, fixed, template]) => {
    if (fixed !== undefined) return [fixed];
    if (template !== undefined) return expanded(template, text);
    const table = [...text.matchAll(LITERAL)].map(([, literal]) => literal!);
    return table.length > 0 ? table : [''];
  });
}

/** A template over a parameter whose type is a union of words in the same file. */
function expanded(template: string, text: string): string[] {
  const parameter = /\$\{(\w+)\}/.exec(template)?.[1];
  if (parameter === undefined) return [template];
  const type = new RegExp(`\\b${parameter}: (\\w+)`).exec(text)?.[1];
  const union = new RegExp(`type ${type} =([^;]+);`).exec(text)?.[1] ?? '';
  const words = [...union.matchAll(/'([a-z-]+)'/g)].map(([, word]) => word!);
  return words.length > 0 ? words.map((word) => template.replace(`\${${parameter}}`, word)) : [''];
}

const isLeftOut = (name: string): boolean =>
  ['node_modules', 'dist', 'simulator'].some((folder) => name.split('/').includes(folder));

export const appOf = (point: string): App => (point.startsWith('hub.') ? 'hub' : 'gateway');

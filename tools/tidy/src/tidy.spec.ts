/**
 * Goal: tidy bites, and the workspace is tidy.
 * Method: one violating text per rule; then every tracked or new file of the workspace.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { tidyFile } from './index.js';

const HEADER = '/** What it decides. */\n';
const root = join(import.meta.dirname, '../../..');
const rules = (path: string, text: string): string[] => tidyFile(path, text).map((p) => p.rule);

describe(tidyFile.name, () => {
  it.each([
    ['file-length', 'a.ts', HEADER + 'export {};\n'.repeat(400)],
    ['function-length', 'a.ts', `${HEADER}function f() {\n${'  g();\n'.repeat(70)}}\n`],
    ['line-length', 'a.ts', `${HEADER}const a = '${'x'.repeat(100)}';\n`],
    ['banned-name', 'libs/x/src/utils.ts', HEADER],
    ['banned-name', 'libs/x/src/helpers.ts', HEADER],
    ['header', 'a.ts', 'export {};\n'],
    ['stray-note', 'a.ts', `${HEADER}// ${'TO' + 'DO'} later\n`],
    ['machine-path', 'a.md', `see (/ro${'ot'}/secret)\n`],
  ])('reports %s', (rule, path, text) => {
    expect(rules(path, text)).toContain(rule);
  });
  it('exempts tables and generated code from lengths', () => {
    expect(rules('a.table.ts', HEADER + 'export {};\n'.repeat(500))).toEqual([]);
    expect(rules('x/generated/a.ts', 'export {};\n'.repeat(500))).toEqual([]);
  });
  it('finds nothing in the workspace', () => {
    const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root });
    const paths = listed
      .toString()
      .split('\n')
      .filter((path) => /\.(ts|tsx|mjs|md|json|yaml|sh)$/.test(path))
      .filter((path) => path !== 'package-lock.json' && existsSync(join(root, path)));
    expect(paths.length).toBeGreaterThan(100);
    const problems = paths.flatMap((path) =>
      tidyFile(path, readFileSync(join(root, path), 'utf8')),
    );
    expect(problems).toEqual([]);
  });
});

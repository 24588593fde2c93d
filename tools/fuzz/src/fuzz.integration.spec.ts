/**
 * Goal: the whole committed corpus holds, and so does a short, fixed search from it; and a bug, a
 * hang, a crash or a leak makes a run fail.
 * Method: the fuzzer as a person starts it, with a fixed seed and number of executions.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hasPeers, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import type { TargetReport } from './report.js';

const FOLDER = join(import.meta.dirname, '..');
const EXECUTIONS = 5_000;
/** Reached without any search, by the corpus alone: less means that nothing is measured. */
const COVERAGE_MIN = 0.3;
const MINUTES = 60_000;

interface Outcome {
  readonly status: number | null;
  readonly output: string;
  readonly targets: readonly TargetReport[];
}

describe('npm run fuzz', () => {
  let work: TemporaryFolder;
  beforeAll(() => {
    work = temporaryFolder('fuzz');
  });
  afterAll(() => work.remove());

  function fuzz(name: string, ...args: string[]): Outcome {
    const json = join(work.path, `${name}.json`);
    const options = ['--seed', '1', '--work', join(work.path, name), '--json', json];
    const command = [join(FOLDER, 'run.mjs'), ...options, ...args];
    const { status, stdout, stderr } = spawnSync(process.execPath, command, {
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    const output = `${stdout}\n${stderr}`;
    if (!existsSync(json)) throw new Error(`no report: ${output}`);
    const { targets } = JSON.parse(readFileSync(json, 'utf8')) as Outcome;
    return { status, output, targets };
  }

  it(
    'finds nothing in the corpus and in a fixed number of inputs made from it',
    () => {
      const { status, output, targets } = fuzz('all', '--executions', String(EXECUTIONS));
      expect(targets.flatMap(({ findings }) => findings)).toEqual([]);
      expect(`${status} ${output}`).toMatch(/^0 /);
      const corpora = readdirSync(join(FOLDER, 'corpus')).filter((name) => !name.includes('.'));
      expect(targets.map(({ target }) => target).sort()).toEqual(corpora.sort());
      for (const { target, ...figures } of targets) {
        const inputs = readdirSync(join(FOLDER, 'corpus', target)).length;
        expect(figures.executions).toBeGreaterThanOrEqual(inputs + EXECUTIONS);
        expect(figures.corpusInputs).toBeGreaterThanOrEqual(inputs);
        expect(figures.coverageReached).toBeGreaterThan(COVERAGE_MIN * figures.coverageTotal);
      }
      const walker = targets.find(({ target }) => target === 'element-walker');
      if (hasPeers('dcmdump')) expect(walker?.comparison?.compared).toBeGreaterThan(50);
    },
    10 * MINUTES,
  );

  it.each([
    ['fault', 500_000, /^TypeError: Cannot read properties of undefined/],
    ['hang', 1_000, /longer than a second/],
    ['crash', 1_000, /SIGABRT/],
    ['leak', 100_000, /resident memory/],
  ])(
    'fails on a planted %s and keeps the input',
    (name, executions, signature) => {
      const target = `planted-${name}`;
      const outcome = fuzz(target, '--target', target, '--executions', String(executions));
      expect(outcome.status).toBe(1);
      const kind = name === 'leak' ? 'memory' : name;
      const finding = outcome.targets[0]?.findings.find((one) => one.kind === kind);
      expect(finding?.signature).toMatch(signature);
      const input = readFileSync(finding!.path);
      if (name === 'fault') {
        const places = [input[1], input[3], input[5], input[7]];
        expect(Buffer.from(places as number[]).toString('latin1')).toBe('FUZ[');
        expect(input).toHaveLength(8);
      } else if (name !== 'leak') {
        expect(input.includes(0x80)).toBe(true);
      }
    },
    5 * MINUTES,
  );

  it(
    'does the same again for the same seed',
    () => {
      const args = ['--target', 'planted-fault', '--executions', '200000'];
      const [first, second] = [fuzz('first', ...args), fuzz('second', ...args)];
      const names = (run: string): string[] =>
        readdirSync(join(work.path, run, '.run', 'planted-fault', 'corpus')).sort();
      expect(names('first').length).toBeGreaterThan(0);
      expect(names('second')).toEqual(names('first'));
      expect(second.targets[0]?.executions).toBe(first.targets[0]?.executions);
    },
    5 * MINUTES,
  );
});

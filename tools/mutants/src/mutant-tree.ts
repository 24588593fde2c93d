/**
 * MutantTree: a copy of the sources in which one file is changed, and Jest run inside it.
 * Decides that a mutant never touches the checkout: sources are copied, installed packages linked.
 * Invariant: after `run` the tree is as it was before. Source: reliability specification T-MIS-5.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AifiError } from '@aifi/shared-kernel';
import type { Mutant } from './guard-mutants.table.js';

const SOURCES = ['apps', 'libs', 'tools', 'deploy'];
const FILES = ['package.json', 'jest.config.mjs', '.swcrc', 'tsconfig.json', 'tsconfig.base.json'];
const SCOPE = '@aifi';
/** A suite that hangs under a mutant counts as one that could not be run. @unit ms */
const RUN_MS_MAX = 180_000;
/** Many times what the slowest test needs. @unit ms */
const TEST_MS_MAX = 30_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

export interface SuiteRun {
  readonly passed: number;
  readonly failed: number;
  /** Suites that did not get to their tests. */
  readonly broken: number;
}

export class MutantTree {
  constructor(
    checkout: string,
    private readonly folder: string,
  ) {
    // What is built comes along: suites start child processes from it.
    const keep = (path: string): boolean => basename(path) !== 'node_modules';
    for (const name of SOURCES) {
      cpSync(join(checkout, name), join(folder, name), { recursive: true, filter: keep });
    }
    for (const name of FILES) cpSync(join(checkout, name), join(folder, name));
    linkPackages(join(checkout, 'node_modules'), join(folder, 'node_modules'));
  }

  /** Runs the suites of a mutant; `original` leaves the file as it is. */
  async run(mutant: Mutant, form: 'original' | 'mutated'): Promise<SuiteRun> {
    const file = join(this.folder, mutant.file);
    const source = readFileSync(file, 'utf8');
    if (source.split(mutant.find).length !== 2) {
      throw new AifiError('CONFIG_INVALID', `a mutant no longer fits its file: ${mutant.file}`);
    }
    // A function as replacement: nothing in the text of a mutant is a pattern.
    if (form === 'mutated')
      writeFileSync(
        file,
        source.replace(mutant.find, () => mutant.replace),
      );
    try {
      return await this.#jest(mutant);
    } finally {
      writeFileSync(file, source);
    }
  }

  #jest({ kind, suites }: Mutant): Promise<SuiteRun> {
    const report = join(this.folder, 'report.json');
    const jest = join(this.folder, 'node_modules', 'jest', 'bin', 'jest.js');
    const where = ['--selectProjects', kind, '--rootDir', this.folder];
    // A slow machine must not look like a mutant that was noticed.
    const how = [
      ...['--json', `--outputFile=${report}`, '--runInBand', '--forceExit', '--silent'],
      `--testTimeout=${TEST_MS_MAX}`,
    ];
    const options = {
      cwd: this.folder,
      timeout: RUN_MS_MAX,
      maxBuffer: OUTPUT_BYTES_MAX,
      env: {
        ...process.env,
        NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning',
      },
    };
    return new Promise((resolve, reject) => {
      execFile(process.execPath, [jest, ...where, ...how, '--', suites], options, () => {
        try {
          const json = JSON.parse(readFileSync(report, 'utf8')) as Record<string, number>;
          resolve({
            passed: json['numPassedTests'] ?? 0,
            failed: json['numFailedTests'] ?? 0,
            broken: json['numRuntimeErrorTestSuites'] ?? 0,
          });
        } catch (error) {
          reject(new AifiError('INTERNAL', 'a run of suites gave no report', { cause: error }));
        }
      });
    });
  }
}

/** Third-party packages by link; our own as in the checkout, so that they lead into this tree. */
function linkPackages(from: string, to: string): void {
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    const [source, target] = [join(from, name), join(to, name)];
    if (name === SCOPE) cpSync(source, target, { recursive: true, verbatimSymlinks: true });
    else symlinkSync(source, target);
  }
}

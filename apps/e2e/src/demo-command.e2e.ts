/**
 * Goal: the demo command ends as it promises and leaves nothing behind, also after Ctrl-C, and the
 * pacs-simulator really stands in. Method: the command in a temporary directory of its own; files
 * and processes that name this directory are counted afterwards.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';

const root = join(import.meta.dirname, '../../..');
const RUN_MS = 300_000;

describe('npm run demo', () => {
  let folder: TemporaryFolder;
  beforeEach(() => {
    folder = temporaryFolder('demo-command');
    // The server of a root hub runs as another user below the temporary directory.
    chmodSync(folder.path, 0o755);
  });
  afterEach(() => folder.remove());

  function demo(...words: string[]): ChildProcess {
    const bootstrap = ['tools/bootstrap.mjs', 'node', 'tools/demo/run.mjs'];
    return spawn(process.execPath, [...bootstrap, ...words], {
      cwd: root,
      env: { ...process.env, NODE_OPTIONS: '', TMPDIR: folder.path },
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
  }
  async function outputUntil(child: ChildProcess, words: string): Promise<string> {
    let output = '';
    for await (const chunk of child.stdout!.iterator({ destroyOnReturn: false })) {
      output += String(chunk);
      if (output.includes(words)) return output;
    }
    throw new Error(`ended before it said "${words}":\n${output}`);
  }
  function processesOfRun(): string[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
      .flatMap((pid) => {
        try {
          const text = ['cmdline', 'environ'].map((f) =>
            readFileSync(`/proc/${pid}/${f}`, 'latin1'),
          );
          return text.join('\0').includes(folder.path) ? [text[0]!] : [];
        } catch {
          return [];
        }
      });
  }
  /** A killed process needs a moment to leave the process table. */
  async function untilNothingRuns(): Promise<string[]> {
    for (let look = 0; look < 100 && processesOfRun().length > 0; look += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return processesOfRun();
  }

  it(
    'runs with the pacs-simulator, says so, writes its report and exits 0',
    async () => {
      const file = join(folder.path, 'out.json');
      const child = demo('--once', '--simulator', '--json', file);
      const output = await outputUntil(child, 'stopping');
      const [code] = (await once(child, 'exit')) as [number];
      expect(output).toContain('pacs-simulator, because the simulator was asked for');
      const report = JSON.parse(readFileSync(file, 'utf8')) as {
        ok: boolean;
        studies: {
          site: string;
          name: string;
          products: { product: string; terminalState: string; code: string | null }[];
          statusObject: object | null;
        }[];
      };
      expect(report.ok).toBe(true);
      const told = report.studies.map(({ site, name, products, statusObject }) => [
        ...[site, name],
        ...products.map((p) => `${p.product} ${p.terminalState} ${p.code ?? ''}`.trim()),
        statusObject !== null,
      ]);
      const out = 'NOT_ELIGIBLE_LOGGED OUT_OF_INTENDED_USE';
      const [tissue, fracture] = ['meshnet-tissue', 'fracture-stand-in'];
      const slab = `${tissue} NOT_ANALYSED_NOTIFIED COVERAGE_INSUFFICIENT`;
      expect(told).toEqual(
        ['site-a', 'site-b'].flatMap((site) => [
          [site, 't1-brain', `${fracture} ${out}`, `${tissue} RESULT_IN_PACS`, true],
          [site, 'ct-head', `${fracture} ${out}`, `${tissue} ${out}`, false],
          [site, 'mr-slab', `${fracture} ${out}`, slab, true],
          [site, 'cr-tibia', `${fracture} RESULT_IN_PACS`, `${tissue} ${out}`, true],
        ]),
      );
      expect(code).toBe(0);
      expect(await untilNothingRuns()).toEqual([]);
      expect(readdirSync(folder.path)).toEqual(['out.json']);
    },
    RUN_MS,
  );
  it(
    'leaves nothing behind after Ctrl-C in the middle of a run',
    async () => {
      const child = demo('--once');
      await outputUntil(child, 't1-brain');
      // A terminal signals the whole foreground group.
      process.kill(-child.pid!, 'SIGINT');
      const [code] = (await once(child, 'exit')) as [number];
      expect(code).toBe(130);
      expect(await untilNothingRuns()).toEqual([]);
      expect(readdirSync(folder.path)).toEqual([]);
    },
    RUN_MS,
  );
});

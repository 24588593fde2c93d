/**
 * Entry point of `npm run demo`.
 * Decides the command line: `--once` exits after the table, `--json FILE` writes it as JSON,
 * `--simulator` takes the pacs-simulator although Orthanc could be had.
 * Invariant: Ctrl-C, SIGTERM and faults all end through the same stop.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { AifiError, assertNodeVersion } from '@aifi/shared-kernel';
import { runDemo } from './run/run-demo.js';

const USAGE = 'usage: npm run demo -- [--once] [--json FILE] [--simulator]';
const SITE_IDS = ['site-a', 'site-b'];

interface Arguments {
  readonly once: boolean;
  readonly json: string | undefined;
  readonly simulator: boolean;
}

function readArguments(): Arguments {
  try {
    const options = {
      once: { type: 'boolean', default: false },
      json: { type: 'string' },
      simulator: { type: 'boolean', default: false },
    } as const;
    const { values } = parseArgs({ options });
    return { once: values.once, json: values.json, simulator: values.simulator };
  } catch (error) {
    throw new AifiError('CONFIG_INVALID', USAGE, { cause: error });
  }
}

async function main(): Promise<number> {
  assertNodeVersion();
  const { once, json, simulator } = readArguments();
  const stop = new AbortController();
  // Terminal and bootstrap both deliver Ctrl-C: the second one must not cut the clean stop short.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => stop.abort());
  }
  return runDemo({
    siteIds: SITE_IDS,
    once,
    simulator,
    // npm moves to the root of the workspace; the file is meant from where the person is.
    jsonFile: json === undefined ? undefined : resolve(process.env['INIT_CWD'] ?? '.', json),
    environment: process.env,
    screen: process.stdout,
    signal: stop.signal,
  });
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    const fault = AifiError.from(error);
    console.error(fault.code === 'INTERNAL' ? fault : `demo: ${fault.message}`);
    process.exit(fault.code === 'CONFIG_INVALID' ? 2 : 1);
  },
);

/**
 * Goal: every shared test file has the verdict that is written down for it, and clean CR, DX, CT
 * and MR images pass: a gate that holds everything back protects nobody.
 * Method: engine and pixel gate, text detector included, on each file by itself; verdicts compared
 * with the committed table. `AIFI_CORPUS_TABLE=1 jest --selectProjects e2e --
 * deidentification/corpus-verdicts` writes the table anew; `prettier --write` breaks long lines.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PseudonymisedFolder } from '@aifi/dicom-deidentification';
import { createPixelGate } from '@aifi/dicom-pixel-gate';
import { systemClock } from '@aifi/shared-kernel';
import { hasPeers, temporaryFolder } from '@aifi/shared-testing';
import { dcmdumpAccepts } from '../interop/corpus-verdicts.js';
import { hasSharedFiles, sharedFiles } from '../interop/dicom-files.js';
import {
  cleanVerdictOf,
  SITE_MANUFACTURERS,
  verdictOf,
  type CorpusVerdict,
} from './corpus-verdicts.js';

const TABLE_FILE = join(import.meta.dirname, 'corpus-verdicts.table.json');
const TIMEOUT_MS = 1_800_000;
/** Of clean images, as the specification asks. */
const PASSES_MIN = 0.95;
/** Fewer clean images would prove little. */
const CLEAN_MIN = 100;

type Table = Readonly<Record<string, CorpusVerdict>>;
/** A line for each file; `prettier --write` breaks the few that are too long. */
function tableText(table: Table): string {
  const lines = Object.entries(table).map(
    ([path, verdict]) => `  ${JSON.stringify(path)}: ${JSON.stringify(verdict)}`,
  );
  return `{\n${lines.join(',\n')}\n}\n`;
}
const folder = temporaryFolder('corpus');
afterAll(() => folder.remove());
const suite = hasSharedFiles && hasPeers('dcmdump') ? describe : describe.skip;

suite('every file of ../shared/data/dicom (skipped where that folder is absent)', () => {
  const paths = sharedFiles();
  const found: Record<string, CorpusVerdict> = {};
  let table: Table;

  beforeAll(async () => {
    const valid = await dcmdumpAccepts(paths);
    const gate = createPixelGate({ clock: systemClock, manufacturers: SITE_MANUFACTURERS });
    const output = await PseudonymisedFolder.open(join(folder.path, 'out'));
    const judges = { gate, folder: output, scratch: folder.path };
    try {
      for (const path of paths) {
        const isValid = valid.get(path) ?? false;
        found[path] = await verdictOf(path, { ...judges, isValid });
      }
    } finally {
      await gate.close();
    }
    if (process.env['AIFI_CORPUS_TABLE'] === '1') writeFileSync(TABLE_FILE, tableText(found));
    table = JSON.parse(readFileSync(TABLE_FILE, 'utf8')) as Table;
  }, TIMEOUT_MS);

  it('has the verdict of the table, for the same reason', () => {
    expect(found).toEqual(table);
  });

  it.each([
    ['of known devices', false],
    ['of any device', true],
  ])(`passes when it is clean, %s, in at least ${PASSES_MIN * 100} of 100 cases`, (name, any) => {
    const verdicts = Object.values(found).flatMap((entry) => cleanVerdictOf(entry, any) ?? []);
    const passing = verdicts.filter((verdict) => verdict === 'passes');
    console.log(`clean CR, DX, CT and MR ${name}: ${passing.length} of ${verdicts.length} pass`);
    expect(verdicts.length).toBeGreaterThanOrEqual(CLEAN_MIN);
    expect(passing.length / verdicts.length).toBeGreaterThanOrEqual(PASSES_MIN);
  });

  it('does not pass when it declares burned-in text or an identity that was removed', () => {
    const told = Object.entries(found).filter(([, { clean }]) =>
      /burned-in|identity was removed/.test(clean ?? ''),
    );
    expect(told.filter(([, { verdict }]) => verdict === 'passes')).toEqual([]);
  });

  it('is told with a reason when it does not pass', () => {
    const silent = Object.entries(found).filter(
      ([, { verdict, reason }]) => /quarantined|malformed/.test(verdict) && reason === undefined,
    );
    expect(silent).toEqual([]);
  });
});

/**
 * Goal: whatever file is sent, the listener answers, stays alive, and never says Success for bytes
 * that two others reject.
 * Method: every file of the shared test data over a socket of our own, in its own transfer syntax,
 * to the real receive stage; the answer and its code are compared with the committed table, and
 * with what dcmdump and Orthanc say today. AIFI_CORPUS_TABLE=1 writes the table anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hasPeers } from '@aifi/shared-testing';
import {
  CALLER,
  dcmdumpAccepts,
  dcmdumpVersion,
  orthancVerdicts,
  ownVerdict,
  type CorpusVerdict,
  type OwnVerdict,
} from './corpus-verdicts.js';
import { hasSharedFiles, sharedFiles } from './dicom-files.js';
import { Receiver } from './receiver.js';

const TABLE_FILE = join(import.meta.dirname, 'corpus-verdicts.table.json');
/** An answer that takes longer is a hang (security specification 4). @unit ms */
const HANG_MS = 1_000;
/** Files that the listener takes today; fewer is a step back. */
const PASSES_MIN = 391;
const TIMEOUT_MS = 600_000;

interface Table {
  /** Versions whose verdicts are in the table. */
  readonly peers: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, CorpusVerdict>>;
}
/** A line for each file; `prettier --write` breaks the few that are too long. */
function tableText({ peers, files }: Table): string {
  const lines = Object.entries(files).map(
    ([path, verdict]) => `    ${JSON.stringify(path)}: ${JSON.stringify(verdict)}`,
  );
  return `{\n  "peers": ${JSON.stringify(peers)},\n  "files": {\n${lines.join(',\n')}\n  }\n}\n`;
}
const suite = hasSharedFiles && hasPeers('dcmdump', 'Orthanc') ? describe : describe.skip;

suite('every file of ../shared/data/dicom (skipped where that folder is absent)', () => {
  const paths = sharedFiles();
  const own = new Map<string, OwnVerdict>();
  let [table, found]: [Table | undefined, Table | undefined] = [undefined, undefined];
  let pids: readonly number[];
  const hanging: string[] = [];

  beforeAll(async () => {
    const receiver = await Receiver.start(CALLER);
    try {
      const before = receiver.listenerPid();
      for (const path of paths) {
        const verdict = await ownVerdict(receiver, path);
        own.set(path, verdict);
        // A busy machine is slow once, a hang each time.
        const again = verdict.tookMs < HANG_MS ? verdict : await ownVerdict(receiver, path);
        if (again.tookMs >= HANG_MS) hanging.push(path);
      }
      pids = [before, receiver.listenerPid()];
      const dcmdump = await dcmdumpAccepts(paths);
      const orthanc = await orthancVerdicts(paths);
      const files = Object.fromEntries(
        paths.map((path): [string, CorpusVerdict] => {
          const { status, code, reason } = own.get(path)!;
          const verdict = {
            status,
            ...(code !== undefined && { code }),
            ...(reason !== undefined && { reason }),
            dcmdump: dcmdump.get(path) ? ('accepts' as const) : ('rejects' as const),
            orthanc: orthanc.verdicts.get(path)!,
          };
          return [path, verdict];
        }),
      );
      const peers = { dcmdump: await dcmdumpVersion(), orthanc: orthanc.version };
      found = { peers, files };
      if (process.env['AIFI_CORPUS_TABLE'] === '1') {
        writeFileSync(TABLE_FILE, tableText(found));
      }
      table = JSON.parse(readFileSync(TABLE_FILE, 'utf8')) as Table;
    } finally {
      await receiver.close();
    }
  }, TIMEOUT_MS);

  it('gets the answer, the code and the reason of the table', () => {
    const answers = ({ files }: Table) =>
      Object.fromEntries(
        Object.entries(files).map(([path, { status, code, reason }]) => [
          path,
          { status, code, reason },
        ]),
      );
    expect(answers(found!)).toEqual(answers(table!));
  });

  it('is never taken when dcmdump and Orthanc both reject it', () => {
    const isWrong = ({ status, dcmdump, orthanc }: CorpusVerdict) =>
      status === '0000' && dcmdump === 'rejects' && orthanc !== 'stores';
    const wrong = Object.entries(found!.files).filter(([, verdict]) => isWrong(verdict));
    expect(wrong).toEqual([]);
  });

  it(`is taken in at least ${PASSES_MIN} cases`, () => {
    const taken = Object.values(found!.files).filter(({ status }) => status === '0000');
    expect(taken.length).toBeGreaterThanOrEqual(PASSES_MIN);
  });

  it('is refused with a reason', () => {
    const refused = Object.entries(found!.files).filter(([, { status }]) => status !== '0000');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.filter(([, { code }]) => code === undefined)).toEqual([]);
    const objects = refused.filter(([, { status }]) => /^[0-9a-f]{4}$/.test(status));
    expect(objects.filter(([, { reason }]) => reason === undefined)).toEqual([]);
  });

  it('never ends the listener and leaves no sender without an answer within a second', () => {
    expect(pids[0]).toBeGreaterThan(0);
    expect(pids[1]).toBe(pids[0]);
    const silent = [...own].filter(([, { status }]) => ['silent', 'closed'].includes(status));
    expect(silent).toEqual([]);
    expect(hanging).toEqual([]);
    expect(own.size).toBe(paths.length);
    const [slowest] = [...own].sort(([, a], [, b]) => b.tookMs - a.tookMs);
    console.log(`slowest answer: ${slowest![1].tookMs.toFixed(0)} ms, ${slowest![0]}`);
  });

  it('has the verdicts of the table from the same versions of dcmdump and Orthanc', () => {
    const others = ({ files }: Table) =>
      Object.entries(files).map(([path, { dcmdump, orthanc }]) => [path, dcmdump, orthanc]);
    // Another version may know more or less; then only our own answers are compared.
    const isSame = JSON.stringify(found!.peers) === JSON.stringify(table!.peers);
    expect(others(isSame ? found! : table!)).toEqual(others(table!));
  });

  afterAll(() => own.clear());
});

/**
 * Goal: checks of a gateway are told with what to ask the PACS vendor, no object is stored without
 * `--store`, and the exit code says whether all is in order. Method: the whole program with made-up
 * answers.
 */
import { describe, expect, it } from '@jest/globals';
import { SETUP_CHECKS, type ProbeView, type SetupView } from '@aifi/contracts-rest';
import { aProblem, aTerminal, GATEWAY, T0 } from '../test/answers.js';
import { runAifictl } from './run.js';
import { selfTestDocumentSchema, setupCheckDocumentSchema } from './setup-documents.js';

const pacs = {
  ...{ host: 'pacs.test', port: 104, calledAeTitle: 'PACS', callingAeTitle: 'AIFI' },
  commitment: false,
};
type Check = SetupView['checks'][number];
function view(changes: Partial<SetupView> = {}, check: Partial<Check> = {}): SetupView {
  const done: Pick<Check, 'state' | 'findings' | 'durationMs'> = {
    ...{ state: 'passed', findings: [], durationMs: 3 },
  };
  return {
    ...{ pacs, callers: [], listener: { aeTitle: 'AIFI', host: '10.0.0.1', port: 104 } },
    ...{ isDicomWeb: false, isTls: false, isChecking: false },
    overlay: {
      ...{ current: null, appliedAtMs: null, canUndo: false, rolledBackAtMs: null },
      isRestarting: false,
    },
    checks: SETUP_CHECKS.map((name) => ({
      ...{ name, ...done, target: 'PACS@pacs.test:104', atMs: T0, ...(name === 'echo' && check) },
    })),
    ...changes,
  };
}
const refused = view(
  {},
  {
    state: 'failed',
    findings: [{ code: 'CALLING_AE_UNKNOWN', facts: { callingAeTitle: 'AIFI' } }],
  },
);
const CHECKS = `${GATEWAY}/api/v1/setup/checks`;
const CHECK = ['gateway', 'check', '--gateway', GATEWAY];

describe('aifictl gateway check', () => {
  it('is good when nothing failed, and asks for no object to be stored', async () => {
    const terminal = aTerminal({ [CHECKS]: view() });
    expect(await runAifictl(CHECK, terminal)).toBe(0);
    expect(JSON.parse(terminal.asked[0]!.body)).toEqual({
      ...{ checks: [...SETUP_CHECKS], mayStore: false },
    });
    expect(terminal.printed()).toContain('echo: passed (PACS@pacs.test:104');
  });
  it('stores with --store', async () => {
    const terminal = aTerminal({ [CHECKS]: view() });
    expect(await runAifictl([...CHECK, '--store'], terminal)).toBe(0);
    expect(JSON.parse(terminal.asked[0]!.body)).toMatchObject({ mayStore: true });
  });
  it('waits for the end, and tells what to ask', async () => {
    const answers = {
      [CHECKS]: view({ isChecking: true }),
      [`${GATEWAY}/api/v1/setup`]: refused,
    };
    const terminal = aTerminal(answers);
    expect(await runAifictl(CHECK, terminal)).toBe(1);
    expect(terminal.printed()).toContain('! echo: failed');
    expect(terminal.printed()).toContain('The PACS does not know AIFI.');
    expect(terminal.printed()).toContain('Ask the PACS vendor to add the AE title AIFI');
    const json = aTerminal(answers);
    expect(await runAifictl([...CHECK, '--json'], json)).toBe(1);
    const document = setupCheckDocumentSchema.parse(JSON.parse(json.printed()));
    expect(document).toMatchObject({ setup: refused, fault: null });
  });
  it('says why there is no answer', async () => {
    const terminal = aTerminal({ [CHECKS]: aProblem(403, 'FORBIDDEN') });
    expect(await runAifictl(CHECK, terminal)).toBe(1);
    expect(terminal.printed()).toMatch(/^! /);
  });
});

describe('aifictl self-test', () => {
  const probes = (runs: ProbeView['runs']): ProbeView => ({
    ...{ intervalMs: 900_000, isRunning: false, runs },
  });
  const good = { atMs: T0, durationMs: 1_500, failedAt: null, code: null };
  const bad = { ...good, failedAt: 'pacs-echo', code: 'PEER_UNAVAILABLE' } as const;
  const STATUS = ['self-test', 'status', '--gateway', GATEWAY];

  it('status is good when the last run was', async () => {
    const terminal = aTerminal({ [`${GATEWAY}/api/v1/probe`]: probes([good, bad]) });
    expect(await runAifictl(STATUS, terminal)).toBe(0);
    expect(terminal.printed()).toContain('1.5 s');
    expect(terminal.printed()).toContain('! failed at pacs-echo: PEER_UNAVAILABLE');
  });
  it('status of a gateway that was never probed is not good', async () => {
    const terminal = aTerminal({ [`${GATEWAY}/api/v1/probe`]: probes([]) });
    expect(await runAifictl(STATUS, terminal)).toBe(1);
    expect(terminal.printed()).toBe('the probe has not run yet\n');
  });
  it('run tells how it went', async () => {
    const terminal = aTerminal({ [`${GATEWAY}/api/v1/probe/runs`]: probes([bad]) });
    const args = ['self-test', 'run', '--gateway', GATEWAY, '--json'];
    expect(await runAifictl(args, terminal)).toBe(1);
    const document = selfTestDocumentSchema.parse(JSON.parse(terminal.printed()));
    expect(document.probe?.runs).toEqual([bad]);
    expect(terminal.asked[0]?.method).toBe('POST');
  });
});

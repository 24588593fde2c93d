/**
 * Goal: held images, stopped jobs, the register and an erasure read well and keep their shape, an
 * order is sent once with its key, and what was not done is told by the exit code.
 * Method: the whole program with made-up answers.
 */
import { describe, expect, it } from '@jest/globals';
import type { PixelHoldView, RegisteredResultView } from '@aifi/contracts-rest';
import { aProblem, aTerminal, digest, GATEWAY, JOB, T0, UID } from '../test/answers.js';
import {
  jobRetryDocumentSchema,
  pixelDecisionDocumentSchema,
  pixelHoldsDocumentSchema,
  registerDocumentSchema,
  vaultErasureDocumentSchema,
} from './documents.js';
import { runAifictl } from './run.js';

const HOLDS = `${GATEWAY}/api/v1/pixel-holds`;
const REGISTER = `${GATEWAY}/api/v1/results-register`;
const at = ['--gateway', GATEWAY];
const why = ['--reason', 'nothing but a side marker'];
const hold: PixelHoldView = {
  ...{ id: '12', heldAtMs: T0, jobId: JOB, product: 'bone-age', studyInstanceUid: UID },
  ...{ lane: 'routine', deadlineAtMs: T0 + 3_600_000, isLate: true, reason: 'text was seen' },
  ...{ sha256: digest('a'), files: 2, findings: [], asksReason: true },
};
const page = (items: readonly PixelHoldView[]) => ({ items, nextCursor: null, total: 1 });
const one = `${HOLDS}?holdId=12&limit=1`;
const decision = (changes = {}) => ({
  ...{ id: '12', state: 'RELEASED', isDecided: true, waiting: 0, isTakenUp: true, ...changes },
});
const orders = (terminal: ReturnType<typeof aTerminal>) =>
  terminal.asked
    .filter(({ method }) => method === 'POST')
    .map(({ address, headers, body }) => [
      ...[address, headers.get('idempotency-key') !== null, JSON.parse(body)],
    ]);

describe('aifictl pixel-holds', () => {
  it('lists what waits, and says what the role may not see', async () => {
    const other = { ...hold, id: '13', studyInstanceUid: null, isLate: false };
    const answers = { [`${HOLDS}?jobId=${JOB}&limit=50`]: page([hold, other]) };
    const args = ['pixel-holds', 'list', '--job', JOB, ...at];
    const [text, json] = [aTerminal(answers), aTerminal(answers)];
    expect(await runAifictl(args, text)).toBe(0);
    const lines = text.printed().split('\n');
    expect(lines[0]).toMatch(/^id +since \(UTC\) +lane +product +reason +marks +files +deadline/);
    expect(lines[1]).toMatch(
      /^12 +2026-11-20 10:22:00 +routine +bone-age .*\(passed\) .*1\.2\.3\.4$/,
    );
    expect(lines[2]).toMatch(/not for your role$/);
    expect(await runAifictl([...args, '--json'], json)).toBe(0);
    const document = pixelHoldsDocumentSchema.parse(JSON.parse(json.printed()));
    expect(document).toMatchObject({ items: [hold, other], more: false, fault: null });
  });
  it.each([
    ['release', decision(), '12 is released: the study goes on\n'],
    [
      ...(['release', decision({ waiting: 1, isTakenUp: false })] as const),
      '12 is released; of the same job 1 still to look at\n',
    ],
    [
      ...(['release', decision({ isDecided: false, state: 'REJECTED' })] as const),
      '! 12 was decided before: REJECTED\n',
    ],
    [
      ...(['reject', decision({ state: 'REJECTED', isTakenUp: false })] as const),
      '12 is rejected: the study is reported as not analysed\n',
    ],
  ])('%s names the digest of the list and sends one order', async (verb, answer, words) => {
    const path = `${HOLDS}/12/${verb === 'release' ? 'release' : 'rejection'}`;
    const terminal = aTerminal({ [one]: page([hold]), [path]: answer });
    const exit = await runAifictl(['pixel-holds', verb, '12', ...why, ...at], terminal);
    expect([exit, terminal.printed()]).toEqual([words.startsWith('!') ? 1 : 0, words]);
    expect(orders(terminal)).toEqual([[path, true, { sha256: hold.sha256, reason: why[1] }]]);
  });
  it('says what to do first: look, or sign in anew', async () => {
    const refusals = [
      [409, 'STATE_CONFLICT', /^! .* refuses: /],
      [401, 'STEP_UP_REQUIRED', /aifictl login --step-up/],
    ] as const;
    for (const [status, code, words] of refusals) {
      const answer = aProblem(status, code);
      const terminal = aTerminal({ [one]: page([hold]), [`${HOLDS}/12/release`]: answer });
      expect(await runAifictl(['pixel-holds', 'release', '12', ...why, ...at], terminal)).toBe(1);
      expect(terminal.printed()).toMatch(words);
    }
    const gone = aTerminal({ [one]: { items: [], nextCursor: null, total: 0 } });
    const args = ['pixel-holds', 'release', '12', ...why, ...at, '--json'];
    expect(await runAifictl(args, gone)).toBe(1);
    const document = pixelDecisionDocumentSchema.parse(JSON.parse(gone.printed()));
    expect(document).toMatchObject({ decision: null, fault: expect.stringContaining('know it') });
  });
});

describe('aifictl jobs retry', () => {
  it.each([
    [true, 'SELECTED', 0, `${JOB} is tried again\n`],
    [false, 'QUARANTINED', 1, `! ${JOB} was not taken up (QUARANTINED): it waits`],
  ])('taken up %s', async (isTakenUp, state, exit, words) => {
    const path = `${GATEWAY}/api/v1/jobs/${JOB}/retry`;
    const answers = { [path]: { jobId: JOB, isTakenUp, state } };
    const [text, json] = [aTerminal(answers), aTerminal(answers)];
    expect(await runAifictl(['jobs', 'retry', JOB, ...why, ...at], text)).toBe(exit);
    expect(text.printed().startsWith(words)).toBe(true);
    await runAifictl(['jobs', 'retry', JOB, ...why, ...at, '--json'], json);
    expect(jobRetryDocumentSchema.parse(JSON.parse(json.printed())).retry?.state).toBe(state);
  });
});

describe('aifictl register', () => {
  const result: RegisteredResultView = {
    ...{ jobId: JOB, studyInstanceUid: UID, sopInstanceUid: '2.25.7', seriesInstanceUid: '2.25.8' },
    ...{ sopClassUid: '1.2', product: 'bone-age', productVersion: '1.0.0', issue: 0, revision: 1 },
    ...{ modelDigest: digest('c'), studyDate: null, registeredAtMs: T0 },
  };
  it('finds the results of a product and one result', async () => {
    const list = { items: [result], nextCursor: null, total: 1, studies: 1 };
    const terminal = aTerminal({
      [`${REGISTER}?product=bone-age&version=1.0.0&limit=100`]: list,
      [`${REGISTER}/2.25.7`]: result,
    });
    const recall = ['register', 'recall', '--product', 'bone-age', '--version', '1.0.0', ...at];
    expect(await runAifictl(recall, terminal)).toBe(0);
    expect(terminal.printed()).toMatch(/^stored \(UTC\) +product +version +study .*\n.*2\.25\.7/);
    const json = aTerminal({ [`${REGISTER}/2.25.7`]: result });
    expect(await runAifictl(['register', 'show', '2.25.7', ...at, '--json'], json)).toBe(0);
    expect(registerDocumentSchema.parse(JSON.parse(json.printed())).items).toEqual([result]);
    expect(await runAifictl(['register', 'recall', ...at], aTerminal({}))).toBe(2);
  });
});

describe('aifictl vault', () => {
  const withFile = (answers: Parameters<typeof aTerminal>[0], text: string) => {
    const terminal = aTerminal(answers);
    return { ...terminal, files: { ...terminal.files, readText: () => text } };
  };
  const file = ['--patient-file', 'patient.txt'];
  it('reads the number from a file, and prints the code', async () => {
    const path = `${GATEWAY}/api/v1/vault/patient-codes`;
    const answer = { code: 'abc', studies: 2, studiesWithoutIssuer: 1 };
    const terminal = withFile({ [path]: answer }, '0012345\nziekenhuis\n');
    expect(await runAifictl(['vault', 'code', ...file, ...at], terminal)).toBe(0);
    expect(terminal.printed()).toBe(
      'code abc, studies in the vault: 2\n' +
        '! of this number without issuer: 1, erased on their own\n',
    );
    expect(orders(terminal)[0]![2]).toEqual({ patientId: '0012345', issuer: 'ziekenhuis' });
  });
  it('erases with a reason, keeping the register unless told otherwise', async () => {
    const path = `${GATEWAY}/api/v1/vault/erasures`;
    const answer = { [path]: { code: 'abc', jobs: 3, results: 0 } };
    const terminal = withFile(answer, '0012345');
    const args = ['vault', 'erase', ...file, ...why, ...at];
    expect(await runAifictl([...args, '--json'], terminal)).toBe(0);
    const document = vaultErasureDocumentSchema.parse(JSON.parse(terminal.printed()));
    expect(document).toMatchObject({ code: 'abc', erased: { jobs: 3, results: 0 } });
    expect(terminal.printed()).not.toContain('0012345');
    expect(orders(terminal)[0]![2]).toEqual({
      ...{ patientId: '0012345', issuer: null, reason: why[1], results: 'keep' },
    });
    expect(await runAifictl([...args, '--results', 'all'], withFile(answer, '1'))).toBe(2);
    expect(await runAifictl(args, withFile(answer, '\n'))).toBe(2);
    const alone = withFile({ [path]: aProblem(403, 'APPROVAL_REQUIRED') }, '0012345');
    expect(await runAifictl(args, alone)).toBe(1);
    expect(alone.printed()).toContain('a second person');
  });
});

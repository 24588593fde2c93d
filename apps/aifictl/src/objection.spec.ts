/**
 * Goal: objections are told and set by number without the number ever being printed, and a list is
 * looked at whole first. Method: the whole program with made-up answers; the text word for word.
 */
import { describe, expect, it } from '@jest/globals';
import { gunzipSync } from 'node:zlib';
import type { ObjectionListView, ObjectionStateView } from '@aifi/contracts-rest';
import { aTerminal, GATEWAY, T0, type TestAnswer } from '../test/answers.js';
import { objectionDocumentSchema, objectionListDocumentSchema } from './intake-documents.js';
import { runAifictl } from './run.js';
import { tableParts } from './table-file.js';

const PATH = `${GATEWAY}/api/v1/objections`;
const NUMBER = 'PT-0023001';
const state: ObjectionStateView = {
  ...{ inForce: ['ai-in-own-care'], jobsEnded: 2, jobsAtHub: 1 },
  history: [
    {
      ...{ kind: 'ai-in-own-care', event: 'set', source: 'person', sinceMs: T0, untilMs: null },
      recordedAtMs: T0,
    },
  ],
};
async function run(args: readonly string[], answers: Readonly<Record<string, TestAnswer>>) {
  const terminal = aTerminal(answers);
  terminal.disk.set('patient.txt', `${NUMBER}\nHOSP\n`);
  terminal.disk.set('list.csv', `number;kind\n${NUMBER};alles\n`);
  const code = await runAifictl(['objection', ...args, '--gateway', GATEWAY], terminal);
  return { code, terminal, text: terminal.printed() };
}
const FILE = ['--patient-file', 'patient.txt'];

describe('aifictl objection', () => {
  it('sets kinds from a day on, and tells what became of jobs', async () => {
    const kinds = 'ai-in-own-care,sharing';
    const args = ['set', ...FILE, '--kind', kinds, '--from', '2026-11-20T10:22:00Z'];
    const { code, text, terminal } = await run(args, { [PATH]: state });
    expect([code, text.split('\n')]).toEqual([
      0,
      [
        'in force: AI in own care',
        '2 jobs ended',
        '1 job at the hub already: these go on',
        'at (UTC)             what  kind            by      from                 until',
        '2026-11-20 10:22:00  set   ai-in-own-care  person  2026-11-20 10:22:00  -',
        '',
      ],
    ]);
    expect(JSON.parse(terminal.asked[0]!.body)).toEqual({
      ...{ patientId: NUMBER, issuer: 'HOSP', kinds: kinds.split(','), sinceMs: T0 },
    });
  });
  it('shows and withdraws, and never prints the number', async () => {
    const found = { inForce: state.inForce, history: state.history };
    const shown = await run(['show', ...FILE, '--json'], { [`${PATH}/search`]: found });
    expect(objectionDocumentSchema.parse(JSON.parse(shown.text)).state?.inForce).toHaveLength(1);
    const args = ['withdraw', ...FILE, '--kind', 'sharing', '--reason', 'asked by the patient'];
    const gone = await run(args, { [`${PATH}/withdrawal`]: { ...state, inForce: [] } });
    expect([gone.code, gone.text.split('\n')[0]]).toEqual([0, 'in force: none']);
    expect(shown.text + gone.text).not.toContain(NUMBER);
    for (const { address } of [...shown.terminal.asked, ...gone.terminal.asked]) {
      expect(address).not.toContain(NUMBER);
    }
  });
  it.each([
    [['set', ...FILE, '--kind', 'everything']],
    [['set', ...FILE]],
    [['withdraw', ...FILE, '--kind', 'sharing']],
    [['show', '--patient-file', 'nowhere.txt']],
    [['set', ...FILE, '--kind', 'sharing', '--until', 'soon']],
  ])('is used wrongly as %j', async (args) => {
    expect((await run(args, {})).code).toBe(2);
  });
});

describe('aifictl objection import', () => {
  const list: ObjectionListView = {
    ...{ lines: 3, bad: 0, findings: [], added: 2, unchanged: 1, isImported: false },
    ...{ jobsEnded: 0, jobsAtHub: 0 },
  };
  const [check, take] = [`${PATH}/list-checks`, `${PATH}/lists`];
  const bad: ObjectionListView = {
    ...{ ...list, bad: 1, unchanged: 0 },
    findings: [{ line: 2, column: 'kind', problem: 'unknown-kind' }],
  };

  it('checks the whole list first, then sets it', async () => {
    const done = { ...list, isImported: true, jobsEnded: 1 };
    const { code, text, terminal } = await run(['import', 'list.csv'], {
      ...{ [check]: list, [take]: done },
    });
    expect([code, text]).toEqual([0, '3 lines: 2 set, 1 set already\n1 job ended\n']);
    expect(terminal.asked.map(({ address }) => address)).toEqual([check, take]);
  });
  it('sets nothing of a list with a bad line, unless told to leave it out', async () => {
    const held = await run(['import', 'list.csv'], { [check]: bad });
    expect([held.code, held.text]).toEqual([
      1,
      '3 lines: 2 would be set, 0 set already\n' +
        '! line 2, kind: the kind is ai-in-own-care, secondary-use or sharing\n' +
        '! not imported: correct these lines, or --skip-bad-lines\n',
    ]);
    const answers = { [check]: bad, [take]: { ...bad, isImported: true } };
    const skipped = await run(['import', 'list.csv', '--skip-bad-lines'], answers);
    expect([skipped.code, skipped.terminal.asked.length]).toEqual([0, 2]);
    expect(JSON.parse(skipped.terminal.asked[1]!.body)).toMatchObject({ skipBadLines: true });
  });
  it('sets nothing in a dry run', async () => {
    const { code, text, terminal } = await run(['import', 'list.csv', '--dry-run', '--json'], {
      [check]: list,
    });
    const document = objectionListDocumentSchema.parse(JSON.parse(text));
    expect([code, document.isDryRun, document.list]).toEqual([0, true, list]);
    expect(terminal.asked).toHaveLength(1);
  });
  it('tells what was set when a part was not answered', async () => {
    const { code, text } = await run(['import', 'list.csv'], { [check]: list });
    expect([code, text]).toEqual([1, `! ${GATEWAY} does not answer\n`]);
  });
});

describe(tableParts.name, () => {
  it('cuts a long list at line ends, each part with the header and its place', () => {
    const terminal = aTerminal({});
    terminal.disk.set('f', 'h\n1\n2\n3\n4\n5');
    const parts = tableParts('f', terminal, 2);
    const texts = parts.map(({ file }) => gunzipSync(Buffer.from(file, 'base64')).toString());
    expect(texts).toEqual(['h\n1\n2\n', 'h\n3\n4\n', 'h\n5']);
    expect(parts.map(({ linesBefore }) => linesBefore)).toEqual([0, 2, 4]);
    terminal.disk.set('f', 'h');
    expect(tableParts('f', terminal)).toHaveLength(1);
  });
});

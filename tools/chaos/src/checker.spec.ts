/**
 * Goal: each kind of harm is seen, and a good history is not accused.
 * Method: a small history of two sites with equal UIDs; one thing changed at a time.
 */
import { describe, expect, it } from '@jest/globals';
import { check } from './checker.js';
import type { HistoryEvent } from './history.js';

type Line = Record<string, unknown> & { readonly kind: string };
const STUDY = '1.2.3';
const IMAGE = '1.2.3.1';

/** One acute study at one site, from the sender to the audit trail. */
function siteLines(site: string, index: number): Line[] {
  const [result, status, jobId] = [`2.25.${index}1`, `2.25.${index}2`, `job-${site}`];
  const object = { kind: 'object', site, studyUid: STUDY, patientId: `P-${site}`, issuer: 'ZIS' };
  return [
    {
      ...{ kind: 'sent', site, study: 7, studyUid: STUDY, studyKind: 'plain' },
      ...{ patientId: `P-${site}`, issuer: 'ZIS', product: 'oracle-acute' },
    },
    { kind: 'image', site, studyUid: STUDY, image: 0, sopInstanceUid: IMAGE },
    { kind: 'accepted', site, sopInstanceUid: IMAGE },
    {
      ...{ kind: 'account', site, studyUid: STUDY, revision: 1 },
      ...{ instances: 1, open: 0, conflicts: 0 },
      jobs: [
        {
          ...{ jobId, product: 'oracle-acute', revision: 1, state: 'RESULT_IN_PACS', code: null },
          deliveries: [
            { role: 'report', issue: 0, index: 0, sopInstanceUid: result, state: 'VERIFIED' },
          ],
        },
        {
          ...{ jobId: `${jobId}-2`, product: 'oracle-routine', revision: 1 },
          ...{ state: 'NOT_ELIGIBLE_LOGGED', code: 'OUT_OF_INTENDED_USE', deliveries: [] },
        },
      ],
      statusObjects: [{ issue: 0, revision: 1, sopInstanceUid: status, state: 'VERIFIED' }],
      journal: [{ stage: 'deliver', event: 'delivered', jobId }],
    },
    { kind: 'audited', site, jobId, event: 'delivered', count: 1 },
    { ...object, order: 1, sopInstanceUid: IMAGE, jobText: '', oracle: [] },
    {
      ...{ ...object, order: 2, sopInstanceUid: result, jobText: `job ${jobId}` },
      oracle: [{ site: index, study: 7, image: 0 }],
    },
    { ...object, order: 3, sopInstanceUid: status, jobText: '', oracle: [] },
  ];
}
function goodHistory(): Line[] {
  const siteIds = ['site-a', 'site-b'];
  return [
    { kind: 'run', seed: 's', siteIds, products: ['oracle-acute', 'oracle-routine'] },
    ...siteIds.flatMap(siteLines),
    { kind: 'settled', seconds: 1, openJobs: 0 },
  ];
}
const problemsOf = (lines: readonly Line[]): readonly string[] =>
  check(lines as unknown as HistoryEvent[]).problems;
/** The history with the lines that match changed, or without them. */
function changed(
  matches: (line: Line) => boolean,
  change: (line: Line) => Line | undefined,
): readonly string[] {
  return problemsOf(goodHistory().flatMap((line) => (matches(line) ? (change(line) ?? []) : line)));
}
const at =
  (kind: string, site = 'site-a') =>
  (line: Line): boolean =>
    line.kind === kind && line['site'] === site;
const gone = (): undefined => undefined;
const result = (line: Line): boolean => at('object')(line) && line['order'] === 2;
type Account = { jobs: Record<string, unknown>[]; journal: unknown[]; statusObjects: object[] };
const accountWith = (change: (account: Account) => void): readonly string[] =>
  changed(at('account'), (line) => {
    const copy = structuredClone(line);
    change(copy as unknown as Account);
    return copy;
  });

describe(check.name, () => {
  it('finds nothing in a good history and counts it', () => {
    const { problems, figures } = check(goodHistory() as unknown as HistoryEvent[]);
    expect(problems).toEqual([]);
    expect(figures).toEqual({ accepted: 2, delivered: 2, oracles: 2, notAnalysed: 0, held: 0 });
  });
  it('sees a study that was accepted and is gone', () => {
    expect(changed(at('account'), gone).join()).toMatch(/lost: accepted/);
  });
  it('does not miss a study that was never accepted', () => {
    const isOfA = (line: Line): boolean =>
      ['accepted', 'account', 'audited'].includes(line.kind) && line['site'] === 'site-a';
    const left = goodHistory().filter(
      (line) => !isOfA(line) && !(at('object')(line) && line['order'] !== 1),
    );
    expect(problemsOf(left)).toEqual([]);
  });
  it('sees a result that is not in the PACS', () => {
    expect(changed(result, gone).join()).toMatch(/lost: a result/);
  });
  it('sees a result that is there twice', () => {
    const twice = [...goodHistory(), ...goodHistory().filter(result)];
    expect(problemsOf(twice).join()).toMatch(/doubled: 2 times/);
  });
  it('sees two results of one role', () => {
    const found = accountWith(({ jobs }) => {
      const [one] = jobs[0]!['deliveries'] as object[];
      jobs[0]!['deliveries'] = [one, { ...one, sopInstanceUid: '2.25.9' }];
    });
    expect(found.join()).toMatch(/doubled: a result of one role/);
  });
  it('sees an object of another patient', () => {
    expect(changed(result, (line) => ({ ...line, patientId: 'P-site-b' })).join()).toMatch(
      /MISDELIVERED: an object of another patient/,
    );
  });
  it.each([
    ['another site', { site: 1, study: 7, image: 0 }],
    ['another study', { site: 0, study: 8, image: 0 }],
    ['an image that the study does not have', { site: 0, study: 7, image: 1 }],
  ])('sees a result whose pixels are of %s', (_, told) => {
    expect(changed(result, (line) => ({ ...line, oracle: [told] })).join()).toMatch(/MISDELIVERED/);
  });
  it.each([
    ['boxes that say nothing', [null]],
    ['no boxes at all', []],
  ])('does not take %s for right', (_, oracle) => {
    expect(changed(result, (line) => ({ ...line, oracle }))).toHaveLength(1);
  });
  it('sees an object that nobody has made, and one in a study that was never sent there', () => {
    const [strange] = goodHistory().filter(result);
    const own = problemsOf([...goodHistory(), { ...strange!, sopInstanceUid: '9' }]);
    expect(own.join()).toMatch(/no job of this gateway/);
    const other = problemsOf([
      ...goodHistory(),
      { ...strange!, studyUid: '9', sopInstanceUid: '9' },
    ]);
    expect(other.join()).toMatch(/never sent here/);
  });
  it('sees a result of another job', () => {
    expect(changed(result, (line) => ({ ...line, jobText: 'job-site-b' })).join()).toMatch(
      /of another job/,
    );
  });
  it('sees a job without an end, and one that ended twice', () => {
    expect(
      accountWith(({ jobs }) => Object.assign(jobs[0]!, { state: 'UPLOADED' })).join(),
    ).toMatch(/not at its end/);
    expect(accountWith((account) => account.journal.push(...account.journal)).join()).toMatch(
      /2 ends of one job/,
    );
  });
  it('takes a failed model for an end only when one was killed', () => {
    const lines = goodHistory().map((line) => {
      if (!at('account')(line)) return line;
      const copy = structuredClone(line) as unknown as Account & Line;
      const end = { state: 'NOT_ANALYSED_NOTIFIED', code: 'MODEL_FAILED', deliveries: [] };
      Object.assign(copy.jobs[0]!, end);
      return copy;
    });
    const without = lines.filter((line) => !result(line) && !at('audited')(line));
    expect(problemsOf(without).join()).toMatch(/not at its end/);
    const kill = { kind: 'kill', target: 'model', process: 'inference-worker' };
    expect(problemsOf([...without, kill])).toEqual([]);
  });
  it('sees a delivery that the audit trail does not know, or knows twice', () => {
    expect(changed(at('audited'), gone).join()).toMatch(/0 records of the audit/);
    expect(changed(at('audited'), (line) => ({ ...line, count: 2 })).join()).toMatch(/2 records/);
  });
  it('sees an older revision after a newer one', () => {
    const found = problemsOf(
      goodHistory().flatMap((line) => {
        if (result(line)) {
          const newer = { ...line, sopInstanceUid: '2.25.77', jobText: 'job-new', order: 1.5 };
          return [line, newer];
        }
        if (!at('account')(line)) return [line];
        const copy = structuredClone(line) as unknown as Account & Record<string, unknown>;
        copy['revision'] = 2;
        const [old, other] = copy.jobs;
        const [delivery] = old!['deliveries'] as object[];
        const deliveries = [{ ...delivery, sopInstanceUid: '2.25.77' }];
        copy.jobs.push({ ...old, jobId: 'job-new', revision: 2, deliveries });
        copy.jobs.push({ ...other, revision: 2 });
        copy.journal.push({ stage: 'deliver', event: 'delivered', jobId: 'job-new' });
        return [copy as unknown as Line];
      }),
    );
    expect(found.join()).toMatch(/older revision came after/);
  });
  it('sees originals that are gone and a status object that is not there', () => {
    const isOriginal = (line: Line): boolean => at('object')(line) && line['order'] === 1;
    expect(changed(isOriginal, gone).join()).toMatch(/1 originals/);
    const isStatus = (line: Line): boolean => at('object')(line) && line['order'] === 3;
    expect(changed(isStatus, gone).join()).toMatch(/status object is lost/);
  });
  it('does not pass a run that never came to its end', () => {
    expect(problemsOf(goodHistory().slice(0, -1)).join()).toMatch(/did not come to its end/);
  });
});

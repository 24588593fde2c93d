/**
 * Goal: what a person and a script are told about a run follows from the gateway's account alone.
 * Method: accounts of a study at each state of the way, made by hand.
 */
import { describe, expect, it } from '@jest/globals';
import type { GatewayProduct, GatewayStudy, JournalRow } from '../stack/gateway-client.js';
import { plantIdentity } from '../studies/planted-identity.js';
import type { DemoStudy } from '../studies/demo-study.js';
import { LiveLines, renderLine } from './live-lines.js';
import { reportOf } from './report.js';
import { deviations, isDone, progressOf, type StudyRun } from './study-run.js';
import { renderOutcome, renderTimings } from './table.js';
import { timingsOf } from './timings.js';

const study: DemoStudy = {
  name: 't1-brain',
  modality: 'MR',
  studyInstanceUid: '2.25.1',
  instanceCount: 4,
  identity: plantIdentity('t1-brain', 'test'),
  canaries: [],
  expected: [{ product: 'meshnet-tissue', terminalState: 'RESULT_IN_PACS', code: null }],
  instances: () => [],
};
const result = {
  role: 'SR',
  sopClassUid: '1.2.840.10008.5.1.4.1.1.88.34',
  seriesInstanceUid: '2.25.2',
  sopInstanceUid: '2.25.3',
};
function product(state: string, more: Partial<GatewayProduct> = {}): GatewayProduct {
  const results = state === 'RESULT_IN_PACS' ? [result] : [];
  const identity = { product: 'meshnet-tissue', version: '1.0.0', jobId: 'a'.repeat(32) };
  return { ...identity, state, code: null, results, ...more };
}
const row = (stage: string, atMs: number): JournalRow => ({
  stage,
  event: 'done',
  jobId: null,
  atMs,
});
const inPacs = { ...result, sopInstanceUid: '2.25.4', state: 'VERIFIED' };
function seen(more: Partial<GatewayStudy>): GatewayStudy {
  const base = { studyInstanceUid: '2.25.1', receivedInstances: 4, revision: 1, state: '' };
  return { ...base, products: [], statusObject: inPacs, ...more };
}
function run(account: GatewayStudy | undefined, journal: JournalRow[] = []): StudyRun {
  return { siteId: 'site-a', study, sentAtMs: 1_000, seen: account, journal };
}

describe(progressOf.name, () => {
  it.each([
    ['receive', undefined],
    ['receive', seen({ receivedInstances: 2, revision: 0 })],
    ['assemble', seen({ revision: 0 })],
    ['select', seen({})],
    ['pseudonymise', seen({ products: [product('SELECTED')] })],
    ['uplink', seen({ products: [product('SPOOLED')] })],
    ['hub', seen({ products: [product('UPLOADED')] })],
    ['reidentify', seen({ products: [product('RETURNED')] })],
    ['deliver', seen({ products: [product('REIDENTIFIED')] })],
    ['deliver', seen({ products: [product('RESULT_IN_PACS')], statusObject: null })],
    ['QUARANTINED', seen({ products: [product('QUARANTINED')] })],
    ['done', seen({ products: [product('RESULT_IN_PACS')] })],
  ])('says %s', (step, account) => {
    expect(progressOf(run(account)).step).toBe(step);
  });
  it('never goes back on the way and is whole only at the end', () => {
    const states = ['SELECTED', 'SPOOLED', 'UPLOADED', 'RETURNED', 'REIDENTIFIED'];
    const fractions = [
      ...states.map((state) => progressOf(run(seen({ products: [product(state)] }))).fraction),
      progressOf(run(seen({ products: [product('RESULT_IN_PACS')] }))).fraction,
    ];
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.filter((fraction) => fraction === 1)).toHaveLength(1);
  });
  it('is as far as the product that is furthest behind', () => {
    const products = [product('REIDENTIFIED'), product('SPOOLED'), product('RESULT_IN_PACS')];
    expect(progressOf(run(seen({ products }))).step).toBe('uplink');
  });
});

describe(isDone.name, () => {
  it('is not done while instances are missing, although every product is terminal', () => {
    const products = [product('RESULT_IN_PACS')];
    expect(isDone(run(seen({ products, receivedInstances: 3 })))).toBe(false);
    expect(isDone(run(seen({ products })))).toBe(true);
  });
  it('waits for a status object only where a product is eligible', () => {
    const [eligible, other] = [[product('RESULT_IN_PACS')], [product('NOT_ELIGIBLE_LOGGED')]];
    const queued = { ...inPacs, state: 'QUEUED' };
    expect(isDone(run(seen({ products: eligible, statusObject: null })))).toBe(false);
    expect(isDone(run(seen({ products: eligible, statusObject: queued })))).toBe(false);
    expect(isDone(run(seen({ products: other, statusObject: null })))).toBe(true);
  });
});

describe(deviations.name, () => {
  it.each([
    ['nothing arrived', undefined],
    ['another state', [product('NOT_ANALYSED_NOTIFIED', { code: 'MODEL_FAILED' })]],
    ['a code beside the state', [product('RESULT_IN_PACS', { code: 'TIMEOUT' })]],
    ['no result objects', [product('RESULT_IN_PACS', { results: [] })]],
    ['an unexpected product', [product('RESULT_IN_PACS'), product('SELECTED', { product: 'x' })]],
  ])('reports %s', (_, products) => {
    const account = products && seen({ products });
    expect(deviations(run(account))).toHaveLength(account ? 1 : 2);
    expect(reportOf([run(account)]).ok).toBe(false);
  });
  it('reports a status object that is missing, and one that nobody owes', () => {
    const products = [product('RESULT_IN_PACS')];
    expect(deviations(run(seen({ products, statusObject: null })))).toHaveLength(1);
    const expected = [
      { product: 'meshnet-tissue', terminalState: 'NOT_ELIGIBLE_LOGGED', code: null } as const,
    ];
    const account = seen({ products: [product('NOT_ELIGIBLE_LOGGED')] });
    expect(deviations({ ...run(account), study: { ...study, expected } })).toEqual([
      'status object: VERIFIED, expected none',
    ]);
  });
  it('is silent when the study ended as expected', () => {
    expect(deviations(run(seen({ products: [product('RESULT_IN_PACS')] })))).toEqual([]);
  });
});

describe(reportOf.name, () => {
  it('has the shape that scripts read', () => {
    const account = seen({ products: [product('RESULT_IN_PACS')] });
    const { sopClassUid, seriesInstanceUid, sopInstanceUid } = result;
    expect(reportOf([run(account, [row('deliver', 3_000)])])).toEqual({
      ok: true,
      studies: [
        {
          site: 'site-a',
          name: 't1-brain',
          modality: 'MR',
          studyInstanceUid: '2.25.1',
          products: [
            {
              product: 'meshnet-tissue',
              version: '1.0.0',
              terminalState: 'RESULT_IN_PACS',
              code: null,
              results: [{ sopClassUid, seriesInstanceUid, sopInstanceUid }],
            },
          ],
          statusObject: { sopClassUid, seriesInstanceUid, sopInstanceUid: '2.25.4' },
          timingsMs: { deliver: 2_000, total: 2_000 },
        },
      ],
    });
  });
  it('is not ok without studies', () => {
    expect(reportOf([]).ok).toBe(false);
  });
});

describe(timingsOf.name, () => {
  it('gives each stage its part; the parts add up and the hub has what lies between', () => {
    const journal = [
      row('receive', 1_200),
      row('receive', 1_500),
      row('assemble', 4_500),
      row('uplink', 5_000),
      row('downlink', 9_000),
      row('downlink', 9_100),
      row('deliver', 9_500),
    ];
    const { total, ...parts } = timingsOf(journal, 1_000);
    expect(parts).toEqual({
      receive: 500,
      assemble: 3_000,
      uplink: 500,
      hub: 4_000,
      downlink: 100,
      deliver: 400,
    });
    expect(Object.values(parts).reduce((sum, ms) => sum + ms, 0)).toBe(total);
  });
});

describe('the tables', () => {
  const runs = [
    run(seen({ products: [product('RESULT_IN_PACS')] }), [row('receive', 3_500)]),
    { ...run(undefined), sentAtMs: undefined },
  ];
  it('have a line for every product, and one for a study without any', () => {
    const lines = renderOutcome(runs).split('\n');
    expect(lines).toHaveLength(5);
    expect(lines[2]).toMatch(/^site-a +t1-brain +meshnet-tissue 1.0.0 +RESULT_IN_PACS +1: SR$/);
    expect(lines[3]).toMatch(/^site-a +t1-brain +AI status +- +1: SR$/);
    expect(lines[4]).toMatch(/^site-a +t1-brain +- +upload +-$/);
  });
  it('show seconds per stage and a dot where a study never went', () => {
    const [head, , first, second] = renderTimings(runs).split('\n');
    expect(head).toMatch(/^site +study +receive +assemble .* uplink +hub +downlink .* total$/);
    expect(first).toMatch(/^site-a +t1-brain +2\.5 +\. .* 2\.5$/);
    expect(second).toMatch(/^site-a +t1-brain( +\.)+$/);
  });
});

describe(LiveLines.name, () => {
  function screenOf(isTTY: boolean): { isTTY: boolean; text: string; write(t: string): void } {
    return {
      isTTY,
      text: '',
      write(text) {
        this.text += text;
      },
    };
  }
  const states = [undefined, undefined, seen({ revision: 0 })].map((account) => [run(account)]);

  it('writes one line per change where nothing can be redrawn', () => {
    const screen = screenOf(false);
    const sut = new LiveLines(screen);
    for (const runs of states) sut.show(runs, 3_000);
    expect(screen.text.trimEnd().split('\n')).toHaveLength(2);
    expect(screen.text).not.toContain('\x1b');
  });
  it('redraws its own lines on a terminal', () => {
    const screen = screenOf(true);
    const sut = new LiveLines(screen);
    for (const runs of states) sut.show(runs, 3_000);
    expect(screen.text.split('\x1b[1A')).toHaveLength(3);
  });
  it('draws a bar of constant width', () => {
    const bars = states.map(([one]) => /\[([#.]+)\]/.exec(renderLine(one!, 0))?.[1]?.length);
    expect(new Set(bars).size).toBe(1);
  });
});

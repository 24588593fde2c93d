/**
 * Goal: a hub that is away for eight hours costs time and nothing else.
 * Method: one hospital in virtual time: studies come all day, the line to the hub goes silently
 * after one result has come back, and that result still waits for a PACS that was away.
 */
import { describe, expect, it } from '@jest/globals';
import { NO_TROUBLE } from './fault-plan.js';
import { patientOf, SITES, studyOf, type Study } from './hospital.js';
import { simulate, type Scenario, type Simulated } from './simulation.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const OUTAGE = { fromMs: 5 * MINUTE_MS, toMs: 5 * MINUTE_MS + 8 * HOUR_MS };
const STUDIES = 24;
const { siteId } = SITES[0]!;

const studies: readonly Study[] = Array.from({ length: STUDIES }, (_, number) =>
  studyOf({
    ...{ siteId, number, patient: patientOf(siteId, number % 3), counts: [1] },
    modality: number % 2 === 0 ? 'MR' : 'CT',
  }),
);

interface Line {
  readonly atMs: number;
  readonly text: string;
}

async function aDay(): Promise<{ readonly lines: readonly Line[]; readonly spooled: number[] }> {
  const lines: Line[] = [];
  const spooled: number[] = [];
  const script = ({ world, sites }: Simulated): void => {
    const { link, pacs, gateway } = sites[0]!;
    pacs.isDown = true;
    world.in(OUTAGE.fromMs, undefined, () => link.set('silent'));
    world.in(OUTAGE.fromMs + 10 * MINUTE_MS, undefined, () => (pacs.isDown = false));
    world.in(OUTAGE.toMs, undefined, () => link.set('up'));
    for (let atMs = OUTAGE.fromMs; atMs < OUTAGE.toMs; atMs += HOUR_MS) {
      world.in(atMs + HOUR_MS / 2, undefined, () => {
        const count = gateway.database.read(
          (sql) => sql.all("SELECT 1 FROM spool_job WHERE state = 'QUEUED'").length,
        );
        spooled.push(count);
      });
    }
  };
  const sendEveryMs = (index: number): number =>
    index === 0 ? 0 : OUTAGE.fromMs + (index / STUDIES) * 7 * HOUR_MS;
  const scenario: Scenario = {
    plan: { ...NO_TROUBLE, untilMs: OUTAGE.toMs },
    ...{ studies, script, sendAtMs: sendEveryMs },
  };
  const trace = (line: string): void => {
    const [seconds = '', ...words] = line.split(' ');
    lines.push({ atMs: Number(seconds) * 1_000, text: words.join(' ') });
  };
  const verdict = await simulate(1, { scenario, trace });
  expect(verdict.violations).toEqual([]);
  expect(verdict.results).toBe(STUDIES);
  return { lines, spooled };
}

describe('an outage of eight hours', () => {
  it('loses nothing: the spool grows, drains within an hour, and acute studies go first', async () => {
    const { lines, spooled } = await aDay();
    const stored = lines.filter(({ text }) => text.startsWith('alpha pacs stores'));
    const held = lines.filter(({ text }) => text.startsWith('hub holds'));

    // What was complete before goes into the PACS while the hub is away.
    const during = stored.filter(({ atMs }) => atMs > OUTAGE.fromMs && atMs < OUTAGE.toMs);
    expect(during).toHaveLength(1);
    expect(spooled).toEqual([...spooled].sort((a, b) => a - b));
    expect(spooled.at(-1)).toBe(STUDIES - 1);

    const after = held.filter(({ atMs }) => atMs > OUTAGE.toMs);
    expect(after).toHaveLength(STUDIES - 1);
    const lanes = after.map(({ text }) => (text.includes('bleeding') ? 'acute' : 'routine'));
    expect(lanes).toEqual([...lanes].sort());
    expect(stored.at(-1)!.atMs - OUTAGE.toMs).toBeLessThan(HOUR_MS);
  });
});

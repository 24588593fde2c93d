/**
 * Goal: a probe goes through its steps in order, names the first that fails, never hangs and comes
 * every 15 minutes.
 * Method: steps that succeed, fail or hang, under a fake clock over a real database.
 */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PROBE_STEPS, type ProbeStep } from '@aifi/contracts-rest';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { AifiError } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { FakeClock, temporaryFolder } from '@aifi/shared-testing';
import { Probe, PROBE_INTERVAL_MS } from './probe.js';

let clock: FakeClock;
let folder: ReturnType<typeof temporaryFolder>;
let database: GatewayDatabase;
let asked: ProbeStep[];
beforeEach(() => {
  clock = new FakeClock(5_000);
  folder = temporaryFolder('probe');
  database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
  asked = [];
});
afterEach(() => {
  database.close();
  folder.remove();
});

function probe(steps: Partial<Record<ProbeStep, () => Promise<void>>> = {}): Probe {
  const all = Object.fromEntries(
    PROBE_STEPS.map((step) => [
      step,
      async () => {
        asked.push(step);
        await steps[step]?.();
      },
    ]),
  ) as Record<ProbeStep, () => Promise<void>>;
  const logger = silentLogger;
  return new Probe({ database, clock, logger, steps: all, onChange: () => undefined });
}
const away = (): Promise<never> => Promise.reject(new AifiError('PEER_UNAVAILABLE', 'away'));
/** Lets what is pending happen. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((done) => setImmediate(done));
};

describe(Probe.name, () => {
  it('is well when every step is, in their order', async () => {
    const sut = probe();
    expect(await sut.run()).toMatchObject({ atMs: 5_000, failedAt: null, code: null });
    expect(asked).toEqual([...PROBE_STEPS]);
    expect(sut.list(10)).toHaveLength(1);
  });
  it('ends at the first step that fails and names it with its code', async () => {
    const run = await probe({ link: away, 'pacs-echo': away }).run();
    expect(run).toMatchObject({ failedAt: 'link', code: 'PEER_UNAVAILABLE' });
    expect(asked).toEqual(['listener', 'rules', 'link']);
  });
  it('gives up a step that hangs', async () => {
    const sut = probe({ 'pacs-find': () => new Promise(() => undefined) });
    const run = sut.run();
    await settle();
    expect(sut.isRunning).toBe(true);
    await clock.advance(30_000);
    expect(await run).toMatchObject({ failedAt: 'pacs-find', code: 'DEADLINE_EXCEEDED' });
  });
  it('who asks while it runs gets the same run', async () => {
    const sut = probe();
    const [first, second] = await Promise.all([sut.run(), sut.run()]);
    expect(second).toBe(first);
    expect(sut.list(10)).toHaveLength(1);
    expect(sut.isRunning).toBe(false);
  });
  it('comes a minute after the start and then every 15 minutes, until it is ended', async () => {
    const sut = probe();
    const stopping = new AbortController();
    const ended = sut.stage.run(stopping.signal);
    await settle();
    expect(sut.list(10)).toHaveLength(0);
    await clock.advance(60_000);
    await settle();
    expect(sut.list(10)).toHaveLength(1);
    await clock.advance(PROBE_INTERVAL_MS);
    await settle();
    expect(sut.list(10)).toHaveLength(2);
    stopping.abort();
    await ended;
  });
});

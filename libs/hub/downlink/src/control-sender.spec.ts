/**
 * Goal: a gateway hears of a stop within seconds, of nothing twice, and of a probe in regular
 * steps; a hub that stops says so.
 * Method: the sender over the store in memory, a stream in memory and a clock moved by hand.
 */
import { generateKeyPairSync } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { decodeManifest, killStateSchema, verifyManifest } from '@aifi/contracts-manifests';
import type { downlink } from '@aifi/contracts-proto';
import { Wake } from '@aifi/shared-kernel';
import { FakeClock } from '@aifi/shared-testing';
import { controlConfigSchema } from './control.config.js';
import { PROBE_INTERVAL_MS, sendControl } from './control-sender.js';
import { MemoryControlStore } from './memory-control-store.js';
import { settle, TestFeed } from './test-feed.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const HELD = { killSequence: 0, rulesSha256: '', configurationSha256: '' };
type Request = downlink.StreamControlRequest;
type Response = downlink.StreamControlResponse;

class ControlTestFeed extends TestFeed<Request, Response> {
  constructor(readonly request: Request) {
    super();
  }
}

describe(sendControl.name, () => {
  let clock: FakeClock;
  let control: MemoryControlStore;
  let stopping: AbortController;
  let bell: Wake;
  beforeEach(() => {
    [clock, stopping, bell] = [new FakeClock(), new AbortController(), new Wake()];
    control = new MemoryControlStore(clock, privateKey, controlConfigSchema.parse({}));
  });

  async function open(held: Partial<Request> = {}): Promise<ControlTestFeed> {
    const feed = new ControlTestFeed({ ...HELD, ...held });
    const dependencies = { control, clock, stopping: stopping.signal, bell };
    void sendControl(dependencies, feed, new AbortController().signal);
    await settle();
    return feed;
  }
  async function pass(ms: number): Promise<void> {
    for (let at = 0; at < ms; at += 1_000) {
      clock.advance(1_000);
      await settle();
    }
  }
  const kinds = ({ written }: ControlTestFeed): unknown[] => written.map(({ part }) => part?.$case);
  function lastState({ written }: ControlTestFeed) {
    const states = written.flatMap(({ part }) => (part?.$case === 'killState' ? [part.value] : []));
    const last = states.at(-1)!;
    verifyManifest(last.state, last.signature, publicKey);
    return decodeManifest(killStateSchema, last.state);
  }

  it('tells what is in force at once, the kill state first', async () => {
    control.publish('site-a', 1, Buffer.from('rules'));
    expect(kinds(await open())).toEqual(['killState', 'routingRules', 'probe']);
  });
  it('tells nothing that the gateway holds', async () => {
    const first = await open();
    const { sequence } = lastState(first);
    expect(kinds(await open({ killSequence: sequence }))).toEqual(['probe']);
  });
  it('tells of a stop within seconds, also without the bell', async () => {
    const feed = await open();
    const stop = { product: 'p', version: '*', code: 'SUSPENDED', sinceMs: 1 } as const;
    control.stop([stop]);
    await pass(2_000);
    expect(lastState(feed).stopped).toEqual([stop]);
    control.stop([]);
    bell.notify();
    await settle();
    expect(lastState(feed).stopped).toEqual([]);
  });
  it('repeats the kill state as a heartbeat and a probe each ten seconds', async () => {
    const feed = await open();
    await pass(60_000);
    expect(kinds(feed).filter((kind) => kind === 'killState')).toHaveLength(2);
    const probes = feed.written.flatMap(({ part }) =>
      part?.$case === 'probe' ? [part.value] : [],
    );
    expect(probes.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    const steps = probes.slice(1).map(({ hubTimeMs }, i) => hubTimeMs - probes[i]!.hubTimeMs);
    expect(new Set(steps)).toEqual(new Set([PROBE_INTERVAL_MS]));
    expect(control.seenAtMs.get('site-a/1')).toBe(clock.nowMs());
  });
  it('says that it goes when the hub stops', async () => {
    const feed = await open();
    stopping.abort();
    await settle();
    expect(kinds(feed).at(-1)).toBe('drain');
  });
});

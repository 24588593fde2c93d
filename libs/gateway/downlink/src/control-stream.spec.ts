/**
 * Goal: what a gateway holds of the kill switches is signed, the newest, durable and of the right
 * age; a silent stream is given up; without control streams rules are polled.
 * Method: the stage over a scripted hub, real rows and a clock moved by hand.
 */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { encodeManifest, killStateSchema, signManifest } from '@aifi/contracts-manifests';
import type { downlink } from '@aifi/contracts-proto';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { AifiError, siteId } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { FakeClock, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import type { ClockProbe } from './control-reader.js';
import { createDownlinkStage } from './downlink-stage.js';
import { KillStateStore } from './kill-state-store.js';
import { RulesStore } from './rules-store.js';
import { ScriptedPort, settle } from './scripted-port.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const { privateKey: foreign, publicKey: nextPublicKey } = generateKeyPairSync('ed25519');
type Response = downlink.StreamControlResponse;

function killState(sequence: number, key: KeyObject = privateKey): Response {
  const state = encodeManifest(killStateSchema, {
    ...{ schema: 'aifi.kill-state.v1', sequence, issuedAtMs: 1, validForMs: 900_000 },
    ...{ stopped: [], killRelevant: [] },
  });
  return { part: { $case: 'killState', value: { state, signature: signManifest(state, key) } } };
}
const probe = (hubTimeMs: number): Response => ({
  part: { $case: 'probe', value: { sequence: 1, hubTimeMs } },
});

describe('the control stream', () => {
  let folder: TemporaryFolder;
  let database: GatewayDatabase;
  let clock: FakeClock;
  let port: ScriptedPort;
  let kill: KillStateStore;
  let probes: ClockProbe[];
  let abort: AbortController;
  let running: Promise<void>;
  beforeEach(() => {
    folder = temporaryFolder('control');
    database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
    [clock, port, probes, abort] = [new FakeClock(), new ScriptedPort(), [], new AbortController()];
    kill = new KillStateStore(database, publicKey, clock, silentLogger);
  });
  afterEach(async () => {
    abort.abort();
    await running;
    database.close();
    folder.remove();
  });

  async function start(): Promise<void> {
    const sut = createDownlinkStage({
      ...{ database, port, kill, clock, signingKeys: publicKey, siteId: siteId('site-a') },
      rules: new RulesStore(database, publicKey, 'demonstration', silentLogger),
      anchors: { keep: async () => 'known' },
      inboundFolder: join(folder.path, 'inbound'),
      logger: silentLogger,
      ...{ onDone: () => undefined, onRules: () => undefined, random: () => 0 },
      onProbe: (one) => probes.push(one),
    });
    running = sut.run(abort.signal);
    await settle();
  }
  async function tell(...messages: Response[]): Promise<void> {
    port.controls.at(-1)!.tell(...messages);
    await settle();
  }
  async function pass(ms: number): Promise<void> {
    for (let at = 0; at < ms; at += 1_000) {
      clock.advance(1_000);
      await settle();
    }
  }
  const age = (store = kill): number | undefined => {
    const known = store.knowledge();
    return known && known !== 'none' ? known.ageMs : undefined;
  };

  it('keeps the newest signed state over a restart, and says which one it holds', async () => {
    await start();
    expect(kill.knowledge()).toBeUndefined();
    await tell(killState(7));
    expect(kill.sequence).toBe(7);
    expect(new KillStateStore(database, publicKey, clock, silentLogger).sequence).toBe(7);
    port.controls[0]!.finish();
    await pass(2_000);
    expect(port.held.map(({ killSequence }) => killSequence)).toEqual([0, 7]);
  });
  it('never goes back, takes no other key, and goes on reading', async () => {
    await start();
    await tell(killState(7), killState(6), killState(9, foreign), killState(8));
    expect(kill.sequence).toBe(8);
    expect(port.controls).toHaveLength(1);
  });
  it('takes a stored state of a key that has left for none, and still never goes back', async () => {
    await start();
    await tell(killState(7));
    let trusted = [nextPublicKey];
    const sut = new KillStateStore(database, () => trusted, clock, silentLogger);
    expect([sut.sequence, sut.knowledge()]).toEqual([0, undefined]);
    const told = (sequence: number) => {
      const { part } = killState(sequence, foreign);
      if (part?.$case !== 'killState') throw new Error('another part');
      return sut.accept(part.value.state, part.value.signature);
    };
    await expect(told(6)).rejects.toThrow(/older/);
    expect(await told(7)).toBe(true);
    trusted = [];
    await expect(told(8)).rejects.toMatchObject({ code: 'UNTRUSTED' });
    expect(sut.sequence).toBe(7);
  });
  it('does not take a state that was told once for none because the hub has none now', async () => {
    await start();
    await tell(killState(7));
    const sut = new KillStateStore(database, () => [nextPublicKey], clock, silentLogger);
    sut.hubHasNone();
    expect(sut.knowledge()).toBeUndefined();
    kill.hubHasNone();
    expect(kill.knowledge()).toMatchObject({ state: { sequence: 7 } });
  });
  it('counts the age of a state from when it came, whatever comes after it', async () => {
    await start();
    await tell(killState(7));
    await pass(20_000);
    await tell(killState(7), probe(clock.nowMs() + 5));
    expect(age()).toBe(20_000);
    expect(kill.knowledge()).toMatchObject({ contactMs: clock.nowMs() });
    expect(probes).toEqual([{ hubTimeMs: clock.nowMs() + 5, receivedMs: clock.nowMs() }]);
    await tell(killState(8));
    expect(age()).toBe(0);
    clock.advance(3_000);
    expect(age(new KillStateStore(database, publicKey, clock, silentLogger))).toBe(3_000);
  });
  it('is too old after a restart with a clock that was set back', async () => {
    await start();
    await tell(killState(7));
    const yesterday = new FakeClock(clock.nowMs() - 86_400_000);
    expect(age(new KillStateStore(database, publicKey, yesterday, silentLogger))).toBe(Infinity);
  });
  it('is given up after thirty seconds of silence, and opened again', async () => {
    await start();
    await tell(probe(1));
    await pass(29_000);
    await tell(probe(2));
    await pass(29_000);
    expect(port.controls).toHaveLength(1);
    await pass(2_000);
    expect(port.controls[0]!.isClosed).toBe(true);
    expect(port.controls).toHaveLength(2);
  });
  it('comes again when the hub said to, after a farewell', async () => {
    await start();
    await tell({ part: { $case: 'drain', value: { retryAfterMs: 5_000 } } });
    port.controls[0]!.finish();
    await pass(4_000);
    expect(port.controls).toHaveLength(1);
    await pass(3_000);
    expect(port.controls).toHaveLength(2);
  });
  it('comes again within a minute, whatever time a farewell names', async () => {
    await start();
    await tell({ part: { $case: 'drain', value: { retryAfterMs: 86_400_000 } } });
    port.controls[0]!.finish();
    await pass(59_000);
    expect(port.controls).toHaveLength(1);
    await pass(6_000);
    expect(port.controls).toHaveLength(2);
  });
  it('makes polling of rules unnecessary while it is open, and only then', async () => {
    await start();
    expect(port.polls).toBe(1);
    await tell(probe(1));
    await pass(25_000);
    expect(port.polls).toBe(1);
    await pass(60_000);
    expect(port.polls).toBeGreaterThan(1);
  });
  it('is not expected of an older hub: rules are polled, nothing is stopped', async () => {
    port.controlFault = new AifiError('PEER_REFUSED', 'the hub does not know this call');
    await start();
    expect(kill.knowledge()).toBe('none');
    await pass(30_000);
    expect(port.controls).toHaveLength(1);
    expect(port.polls).toBe(4);
  });
});

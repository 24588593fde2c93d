/**
 * Goal: only anchors that the hub signed for this site are kept, the whole history is compared each
 * time, and a contradiction calls for people. Method: a small hub of our own contract over real
 * gRPC on loopback; a store in memory that answers as the one of gateway/access.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { credentials, Server, ServerCredentials } from '@grpc/grpc-js';
import { makeAnchor } from '@aifi/access-audit';
import { downlink } from '@aifi/contracts-proto';
import type { AuditAnchor } from '@aifi/contracts-rest';
import { canonicalJson, sha256Hex, siteId, systemClock } from '@aifi/shared-kernel';
import { silentLogger, type Logger } from '@aifi/shared-observability';
import { FakeClock } from '@aifi/shared-testing';
import { createGrpcDownlinkPort } from './grpc-downlink-port.js';
import { createAnchorFetch, fetchAnchors, type AnchorDependencies } from './audit-anchors.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const foreign = generateKeyPairSync('ed25519').privateKey;
const DAY_MS = 86_400_000;

describe(fetchAnchors.name, () => {
  let hub: Server;
  let client: downlink.DownlinkServiceClient;
  let offered: AuditAnchor[];
  let asked: string[];
  let isAway: boolean;
  let kept: Map<string, AuditAnchor>;
  let errors: string[];
  let dependencies: AnchorDependencies;
  const clock = new FakeClock();

  function anchor(index: number, part: { chain?: string; text?: string } = {}): AuditAnchor {
    const madeAtMs = 1_600_000_000_000 + index * DAY_MS;
    const day = new Date(madeAtMs).toISOString().slice(0, 10);
    const { chain = 'hub:site-a', text = `${index}` } = part;
    const record = { chain, sequence: index + 1, hash: sha256Hex(text) };
    return makeAnchor({ record, day, madeAtMs, signingKey: privateKey });
  }
  beforeEach(async () => {
    [offered, asked, kept, errors, isAway] = [[], [], new Map(), [], false];
    hub = new Server();
    hub.addService(downlink.DownlinkServiceService, {
      getRoutingRules: (_call, callback) => callback({ code: 12 }),
      streamOutcomes: (call) => call.end(),
      streamControl: (call) => call.end(),
      getAuditAnchors: ({ request }, callback) => {
        asked.push(request.fromDay);
        if (isAway) return callback({ code: 14 });
        const page = offered.filter(({ day }) => day >= request.fromDay).slice(0, 400);
        callback(null, { anchors: page.map((one) => Buffer.from(canonicalJson(one))) });
      },
    } satisfies downlink.DownlinkServiceServer);
    const port = await new Promise<number>((resolve, reject) =>
      hub.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    client = new downlink.DownlinkServiceClient(`127.0.0.1:${port}`, credentials.createInsecure());
    const logger: Logger = { ...silentLogger, error: (message) => void errors.push(message) };
    const keep = async (one: AuditAnchor) => {
      const known = kept.get(one.day);
      if (!known) kept.set(one.day, one);
      return !known ? 'new' : known.hash === one.hash ? 'known' : 'contradiction';
    };
    dependencies = {
      ...{
        port: createGrpcDownlinkPort(() => client, systemClock),
        signingKeys: publicKey,
        siteId: siteId('site-a'),
        anchors: { keep },
      },
      ...{ clock, logger },
    };
  });
  afterEach(() => {
    client.close();
    hub.forceShutdown();
  });

  it('keeps what the hub signed, more than one answer long, and compares all of it again', async () => {
    offered = Array.from({ length: 900 }, (_, index) => anchor(index));
    expect(await fetchAnchors(dependencies)).toBe(900);
    expect([...kept.values()]).toEqual(offered);
    expect(asked).toEqual(['', offered[399]!.day, offered[798]!.day]);
    expect(await fetchAnchors(dependencies)).toBe(0);
    expect(errors).toEqual([]);
  });
  it('calls for people when the hub tells an old day otherwise', async () => {
    offered = [anchor(0), anchor(1)];
    await fetchAnchors(dependencies);
    offered = [anchor(0, { text: 'another history' }), anchor(1)];
    await fetchAnchors(dependencies);
    expect(errors).toEqual(['the hub contradicts an audit anchor that it gave before']);
    expect(kept.get(offered[0]!.day)).toEqual(anchor(0));
  });
  it('keeps nothing that another key has signed', async () => {
    const good = anchor(0);
    const record = { chain: good.chain, sequence: good.sequence, hash: good.hash };
    const { day, madeAtMs } = good;
    offered = [makeAnchor({ record, day, madeAtMs, signingKey: foreign })];
    await expect(fetchAnchors(dependencies)).rejects.toMatchObject({ code: 'UNTRUSTED' });
    offered = [{ ...good, sequence: 9 }];
    await expect(fetchAnchors(dependencies)).rejects.toMatchObject({ code: 'UNTRUSTED' });
    expect(kept.size).toBe(0);
  });
  it('keeps nothing of another site', async () => {
    offered = [anchor(0, { chain: 'hub:site-b' })];
    await expect(fetchAnchors(dependencies)).rejects.toMatchObject({ code: 'UNTRUSTED' });
    expect(kept.size).toBe(0);
  });
  it('asks at the start, tries again while the hub is away, and once a day afterwards', async () => {
    offered = [anchor(0)];
    isAway = true;
    const abort = new AbortController();
    const running = createAnchorFetch(dependencies).run(abort.signal);
    const until = async (done: () => boolean): Promise<void> => {
      while (!done()) await new Promise((resolve) => setTimeout(resolve, 2));
    };
    await until(() => asked.length === 1);
    isAway = false;
    await until(() => {
      clock.advance(1_000);
      return kept.size === 1;
    });
    const count = asked.length;
    offered.push(anchor(1));
    await until(() => {
      clock.advance(DAY_MS);
      return kept.size === 2;
    });
    expect(asked.length).toBeGreaterThan(count);
    abort.abort();
    await running;
  });
});

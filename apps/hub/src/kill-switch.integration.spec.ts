/**
 * Goal: a stop by one person reaches gateways, queue and outcomes within seconds, and only another
 * person lifts it; a take-over needs two persons and moves what is owed.
 * Method: the whole hub with the embedded PostgreSQL, real gRPC over mutual TLS, the REST interface
 * by role, a stand-in for gateways and one for the worker.
 */
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  decodeManifest,
  killStateSchema,
  outcomeManifestSchema,
  routingRulesSchema,
  verifyManifest,
  type KillState,
  type OutcomeManifest,
  type RoutingRules,
} from '@aifi/contracts-manifests';
import type { downlink } from '@aifi/contracts-proto';
import { takeOverObjectId } from '@aifi/contracts-rest';
import { OTHER_SITE, OWN_SITE } from '../test/role-sign-in.js';
import { SeededHub } from '../test/seeded-hub.js';

const REASON = 'the vendor has withdrawn this version';
const ANNE = 'central-operator.none.anne';
const BEN = 'central-operator.none.ben';
/** A stop is pushed within this time. @source governance specification 1 @unit ms */
const PUSHED_MS_MAX = 10_000;
const HELD = { killSequence: 0, rulesSha256: '', configurationSha256: '' };

const UNAUTHENTICATED = 16;
const sut = new SeededHub();
let control: ReturnType<downlink.DownlinkServiceClient['streamControl']>;
const told: { kill: KillState[]; rules: RoutingRules[]; probes: number } = {
  ...{ kill: [], rules: [], probes: 0 },
};

beforeAll(async () => {
  await sut.start();
  control = sut.siteA.downlink.streamControl(HELD);
  control.on('error', () => undefined);
  control.on('data', ({ part }: downlink.StreamControlResponse) => {
    const key = createPublicKey(readFileSync(sut.certificates.signingPublicKeyFile));
    if (part?.$case === 'probe') told.probes += 1;
    if (part?.$case === 'killState') {
      verifyManifest(part.value.state, part.value.signature, key);
      told.kill.push(decodeManifest(killStateSchema, part.value.state));
    }
    if (part?.$case === 'routingRules') {
      verifyManifest(part.value.rules, part.value.signature, key);
      told.rules.push(decodeManifest(routingRulesSchema, part.value.rules));
    }
  });
}, 180_000);
afterAll(async () => {
  control?.cancel();
  await sut.stop();
}, 60_000);

async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await done())) await new Promise((resolve) => setTimeout(resolve, 20));
}
const post = async (token: string, path: string, body: object): Promise<[number, unknown]> => {
  const response = await sut.post(token, path, body);
  return [response.status, await response.json()];
};
const product = (verb: string): string => `/api/v1/products/${sut.model.product}/${verb}`;
const stateOf = (rules: RoutingRules | undefined): string | undefined =>
  rules?.products.find((one) => one.product === sut.model.product)?.state;
const manifestOf = ({ header }: { header: downlink.OutcomeHeader }): OutcomeManifest =>
  decodeManifest(outcomeManifestSchema, header.manifest);

describe('a kill switch', () => {
  it('reaches an open control stream, with the rules, within seconds of one person', async () => {
    await until(() => told.kill.length > 0 && told.rules.length > 0 && told.probes > 0);
    expect(told.kill.at(-1)!.stopped).toEqual([]);
    const sentMs = performance.now();
    const [status, answer] = await post(ANNE, product('stop'), { reason: REASON });
    expect([status, answer]).toEqual([
      200,
      { product: sut.model.product, version: '*', siteId: null, isNew: true },
    ]);
    await until(() => told.kill.at(-1)!.stopped.length === 1);
    expect(performance.now() - sentMs).toBeLessThan(PUSHED_MS_MAX);
    expect(told.kill.at(-1)!.stopped).toMatchObject([
      { product: sut.model.product, version: '*', code: 'SUSPENDED' },
    ]);
    await until(() => stateOf(told.rules.at(-1)) === 'suspended');
  }, 30_000);

  it('ends new work with its code, and withholds the results that were made before', async () => {
    const study = await sut.siteA.study(sut.model);
    await sut.siteA.send(study);
    // The result of the seeds is older: it would come first if it came at all.
    const [outcome] = await sut.siteA.pull(1, () => true);
    const manifest = manifestOf(outcome!);
    expect(manifest).toMatchObject({ outcome: 'NOT_ANALYSED', code: 'SUSPENDED' });
    expect(manifest.jobId).toBe(study.manifest.jobId);
  }, 30_000);

  it('is shown with who and why, and lifted by another person only', async () => {
    const list = await sut.call('auditor.none', '/api/v1/product-stops');
    expect(await list.json()).toMatchObject({
      stops: [{ product: sut.model.product, version: '*', siteId: null, reason: REASON }],
    });
    const body = { reason: 'the vendor has mended it' };
    expect(await post(ANNE, product('resume'), body)).toMatchObject([403, { code: 'FORBIDDEN' }]);
    expect(await post(BEN, product('resume'), body)).toMatchObject([200, {}]);
    expect(await post(BEN, product('resume'), body)).toMatchObject([404, {}]);
    await until(() => told.kill.at(-1)!.stopped.length === 0);
    await until(() => stateOf(told.rules.at(-1)) === 'active');
    const [outcome] = await sut.siteA.pull(1, () => true);
    expect(manifestOf(outcome!)).toMatchObject({
      ...{ outcome: 'RESULT', jobId: sut.seeds.concluded.manifest.jobId },
    });
  }, 30_000);

  it('takes no product, version or site that nobody knows', async () => {
    const unknown: [string, object][] = [
      ['/api/v1/products/no-such-product/stop', { reason: REASON }],
      [product('stop'), { reason: REASON, version: '99.0.0' }],
      [product('stop'), { reason: REASON, siteId: 'nowhere' }],
    ];
    for (const [path, body] of unknown) expect((await post(ANNE, path, body))[0]).toBe(404);
    expect((await post(ANNE, product('stop'), { reason: 'short' }))[0]).toBe(400);
  });
});

describe('a take-over', () => {
  const path = `/api/v1/sites/${OWN_SITE}/take-overs`;
  const order = { gateway: 1, successor: 2 };

  /** Kinds of what comes on a stream that is closed at once: the hub looks before it ends. */
  function owed(): Promise<unknown[]> {
    const came = new Set<unknown>();
    const stream = sut.siteA.downlink.streamOutcomes();
    stream.on('data', ({ part }: downlink.StreamOutcomesResponse) => came.add(part?.$case));
    stream.write({ part: { $case: 'cursor', value: { afterSequence: 0, exact: false } } });
    stream.end();
    return new Promise((resolve, reject) => {
      stream.on('error', reject).on('end', () => resolve([...came]));
    });
  }

  it('is refused to one person, and done by two, for good', async () => {
    expect(await post(ANNE, path, order)).toMatchObject([403, { code: 'APPROVAL_REQUIRED' }]);
    const study = await sut.siteA.study(sut.model);
    await sut.siteA.send(study);
    await sut.siteA.pull(1, () => false);
    expect(await owed()).toEqual(['header', 'chunk', 'end']);
    const [asked, request] = await post(ANNE, '/api/v1/approvals', {
      ...{ act: 'gateway.take-over', siteId: OWN_SITE, reason: 'the box has burnt down' },
      objectId: takeOverObjectId(order.gateway, order.successor),
    });
    expect(asked).toBe(200);
    const { id } = request as { id: string };
    const decision = { decision: 'approve', reason: 'agreed by telephone' };
    expect((await post(BEN, `/api/v1/approvals/${id}/decision`, decision))[0]).toBe(200);
    expect(await post(ANNE, path, order)).toEqual([200, { siteId: OWN_SITE, ...order }]);
    expect((await post(ANNE, path, order))[0]).toBe(409);
    // Nobody gets in under the number of the old box any more, whatever the certificate says.
    const again = sut.gateway(sut.certificates.sites[OWN_SITE]!);
    await expect(again.rules()).rejects.toMatchObject({ code: UNAUTHENTICATED });
    again.close();
  }, 30_000);
});

describe('a job in the hands of a worker', () => {
  it('ends as soon as its product is stopped, at the site of the stop', async () => {
    const before = sut.worker.requests.length;
    sut.worker.behaviour = 'silent';
    await sut.siteB.pull(1, () => true);
    const study = await sut.siteB.study(sut.model);
    await sut.siteB.send(study);
    await until(() => sut.worker.requests.length > before);
    const body = { reason: REASON, siteId: OTHER_SITE, code: 'CERTIFICATE_INVALID' };
    expect((await post(ANNE, product('stop'), body))[0]).toBe(200);
    const [outcome] = await sut.siteB.pull(1, () => true);
    expect(manifestOf(outcome!)).toMatchObject({
      ...{ jobId: study.manifest.jobId, outcome: 'NOT_ANALYSED', code: 'CERTIFICATE_INVALID' },
    });
  }, 30_000);
});

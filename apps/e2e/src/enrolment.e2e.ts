/**
 * Goal: a gateway joins the hub with a token and works from then on without a restart, keeps its
 * certificate and what it trusts, and is let in no more once its certificate is revoked.
 * Method: hub and gateway as real processes; people act through the interfaces, signed in. Time
 * passes for a second gateway only, whose link runs in this process with a clock moved by hand.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { credentials, Metadata } from '@grpc/grpc-js';
import { downlink } from '@aifi/contracts-proto';
import {
  gatewayLinkSchema,
  hubRoutes,
  problemSchema,
  type GatewayLinkView,
} from '@aifi/contracts-rest';
import { Stack, type Hospital } from '@aifi/demo';
import { JoinedLink } from '@aifi/gateway-link';
import { siteId, systemClock, type Clock } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { temporaryFolder } from '@aifi/shared-testing';
import { gatewayStatus } from './gateway-status.js';
import { SignedIn } from './signed-in.js';

const SITE = 'site-a';
const START_MS = 120_000;
const STEP_MS = 90_000;
const DAY_MS = 24 * 3_600_000;
const REASON = 'the drill of this month';
const CERTIFICATES = `/api/v1/sites/${SITE}/certificates`;
const LINK = '/api/v1/link';
const { certificates, issueJoinToken, revokeCertificate, rotateAuthority } = hubRoutes;

const folder = temporaryFolder('enrolment');
let stack: Stack;
let hospital: Hospital;
let operator: SignedIn;
let hospitalIt: SignedIn;

beforeAll(async () => {
  // No certificate files: what is undefined is not in the configuration of the process.
  const noFiles = {
    ...{ caFile: undefined, certificateFile: undefined, keyFile: undefined },
    signingPublicKeyFile: undefined,
  };
  stack = await Stack.start({
    ...{ siteIds: [SITE], environment: process.env, simulator: true },
    gatewaySettings: () => ({ hub: noFiles }),
  });
  hospital = stack.parts.hospitals[0]!;
  operator = await SignedIn.open(stack.parts.hubServer.url, 'central-operator');
  hospitalIt = await SignedIn.open(hospital.gateway.url, `hospital-it.${SITE}`);
}, START_MS);
afterAll(async () => {
  await stack?.stop();
  folder.remove();
}, START_MS);

const linkNow = (): Promise<GatewayLinkView> => hospitalIt.get(LINK, gatewayLinkSchema);
async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  const endMs = performance.now() + STEP_MS;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error('it did not get there in time');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
async function tokenFor(gateway: number): Promise<string> {
  const path = `/api/v1/sites/${SITE}/join-tokens`;
  return (await operator.order(path, { gateway }, issueJoinToken.response)).token;
}
const isNew =
  ({ trustAnchors }: GatewayLinkView) =>
  ({ fingerprint }: GatewayLinkView['trustAnchors'][number]): boolean =>
    trustAnchors.every((one) => one.fingerprint !== fingerprint);
const colons = (fingerprint: string): string => fingerprint.toUpperCase().match(/../g)!.join(':');
const onRecord = async (gateway: number) =>
  (await operator.get(CERTIFICATES, certificates.response)).certificates.filter(
    (one) => one.gateway === gateway,
  );
/** One after the other: what was renewed from a revoked one is revoked with it. */
async function revoke(gateway: number): Promise<void> {
  for (;;) {
    const left = (await onRecord(gateway)).filter(({ state }) => state === 'valid');
    if (left.length === 0) return;
    const path = `${CERTIFICATES}/${left[0]!.serial}/revoke`;
    await operator.order(path, { reason: REASON }, revokeCertificate.response);
  }
}

it(
  'a gateway joins with a token, and has its rules without a restart',
  async () => {
    expect(await linkNow()).toMatchObject({ mode: 'not-joined', state: 'down', signingKeys: 0 });
    expect((await gatewayStatus(hospital)).rules).toBeNull();
    const token = await tokenFor(1);
    const body = { token };
    const joined = await hospitalIt.order(`${LINK}/join`, body, gatewayLinkSchema);
    expect(joined).toMatchObject({ mode: 'joined', certificate: { gateway: 1, alarm: 'none' } });
    await until(async () => (await linkNow()).state === 'up');
    await until(async () => (await gatewayStatus(hospital)).rules !== null);
    expect(await linkNow()).toMatchObject({ signingKeys: 1, finding: null });
    const [record, ...others] = await onRecord(1);
    expect([record?.serial, others]).toEqual([joined.certificate!.serialNumber.toLowerCase(), []]);
    const again = await hospitalIt.post(`${LINK}/join`, body);
    expect(problemSchema.parse(await again.json())).toMatchObject({ code: 'JOIN_REFUSED' });
    expect((await linkNow()).state).toBe('up');
  },
  STEP_MS,
);

it(
  'a certificate is renewed and an authority rotated while the streams stay open',
  async () => {
    const { hub, trustAnchors: known } = await linkNow();
    let aheadMs = 0;
    const clock: Clock = {
      nowMs: () => systemClock.nowMs() + aheadMs,
      monotonicMs: () => systemClock.monotonicMs() + aheadMs,
      sleep: (ms, signal) => systemClock.sleep(ms, signal),
    };
    const link = await JoinedLink.open({
      ...{ settings: { address: hub }, dataFolder: folder.path, siteId: siteId(SITE) },
      ...{ purpose: 'demonstration', gatewayVersion: '0.1.0', clock, logger: silentLogger },
    });
    try {
      await link.join(await tokenFor(2));
      const before = link.view();
      const streams = openStreams(link);
      await until(() => streams.probes > 0);
      aheadMs = 61 * DAY_MS;
      await link.keeper.look();
      const renewed = link.view();
      expect(renewed.certificate!.serialNumber).not.toBe(before.certificate!.serialNumber);
      expect(renewed.trustAnchors).toEqual(before.trustAnchors);

      await operator.order(rotateAuthority.path, { reason: REASON }, rotateAuthority.response);
      aheadMs += DAY_MS / 2;
      await link.keeper.look();
      expect(link.view().trustAnchors).toHaveLength(before.trustAnchors.length + 1);
      // It had the certificate of the new authority at once, as its clock says that one is due.
      const { certificate, trustAnchors } = link.identity.current!;
      const signers = trustAnchors.filter((pem) =>
        new X509Certificate(certificate).verify(new X509Certificate(pem).publicKey),
      );
      expect(signers.map((pem) => new X509Certificate(pem).fingerprint256)).toEqual([
        colons(link.view().trustAnchors.find(isNew(before))!.fingerprint),
      ]);
      expect(link.channel.oldCalls).toBe(2);
      expect(await askForRules(link)).toBeGreaterThan(0);
      expect(await onRecord(2)).toHaveLength(3);
      const seen = streams.probes;
      await until(() => streams.probes > seen || streams.ends.length > 0);
      expect(streams.ends).toEqual([]);
      expect((await linkNow()).state).toBe('up');
      // The other gateway was told of the change, and did not wait for the next hour.
      await until(async () => (await linkNow()).trustAnchors.length === known.length + 1);

      await revoke(2);
      await until(() => streams.ends.length === 2);
      await until(async () => {
        aheadMs += DAY_MS / 24;
        await link.keeper.look();
        return link.watch.isRefused;
      });
      expect(link.view()).toMatchObject({ state: 'down', finding: { code: 'PEER_REFUSED' } });
    } finally {
      await link.close();
    }
  },
  STEP_MS,
);

it(
  'a revoked gateway is cut and says why, and joins again with another token',
  async () => {
    await revoke(1);
    await until(async () => (await linkNow()).finding?.code === 'PEER_REFUSED');
    expect((await linkNow()).state).toBe('down');
    expect((await gatewayStatus(hospital)).link).toBe('down');
    const body = { token: await tokenFor(1) };
    await hospitalIt.order(`${LINK}/join`, body, gatewayLinkSchema);
    await until(async () => (await linkNow()).state === 'up');
    expect(await linkNow()).toMatchObject({ finding: null });
    const log = join(stack.parts.folder, 'logs', `gateway-${SITE}.log`);
    expect(readFileSync(log, 'utf8')).not.toMatch(/"code":"UNTRUSTED"/);
  },
  STEP_MS,
);

const clientOf = ({ channel }: JoinedLink): downlink.DownlinkServiceClient =>
  new downlink.DownlinkServiceClient('hub', credentials.createInsecure(), {
    channelOverride: channel,
  });
/** A call by the newest certificate; bytes of the rules. */
function askForRules(link: JoinedLink): Promise<number> {
  return new Promise((resolve, reject) => {
    clientOf(link).getRoutingRules({ heldSha256: '' }, (error, answer) => {
      if (error) reject(error);
      else resolve(answer.rules.length);
    });
  });
}

interface OpenStreams {
  probes: number;
  readonly ends: string[];
}
/** Both streams of a gateway, without anything behind them. */
function openStreams(link: JoinedLink): OpenStreams {
  const client = clientOf(link);
  const streams: OpenStreams = { probes: 0, ends: [] };
  const held = { killSequence: 0, rulesSha256: '', configurationSha256: '' };
  const control = client.streamControl(held, new Metadata());
  control.on('data', ({ part }: downlink.StreamControlResponse) => {
    if (part?.$case === 'probe') streams.probes += 1;
  });
  const outcomes = client.streamOutcomes();
  for (const [name, stream] of [['control', control] as const, ['outcomes', outcomes] as const]) {
    stream.on('error', () => undefined);
    stream.on('data', () => undefined);
    stream.on('status', () => streams.ends.push(name));
  }
  return streams;
}

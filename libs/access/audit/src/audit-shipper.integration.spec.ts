/**
 * Goal: the hospital's audit repository gets every record, in order, whatever happens to it.
 * Method: a real rsyslog with TLS, killed with SIGKILL while it receives and started again; what it
 * wrote is compared record by record. Skipped where rsyslog with gtls is not installed.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AuditRecord } from '@aifi/contracts-rest';
import { AifiError, systemClock, type Stage } from '@aifi/shared-kernel';
import { silentLogger, type Logger } from '@aifi/shared-observability';
import { freePorts, hasPeers, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { makeDevelopmentCertificates } from '../../../../deploy/certs/make-certs.mjs';
import { hasTls } from '../../../../deploy/services/rsyslog/install.mjs';
import { prepareRsyslog } from '../../../../deploy/services/rsyslog/start.mjs';
import {
  createAuditShipper,
  type AuditShipperOptions,
  type ShippingPosition,
} from './audit-shipper.js';
import type { SyslogDestination } from './syslog-transport.js';
import { aTrail, readerOf, SOURCE } from './test-trail.js';

class Positions implements ShippingPosition {
  readonly kept = new Map<string, number>();
  get(_destination: string, chain: string): Promise<number> {
    return Promise.resolve(this.kept.get(chain) ?? 0);
  }
  set(_destination: string, chain: string, sequence: number): Promise<void> {
    this.kept.set(chain, sequence);
    return Promise.resolve();
  }
}

let folder: TemporaryFolder;
let port: number;
let certificates: Awaited<ReturnType<typeof makeDevelopmentCertificates>>;
let receiver: ReturnType<typeof prepareRsyslog>;
let running: ChildProcess | undefined;
let stopping: AbortController;
let faults: string[] = [];
const logger: Logger = {
  ...silentLogger,
  fault: (_message, error) => faults.push(AifiError.from(error).code),
};

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await systemClock.sleep(10);
}
function isListening(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => resolve(false));
    socket.on('connect', () => resolve(true));
    socket.on('connect', () => socket.destroy());
  });
}
async function startReceiver(): Promise<void> {
  running = spawn(receiver.command, receiver.arguments, { stdio: 'ignore' });
  await until(isListening);
}
async function killReceiver(): Promise<void> {
  const exited = once(running!, 'exit');
  running!.kill('SIGKILL');
  await exited;
  running = undefined;
}

/** [chain, sequence] of each message, in the order of arrival. */
function received(): [string, number][] {
  if (!existsSync(receiver.outputFile)) return [];
  // The last line may be half written.
  const lines = readFileSync(receiver.outputFile, 'utf8').split('\n').slice(0, -1);
  const value = (line: string, type: string): string => {
    const found = new RegExp(`type="${type}" value="([^"]*)"`).exec(line)?.[1];
    return Buffer.from(found ?? '', 'base64').toString();
  };
  return lines
    .filter((line) => line.startsWith('DICOM+RFC3881 '))
    .map((line) => [value(line, 'chain'), Number(value(line, 'sequence'))]);
}
/** Each once, by its first arrival. */
const firstArrivals = (chain: string): number[] => [
  ...new Set(received().flatMap(([of, sequence]) => (of === chain ? [sequence] : []))),
];
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

const suite = hasPeers('rsyslogd') && hasTls() ? describe : describe.skip;
suite('audit shipper to a real rsyslog', () => {
  beforeEach(async () => {
    folder = temporaryFolder('audit-shipper');
    [port] = (await freePorts(1)) as [number];
    const sites = ['hospital-a'];
    certificates = await makeDevelopmentCertificates({ folder: folder.path, sites });
    receiver = prepareRsyslog({
      ...certificates.hub,
      folder: folder.path,
      port,
      clientCertificates: true,
    });
    stopping = new AbortController();
    faults = [];
  });
  afterEach(async () => {
    stopping.abort();
    if (running) await killReceiver();
    folder.remove();
  });

  const destination = (): SyslogDestination => ({
    ...certificates.sites['hospital-a']!,
    ...{ host: 'localhost', port },
  });
  const shipperOf = (
    records: readonly AuditRecord[],
    positions: Positions,
    over: Partial<AuditShipperOptions> = {},
  ): Stage =>
    createAuditShipper({
      destination: destination(),
      reader: readerOf(records),
      position: positions,
      source: SOURCE,
      sender: { hostName: 'gateway.hospital-a.example', appName: 'aifi-gateway' },
      ...{ clock: systemClock, logger, batchMax: 50, intervalMs: 20 },
      ...over,
    });

  it('delivers every record of every chain once and in order, whole', async () => {
    await startReceiver();
    const [one, two] = [aTrail(120), aTrail(30, 'hub:*')];
    const positions = new Positions();
    const done = shipperOf([...one, ...two], positions).run(stopping.signal);
    await until(() => positions.kept.get('hub:*') === 30);
    stopping.abort();
    await done;
    expect(firstArrivals('gateway:hospital-a')).toEqual(upTo(120));
    expect(firstArrivals('hub:*')).toEqual(upTo(30));
    expect(received()).toHaveLength(150);
    const [line] = readFileSync(receiver.outputFile, 'utf8').split('\n');
    expect(line).toContain('<?xml version="1.0" encoding="UTF-8"?><AuditMessage>');
    expect(line).toMatch(/<\/AuditMessage>$/);
  }, 60_000);

  it('loses nothing when the receiver is killed while it reads, and keeps the order', async () => {
    const count = 2_000;
    const positions = new Positions();
    const done = shipperOf(aTrail(count), positions, { batchMax: 400 }).run(stopping.signal);
    // Away at first, then killed in the middle of a batch, with much of it read by nobody.
    for (const threshold of [100, 700, 1_300]) {
      await startReceiver();
      await until(() => received().length >= threshold);
      running!.kill('SIGSTOP');
      // Long enough for a shipper that takes "sent" for "read" to keep a position too far.
      await systemClock.sleep(300);
      await killReceiver();
      const kept = positions.kept.get('gateway:hospital-a') ?? 0;
      expect(firstArrivals('gateway:hospital-a').slice(0, kept)).toEqual(upTo(kept));
    }
    await startReceiver();
    await until(() => positions.kept.get('gateway:hospital-a') === count);
    stopping.abort();
    await done;
    expect(firstArrivals('gateway:hospital-a')).toEqual(upTo(count));
  }, 180_000);

  it('goes on behind the kept position after a restart of its own', async () => {
    await startReceiver();
    const positions = new Positions();
    positions.kept.set('gateway:hospital-a', 40);
    const done = shipperOf(aTrail(60), positions).run(stopping.signal);
    await until(() => positions.kept.get('gateway:hospital-a') === 60);
    stopping.abort();
    await done;
    expect(received().map(([, sequence]) => sequence)).toEqual(upTo(60).slice(40));
  }, 60_000);

  it('sends nothing to a receiver whose certificate another authority signed', async () => {
    await startReceiver();
    const other = join(folder.path, 'other');
    const { hub } = await makeDevelopmentCertificates({ folder: other, sites: ['x'] });
    const positions = new Positions();
    const wrong = { ...destination(), caFile: hub.caFile };
    const stage = shipperOf(aTrail(5), positions, { destination: wrong });
    const done = stage.run(stopping.signal);
    await until(() => faults.length === 2);
    expect(faults).toEqual(['PEER_UNAVAILABLE', 'PEER_UNAVAILABLE']);
    stopping.abort();
    await done;
    expect([received(), positions.kept.size]).toEqual([[], 0]);
  }, 60_000);
});

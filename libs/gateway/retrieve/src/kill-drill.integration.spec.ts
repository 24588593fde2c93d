/**
 * Goal: a gateway that is killed while it fetches a study goes on where it was: everything of the
 * study is here once, byte by byte, and the retrieval ends as done.
 * Method: lives with the real listener and private intake, C-GET and C-MOVE of DCMTK's dcmqrscp,
 * one real database, killed by kill -9 around the beginning, in the middle and around the end.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeFileMeta } from '@aifi/dicom-core';
import { DimseScu } from '@aifi/dicom-dimse';
import { systemClock } from '@aifi/shared-kernel';
import {
  freePorts,
  hasPeers,
  killedAt,
  KILLS_EACH,
  livedOn,
  temporaryFolder,
} from '@aifi/shared-testing';
import { digestsOf, objectsOf, STUDY } from '../test/planted-study.js';

const DRILL_MS = 120_000;
const LIFE = `
const { join } = await import('node:path');
const { GATEWAY_MIGRATIONS, GatewayDatabase } = await import('@aifi/gateway-database');
const receiving = await import('@aifi/gateway-receive');
const retrieving = await import('@aifi/gateway-retrieve');
const { systemClock: clock } = await import('@aifi/shared-kernel');
const { silentLogger: logger } = await import('@aifi/shared-observability');
const { keyRingOf } = await import('@aifi/shared-site-keys');
const { fakeSiteKeys } = await import('@aifi/shared-testing');
const [dataFolder, port, studyUid, listenerPort] = process.argv.slice(1);
const database = GatewayDatabase.open(join(dataFolder, 'gateway.db'), GATEWAY_MIGRATIONS);
const callers = [{ aeTitle: 'PACS', host: '127.0.0.1', plain: true }];
const receive = receiving.createReceiveStage({
  database, dataFolder, clock, logger, keys: keyRingOf(fakeSiteKeys()),
  config: receiving.receiveConfigSchema.parse({
    port: Number(listenerPort), aeTitle: 'GATEWAY', callers,
  }),
});
const intake = receiving.createPrivateIntake(dataFolder, clock);
const origin = { way: 'retrieved', from: 'PACS', lane: 'routine' };
const sut = retrieving.createRetrieving({
  database, clock, logger, zone: () => 0, random: () => 0, isPacsUp: () => true,
  permits: new retrieving.AssociationPermits(2),
  config: retrieving.retrieveConfigSchema.parse({}),
  archive: new retrieving.DimseArchive({
    host: '127.0.0.1', port: Number(port), calledAeTitle: 'PACS', callingAeTitle: 'GATEWAY', clock,
    instancesMax: 1_000, destination: listenerPort === '0' ? undefined : 'GATEWAY',
    intake: { store: (file, { studyInstanceUid }) => intake.store(file, origin, studyInstanceUid) },
  }),
});
const stop = new AbortController();
const running = [receive.run(stop.signal)];
await receive.ready;
if (sut.store.list({ limit: 1 }).length === 0) {
  await sut.queue([{ studyUid, cause: 'by-hand', product: 'tissue', source: 'page' }]);
}
running.push(sut.stage.run(stop.signal));
while (sut.store.countOpen() > 0) await clock.sleep(20);
const answer = {
  rows: database.read((sql) => sql.all('SELECT sop_instance_uid AS uid, path, way FROM instance')),
  retrievals: sut.store.list({ limit: 9 }),
  requests: database.read((sql) => sql.all('SELECT product, source FROM product_request')),
};
stop.abort();
await Promise.all(running);
database.close();
process.stdout.write(JSON.stringify(answer));`;

interface Lived {
  readonly rows: readonly { readonly uid: string; readonly path: string; readonly way: string }[];
  readonly retrievals: readonly { readonly state: string; readonly attempts: number }[];
  readonly requests: readonly unknown[];
}
/** Where it dies, in which way it fetches, and how many fetches are begun in all. */
const DEATHS = (
  [
    ['gateway.retrieve.before-begin', 'retrieved', 1],
    ['gateway.retrieve.after-begin', 'retrieved', 2],
    ['gateway.receive.before-row#3', 'retrieved', 2],
    ['gateway.receive.after-row#5', 'retrieved', 2],
    ['gateway.receive.after-row#5', 'dimse', 2],
    ['gateway.retrieve.before-end', 'retrieved', 1],
    ['gateway.retrieve.after-end', 'dimse', 1],
  ] as const
).flatMap(([point, way, attempts]) =>
  Array.from({ length: KILLS_EACH }, (_, hit) => ({ point, way, attempts, hit })),
);

(hasPeers('dcmqrscp') ? describe : describe.skip)('a gateway killed while it fetches', () => {
  const folder = temporaryFolder('retrieve-kill');
  const objects = objectsOf(false);
  let server: ChildProcess;
  let [port, listenerPort] = [0, 0];

  beforeAll(async () => {
    [port, listenerPort] = (await freePorts(2)) as [number, number];
    const archive = join(folder.path, 'archive');
    mkdirSync(archive);
    const configuration = join(folder.path, 'dcmqrscp.cfg');
    const lines = [
      ...[`NetworkTCPPort = ${port}`, 'MaxPDUSize = 16384', 'MaxAssociations = 8'],
      ...['HostTable BEGIN', `gateway = (GATEWAY, 127.0.0.1, ${listenerPort})`, 'HostTable END'],
      ...['VendorTable BEGIN', 'VendorTable END'],
      ...['AETable BEGIN', `PACS ${archive} RW (10, 1024mb) ANY`, 'AETable END'],
    ];
    writeFileSync(configuration, `${lines.join('\n')}\n`);
    server = spawn('dcmqrscp', ['-c', configuration], { stdio: 'ignore' });
    for (let isUp = false; !isUp; await systemClock.sleep(20)) {
      const socket = connect(port, '127.0.0.1');
      isUp = await once(socket, 'connect').then(
        () => true,
        () => false,
      );
      socket.destroy();
    }
    const titles = { calledAeTitle: 'PACS', callingAeTitle: 'GATEWAY' };
    const scu = new DimseScu({ host: '127.0.0.1', port, ...titles, clock: systemClock });
    for (const object of objects) expect(await scu.store(object)).toBe(0);
  }, 30_000);
  afterAll(async () => {
    server.kill();
    await once(server, 'exit');
    folder.remove();
  });

  it.each(DEATHS)(
    'has all of the study once: $way, $point',
    async ({ point, way, attempts, hit }) => {
      const data = join(folder.path, `${point.replaceAll(/\W/g, '-')}-${way}-${hit}`);
      mkdirSync(data);
      const args = [data, String(port), STUDY, way === 'dimse' ? String(listenerPort) : '0'];
      await killedAt(point, LIFE, args);
      const { rows, retrievals, requests } = JSON.parse(await livedOn(LIFE, args)) as Lived;
      expect(retrievals).toMatchObject([{ state: 'DONE', attempts, expected: 8, received: 8 }]);
      expect(requests).toEqual([{ product: 'tissue', source: 'page' }]);
      expect(new Set(rows.map(({ way }) => way))).toEqual(new Set([way]));
      const kept = rows.map(({ uid, path }): [string, string] => {
        const file = readFileSync(path);
        const dataset = file.subarray(decodeFileMeta(file).datasetOffset);
        return [uid, createHash('sha256').update(dataset).digest('hex')];
      });
      expect(kept).toHaveLength(objects.length);
      expect(new Map(kept)).toEqual(digestsOf(objects));
    },
    DRILL_MS,
  );
});

/**
 * Goal: whatever is sent to a gateway and whoever is away, the sender gets a DICOM status or a
 * coded refusal, hospital IT reads a line about it, and no study that was taken is lost.
 * Method: one hospital as real processes; a sender of our own for what is damaged, Orthanc for the
 * rest; hub, PACS, worker and disk are taken away in the middle and given back.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeFileMeta } from '@aifi/dicom-core';
import {
  aeTitles,
  DEMO_DATA_FOLDER,
  demoStudies,
  deviations,
  followStudies,
  isDone,
  killChildrenOf,
  Stack,
  storeStudy,
  type DemoStudy,
  type GatewayStudy,
  type Hospital,
} from '@aifi/demo';
import { hasPeers, temporaryFolder } from '@aifi/shared-testing';
import { probeBytes, probeStore, type ProbeAnswer, type ProbeObject } from './dimse-probe.js';
import { gatewayStatus, receivedInstances, untilRefusal, untilTaken } from './gateway-status.js';

const SITE = 'site-a';
const START_MS = 120_000;
const QUIET_MS = 2_000;
/** Room for the databases and for one radiograph with its results on their way. @unit bytes */
const DISK_BYTES = 32 * 1024 * 1024;
/** Less than the radiograph of 0.8 MB. @unit bytes */
const FREE_BYTES = 512 * 1024;
const suite = hasPeers('Orthanc') ? describe : describe.skip;

/** A file system that can be full needs a mount, and that needs root. */
function canMount(): boolean {
  const folder = temporaryFolder('mount');
  const isMounted = mount(folder.path);
  if (isMounted) spawnSync('umount', [folder.path]);
  folder.remove();
  return isMounted;
}
function mount(path: string): boolean {
  const options = `size=${DISK_BYTES},mode=700`;
  return spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]).status === 0;
}

suite('bad input and absent parts', () => {
  let stack: Stack;
  let hospital: Hospital;
  let serial = 0;

  beforeAll(async () => {
    stack = await Stack.start({ siteIds: [SITE], environment: process.env, quietMs: QUIET_MS });
    hospital = stack.parts.hospitals[0]!;
  }, START_MS);
  afterAll(() => stack?.stop(), START_MS);

  /** A new radiograph study of one instance. */
  function aRadiograph(): DemoStudy {
    const runId = `faults-${process.pid}-${Date.now()}-${(serial += 1)}`;
    const products = stack.parts.products.map(({ product }) => product);
    const studies = demoStudies(DEMO_DATA_FOLDER, { runId, nowMs: Date.now(), products });
    return studies.find(({ name }) => name === 'cr-tibia')!;
  }
  function objectOf(study: DemoStudy): ProbeObject {
    const [bytes] = [...study.instances()];
    const { meta, datasetOffset } = decodeFileMeta(bytes!);
    return { ...meta, dataset: bytes!.subarray(datasetOffset) };
  }
  function store(object: ProbeObject): Promise<ProbeAnswer> {
    const { gateway: calledAeTitle, pacs: callingAeTitle } = aeTitles(SITE);
    const { gatewayDicom: port } = hospital.ports;
    return probeStore({ port, callingAeTitle, calledAeTitle }, object);
  }
  /** Of objects: the listener keeps a few empty files ready. */
  const incoming = (): string[] => {
    const folder = join(hospital.gatewayFolder, 'incoming');
    return readdirSync(folder).filter((name) => statSync(join(folder, name)).size > 0);
  };

  /** Polls the gateway's account of a study. */
  async function until(
    { studyInstanceUid }: DemoStudy,
    isSo: (seen: GatewayStudy) => boolean,
  ): Promise<GatewayStudy> {
    for (let look = 0; look < 600; look += 1) {
      const studies = await hospital.gateway.studies();
      const seen = studies?.find((study) => study.studyInstanceUid === studyInstanceUid);
      if (seen && isSo(seen)) return seen;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('the study did not get there');
  }
  const hasState = (state: string) => (seen: GatewayStudy) =>
    seen.products.some((product) => product.state === state);
  async function sendByPacs(study: DemoStudy): Promise<void> {
    await storeStudy(hospital, study);
    await hospital.pacs.send(study.studyInstanceUid, 'gateway');
  }
  async function expectTheUsualEnd(study: DemoStudy): Promise<void> {
    const seen = await until(study, (account) => isDone({ study, seen: account }));
    expect(deviations({ study, seen })).toEqual([]);
    const results = seen.products.flatMap((product) => product.results);
    for (const { sopInstanceUid } of results) {
      expect(await hospital.pacs.find('Instance', sopInstanceUid)).toHaveLength(1);
    }
    const owned = (await hospital.pacs.instancesOf(study.studyInstanceUid)).length;
    expect(owned).toBe(study.instanceCount + results.length + (seen.statusObject ? 1 : 0));
  }

  it(
    'refuses a truncated object with C000, keeps nothing of it, and takes the whole one',
    async () => {
      const study = aRadiograph();
      const object = objectOf(study);
      const before = incoming();
      const cut = object.dataset.subarray(0, object.dataset.length / 2);
      expect(await store({ ...object, dataset: cut })).toEqual({
        contextResult: 0,
        status: 0xc000,
      });
      expect(incoming()).toEqual(before);
      expect(await untilRefusal(hospital, ({ what }) => what === 'object')).toMatchObject({
        code: 'DICOM_MALFORMED',
        dimseStatus: 0xc000,
        callingAeTitle: aeTitles(SITE).pacs,
      });
      await storeStudy(hospital, study);
      expect((await store(object)).status).toBe(0);
      await expectTheUsualEnd(study);
    },
    START_MS,
  );

  it(
    'ends a stream that is not DICOM with an abort, and goes on listening',
    async () => {
      const { gatewayDicom } = hospital.ports;
      const answer = await probeBytes(gatewayDicom, Buffer.from('GET / HTTP/1.1\r\n\r\n'));
      expect(answer[0]).toBe(0x07);
      expect(await untilRefusal(hospital, ({ what }) => what === 'association')).toMatchObject({
        dimseStatus: null,
      });
      const study = aRadiograph();
      await storeStudy(hospital, study);
      expect((await store(objectOf(study))).status).toBe(0);
      await expectTheUsualEnd(study);
    },
    START_MS,
  );

  it(
    'refuses the presentation context of a SOP class that no standard knows',
    async () => {
      const rows = receivedInstances(hospital).length;
      const object = { ...objectOf(aRadiograph()), sopClassUid: '1.2.3.4.5.6' };
      expect(await store(object)).toEqual({ contextResult: 3, status: undefined });
      expect(await untilRefusal(hospital, ({ what }) => what === 'context')).toMatchObject({
        code: 'DICOM_SOP_CLASS_UNSUPPORTED',
        callingAeTitle: aeTitles(SITE).pacs,
      });
      expect(receivedInstances(hospital)).toHaveLength(rows);
    },
    START_MS,
  );

  it(
    'keeps a study while the hub is away, says so, and brings its result afterwards',
    async () => {
      await stack.parts.hub.stop();
      const study = aRadiograph();
      await sendByPacs(study);
      await until(study, hasState('SPOOLED'));
      const { link, spool } = await gatewayStatus(hospital);
      expect(link).not.toBe('up');
      expect(spool).toMatchObject({ jobs: 1, objects: 1 });
      await stack.parts.hub.start();
      await expectTheUsualEnd(study);
      expect((await gatewayStatus(hospital)).link).toBe('up');
    },
    START_MS,
  );

  it(
    'keeps a result while the PACS is away, with the fault, and delivers it afterwards',
    async () => {
      const study = aRadiograph();
      // Nothing can come back before the PACS is gone.
      await stack.parts.worker.stop();
      await sendByPacs(study);
      await until(study, hasState('UPLOADED'));
      await hospital.pacsProcess.stop();
      await stack.parts.worker.start();
      await until(study, hasState('REIDENTIFIED'));
      expect(await untilFault(study)).toBe('PEER_UNAVAILABLE');
      await hospital.pacsProcess.start();
      await expectTheUsualEnd(study);
    },
    START_MS,
  );

  /** Why the last try to deliver failed, by the gateway's trace of the study. */
  async function untilFault({ studyInstanceUid }: DemoStudy): Promise<string> {
    for (let look = 0; look < 300; look += 1) {
      const trace = await hospital.gateway.trace(studyInstanceUid);
      const jobs = trace?.jobs ?? [];
      const faults = jobs.flatMap((job) => job.deliveries.map((row) => row.lastFault));
      const fault = faults.find((code) => code !== null);
      if (fault) return fault;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('no fault on record');
  }

  it(
    'runs a job again whose model crashed, and one whose worker was killed',
    async () => {
      const [crashed, orphaned] = [aRadiograph(), aRadiograph()];
      await Promise.all([
        killChildrenOf(stack.parts.worker, 1),
        sendByPacs(crashed).then(() => expectTheUsualEnd(crashed)),
      ]);
      const killed = killChildrenOf(stack.parts.worker, 1).then(() => stack.parts.worker.kill9());
      await sendByPacs(orphaned);
      await killed;
      await stack.parts.worker.start();
      await expectTheUsualEnd(orphaned);
    },
    START_MS,
  );

  it(
    'ends a job whose model crashes each time as MODEL_FAILED, and tells the reader',
    async () => {
      const study = aRadiograph();
      const stop = new AbortController();
      const killing = killChildrenOf(stack.parts.worker, Infinity, stop.signal);
      await sendByPacs(study);
      const seen = await until(study, hasState('NOT_ANALYSED_NOTIFIED'));
      stop.abort();
      await killing;
      const failed = seen.products.filter(({ state }) => state === 'NOT_ANALYSED_NOTIFIED');
      expect(failed.map(({ code }) => code)).toEqual(['MODEL_FAILED']);
      const told = await until(study, ({ statusObject }) => statusObject?.state === 'VERIFIED');
      const uid = told.statusObject!.sopInstanceUid;
      expect(await hospital.pacs.find('Instance', uid)).toHaveLength(1);
    },
    START_MS,
  );

  (canMount() ? it : it.skip)(
    'answers A700 while its disk is full, loses nothing, and takes the study when there is room',
    async () => {
      const { gatewayProcess, gatewayFolder } = hospital;
      await gatewayProcess.stop();
      expect(mount(gatewayFolder)).toBe(true);
      try {
        await gatewayProcess.start();
        const kept = aRadiograph();
        await sendByPacs(kept);
        await expectTheUsualEnd(kept);
        const ballast = join(gatewayFolder, 'ballast');
        const { diskFreeBytes } = await gatewayStatus(hospital);
        writeFileSync(ballast, Buffer.alloc(diskFreeBytes - FREE_BYTES));
        const refused = aRadiograph();
        const files = incoming();
        expect((await store(objectOf(refused))).status).toBe(0xa700);
        expect(incoming()).toEqual(files);
        expect(
          await untilRefusal(hospital, ({ dimseStatus }) => dimseStatus === 0xa700),
        ).toMatchObject({ what: 'object', code: 'OUT_OF_RESOURCES' });
        // Not even a row fits any more.
        const last = join(gatewayFolder, 'ballast-2');
        writeFileSync(last, Buffer.alloc((await gatewayStatus(hospital)).diskFreeBytes));
        expect((await store(objectOf(refused))).status).toBe(0xa700);
        expect(receivedInstances(hospital)).toHaveLength(1);
        for (const file of [ballast, last]) rmSync(file);
        // A write that found no space holds new input back for a while, whatever is free then.
        await untilTaken(hospital);
        await sendByPacs(refused);
        await expectTheUsualEnd(refused);
        expect(gatewayProcess.isRunning).toBe(true);
        expect(readFileSync(gatewayProcess.logFile, 'utf8')).not.toContain('"a stage ended');
      } finally {
        await gatewayProcess.stop();
        spawnSync('umount', [gatewayFolder]);
      }
    },
    START_MS,
  );

  it(
    'never lost a study: all that were taken are terminal',
    async () => {
      if (!hospital.gatewayProcess.isRunning) await hospital.gatewayProcess.start();
      const [last] = await followStudies({
        hospitals: [hospital],
        studiesOf: () => [aRadiograph()],
        deadlineMs: START_MS,
      });
      expect(deviations(last!)).toEqual([]);
      const studies = await hospital.gateway.studies();
      const open = studies!.filter(({ products }) =>
        products.some(({ state }) => !/^(RESULT_IN_PACS|NOT_)/.test(state)),
      );
      expect(open.map(({ state }) => state)).toEqual([]);
    },
    START_MS,
  );
});

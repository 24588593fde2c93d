/**
 * Goal: a study comes out of PACSs that none of us wrote, byte by byte, in each of the ways, over
 * plain DICOM and TLS; an object of another study is refused.
 * Method: Orthanc with its DICOMweb plugin and DCMTK's dcmqrscp as archives; our own listener as
 * the destination of C-MOVE; an intake that keeps digests.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { DicomWebArchive } from '@aifi/dicom-dicomweb';
import {
  DimseScu,
  startStoreScp,
  type PeerTls,
  type RunningScp,
  type StoreHandler,
} from '@aifi/dicom-dimse';
import { systemClock } from '@aifi/shared-kernel';
import { freePorts, hasPeers, temporaryFolder } from '@aifi/shared-testing';
import { makeDevelopmentCertificates } from '../../../../deploy/certs/make-certs.mjs';
import {
  ensureOrthancDicomweb,
  ORTHANC_DICOMWEB_PLUGIN,
} from '../../../../deploy/services/orthanc-dicomweb/install.mjs';
import { prepareOrthanc } from '../../../../deploy/services/orthanc/start.mjs';
import {
  digestsOf,
  KeepingIntake,
  objectsOf,
  OTHER,
  planted,
  STUDY,
  type Planted,
} from '../test/planted-study.js';
import type { Archive } from './archive.js';
import type { IntakePort } from './object-relay.js';
import { DimseArchive, WebArchive } from './pacs-archives.js';
import { studyGap } from './study-gap.js';

const never = new AbortController().signal;
const CT = '1.2.840.10008.5.1.4.1.1.2';
const MR = '1.2.840.10008.5.1.4.1.1.4';

/** The same for what comes to our listener. */
function keeping(kept: Map<string, string>): StoreHandler {
  return {
    begin: ({ affectedSopInstanceUid }) => {
      const hash = createHash('sha256');
      return {
        write: (chunk) => void hash.update(chunk),
        end: async () => {
          kept.set(affectedSopInstanceUid, hash.digest('hex'));
          return 0;
        },
        abort: async () => undefined,
      };
    },
  };
}

async function bring(archive: Archive, study = STUDY): Promise<unknown> {
  const listed = await archive.list(study);
  const known = { here: new Map(), ownSeries: new Set<string>() };
  const { targets } = studyGap({ studyInstanceUid: study }, listed, known);
  expect(targets).toEqual([{ studyInstanceUid: study }]);
  const sopClassUids = listed.flatMap((one) => one.objects ?? []).map((one) => one.sopClassUid);
  return archive.fetch({ ...targets[0]!, objectsMax: 100, sopClassUids, signal: never });
}

/** In what the archives differ. */
interface Peculiarities {
  readonly isImplicit: boolean;
  readonly tellsClasses: boolean;
  /** What it says of a destination that it does not know. */
  readonly unknown: string;
}
/** What each of the two archives must do. */
function behavesAsArchive(
  start: () => Promise<{
    dimse: (destination?: string) => DimseArchive;
    kept: Map<string, string>;
  }>,
  intake: () => KeepingIntake,
  { isImplicit, tellsClasses, unknown }: Peculiarities,
): void {
  const expected = digestsOf(objectsOf(isImplicit));

  it('lists series and instances with their classes', async () => {
    const listed = await (await start()).dimse().list(STUDY);
    const counted = listed.map((one) => [one.seriesInstanceUid, one.objects?.length]);
    expect(counted.sort()).toEqual([
      ['2.25.901.1', 5],
      ['2.25.901.2', 3],
    ]);
    const classes = new Set(listed.flatMap((one) => one.objects!.map((two) => two.sopClassUid)));
    expect([...classes].sort()).toEqual(tellsClasses ? [CT, MR] : ['']);
    expect(await (await start()).dimse().list('2.25.999')).toEqual([]);
  });

  it('moves a study to our listener, byte by byte', async () => {
    const { dimse, kept } = await start();
    expect(await bring(dimse('GATEWAY'))).toBeUndefined();
    expect(kept).toEqual(expected);
  });

  it('says that a destination is unknown', async () => {
    const reason = await bring((await start()).dimse('NOBODY'));
    expect(reason).toBe(unknown);
  });

  it('gets a study on one association, in the syntaxes in which it lies', async () => {
    const { dimse } = await start();
    expect(await bring(dimse())).toBeUndefined();
    expect(intake().kept).toEqual(expected);
  });

  it('gets one series alone', async () => {
    const { dimse } = await start();
    const order = { studyInstanceUid: STUDY, seriesInstanceUid: '2.25.901.2', objectsMax: 10 };
    await dimse().fetch({ ...order, sopClassUids: [MR], signal: never });
    expect([...intake().kept.keys()].sort()).toEqual([1, 2, 3].map((at) => `2.25.901.2.${at}`));
  });

  it('finds studies by day and modality, and by accession number', async () => {
    const { dimse } = await start();
    const search = { date: '20261122', modality: 'CT' };
    const { studies } = await dimse().findStudies(search, 10);
    expect(studies.map((one) => one.studyInstanceUid)).toContain(STUDY);
    const byNumber = await dimse().findStudies({ accessionNumber: 'ACC-901' }, 10);
    expect(byNumber.studies.map((one) => one.studyInstanceUid)).toEqual([STUDY]);
    expect((await dimse().findStudies({ accessionNumber: 'NONE' }, 10)).studies).toEqual([]);
  });
}

async function fill(scu: DimseScu, objects: readonly Planted[]): Promise<void> {
  for (const object of objects) expect(await scu.store(object)).toBe(0);
}
async function listening(port: number): Promise<void> {
  for (let isUp = false; !isUp; await systemClock.sleep(20)) {
    const socket = connect(port, '127.0.0.1');
    isUp = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
  }
}

const hasOrthanc = ensureOrthancDicomweb().ok || process.env['CI'] === 'true';
for (const isTls of [false, true]) {
  (hasOrthanc ? describe : describe.skip)(`Orthanc ${isTls ? 'over TLS' : 'in plain'}`, () => {
    const folder = temporaryFolder('retrieve-orthanc');
    const kept = new Map<string, string>();
    let [orthanc, rest, port]: [ChildProcess | undefined, string, number] = [undefined, '', 0];
    let scp: RunningScp;
    let tls: PeerTls | undefined;
    let intake: KeepingIntake;

    beforeAll(async () => {
      const [dicomPort, httpPort] = await freePorts(2);
      port = dicomPort!;
      const certificates = await makeDevelopmentCertificates({ folder: folder.path, sites: ['a'] });
      const { hub, sites } = certificates;
      const site = sites['a']!;
      const [ca, certificate, key] = [hub.caFile, site.certificateFile, site.keyFile].map((path) =>
        readFileSync(path),
      ) as [Buffer, Buffer, Buffer];
      tls = isTls ? { ca, certificate, key, serverName: 'localhost' } : undefined;
      scp = await startStoreScp({
        ...{ host: '127.0.0.1', aeTitle: 'GATEWAY', callers: 'any', clock: systemClock },
        port: 0,
        handler: keeping(kept),
      });
      // Its one certificate is that of a server: what it sends comes to our plain port.
      const destination = { name: 'gateway', aeTitle: 'GATEWAY', host: '127.0.0.1' };
      const prepared = prepareOrthanc({
        ...{ folder: folder.path, aeTitle: 'PACS', dicomPort: port, httpPort: httpPort! },
        modalities: [{ ...destination, port: scp.port! }],
        plugins: [ORTHANC_DICOMWEB_PLUGIN],
        settings: { DicomAlwaysAllowGet: true, DicomAlwaysAllowMove: true },
        ...(isTls && {
          tls: {
            ...{ certificateFile: hub.certificateFile, keyFile: hub.keyFile },
            trustedFile: hub.caFile,
          },
        }),
      });
      rest = prepared.restUrl;
      orthanc = spawn(prepared.command, prepared.arguments, { stdio: 'ignore' });
      await listening(port);
      const titles = { calledAeTitle: 'PACS', callingAeTitle: 'GATEWAY' };
      const scu = new DimseScu({ host: '127.0.0.1', port, ...titles, tls, clock: systemClock });
      await fill(scu, [...objectsOf(true), planted('2.25.902.1', 1, { study: OTHER })]);
    }, 60_000);
    beforeAll(() => void (intake = new KeepingIntake()));
    afterEach(() => {
      kept.clear();
      intake.kept.clear();
    });
    afterAll(async () => {
      orthanc?.kill('SIGTERM');
      if (orthanc) await once(orthanc, 'exit');
      await scp?.close();
      folder.remove();
    });

    const dimse = (destination?: string): DimseArchive =>
      new DimseArchive({
        ...{ host: '127.0.0.1', port, calledAeTitle: 'PACS', callingAeTitle: 'GATEWAY', tls },
        ...{ clock: systemClock, instancesMax: 1_000, destination, intake },
      });
    behavesAsArchive(
      async () => ({ dimse, kept }),
      () => intake,
      { isImplicit: true, tellsClasses: true, unknown: 'CANNOT_PROCESS' },
    );

    if (isTls) return;
    const web = (): WebArchive => {
      const options = { baseUrl: `${rest}/dicom-web`, plain: true, clock: systemClock };
      return new WebArchive({ web: new DicomWebArchive(options), instancesMax: 1_000, intake });
    };
    it('gives a study over WADO-RS, byte by byte', async () => {
      expect(await bring(web())).toBeUndefined();
      expect(intake.kept).toEqual(digestsOf(objectsOf(true)));
      const order = { studyInstanceUid: STUDY, seriesInstanceUid: '2.25.901.1', objectsMax: 10 };
      intake.kept.clear();
      await web().fetch({ ...order, sopClassUids: [], signal: never });
      expect(intake.kept.size).toBe(5);
    });
    it('is searched by QIDO-RS as by C-FIND', async () => {
      const listed = await web().list(STUDY);
      expect(listed.map((one) => [one.seriesInstanceUid, one.instances]).sort()).toEqual([
        ['2.25.901.1', 5],
        ['2.25.901.2', 3],
      ]);
      expect(await web().list('2.25.999')).toEqual([]);
      const search = { date: '20261122', modality: 'MR' };
      expect((await web().findStudies(search, 10)).studies).toMatchObject([
        { studyInstanceUid: STUDY, date: '20261122', description: 'CT thorax' },
      ]);
      const byNumber = await web().findStudies({ accessionNumber: 'ACC-902' }, 10);
      expect(byNumber.studies.map((one) => one.studyInstanceUid)).toEqual([OTHER]);
    });
    it('takes nothing of another study', async () => {
      const listed = await web().list(OTHER);
      expect(listed).toHaveLength(1);
      const mixed: IntakePort = {
        store: (file) => intake.store(file, { studyInstanceUid: STUDY }),
      };
      const options = { baseUrl: `${rest}/dicom-web`, plain: true, clock: systemClock };
      const sut = new WebArchive({
        ...{ web: new DicomWebArchive(options), instancesMax: 9, intake: mixed },
      });
      expect(await bring(sut, OTHER)).toBe('OTHER_STUDY');
      expect(intake.kept.size).toBe(0);
    });
  });
}

(hasPeers('dcmqrscp') ? describe : describe.skip)("DCMTK's dcmqrscp", () => {
  const folder = temporaryFolder('retrieve-dcmqrscp');
  const kept = new Map<string, string>();
  const intake = new KeepingIntake();
  let server: ChildProcess;
  let scp: RunningScp;
  let port = 0;

  beforeAll(async () => {
    port = (await freePorts(1))[0]!;
    scp = await startStoreScp({
      ...{ host: '127.0.0.1', port: 0, aeTitle: 'GATEWAY', callers: 'any', clock: systemClock },
      handler: keeping(kept),
    });
    const archive = join(folder.path, 'archive');
    mkdirSync(archive);
    const configuration = join(folder.path, 'dcmqrscp.cfg');
    const lines = [
      `NetworkTCPPort = ${port}`,
      'MaxPDUSize = 16384',
      'MaxAssociations = 8',
      ...['HostTable BEGIN', `gateway = (GATEWAY, 127.0.0.1, ${scp.port})`, 'HostTable END'],
      ...['VendorTable BEGIN', 'VendorTable END'],
      ...['AETable BEGIN', `PACS ${archive} RW (10, 1024mb) ANY`, 'AETable END'],
    ];
    writeFileSync(configuration, `${lines.join('\n')}\n`);
    server = spawn('dcmqrscp', ['-c', configuration], { stdio: 'ignore' });
    await listening(port);
    const titles = { calledAeTitle: 'PACS', callingAeTitle: 'GATEWAY' };
    await fill(
      new DimseScu({ host: '127.0.0.1', port, ...titles, clock: systemClock }),
      objectsOf(false),
    );
  }, 30_000);
  afterEach(() => {
    kept.clear();
    intake.kept.clear();
  });
  afterAll(async () => {
    server.kill();
    await once(server, 'exit');
    await scp.close();
    folder.remove();
  });

  behavesAsArchive(
    async () => ({
      kept,
      dimse: (destination) =>
        new DimseArchive({
          ...{ host: '127.0.0.1', port, calledAeTitle: 'PACS', callingAeTitle: 'GATEWAY' },
          ...{ clock: systemClock, instancesMax: 1_000, destination, intake },
        }),
    }),
    () => intake,
    { isImplicit: false, tellsClasses: false, unknown: 'UNKNOWN_DESTINATION' },
  );
});

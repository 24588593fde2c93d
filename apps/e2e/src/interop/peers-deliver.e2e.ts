/**
 * Goal: a result ends in the PACS of its patient and is proved there, whichever PACS it is: by
 * C-FIND, by QIDO-RS, or by the PACS's own word (storage commitment).
 * Method: the whole deliver stage with its rows, against dcmqrscp and Orthanc (plain, TLS,
 * DICOMweb) as PACS; Orthanc's report of storage commitment comes in at the real receive stage.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CommitmentReport } from '@aifi/dicom-dimse';
import { createPacsPeer, deliverConfigSchema } from '@aifi/gateway-deliver';
import { systemClock } from '@aifi/shared-kernel';
import { hasPeers, temporaryFolder } from '@aifi/shared-testing';
import {
  ensureOrthancDicomweb,
  ORTHANC_DICOMWEB_PLUGIN,
} from '../../../../deploy/services/orthanc-dicomweb/install.mjs';
import { DcmqrscpPacs } from './dcmqrscp.js';
import { Deliverer, type DeliveryEnd } from './deliverer.js';
import { ownObjectOf } from './dicom-files.js';
import { asFile, generatedCt, uidFor } from './generated-objects.js';
import { OrthancPeer, type OrthancSettings } from './orthanc.js';
import { CALLED, PLAIN, Receiver } from './receiver.js';
import { TestAuthority, type PeerIdentity } from './test-certificates.js';

const run = promisify(execFile);
const HOST = '127.0.0.1';
const PACS = 'PACS';
const TIMEOUT_MS = 120_000;
const SIZE = { rows: 200, columns: 200 };
const suite = hasPeers('dcmqrscp', 'storescu', 'Orthanc') ? describe : describe.skip;

suite('a result in the PACS', () => {
  const folder = temporaryFolder('interop-pacs');
  const original = asFile(generatedCt('original', SIZE));
  const originalFile = join(folder.path, 'original.dcm');
  let [gateway, pacs]: PeerIdentity[] = [];

  beforeAll(async () => {
    writeFileSync(originalFile, original);
    const authority = await TestAuthority.make(folder.path, 'hospital');
    gateway = await authority.issue('gateway');
    pacs = await authority.issue('pacs');
  });
  afterAll(() => folder.remove());

  const dimse = (port: number) => ({
    host: HOST,
    port,
    calledAeTitle: PACS,
    callingAeTitle: CALLED,
  });
  /** Stored and proved at the first attempt. */
  const PROVED = {
    job: { state: 'RESULT_IN_PACS', code: null },
    delivery: { state: 'VERIFIED', attempts: 1, dimse_status: 0 },
  };

  /** An Orthanc with the original in it. */
  async function withOrthanc(
    settings: OrthancSettings,
    act: (orthanc: OrthancPeer) => Promise<void>,
  ): Promise<void> {
    const orthanc = await OrthancPeer.start({ aeTitle: PACS, ...settings });
    try {
      await orthanc.upload(original);
      await act(orthanc);
    } finally {
      await orthanc.close();
    }
  }
  async function expectInOrthanc(orthanc: OrthancPeer, name: string): Promise<void> {
    const { sopInstanceUid, dataset } = generatedCt(name, SIZE);
    const stored = await orthanc.stored();
    expect(stored).toHaveLength(2);
    const { id } = stored.find((one) => one.sopInstanceUid === sopInstanceUid)!;
    expect(ownObjectOf(await orthanc.file(id))?.dataset.equals(dataset)).toBe(true);
  }
  async function deliver(name: string, config: unknown): Promise<DeliveryEnd> {
    const deliverer = await Deliverer.of(generatedCt(name, SIZE), config);
    try {
      return await deliverer.run();
    } finally {
      deliverer.close();
    }
  }

  it(
    'is stored in dcmqrscp, found there, and has our bytes',
    async () => {
      const dcmqrscp = await DcmqrscpPacs.start(PACS);
      try {
        await run('storescu', ['-aec', PACS, HOST, `${dcmqrscp.port}`, originalFile]);
        expect(await deliver('dcmqrscp', dimse(dcmqrscp.port))).toMatchObject(PROVED);
        const { dataset } = generatedCt('dcmqrscp', SIZE);
        const stored = dcmqrscp.files().map((file) => ownObjectOf(file)!.dataset);
        expect(stored).toHaveLength(2);
        expect(stored.some((bytes) => bytes.equals(dataset))).toBe(true);
      } finally {
        await dcmqrscp.close();
      }
    },
    TIMEOUT_MS,
  );

  it(
    'is stored in Orthanc, found there, and has our bytes',
    async () => {
      await withOrthanc({}, async (orthanc) => {
        expect(await deliver('plain', dimse(orthanc.dicomPort))).toMatchObject(PROVED);
        await expectInOrthanc(orthanc, 'plain');
      });
    },
    TIMEOUT_MS,
  );

  it(
    'is stored over TLS in Orthanc, with client certificate',
    async () => {
      const { certificateFile, keyFile, caFile } = pacs!;
      const tls = { certificateFile, keyFile, trustedFile: caFile };
      await withOrthanc({ tls }, async (orthanc) => {
        const { certificateFile: own, keyFile: key } = gateway!;
        const config = {
          ...dimse(orthanc.dicomPort),
          tls: { caFile, certificateFile: own, keyFile: key },
        };
        expect(await deliver('tls', config)).toMatchObject(PROVED);
        await expectInOrthanc(orthanc, 'tls');
      });
    },
    TIMEOUT_MS,
  );

  (ensureOrthancDicomweb().ok ? it : it.skip)(
    'is stored by STOW-RS in Orthanc and found by QIDO-RS',
    async () => {
      const settings = { DicomWeb: { Enable: true, Root: '/dicom-web/' } };
      const options = { plugins: [ORTHANC_DICOMWEB_PLUGIN], settings };
      await withOrthanc(options, async (orthanc) => {
        const stow = { url: `${orthanc.restUrl}/dicom-web`, plain: true };
        expect(await deliver('stow', { ...dimse(orthanc.dicomPort), stow })).toMatchObject(PROVED);
        await expectInOrthanc(orthanc, 'stow');
      });
    },
    TIMEOUT_MS,
  );

  it.each([0, 1_000])(
    'is proved by Orthanc itself: its report comes in at the receive stage (waiting %i ms)',
    async (waitMs) => {
      const name = `commitment ${waitMs}`;
      const reports: unknown[] = [];
      let deliverer: Deliverer | undefined;
      const receiver = await Receiver.startWith({
        port: 0,
        callers: [{ aeTitle: PACS, ...PLAIN }],
        commitmentFrom: [PACS],
        onCommitment: async (report) => {
          reports.push(report);
          await deliverer?.stage.onCommitment(report);
        },
      });
      const modality = { name: 'gateway', aeTitle: CALLED, host: HOST, port: receiver.port };
      try {
        await withOrthanc({ modalities: [modality] }, async (orthanc) => {
          const result = generatedCt(name, SIZE);
          const config = { ...dimse(orthanc.dicomPort), commitment: { waitMs } };
          deliverer = await Deliverer.of(result, config);
          const end = await deliverer.run();
          expect(end).toMatchObject({ ...PROVED, commitments: [{ state: 'REPORTED' }] });
          const { sopClassUid, sopInstanceUid } = result;
          const committed = [{ sopClassUid, sopInstanceUid }];
          expect(reports).toMatchObject([{ committed, failed: [] }]);
          await expectInOrthanc(orthanc, name);
          // Orthanc never looked for the object by itself: nothing but the report proved it.
          expect(orthanc.log()).toContain('storage commitment');
        });
      } finally {
        deliverer?.close();
        await receiver.close();
      }
    },
    TIMEOUT_MS,
  );

  it(
    'is not vouched for by Orthanc when it has lost the object',
    async () => {
      const report = Promise.withResolvers<CommitmentReport>();
      const receiver = await Receiver.startWith({
        port: 0,
        callers: [{ aeTitle: PACS, ...PLAIN }],
        commitmentFrom: [PACS],
        onCommitment: async (said) => report.resolve(said),
      });
      const modality = { name: 'gateway', aeTitle: CALLED, host: HOST, port: receiver.port };
      try {
        await withOrthanc({ modalities: [modality] }, async (orthanc) => {
          const config = deliverConfigSchema.parse(dimse(orthanc.dicomPort));
          const { sopClassUid, sopInstanceUid } = generatedCt('lost', SIZE);
          const request = {
            transactionUid: uidFor('transaction'),
            objects: [{ sopClassUid, sopInstanceUid }],
          };
          await createPacsPeer(config, systemClock).requestCommitment!(request, 0);
          const { transactionUid, committed, failed } = await report.promise;
          expect(transactionUid).toBe(request.transactionUid);
          expect(committed).toEqual([]);
          // Failure Reason: no such object instance (PS3.4 J.3.3).
          expect(failed).toEqual([{ sopClassUid, sopInstanceUid, reason: 0x0112 }]);
        });
      } finally {
        await receiver.close();
      }
    },
    TIMEOUT_MS,
  );

  it(
    'is reported by Orthanc to nobody who may not hear it: an unknown caller is refused',
    async () => {
      const reports: unknown[] = [];
      const receiver = await Receiver.startWith({
        port: 0,
        callers: [{ aeTitle: PACS, ...PLAIN }],
        commitmentFrom: ['OTHER'],
        onCommitment: async (report) => void reports.push(report),
      });
      const modality = { name: 'gateway', aeTitle: CALLED, host: HOST, port: receiver.port };
      try {
        await withOrthanc({ modalities: [modality] }, async (orthanc) => {
          const commitment = { waitMs: 0, timeoutMs: 3_000 };
          const end = await deliver('unheard', { ...dimse(orthanc.dicomPort), commitment });
          // After the time for a report the PACS is asked by C-FIND.
          expect(end).toMatchObject({ ...PROVED, commitments: [{ state: 'EXPIRED' }] });
          expect(reports).toEqual([]);
        });
      } finally {
        await receiver.close();
      }
    },
    TIMEOUT_MS,
  );
});

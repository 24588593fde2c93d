/**
 * Goal: every demo study of two hospitals ends as it should: results in its own PACS, under its own
 * patient, readable by others; at the hub and on the wire nothing identifiable.
 * Method: the demo's stack with Orthanc and taps on the wires; DCMTK, dicom3tools and tshark as
 * judges; planted identities searched for in everything that the hub and the link saw.
 */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeFileMeta } from '@aifi/dicom-core';
import {
  DEMO_DATA_FOLDER,
  demoStudies,
  deviations,
  followStudies,
  Stack,
  type Edge,
} from '@aifi/demo';
import { sha256Hex } from '@aifi/shared-kernel';
import { hasPeers, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { ensureHighdicom } from '../../../deploy/services/highdicom/install.mjs';
import { readSegmentation } from '../../../deploy/services/highdicom/read.mjs';
import { ensureTshark } from '../../../deploy/services/tshark/install.mjs';
import { ByteTap } from './byte-tap.js';
import { scanBytes, scanFolder } from './canary-scan.js';
import { storedDatasets } from './dicom-record.js';
import { ofClass, readBack, type FollowedStudy } from './followed-study.js';
import { receivedInstances } from './gateway-status.js';
import { hubStudies, scanHub } from './hub-dump.js';
import { decryptLink, uploadedObjects, type LinkRecord } from './link-record.js';
import { datasetOf, judge, referencedInstances, type PacsObject } from './pacs-snapshot.js';
import { countSegments } from './voxel-count.js';

const SITE_IDS = ['site-a', 'site-b'];
const SR = '1.2.840.10008.5.1.4.1.1.88.34';
const SC = '1.2.840.10008.5.1.4.1.1.7';
const SEG = '1.2.840.10008.5.1.4.1.1.66.4';
const JPEG_2000_LOSSLESS = '1.2.840.10008.1.2.4.90';
const START_MS = 600_000;
ensureTshark();
// In CI a missing peer is a failure, not a skip.
const hasHighdicom = ensureHighdicom().ok || process.env['CI'] === 'true' ? it : it.skip;
const isPossible = hasPeers('Orthanc', 'dciodvfy', 'dsrdump', 'tshark');
const suite = isPossible ? describe : describe.skip;
// Files of two hospitals are read back and searched byte by byte.
jest.setTimeout(60_000);

suite('two hospitals', () => {
  let folder: TemporaryFolder;
  let stack: Stack;
  let followed: FollowedStudy[];
  let originals: Map<string, string>;
  const taps = new Map<string, ByteTap>();

  const studyOf = (siteId: string, name: string): FollowedStudy =>
    followed.find(({ hospital, study }) => hospital.siteId === siteId && study.name === name)!;
  const allCanaries = () => followed.flatMap(({ study }) => study.canaries);

  async function reroute({ kind, siteId, port }: Edge): Promise<number> {
    const tap = await ByteTap.start(port);
    taps.set(`${kind} ${siteId}`, tap);
    return tap.port;
  }
  beforeAll(async () => {
    folder = temporaryFolder('e2e');
    const environmentOf = (name: string): Record<string, string> =>
      name === 'hub' ? { NODE_OPTIONS: `--tls-keylog=${join(folder.path, 'keys.log')}` } : {};
    const environment = process.env;
    stack = await Stack.start({ siteIds: SITE_IDS, environment, environmentOf, reroute });
    const products = stack.parts.products.map(({ product }) => product);
    const made = new Map(
      SITE_IDS.map((siteId) => {
        const runId = `e2e-${siteId}-${process.pid}-${Date.now()}`;
        return [siteId, demoStudies(DEMO_DATA_FOLDER, { runId, nowMs: Date.now(), products })];
      }),
    );
    originals = new Map();
    for (const study of [...made.values()].flat()) {
      for (const bytes of study.instances()) {
        originals.set(decodeFileMeta(bytes).meta.sopInstanceUid, sha256Hex(bytes));
      }
    }
    const runs = await followStudies({
      hospitals: stack.parts.hospitals,
      studiesOf: (siteId) => made.get(siteId)!,
      deadlineMs: 300_000,
    });
    followed = await Promise.all(
      runs.map((run) => readBack(stack, run, (uid) => originals.has(uid))),
    );
  }, START_MS);
  afterAll(async () => {
    await stack?.stop();
    for (const tap of taps.values()) await tap.close();
    folder?.remove();
  }, START_MS);

  it('brings every study to its expected state, each deployed product listed', () => {
    expect(followed).toHaveLength(SITE_IDS.length * 4);
    for (const { run, study } of followed) {
      expect({ name: study.name, problems: deviations(run) }).toEqual({
        name: study.name,
        problems: [],
      });
      const listed = run.seen?.products.map(({ product }) => product).sort();
      expect(listed).toEqual(stack.parts.products.map(({ product }) => product).sort());
    }
  });
  it('has as many new objects as the gateway says, each in a new series of its kind', () => {
    for (const { run, objects, study, results, statusObjects } of followed) {
      const told = (run.seen?.products ?? []).flatMap((product) => product.results);
      expect(results.map(({ sopInstanceUid }) => sopInstanceUid).sort()).toEqual(
        told.map(({ sopInstanceUid }) => sopInstanceUid).sort(),
      );
      const series = [...results, ...statusObjects].map((object) =>
        datasetOf(object).string('SeriesInstanceUID'),
      );
      expect(new Set(series).size).toBe(series.length);
      expect(objects.size).toBe(study.instanceCount + series.length);
    }
  });
  it('leaves the originals as they were', () => {
    let unchanged = 0;
    for (const { objects } of followed) {
      for (const [uid, object] of objects) {
        if (originals.get(uid) === object.sha256) unchanged += 1;
      }
    }
    expect(unchanged).toBe(originals.size);
  });
  it('files every new object under the original study, patient and accession number', () => {
    for (const { study, results, statusObjects } of followed) {
      for (const object of [...results, ...statusObjects]) {
        const dataset = datasetOf(object);
        expect(dataset.string('StudyInstanceUID')).toBe(study.studyInstanceUid);
        for (const keyword of ['PatientID', 'PatientName', 'PatientBirthDate', 'AccessionNumber']) {
          const original = study.identity.attributes[keyword];
          expect([keyword, dataset.string(keyword)]).toEqual([keyword, original]);
        }
      }
    }
  });
  it('refers only to instances that the PACS has, and at least to one', () => {
    for (const { objects, results, statusObjects } of followed) {
      for (const object of [...results, ...statusObjects]) {
        const references = referencedInstances(datasetOf(object));
        expect(references.length).toBeGreaterThan(0);
        expect(references.filter((uid) => !objects.has(uid))).toEqual([]);
      }
    }
  });
  it('passes dciodvfy without error: every new object, and originals', () => {
    for (const { objects, results, statusObjects } of followed) {
      const some = [...objects.values()].filter((_, index) => index % 64 === 0);
      for (const object of [...results, ...statusObjects, ...some]) {
        expect(judge('dciodvfy', object, folder.path).text).not.toMatch(/^Error/m);
      }
    }
  });
  it('gives reports that dsrdump reads', () => {
    for (const { results, statusObjects } of followed) {
      for (const report of ofClass([...results, ...statusObjects], SR)) {
        expect(judge('dsrdump', report, folder.path).status).toBe(0);
      }
    }
  });
  it('names the job readably in every result', () => {
    for (const { run, objects } of followed) {
      for (const { jobId, results } of run.seen?.products ?? []) {
        for (const { sopInstanceUid } of results) {
          const items = datasetOf(objects.get(sopInstanceUid)!).items(
            'ContributingEquipmentSequence',
          );
          expect(items.map((item) => item.string(0x0018a003) ?? '').join()).toContain(jobId);
        }
      }
    }
  });
  it('has no pseudonym left in what the PACS holds', () => {
    for (const { results, statusObjects } of followed) {
      for (const object of [...results, ...statusObjects]) {
        expect(object.bytes.toString('latin1')).not.toMatch(/SITE-[AB][A-Z0-9-]{20,}/);
        const markers = ['PatientIdentityRemoved', 'DeidentificationMethod'];
        expect(markers.filter((keyword) => datasetOf(object).has(keyword))).toEqual([]);
      }
    }
  });

  describe.each(SITE_IDS)('t1-brain of %s', (siteId) => {
    it('has a report with the known volumes and the words of the purpose', () => {
      const [report] = ofClass(studyOf(siteId, 't1-brain').results, SR);
      const { text } = judge('dsrdump', report!, folder.path);
      expect(text).toContain('"518.5" (mL,UCUM');
      expect(text).toContain('"735.2" (mL,UCUM');
      expect(text).toContain('NOT FOR CLINICAL USE');
    });
    it('has a segmentation of 518,540 voxels of white and 735,212 of grey matter', () => {
      const { results, objects, run } = studyOf(siteId, 't1-brain');
      const [segmentation, ...others] = ofClass(results, SEG);
      expect(others).toEqual([]);
      expect([...countSegments(segmentation!.bytes)].sort()).toEqual([
        [1, 518_540],
        [2, 735_212],
      ]);
      const frame = (object: PacsObject) => datasetOf(object).string('FrameOfReferenceUID');
      const original = [...objects.values()].find(({ sopInstanceUid }) =>
        originals.has(sopInstanceUid),
      );
      expect(frame(segmentation!)).toBe(frame(original!));
      const roles = run.seen!.products.find(({ product }) => product === 'meshnet-tissue')!.results;
      expect(roles.map(({ role }) => role).sort()).toEqual(['SC', 'SEG', 'SR']);
      expect(ofClass(results, SC)).toHaveLength(1);
    });
  });

  hasHighdicom('is read by highdicom with the same voxels, at both sites', () => {
    for (const siteId of SITE_IDS) {
      const [segmentation] = ofClass(studyOf(siteId, 't1-brain').results, SEG);
      const file = join(folder.path, `${segmentation!.sha256}.seg.dcm`);
      writeFileSync(file, segmentation!.bytes);
      const { segments, affine } = readSegmentation(file);
      expect(segments.map(({ number, count }) => [number, count])).toEqual([
        [1, 518_540],
        [2, 735_212],
      ]);
      // Slices run to Anterior, rows to Inferior, columns to Left, 1 mm each; the first 26 slices
      // hold no brain, so that they have no frame.
      expect(affine).toEqual([
        [0, 0, 1, -127.6],
        [-1, 0, 0, 107.48],
        [0, -1, 0, 134.48],
        [0, 0, 0, 1],
      ]);
    }
  });

  it('keeps the radiograph in JPEG 2000 on its whole way in, and reports on it', () => {
    for (const siteId of SITE_IDS) {
      const { hospital, study, results } = studyOf(siteId, 'cr-tibia');
      const [uid] = [...study.instances()].map(
        (bytes) => decodeFileMeta(bytes).meta.sopInstanceUid,
      );
      const row = receivedInstances(hospital).find(({ sopInstanceUid }) => sopInstanceUid === uid);
      expect(row?.transferSyntaxUid).toBe(JPEG_2000_LOSSLESS);
      const classes = results.map((object) => datasetOf(object).string('SOPClassUID'));
      expect(classes.sort()).toEqual([SC, SR].sort());
      const [report] = ofClass(results, SR);
      expect(judge('dsrdump', report!, folder.path).text).toContain('NOT FOR CLINICAL USE');
    }
  });

  it('writes one status object where a product is eligible, and none elsewhere', () => {
    for (const { study, run, statusObjects } of followed) {
      const isOwed = study.expected.some((e) => e.terminalState !== 'NOT_ELIGIBLE_LOGGED');
      expect([study.name, statusObjects.length]).toEqual([study.name, isOwed ? 1 : 0]);
      const told = run.seen?.statusObject ?? null;
      expect(told === null).toBe(!isOwed);
      for (const object of statusObjects) {
        const dataset = datasetOf(object);
        expect(told).toMatchObject({
          sopClassUid: SR,
          sopInstanceUid: object.sopInstanceUid,
          seriesInstanceUid: dataset.string('SeriesInstanceUID'),
        });
        expect(dataset.string('SeriesDescription')).toContain('AI status');
      }
    }
  });
  it('says in the status object of each study what was analysed and what not, with the code', () => {
    for (const { study, run, results, statusObjects } of followed) {
      for (const object of statusObjects) {
        const { text } = judge('dsrdump', object, folder.path);
        for (const { product, code, state } of run.seen!.products) {
          if (state === 'NOT_ELIGIBLE_LOGGED') continue;
          expect([study.name, text]).toEqual([study.name, expect.stringContaining(product)]);
          if (code) expect(text).toContain(code);
        }
        const reports = ofClass(results, SR).map(({ sopInstanceUid }) => sopInstanceUid);
        const references = referencedInstances(datasetOf(object));
        expect(reports.filter((uid) => !references.includes(uid))).toEqual([]);
      }
    }
  });

  it('lets no byte of an unwanted study leave', async () => {
    const jobs = (await hubStudies(stack)).map(({ jobId }) => jobId);
    for (const { study, run } of followed) {
      for (const { jobId, state } of run.seen!.products) {
        const wasSent = state === 'RESULT_IN_PACS';
        expect([study.name, jobs.includes(jobId)]).toEqual([study.name, wasSent]);
        const stages = run.journal.filter((row) => row.jobId === jobId);
        expect(stages.some(({ stage }) => stage === 'spool')).toBe(wasSent);
      }
    }
  });
  it('keeps the hospitals apart: PACS, gateway and results', async () => {
    for (const { hospital } of followed.filter(({ study }) => study.name === 't1-brain')) {
      const foreign = followed.filter((other) => other.hospital !== hospital);
      const uids = foreign.flatMap(({ study, results }) => [
        ['Study', study.studyInstanceUid] as const,
        ...results.map(({ sopInstanceUid }) => ['Instance', sopInstanceUid] as const),
      ]);
      for (const [level, uid] of uids) expect(await hospital.pacs.find(level, uid)).toEqual([]);
      const canaries = foreign.flatMap(({ study }) => study.canaries);
      expect(scanFolder(hospital.gatewayFolder, canaries)).toEqual([]);
    }
  });

  it('stores the very P-DATA bytes that the PACS sent', () => {
    for (const hospital of stack.parts.hospitals) {
      const streams = taps.get(`dicom ${hospital.siteId}`)!.fromClients;
      const sent = new Map(streams.flatMap((bytes) => [...storedDatasets(bytes)]));
      const rows = receivedInstances(hospital);
      expect(rows.length).toBe(originals.size / SITE_IDS.length);
      expect(sent.size).toBe(rows.length);
      const differing = rows.filter(({ sopInstanceUid, path }) => {
        const file = readFileSync(path);
        const dataset = file.subarray(decodeFileMeta(file).datasetOffset);
        return sent.get(sopInstanceUid)?.equals(dataset) !== true;
      });
      expect(differing).toEqual([]);
    }
  });
  it('keeps identity out of the logs and metrics of the gateways', async () => {
    for (const { gateway, gatewayProcess } of stack.parts.hospitals) {
      const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
      const log = readFileSync(gatewayProcess.logFile, 'utf8');
      expect(scanBytes(Buffer.from(log + metrics), 'log and metrics', allCanaries())).toEqual([]);
      expect(log).toContain('product considered');
    }
  });
  it('leaves no planted identity at the hub or readable in a vault; the scanner finds', async () => {
    expect(allCanaries().length).toBeGreaterThan(200);
    const { finds, rows } = await scanHub(stack, allCanaries());
    expect(finds).toEqual([]);
    expect(Object.values(rows).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(40);
    for (const { hospital, study } of SITE_IDS.map((siteId) => studyOf(siteId, 't1-brain'))) {
      const found = scanFolder(hospital.gatewayFolder, study.canaries);
      const carriersIn = (start: string): string[] =>
        found.filter(({ place }) => place.startsWith(start)).map(({ carrier }) => carrier);
      expect([...carriersIn('vault.db'), ...carriersIn('identity-events.db')]).toEqual([]);
      // What was received is there as it came: the search is able to find.
      const received = carriersIn('incoming');
      const known = ['PatientName', 'PatientID', 'AccessionNumber', 'StudyInstanceUID'];
      expect(known.filter((carrier) => !received.includes(carrier))).toEqual([]);
    }
  });

  describe('on the link between gateways and hub, decrypted', () => {
    let link: LinkRecord;
    beforeAll(async () => {
      const connections = SITE_IDS.flatMap((siteId) => taps.get(`link ${siteId}`)!.connections);
      link = await decryptLink(connections, join(folder.path, 'keys.log'), folder.path);
    }, START_MS);

    it('was recorded whole: each uploaded object has the digest that was announced', () => {
      const objects = [...uploadedObjects(link)];
      const sent = followed.flatMap(({ run, study }) =>
        run.seen!.products.some(({ state }) => state === 'RESULT_IN_PACS') ? [study] : [],
      );
      const count = sent.reduce((sum, { instanceCount }) => sum + instanceCount, 0);
      expect(objects).toHaveLength(count);
      expect(objects.filter(([sha256, bytes]) => sha256Hex(bytes) !== sha256)).toEqual([]);
      expect(link.toGateway.flat().length).toBeGreaterThan(0);
    });
    it('carries no planted identity: messages, objects, headers and raw frames', () => {
      const canaries = allCanaries();
      const places = {
        headers: Buffer.from(link.headers),
        messages: Buffer.concat([...link.toHub.flat(), ...link.toGateway.flat()]),
        objects: Buffer.concat([...uploadedObjects(link).values()]),
        frames: Buffer.concat([...link.plain]),
      };
      const finds = Object.entries(places).flatMap(([place, bytes]) =>
        scanBytes(bytes, place, canaries),
      );
      expect(finds).toEqual([]);
    });
    it('would show one: what is known to be there is found by the same scan', () => {
      const { jobId } = studyOf('site-b', 't1-brain').run.seen!.products.find(
        ({ product }) => product === 'meshnet-tissue',
      )!;
      const known = [
        { carrier: 'job', text: jobId },
        { carrier: 'product', text: 'meshnet-tissue' },
      ];
      for (const messages of [link.toHub, link.toGateway]) {
        const finds = scanBytes(Buffer.concat(messages.flat()), 'messages', known);
        expect(new Set(finds.map(({ carrier }) => carrier))).toEqual(new Set(['job', 'product']));
      }
      expect(link.headers).toContain('/aifi.uplink.v1.UplinkService/OpenStudy');
    });
  });
});

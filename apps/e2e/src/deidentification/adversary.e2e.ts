/**
 * Goal: whoever takes the hub away, database, object store and the link in the clear, and knows
 * every identifier of every patient, links no study to a patient without the hospital's key; what
 * remains is what docs/compliance/dpia-linkage.md names.
 * Method: the demo's stack with two hospitals and a tap on each link, decrypted; the adversary of
 * `adversary.ts` on all of it, then once more with the keys of the other site, and with the right
 * ones: then it must link.
 */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { decodePart10, type DicomDataset } from '@aifi/dicom-core';
import { DEMO_DATA_FOLDER, demoStudies, followStudies, Stack, type Edge } from '@aifi/demo';
import { sha256Hex } from '@aifi/shared-kernel';
import { loadKeyRing, type SiteKeys } from '@aifi/shared-site-keys';
import { hasPeers, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { ensureTshark } from '../../../../deploy/services/tshark/install.mjs';
import { ByteTap } from '../byte-tap.js';
import { filesBelow } from '../canary-scan.js';
import { dumpTables } from '../hub-dump.js';
import { decryptLink } from '../link-record.js';
import { namedIn, OriginalAttributes } from './adversary-attributes.js';
import { Adversary, type Fact, type Material } from './adversary.js';

const SITE_IDS = ['site-a', 'site-b'] as const;
const START_MS = 600_000;
/** A volume of hundreds of slices says no more than one of some, and takes ten times as long. */
const INSTANCES_MAX = 100;
const DPIA = new URL('../../../../docs/compliance/dpia-linkage.md', import.meta.url);
const CONFORMANCE = new URL('../../../../docs/conformance/de-identification.md', import.meta.url);
const DATES = ['StudyDate', 'SeriesDate', 'AcquisitionDate', 'ContentDate'];
ensureTshark();
const suite = hasPeers('Orthanc', 'tshark') ? describe : describe.skip;
// Every byte of the hub is looked at under tens of thousands of guesses.
jest.setTimeout(START_MS);

suite('an adversary with the hub in hand', () => {
  let folder: TemporaryFolder;
  let stack: Stack;
  let material: Material[];
  const taps = new Map<string, ByteTap>();
  const facts = new Map<string, Fact[]>();
  const originals = new OriginalAttributes();
  const headers = new Map<string, DicomDataset[]>();

  async function reroute({ kind, siteId, port }: Edge): Promise<number> {
    const tap = await ByteTap.start(port);
    taps.set(`${kind} ${siteId}`, tap);
    return tap.port;
  }
  /** Everything that can be known of a study from its originals. */
  function learn(siteId: string, bytes: Buffer): void {
    const { dataset } = decodePart10(bytes);
    const known = facts.get(siteId)!;
    known.push({ carrier: 'file', text: sha256Hex(bytes) });
    for (const text of uidsOf(dataset)) known.push({ carrier: 'UID', text });
    for (const carrier of DATES) {
      for (const text of dataset.strings(carrier)) known.push({ carrier, text });
    }
    originals.learn(dataset);
  }
  beforeAll(async () => {
    folder = temporaryFolder('adversary');
    const environmentOf = (name: string): Record<string, string> =>
      name === 'hub' ? { NODE_OPTIONS: `--tls-keylog=${join(folder.path, 'keys.log')}` } : {};
    const environment = process.env;
    stack = await Stack.start({ siteIds: SITE_IDS, environment, environmentOf, reroute });
    const products = stack.parts.products.map(({ product }) => product);
    const made = new Map(
      SITE_IDS.map((siteId) => {
        const runId = `adversary-${siteId}-${process.pid}-${Date.now()}`;
        const all = demoStudies(DEMO_DATA_FOLDER, { runId, nowMs: Date.now(), products });
        return [siteId, all.filter(({ instanceCount }) => instanceCount <= INSTANCES_MAX)];
      }),
    );
    for (const [siteId, studies] of made) {
      const canaries = studies.flatMap((study) => study.canaries);
      facts.set(
        siteId,
        canaries.map(({ carrier, text }) => ({ carrier, text })),
      );
      headers.set(siteId, []);
      for (const study of studies) {
        for (const [n, bytes] of [...study.instances()].entries()) {
          learn(siteId, bytes);
          if (n === 0) headers.get(siteId)!.push(decodePart10(bytes).dataset);
        }
      }
    }
    await followStudies({
      hospitals: stack.parts.hospitals,
      studiesOf: (siteId) => made.get(siteId as (typeof SITE_IDS)[number])!,
      deadlineMs: 300_000,
    });
    material = await everything();
  }, START_MS);
  afterAll(async () => {
    await stack?.stop();
    for (const tap of taps.values()) await tap.close();
    folder?.remove();
  }, START_MS);

  async function everything(): Promise<Material[]> {
    const { hubFolder } = stack.parts;
    const tables = await dumpTables(hubFolder);
    const connections = SITE_IDS.flatMap((siteId) => taps.get(`link ${siteId}`)!.connections);
    const link = await decryptLink(connections, join(folder.path, 'keys.log'), folder.path);
    return [
      ...tables.map(({ table, text }) => ({ place: `table ${table}`, bytes: text })),
      ...filesBelow(hubFolder).map((path) => ({
        place: relative(hubFolder, path),
        bytes: unpacked(readFileSync(path)),
      })),
      { place: 'headers of the link', bytes: Buffer.from(link.headers) },
      { place: 'link', bytes: Buffer.concat([...link.plain]) },
      {
        place: 'messages of the link',
        bytes: Buffer.concat([...link.toHub.flat(), ...link.toGateway.flat()]),
      },
    ];
  }
  const keysOf = async (siteId: string): Promise<SiteKeys> => {
    const { gatewayFolder } = stack.parts.hospitals.find((each) => each.siteId === siteId)!;
    const path = join(gatewayFolder, 'keys', 'site-keys.json');
    return (await loadKeyRing({ path, mayCreate: false })).current;
  };
  const stolen = async (from: string, of: string) => [
    { siteCode: of.toUpperCase(), keys: await keysOf(from), headers: headers.get(of)! },
  ];

  it('links nothing, with every identifier of every patient of both hospitals', () => {
    const known = [...facts.values()].flat();
    const sut = new Adversary(known);
    expect(sut.guesses).toBeGreaterThan(100_000);
    expect(material.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeGreaterThan(1e6);
    expect(sut.links(material)).toEqual([]);
  });

  it('links nothing of one hospital with the keys of the other', async () => {
    expect(new Adversary([], await stolen('site-b', 'site-a')).links(material)).toEqual([]);
  });

  it('links studies as soon as it has the key: the search is able to find', async () => {
    for (const siteId of SITE_IDS) {
      const links = new Adversary([], await stolen(siteId, siteId)).links(material);
      expect(new Set(links.map(({ carrier }) => carrier))).toEqual(new Set(['PatientID', 'UID']));
      expect(links.some(({ place }) => place.startsWith('table'))).toBe(true);
    }
  });

  it('finds values of the originals in no other attribute than the assessment names', () => {
    const named = namedIn(readFileSync(DPIA, 'utf8'), readFileSync(CONFORMANCE, 'utf8'));
    const copies = material.flatMap(({ bytes }) => datasetOf(bytes) ?? []);
    expect(copies.length).toBeGreaterThan(SITE_IDS.length);
    expect(originals.size).toBeGreaterThan(500);
    const kept = originals.keptIn(copies);
    // The search is able to find.
    expect([...kept]).toEqual(expect.arrayContaining(['StudyTime', 'Rows', 'Manufacturer']));
    expect([...kept].filter((keyword) => !named.has(keyword)).toSorted()).toEqual([]);
    const unnamed = originals.foundIn(material).filter(({ of }) => !of.some((k) => named.has(k)));
    expect(unnamed).toEqual([]);
  });
});

/** The header of an image that lies at the hub. */
function datasetOf(bytes: Buffer): DicomDataset | undefined {
  const isPart10 = bytes.subarray(128, 132).toString('latin1') === 'DICM';
  return isPart10 ? decodePart10(bytes).dataset : undefined;
}
function uidsOf(dataset: DicomDataset): string[] {
  const found: string[] = [];
  for (const { tag, vr, value } of dataset) {
    if (!(value instanceof Uint8Array)) found.push(...value.flatMap(uidsOf));
    else if (vr === 'UI') found.push(...dataset.strings(tag));
  }
  return found.filter((uid) => !uid.startsWith('1.2.840.10008.'));
}
function unpacked(bytes: Buffer): Buffer {
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
}

/**
 * Goal: nothing that is planted into ultrasound, angiography and fluoroscopy leaves: neither beside
 * what these classes keep, nor in the place of a kept value, nor inside of a kept sequence.
 * Method: as for the other classes (planted-markers); beside that, text in the place of each kept
 * value in turn, and the name of the patient in a form that the attribute may have.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isEncapsulated, keywordOf, vrOf } from '@aifi/dicom-core';
import {
  DEFAULT_CONTRACT,
  KEEP_LISTS,
  writePseudonymisedInstance,
  type DeidentificationContext,
} from '@aifi/dicom-deidentification';
import type { Result } from '@aifi/shared-kernel';
import { hasPeers, temporaryFolder } from '@aifi/shared-testing';
import { LOOP_KINDS, loopPhantom, type LoopKind } from '../test/loop-phantom.js';
import {
  carrierMutants,
  markersIn,
  plantMarkers,
  readObject,
  verifyFile,
  verifyFolder,
  verifyObject,
  type PlantedObject,
} from './index.js';
import { PROFILE } from './profile-oracle.js';
import { newErrorsOf } from './validators.js';

const folder = temporaryFolder('planted-loops');
afterAll(() => folder.remove());
const shared = join(import.meta.dirname, '../../../../../shared/data/dicom');
const context: DeidentificationContext = {
  siteCode: 'SITE-A',
  keys: { uid: Buffer.alloc(32, 1), pid: Buffer.alloc(32, 2), date: Buffer.alloc(32, 3) },
  contract: DEFAULT_CONTRACT,
};
const CLASSES: Readonly<Record<LoopKind, string>> = {
  US: '1.2.840.10008.5.1.4.1.1.6.1',
  'US loop': '1.2.840.10008.5.1.4.1.1.3.1',
  XA: '1.2.840.10008.5.1.4.1.1.12.1',
  RF: '1.2.840.10008.5.1.4.1.1.12.2',
};
const OF_ALL_CLASSES = ['AnatomicRegionSequence', 'ViewCodeSequence', 'VOILUTSequence'];
/** Those of PS3.15 Table E.1-1 are planted with all other rows. */
const KEPT = LOOP_KINDS.flatMap((kind) => [...KEEP_LISTS.get(CLASSES[kind])!])
  .filter(([tag, action]) => vrOf(tag) === 'SQ' && action === 'K' && !PROFILE.has(tag))
  .map(([tag]) => keywordOf(tag));
const sequences = [...new Set(KEPT)].filter((word) => !OF_ALL_CLASSES.includes(word));

const SYNTAXES: Readonly<Record<string, string>> = {
  implicit: '1.2.840.10008.1.2',
  explicit: '1.2.840.10008.1.2.1',
  deflated: '1.2.840.10008.1.2.1.99',
  'big endian': '1.2.840.10008.1.2.2',
  RLE: '1.2.840.10008.1.2.5',
};
let serial = 0;
function fileOf(bytes: Uint8Array, within = 'in'): string {
  mkdirSync(join(folder.path, within), { recursive: true });
  serial += 1;
  const path = join(folder.path, within, `${serial}.dcm`);
  writeFileSync(path, bytes);
  return path;
}
const phantoms = LOOP_KINDS.flatMap((kind) =>
  Object.entries(SYNTAXES).map(([name, transferSyntaxUid], index) => ({
    name: `phantom ${kind}, ${name}`,
    path: fileOf(loopPhantom(kind, { transferSyntaxUid, instance: index + 1 })),
  })),
);
/** Ultrasound: grey, palette, RGB and YBR; native, JPEG 2000, RLE, big endian; a JPEG loop. */
const real = `us-burned-in/GREYSCALE_IMAGE.dcm small/examples_palette.dcm
  small/examples_rgb_color.dcm small/ExplVR_BigEnd.dcm small/examples_ybr_color.dcm
  transfer-syntaxes/US1_J2KR.dcm transfer-syntaxes/US-YBR_FULL_422-EVRLE.dcm
  transfer-syntaxes/OBXXXX1A_rle.dcm transfer-syntaxes/no-pixel-spacing.dcm`
  .split(/\s+/)
  .map((name) => ({ name, path: join(shared, name) }))
  .filter(({ path }) => existsSync(path));

const write = (sourcePath: string, into = 'out'): Promise<Result<{ readonly path: string }>> => {
  const target = join(folder.path, into);
  mkdirSync(target, { recursive: true });
  const clearance = { isExamined: true };
  return writePseudonymisedInstance({ sourcePath, folder: target, context, clearance });
};
interface Written {
  readonly planted: PlantedObject;
  readonly input: string;
  readonly output: string;
}
async function written(path: string, into = 'out', spare: string[] = []): Promise<Written> {
  const planted = await plantMarkers(path, { spare, sequences });
  const input = fileOf(planted.file);
  const result = await write(input, into);
  if (!result.ok) throw new Error(`${result.refusal.code}: ${result.refusal.detail}`);
  return { planted, input, output: result.value.path };
}
/** The same object in a form without compression. */
function decompressed(path: string): Buffer {
  const plain = `${path}.plain`;
  execFileSync('gdcmconv', ['-w', path, plain], { stdio: 'ignore' });
  return readFileSync(plain);
}

describe('planted markers in loops', () => {
  it('are in the file before, also in the sequences that these classes keep', async () => {
    expect(sequences).toEqual(
      expect.arrayContaining([
        ...['SequenceOfUltrasoundRegions', 'PixelValueMappingCodeSequence'],
        ...['MaskSubtractionSequence', 'PurposeOfReferenceCodeSequence'],
      ]),
    );
    const source = fileOf(loopPhantom('XA'));
    const planted = await plantMarkers(source, { sequences });
    expect(markersIn(planted.file, planted.markers)).toEqual(planted.markers);
    const { carriers } = await plantMarkers(source);
    expect(planted.carriers.length).toBe(carriers.length + 10 * sequences.length);
  });

  it.each([...phantoms, ...real])('do not leave: $name', async ({ path }) => {
    const { planted, input, output } = await written(path);
    expect(planted.carriers.length).toBeGreaterThan(650);
    expect(markersIn(readFileSync(output), planted.markers)).toEqual([]);
    const object = await readObject(output);
    if (isEncapsulated(object.meta.transferSyntaxUid) && hasPeers('gdcmconv')) {
      expect(markersIn(decompressed(output), planted.markers)).toEqual([]);
    }
    const report = await verifyFile(output, { original: input });
    // The software version of a real device may be a day.
    expect(report.findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(report.isPassed).toBe(true);
    // A planted attribute may hide an error that the file had before.
    const fresh = await newErrorsOf(output, input);
    const freshOfAll = fresh.length > 0 ? await newErrorsOf(output, path) : [];
    expect(fresh.filter((tag) => freshOfAll.includes(tag))).toEqual([]);
    expect(object.pixelsSha256).toBe((await readObject(input)).pixelsSha256);
  });

  it.each(LOOP_KINDS)('leave a series that is consistent: %s', async (kind) => {
    const into = `set of ${kind}`;
    for (const instance of [1, 2, 3]) {
      await written(fileOf(loopPhantom(kind, { instance })), into, ['SOPInstanceUID']);
    }
    const validators = hasPeers('dciodvfy', 'dcentvfy');
    const report = await verifyFolder(join(folder.path, into), { validators });
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({ files: 3, isPassed: true });
  });

  it.each(LOOP_KINDS)('are told one at a time when their rule is not applied: %s', async (kind) => {
    const source = fileOf(loopPhantom(kind, { instance: 77 }));
    const { planted, input, output } = await written(source, 'mutants');
    const [object, original] = [await readObject(output), await readObject(input)];
    expect(verifyObject(object, { original }).findings).toEqual([]);
    const mutants = carrierMutants(object, planted.carriers);
    expect(mutants.length).toBeGreaterThan(650);
    const survivors = mutants.filter(({ object: mutant }) =>
      verifyObject(mutant, { original }).findings.every(({ severity }) => severity !== 'error'),
    );
    expect(survivors.map(({ name }) => name)).toEqual([]);
  });
});

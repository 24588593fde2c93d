/**
 * Goal: nothing that is planted into a file leaves, in whatever class, transfer syntax or place;
 * and the verifier tells every single rule that was not applied.
 * Method: markers in every row of Table E.1-1 and around it, the real writer, a raw search of what
 * it wrote (as it is and decompressed), validators beside the input; then one mutant per carrier.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isEncapsulated } from '@aifi/dicom-core';
import {
  writePseudonymisedInstance,
  DEFAULT_CONTRACT,
  type DeidentificationContext,
  type PixelClearance,
} from '@aifi/dicom-deidentification';
import { hasPeers, temporaryFolder } from '@aifi/shared-testing';
import {
  carrierMutants,
  countMarkers,
  markersIn,
  plantMarkers,
  readObject,
  SetCheck,
  statementMutants,
  verifyFile,
  verifyFolder,
  verifyObject,
  type PlantedObject,
  type ReadObject,
} from './index.js';
import { phantomFile, type PhantomKind } from './phantom.js';

const folder = temporaryFolder('planted-check');
afterAll(() => folder.remove());
const shared = join(import.meta.dirname, '../../../../../shared/data/dicom');
const context: DeidentificationContext = {
  siteCode: 'SITE-A',
  keys: { uid: Buffer.alloc(32, 1), pid: Buffer.alloc(32, 2), date: Buffer.alloc(32, 3) },
  // One of the real files is a head.
  contract: { ...DEFAULT_CONTRACT, recognisableVisualFeatures: 'allow' },
};
/** As a gateway writes what its pixel gate has passed. */
const clearance: PixelClearance = { isExamined: true };

interface Subject {
  readonly name: string;
  readonly path: string;
}
const NATIVE: Readonly<Record<string, string>> = {
  implicit: '1.2.840.10008.1.2',
  explicit: '1.2.840.10008.1.2.1',
  deflated: '1.2.840.10008.1.2.1.99',
  'big endian': '1.2.840.10008.1.2.2',
};
function phantoms(): Subject[] {
  mkdirSync(join(folder.path, 'phantoms'), { recursive: true });
  return (['CT', 'MR', 'CR', 'DX'] as PhantomKind[]).flatMap((kind) =>
    Object.entries(NATIVE).map(([name, transferSyntaxUid], index) => {
      const path = join(folder.path, 'phantoms', `${kind}-${index}.dcm`);
      writeFileSync(path, phantomFile(kind, { transferSyntaxUid, instance: index + 1 }));
      return { name: `phantom ${kind}, ${name}`, path };
    }),
  );
}
/** Real images: the small CT of the published comparison, other classes, every transfer syntax. */
const REAL =
  `small/CT_small.dcm small/MR_small.dcm small/MR_small_RLE.dcm small/MR_small_bigendian.dcm
  small/MR_small_implicit.dcm small/MR_small_jp2klossless.dcm small/MR_small_jpeg_ls_lossless.dcm
  cr-dx/RG3_J2KI.dcm cr-dx/RG3_J2KR.dcm cr-dx/dx_image.dcm
  ct-series-head-28/01.dcm mr-brain-series-50/N2D_0100.dcm enhanced/eCT_Supplemental.dcm
  enhanced/emri_small.dcm enhanced/emri_small_RLE.dcm enhanced/emri_small_big_endian.dcm
  enhanced/emri_small_jpeg_2k_lossless.dcm enhanced/emri_small_jpeg_ls_lossless.dcm
  mg/fo-dicom__GH133.dcm small/SC_rgb_rle.dcm small/SC_rgb_jpeg_gdcm.dcm
  small/examples_ybr_color.dcm`.split(/\s+/);
const CT_IMAGES = `BigEndianExplicitTransferSyntax_1.2.840.10008.1.2.2.dcm
  DeflatedExplicitVRLittleEndianTransferSyntax_1.2.840.10008.1.2.1.99.dcm
  JPEG2000LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90.dcm
  JPEGLSLosslessTransferSyntax_1.2.840.10008.1.2.4.80.dcm
  JPEGProcess14SV1TransferSyntax_1.2.840.10008.1.2.4.70.dcm
  JPEGProcess14TransferSyntax_1.2.840.10008.1.2.4.57.dcm
  JPEGProcess1TransferSyntax_1.2.840.10008.1.2.4.50.dcm
  LittleEndianImplicitTransferSyntax_1.2.840.10008.1.2.dcm
  RLELosslessTransferSyntax_1.2.840.10008.1.2.5.dcm`.split(/\s+/);
const ctImages = CT_IMAGES.map((name) => `transfer-syntaxes/CTImage.dcm_${name}`);
const real: Subject[] = [...REAL, ...ctImages]
  .map((name) => ({ name, path: join(shared, name) }))
  .filter(({ path }) => existsSync(path));
const subjects = [...phantoms(), ...real];

interface Written {
  readonly planted: PlantedObject;
  readonly input: string;
  readonly output: string;
}
let serial = 0;
async function written(
  path: string,
  into = 'out',
  spare: readonly string[] = [],
): Promise<Written> {
  const planted = await plantMarkers(path, { spare });
  serial += 1;
  const inputs = join(folder.path, 'in');
  mkdirSync(inputs, { recursive: true });
  const input = join(inputs, `${serial}.dcm`);
  writeFileSync(input, planted.file);
  const target = join(folder.path, into);
  mkdirSync(target, { recursive: true });
  const result = await writePseudonymisedInstance({
    sourcePath: input,
    folder: target,
    context,
    clearance,
  });
  if (!result.ok) throw new Error(`${result.refusal.code}: ${result.refusal.detail}`);
  return { planted, input, output: result.value.path };
}
/** The same object in a form without compression. */
function decompressed(path: string): Buffer {
  const plain = `${path}.plain`;
  execFileSync('gdcmconv', ['-w', path, plain], { stdio: 'ignore' });
  return readFileSync(plain);
}

describe('planted markers', () => {
  it.each(subjects)('do not leave: $name', async ({ path }) => {
    const { planted, input, output } = await written(path);
    expect(planted.carriers.length).toBeGreaterThan(600);
    const object = await readObject(output);
    const bytes = readFileSync(output);
    expect(markersIn(bytes, planted.markers)).toEqual([]);
    if (isEncapsulated(object.meta.transferSyntaxUid) && hasPeers('gdcmconv')) {
      expect(markersIn(decompressed(output), planted.markers)).toEqual([]);
    }
    const validators = hasPeers('dciodvfy', 'dcentvfy');
    const report = await verifyFile(output, { original: input, validators });
    expect(report.findings).toEqual([]);
    expect(report.isPassed).toBe(true);
  });

  it('are all in the file before', async () => {
    const { planted } = await written(subjects[0]!.path, 'before');
    const carriersByKind = Map.groupBy(planted.carriers, ({ kind }) => kind);
    expect(carriersByKind.get('text')!.length).toBeGreaterThanOrEqual(351);
    expect(carriersByKind.get('date-or-uid')!.length).toBeGreaterThanOrEqual(210);
    expect(countMarkers(planted.file, planted.markers)).toBe(planted.markers.length);
    expect(new Set(planted.markers).size).toBe(planted.markers.length);
  });

  it('leave a set that is consistent', async () => {
    for (const { path } of subjects.slice(0, 3)) await written(path, 'set', ['SOPInstanceUID']);
    const validators = hasPeers('dciodvfy', 'dcentvfy');
    const report = await verifyFolder(join(folder.path, 'set'), { validators });
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({ files: 3, isPassed: true });
  });
});

/** One date or number by itself looks like any other: only the original tells the difference. */
const NEED_ORIGINALS = [
  ...['AcquisitionDate', 'AcquisitionDateTime', 'ContentDate', 'FrameAcquisitionDateTime'],
  ...['FrameReferenceDateTime', 'SeriesDate', 'a kept value was changed', 'other pixels'],
  'StudyDate',
];

describe('verifyObject', () => {
  let [output, original]: (ReadObject | undefined)[] = [];
  let planted: PlantedObject;
  beforeAll(async () => {
    const source = join(folder.path, 'mutant.dcm');
    writeFileSync(source, phantomFile('DX', { instance: 77 }));
    const result = await written(source, 'mutants');
    planted = result.planted;
    [output, original] = [await readObject(result.output), await readObject(result.input)];
  });
  const errorsOf = (object: ReadObject, beside?: ReadObject): string[] =>
    verifyObject(object, { original: beside })
      .findings.filter(({ severity }) => severity === 'error')
      .map(({ check, path }) => `${check} ${path}`);
  const isKilled = (object: ReadObject, beside?: ReadObject): boolean => {
    const before = errorsOf(output!, beside);
    return errorsOf(object, beside).some((error) => !before.includes(error));
  };

  it('passes the output as it is, with and without its original', () => {
    expect(verifyObject(output!, { original }).findings).toEqual([]);
    expect(verifyObject(output!).findings).toEqual([]);
  });
  it('tells every rule that was not applied, one at a time', () => {
    const mutants = [...carrierMutants(output!, planted.carriers), ...statementMutants(output!)];
    expect(mutants.length).toBeGreaterThan(600);
    const survivors = mutants.filter(({ object }) => !isKilled(object, original));
    expect(survivors.map(({ name }) => name)).toEqual([]);
  });
  it('tells all but dates, kept values and pixels of the image without the original too', () => {
    const mutants = [...carrierMutants(output!, planted.carriers), ...statementMutants(output!)];
    const survivors = mutants.filter(({ object }) => !isKilled(object));
    const names = survivors.map(({ name }) => name.replace(/ \(.*/, ''));
    expect([...new Set(names)].sort()).toEqual(NEED_ORIGINALS.sort());
  });
  it('names places, never values', () => {
    const mutants = carrierMutants(output!, planted.carriers);
    const told = JSON.stringify(
      mutants.map(({ object }) => verifyObject(object, { original }).findings),
    );
    expect(told.length).toBeGreaterThan(10_000);
    expect(markersIn(Buffer.from(told), planted.markers)).toEqual([]);
  });
  it('tells two patients, two shifts and two UIDs for one, in a set', () => {
    const set = new SetCheck();
    const first = verifyObject(output!, { original });
    expect(set.add(1, output!, first)).toEqual([]);
    const offsets = new Set([...first.offsetsDays].map((days) => days - 1));
    const uids = new Map([...first.uids].map(([before]) => [before, '2.25.1']));
    const found = set.add(2, output!, { ...first, offsetsDays: offsets, uids });
    expect(new Set(found.map(({ check }) => check))).toEqual(
      new Set(['set.duplicate', 'uid.mapping', 'date.interval']),
    );
  });
});

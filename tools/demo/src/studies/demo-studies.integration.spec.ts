/**
 * Goal: what the generators write are standard objects with the real pixels and geometry.
 * Method: files are written to a temporary folder, read back by our walker, and judged by dciodvfy,
 * which none of us wrote.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodePart10 } from '@aifi/dicom-core';
import { temporaryFolder } from '@aifi/shared-testing';
import { writeStudy } from './demo-study.js';
import { demoStudies } from './index.js';
import { readNifti } from './nifti.js';

const dataFolder = fileURLToPath(new URL('../../../../deploy/demo/data', import.meta.url));
const folder = temporaryFolder('demo-studies');
afterAll(() => folder.remove());
const products = ['meshnet-tissue', 'fracture-stand-in'];
const studies = demoStudies(dataFolder, { runId: 'test', nowMs: 1_790_000_000_000, products });

describe.each(studies.map((study) => ({ name: study.name, study })))('$name', ({ study }) => {
  let files: string[];
  beforeAll(() => {
    const target = writeStudy(folder.path, study);
    files = readdirSync(target)
      .filter((file) => file.endsWith('.dcm'))
      .map((file) => join(target, file));
  });

  it('has the promised number of instances, each with its own UID in one series', () => {
    const datasets = files.map((file) => decodePart10(readFileSync(file)).dataset);
    const distinct = (keyword: string): number =>
      new Set(datasets.map((dataset) => dataset.string(keyword))).size;
    expect(files.length).toBe(study.instanceCount);
    expect(distinct('SOPInstanceUID')).toBe(study.instanceCount);
    expect(distinct('SeriesInstanceUID')).toBe(1);
    expect(datasets[0]!.string('StudyInstanceUID')).toBe(study.studyInstanceUid);
    expect(datasets[0]!.string('PatientID')).toBe(study.identity.attributes['PatientID']);
  });

  it('holds every canary in its files', () => {
    const bytes = Buffer.concat([readFileSync(files[0]!), readFileSync(files.at(-1)!)]);
    const missing = study.canaries.filter(({ text }) => !bytes.includes(text));
    expect(missing).toEqual([]);
  });

  it('has no error by dciodvfy', () => {
    const chosen = files.filter((_, index) => index % 16 === 0 || index === files.length - 1);
    for (const file of chosen) {
      const { stderr, error } = spawnSync('dciodvfy', [file], { encoding: 'utf8' });
      expect(error).toBeUndefined();
      expect(stderr.split('\n').filter((line) => line.includes('Error'))).toEqual([]);
    }
  });
});

describe('t1-brain', () => {
  it('keeps the voxels and lies where the sform says: slice k, row j, column i in LPS', () => {
    const study = studies[0]!;
    const volume = readNifti(readFileSync(join(dataFolder, 't1_crop.nii.gz')));
    const k = 100;
    const bytes = [...study.instances()][k]!;
    const { dataset, datasetOffset, pixelData } = decodePart10(bytes);
    expect(dataset.numbers('ImageOrientationPatient')).toEqual([1, 0, 0, 0, 0, -1]);
    expect(dataset.numbers('ImagePositionPatient')).toEqual([-127.6, 33.48, 134.48]);
    expect(dataset.numbers('PixelSpacing')).toEqual([1, 1]);
    const start = datasetOffset + pixelData!.valueOffset;
    const low = bytes.subarray(start, start + pixelData!.valueLength).filter((_, i) => i % 2 === 0);
    const slice = volume.voxels.subarray(k * 65_536, (k + 1) * 65_536);
    expect(Buffer.compare(low, slice)).toBe(0);
  });
});

describe('cr-tibia', () => {
  it('keeps transfer syntax and codestream of its source byte by byte', () => {
    const pixelsOf = (bytes: Buffer): Buffer => {
      const { datasetOffset, pixelData } = decodePart10(bytes);
      return bytes.subarray(datasetOffset + pixelData!.elementOffset);
    };
    const source = gunzipSync(readFileSync(join(dataFolder, 'cr-tibia', 'RG3_J2KR.dcm.gz')));
    const [bytes] = studies.find(({ name }) => name === 'cr-tibia')!.instances();
    expect(decodePart10(bytes!).meta.transferSyntaxUid).toBe('1.2.840.10008.1.2.4.90');
    expect(pixelsOf(bytes!).equals(pixelsOf(source))).toBe(true);
  });
});

describe('demoStudies', () => {
  it('expects nothing of a product that is not deployed', () => {
    const options = { runId: 'test', nowMs: 0, products: ['meshnet-tissue'] };
    const expected = demoStudies(dataFolder, options).flatMap((study) => study.expected);
    expect(new Set(expected.map(({ product }) => product))).toEqual(new Set(['meshnet-tissue']));
  });
  it('gives two hospitals the same UIDs under different patients when asked', () => {
    const [a, b] = ['a', 'b'].map((runId) =>
      demoStudies(dataFolder, { runId, uidsOf: 'one', nowMs: 0, products }),
    );
    const first = (made: typeof a) => decodePart10([...made![3]!.instances()][0]!).dataset;
    for (const keyword of ['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID']) {
      expect(first(a).string(keyword)).toBe(first(b).string(keyword));
    }
    expect(first(a).string('PatientID')).not.toBe(first(b).string('PatientID'));
  });
});

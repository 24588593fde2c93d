/**
 * Goal: independent tools read what we build. Method: write SR, SC and SEG, run dciodvfy
 * (dicom3tools), dsrdump, dcmdump and dcm2pnm (DCMTK) and highdicom on the files; damage them and
 * see the validators object. The peers are installed by deploy/services.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { encodePart10, type DicomDataset } from '@aifi/dicom-core';
import { temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';
import { buildBoxesCapture, shownInstances } from './boxes-capture.js';
import { buildDetectionReport } from './detection-report.js';
import { buildSegmentation } from './segmentation.js';
import { buildTissueCapture } from './tissue-capture.js';
import { buildVolumeReport } from './volume-report.js';
import type { Detection, EvidenceContext } from './evidence-context.js';
import type { ConformedVolume } from './orthogonal-slices.js';
import {
  PHANTOM_AXES,
  PHANTOM_COUNTS,
  PHANTOM_MANIFEST,
  phantomContext,
  phantomDetectionContext,
  phantomDetections,
  phantomInstances,
  phantomPictures,
  phantomSeries,
  phantomSliceHeader,
  phantomSource,
  phantomVolume,
} from './test-phantom.js';

const T1_FILE = resolve(import.meta.dirname, '../../../../../shared/data/models/t1_crop.nii.gz');
/** Dataset of a NIfTI-1 file begins behind its header of 352 bytes. */
const NIFTI_HEADER_BYTES = 352;

/** The real T1 head with thresholds as stand-in labels. */
function thresholdedHead(): ConformedVolume {
  const image = new Uint8Array(gunzipSync(readFileSync(T1_FILE)).subarray(NIFTI_HEADER_BYTES));
  const labels = image.map((grey) =>
    grey > 100 && grey < 140 ? 1 : grey > 60 && grey <= 100 ? 2 : 0,
  );
  return { image, labels };
}

const VOLUME_SOURCES: readonly [string, () => ConformedVolume][] = [
  ['phantom', phantomVolume],
  ...(existsSync(T1_FILE) ? [['T1 head', thresholdedHead] as [string, () => ConformedVolume]] : []),
];

let folder: TemporaryFolder;
beforeAll(() => {
  folder = temporaryFolder('evidence');
});
afterAll(() => folder.remove());

function write(name: string, dataset: DicomDataset): string {
  const path = join(folder.path, name);
  writeFileSync(path, encodePart10(dataset));
  return path;
}
function run(command: string, ...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error) throw error;
  return { status, output: `${stdout}${stderr}` };
}
const errorsOf = (path: string): string[] =>
  run('dciodvfy', path)
    .output.split('\n')
    .filter((line) => line.startsWith('Error'));
const VOLUMES = [
  { classValue: 1, volumeMl: 518.54 },
  { classValue: 2, volumeMl: 735.212 },
];
const report = (context: EvidenceContext): DicomDataset =>
  buildVolumeReport(context, VOLUMES, undefined);
const fullSeries = (): EvidenceContext =>
  phantomContext({ source: { dataset: phantomSource(), instances: phantomInstances(256) } });

describe('volume report', () => {
  it.each(['en-GB', 'nl-NL'] as const)('has no dciodvfy error in %s', (language) => {
    const path = write('sr.dcm', report({ ...fullSeries(), language }));
    const { output } = run('dciodvfy', path);
    expect(output).toContain('Comprehensive3DSR');
    expect(errorsOf(path)).toEqual([]);
  });

  it('reads as a document with dsrdump: both volumes, label, job', () => {
    const context = fullSeries();
    const path = write('sr.dcm', report(context));
    const { status, output } = run('dsrdump', '--print-long-values', path);
    expect(status).toBe(0);
    expect(output).toContain('"518.5" (mL,UCUM,"milliliter")');
    expect(output).toContain('"735.2" (mL,UCUM,"milliliter")');
    expect(output).toContain(PHANTOM_MANIFEST.label);
    expect(output).toContain(`AIFI job ${context.jobId}`);
  });

  it('is a well-formed file for dcmdump, with the job in (0018,a003)', () => {
    const context = fullSeries();
    const path = write('sr.dcm', report(context));
    const { status, output } = run('dcmdump', '+P', '0018,a003', '+s', path);
    expect(status).toBe(0);
    expect(output).toContain(`AIFI job ${context.jobId}`);
    expect(run('dcmdump', path).status).toBe(0);
  });

  it('is what makes dciodvfy content: it objects to a missing flag or evidence', () => {
    const unflagged = report(phantomContext());
    unflagged.delete('CompletionFlag');
    expect(errorsOf(write('damaged.dcm', unflagged))).not.toEqual([]);
    const unproven = report(phantomContext());
    unproven.delete('CurrentRequestedProcedureEvidenceSequence');
    expect(errorsOf(write('damaged.dcm', unproven))).not.toEqual([]);
  });
});

describe.each(VOLUME_SOURCES)('tissue capture of the %s', (_name, volumeOf) => {
  it('has no dciodvfy error and converts to an image of its own size', () => {
    const volumesMl = new Map([
      [1, 518.54],
      [2, 735.212],
    ]);
    const { classes } = PHANTOM_MANIFEST.output;
    const sut = buildTissueCapture(fullSeries(), { ...volumeOf(), classes, volumesMl });
    const path = write('sc.dcm', sut);
    expect(errorsOf(path)).toEqual([]);
    const picture = join(folder.path, 'sc.ppm');
    expect(run('dcm2pnm', '--write-raw-pnm', path, picture).status).toBe(0);
    const bytes = readFileSync(picture);
    const header = `P6\n${sut.number('Columns')} ${sut.number('Rows')}\n255\n`;
    expect(bytes.subarray(0, header.length).toString('latin1')).toBe(header);
    expect(bytes.subarray(header.length).equals(sut.bytes('PixelData')!)).toBe(true);
  });
});

const HIGHDICOM = resolve(import.meta.dirname, '../../../../deploy/services/highdicom/read.mjs');
interface HighdicomReading {
  readonly segments: readonly { number: number; label: string; count: number }[];
  readonly affine: readonly (readonly number[])[] | null;
}
function readWithHighdicom(path: string): HighdicomReading {
  const { status, output } = run(process.execPath, HIGHDICOM, path);
  if (status !== 0) throw new Error(output);
  return JSON.parse(output) as HighdicomReading;
}

describe('segmentation', () => {
  const source = { dataset: phantomSliceHeader(0), instances: phantomInstances() };
  const context = (): EvidenceContext => phantomContext({ source });
  const build = (value?: number): DicomDataset => {
    const series = phantomSeries();
    const labels = series.labels.map((label) => (label === value ? 0 : label));
    return buildSegmentation(context(), { ...series, labels })!.dataset;
  };

  it('has no dciodvfy error, and dciodvfy knows it as a segmentation', () => {
    const path = write('seg.dcm', build());
    expect(run('dciodvfy', path).output).toContain('Segmentation');
    expect(errorsOf(path)).toEqual([]);
    expect(run('dcmdump', path).status).toBe(0);
  });

  it('holds the voxels and the oblique geometry that were given, as highdicom reads it', () => {
    const { segments, affine } = readWithHighdicom(write('seg.dcm', build()));
    expect(segments).toEqual([
      { number: 1, label: 'white matter', count: PHANTOM_COUNTS[1] },
      { number: 2, label: 'grey matter', count: PHANTOM_COUNTS[2] },
    ]);
    // Slices 2..8 have a frame: (0, 0, 0) of the volume is the first pixel of slice 2 or 8.
    const [row, column, normal] = PHANTOM_AXES;
    const direction = Math.sign(
      normal.reduce((sum, cosine, axis) => sum + cosine * affine![axis]![0]!, 0),
    );
    const first = direction > 0 ? 2 : 8;
    for (let axis = 0; axis < 3; axis += 1) {
      const [perSlice, perRow, perColumn, origin] = affine![axis]!;
      expect(perSlice).toBeCloseTo(direction * 2.5 * normal[axis]!, 6);
      expect(perRow).toBeCloseTo(0.8 * column[axis]!, 6);
      expect(perColumn).toBeCloseTo(0.5 * row[axis]!, 6);
      const start = [10, -20, 30][axis]!;
      expect(origin).toBeCloseTo(start + first * 2.5 * normal[axis]!, 6);
    }
  });

  it('is read with a class that has no voxel', () => {
    const path = write('seg.dcm', build(1));
    expect(errorsOf(path)).toEqual([]);
    expect(readWithHighdicom(path).segments).toEqual([
      { number: 1, label: 'white matter', count: 0 },
      { number: 2, label: 'grey matter', count: PHANTOM_COUNTS[2] },
    ]);
  });

  it('is what makes dciodvfy content: it objects to a missing segment description', () => {
    const damaged = build();
    damaged.delete('SegmentSequence');
    expect(errorsOf(write('damaged.dcm', damaged))).not.toEqual([]);
  });

  it('is named by a report that has no dciodvfy error and that dsrdump reads', () => {
    const sut = context();
    const segmentation = buildSegmentation(sut, phantomSeries())!;
    const path = write('sr.dcm', buildVolumeReport(sut, VOLUMES, segmentation));
    expect(errorsOf(path)).toEqual([]);
    const { status, output } = run('dsrdump', '--print-long-values', path);
    expect(status).toBe(0);
    expect(output.match(/Referenced Segment/g)).toHaveLength(2);
    expect(output).toContain('Source series for segmentation');
  });
});

describe.each<[string, Detection[]]>([
  ['two boxes', phantomDetections()],
  ['no box', []],
])('detection result with %s', (_name, detections) => {
  const context = (): EvidenceContext => phantomDetectionContext(2);

  it('has a report without dciodvfy error that dsrdump reads', () => {
    const path = write('sr.dcm', buildDetectionReport(context(), detections));
    expect(errorsOf(path)).toEqual([]);
    const { status, output } = run('dsrdump', '--print-long-values', path);
    expect(status).toBe(0);
    const isPresent = detections.length > 0;
    expect(output).toContain(isPresent ? '"Present"' : '"Absent"');
    expect(output).toContain(isPresent ? 'Found: 2 regions' : 'Not found');
    expect(output.match(/POLYLINE/g) ?? []).toHaveLength(detections.length);
  });

  it('has a capture without dciodvfy error that converts to its own pixels', () => {
    const { instances } = context().source;
    const shown = shownInstances(instances, detections).map((index) => instances[index]!);
    const sut = buildBoxesCapture(context(), phantomPictures(shown), detections);
    const path = write('sc.dcm', sut);
    expect(errorsOf(path)).toEqual([]);
    const picture = join(folder.path, 'sc.ppm');
    expect(run('dcm2pnm', '--write-raw-pnm', path, picture).status).toBe(0);
    const { length } = sut.bytes('PixelData')!;
    expect(readFileSync(picture).subarray(-length).equals(sut.bytes('PixelData')!)).toBe(true);
  });
});

/**
 * Goal: the picture shows the labels that were given, the right way round, and nothing of the
 * patient. Method: phantom volume, encode, read pixels back; change one input, compare pixels.
 */
import { describe, expect, it } from '@jest/globals';
import { decodePart10, encodePart10, type DicomDataset } from '@aifi/dicom-core';
import { orthogonalSlices } from './orthogonal-slices.js';
import { RgbCanvas } from './rgb-canvas.js';
import { buildTissueCapture } from './tissue-capture.js';
import {
  PHANTOM_MANIFEST,
  phantomContext,
  phantomInstances,
  phantomSource,
  phantomVolume,
} from './test-phantom.js';

const { classes } = PHANTOM_MANIFEST.output;
const VOLUME = phantomVolume();
const VOLUMES_ML = new Map([
  [1, 518.54],
  [2, 735.212],
]);
const build = (
  labels = VOLUME.labels,
  context = phantomContext(),
  volumesMl: ReadonlyMap<number, number> = VOLUMES_ML,
): DicomDataset => buildTissueCapture(context, { image: VOLUME.image, labels, classes, volumesMl });

const BASE = build();

/** Mean colour of a square of 9 pixels around (x, y). */
function colourAt(dataset: DicomDataset, x: number, y: number): number[] {
  const pixels = dataset.bytes('PixelData')!;
  const columns = dataset.number('Columns')!;
  const sum = [0, 0, 0];
  for (let row = y - 4; row <= y + 4; row += 1) {
    for (let column = x - 4; column <= x + 4; column += 1) {
      for (let c = 0; c < 3; c += 1) sum[c]! += pixels[(row * columns + column) * 3 + c]!;
    }
  }
  return sum.map((value) => value / 81);
}
const hue = ([r, g, b]: number[]): string =>
  r! - b! > 30 ? 'yellow' : b! - r! > 30 ? 'blue' : `grey${g! > 20 ? '' : ' dark'}`;

// Centres of the three panels, and a point in the grey matter shell left of each centre.
const CENTRES = [172, 512, 852];
const MIDDLE = 84 + 168 - 10;

describe('buildTissueCapture', () => {
  it('is native RGB of 8 bits whose length fits rows and columns', () => {
    const { dataset, pixelData } = decodePart10(encodePart10(BASE));
    const [rows, columns] = [dataset.number('Rows')!, dataset.number('Columns')!];
    expect(columns).toBe(1024);
    expect(rows).toBeGreaterThanOrEqual(400);
    expect(rows).toBeLessThanOrEqual(512);
    expect(pixelData?.valueLength).toBe(rows * columns * 3);
    expect(pixelData?.vr).toBe('OB');
    expect(dataset.string('PhotometricInterpretation')).toBe('RGB');
    expect(dataset.number('PlanarConfiguration')).toBe(0);
    expect(dataset.string('BurnedInAnnotation')).toBe('NO');
    expect(dataset.string('ConversionType')).toBe('WSD');
    expect(dataset.strings('ImageType')).toEqual(['DERIVED', 'SECONDARY']);
    expect(dataset.bytes('PatientOrientation')).toHaveLength(0);
  });

  it('colours what the labels say in all three panels, and nothing without labels', () => {
    const [labelled, bare] = [BASE, build(new Uint8Array(256 ** 3))];
    for (const x of CENTRES) {
      expect(hue(colourAt(labelled, x, MIDDLE))).toBe('yellow');
      expect(hue(colourAt(labelled, x, MIDDLE - 85))).toBe('blue');
      expect(hue(colourAt(bare, x, MIDDLE))).toBe('grey');
      expect(hue(colourAt(bare, x, MIDDLE - 85))).toBe('grey');
    }
    const swapped = VOLUME.labels.map((value) => (value === 0 ? 0 : 3 - value));
    expect(hue(colourAt(build(swapped), CENTRES[0]!, MIDDLE))).toBe('blue');
  });

  it('draws the volumes, the label and the language into the page', () => {
    const pixels = (dataset: DicomDataset): string =>
      Buffer.from(dataset.bytes('PixelData')!).toString('latin1');
    const base = pixels(BASE);
    const others = [
      build(VOLUME.labels, phantomContext(), new Map([[1, 518.64]])),
      build(VOLUME.labels, phantomContext({ language: 'nl-NL' })),
      build(VOLUME.labels, phantomContext({ product: { ...PHANTOM_MANIFEST, label: 'X' } })),
      build(VOLUME.labels, phantomContext({ product: { ...PHANTOM_MANIFEST, version: '1.0.1' } })),
    ];
    for (const other of others) expect(pixels(other)).not.toBe(base);
  });

  it('draws nothing of the patient or the study', () => {
    const stranger = phantomSource()
      .setString('PatientName', 'Other^Name')
      .setString('PatientID', '999')
      .setString('PatientBirthDate', '20000101')
      .setString('StudyDescription', 'Other')
      .setString('StudyDate', '20200101');
    const source = { dataset: stranger, instances: phantomInstances() };
    const other = build(VOLUME.labels, phantomContext({ source }));
    const same = Buffer.from(BASE.bytes('PixelData')!).equals(other.bytes('PixelData')!);
    expect(same).toBe(true);
  });

  it('stands beside the report: own series, own number, same study, sources referenced', () => {
    const context = phantomContext();
    const dataset = build(VOLUME.labels, context);
    expect(context.minter.minted.map((minted) => minted.role)).toEqual(['sc', 'sc-series']);
    expect(dataset.number('SeriesNumber')).toBe(PHANTOM_MANIFEST.seriesNumberBase + 1);
    expect(dataset.string('StudyInstanceUID')).toBe('2.25.1000');
    expect(dataset.string('SeriesDescription')).toContain('NOT FOR CLINICAL USE');
    expect(dataset.string('BodyPartExamined')).toBe('HEAD');
    const sources = dataset.items('SourceImageSequence');
    expect(sources.map((item) => item.string('ReferencedSOPInstanceUID'))).toEqual(
      phantomInstances().map((instance) => instance.sopInstanceUid),
    );
  });

  it('gives the same bytes for the same input', () => {
    expect(encodePart10(build()).equals(encodePart10(BASE))).toBe(true);
  });

  it('keeps that the source was compressed with loss', () => {
    const dataset = phantomSource().setString('LossyImageCompression', '01');
    const source = { dataset, instances: phantomInstances() };
    const sut = build(VOLUME.labels, phantomContext({ source }));
    expect(sut.string('LossyImageCompression')).toBe('01');
  });

  it('grows by legend rows for products of many classes', () => {
    const many = Array.from({ length: 19 }, (_, value) => ({
      value,
      label: `structure with a long name ${value}`,
      colour: [value, 100, 200] as [number, number, number],
    }));
    const sut = buildTissueCapture(phantomContext(), {
      ...VOLUME,
      classes: many,
      volumesMl: new Map(),
    });
    expect(sut.number('Rows')).toBe(BASE.number('Rows')! + 9 * 24);
  });

  it('refuses a volume of another size', () => {
    const labels = new Uint8Array(8);
    expect(() => build(labels)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('orthogonalSlices', () => {
  const colours = new Map([[1, [255, 0, 0] as const]]);
  /** Row and column of the only bright pixel of each slice. */
  function brightest(pixels: Uint8Array): [number, number] {
    let best = 0;
    for (let at = 0; at < 256 * 256; at += 1) {
      if (pixels[at * 3 + 1]! > pixels[best * 3 + 1]!) best = at;
    }
    return [best >> 8, best & 255];
  }

  it('puts left, inferior and anterior where the radiological convention wants them', () => {
    const image = new Uint8Array(256 ** 3);
    const labels = new Uint8Array(256 ** 3);
    const at = (k: number, j: number, i: number): number => (k * 256 + j) * 256 + i;
    // The centroid (100, 120, 140) names the slices; one bright voxel lies in each of them.
    labels[at(100, 120, 140)] = 1;
    image[at(110, 120, 170)] = 200; // axial: 10 anterior, 30 to the patient's left
    image[at(100, 160, 150)] = 200; // coronal: 40 inferior, 10 to the patient's left
    image[at(120, 125, 140)] = 200; // sagittal: 20 anterior, 5 inferior
    const [axial, coronal, sagittal] = orthogonalSlices({ image, labels }, colours);
    expect(brightest(axial!.pixels)).toEqual([255 - 110, 170]);
    expect(axial!.edges).toEqual({ left: 'R', right: 'L', top: 'A', bottom: 'P' });
    expect(brightest(coronal!.pixels)).toEqual([160, 150]);
    expect(coronal!.edges).toEqual({ left: 'R', right: 'L', top: 'H', bottom: 'F' });
    expect(brightest(sagittal!.pixels)).toEqual([125, 255 - 120]);
    expect(sagittal!.edges).toEqual({ left: 'A', right: 'P', top: 'H', bottom: 'F' });
  });
});

describe('RgbCanvas', () => {
  it('cuts off what is drawn outside', () => {
    const sut = new RgbCanvas(10, 10);
    sut.fill({ x: -5, y: 8, width: 7, height: 7 }, [9, 9, 9]);
    expect(sut.pixels.filter((value) => value === 9)).toHaveLength(2 * 2 * 3);
    sut.text('WWWW', 6, -3, { colour: [1, 1, 1] });
    expect(sut.pixels).toHaveLength(300);
  });

  it('draws every printable character differently, and others as a question mark', () => {
    const drawn = (text: string): string => {
      const sut = new RgbCanvas(12, 14);
      sut.text(text, 0, 0, { colour: [255, 255, 255] });
      return Buffer.from(sut.pixels).toString('latin1');
    };
    const printable = Array.from({ length: 95 }, (_, i) => drawn(String.fromCharCode(32 + i)));
    expect(new Set(printable).size).toBe(95);
    expect(drawn('é')).toBe(drawn('?'));
  });
});

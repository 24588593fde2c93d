/**
 * Goal: what each kind of image meets at the gate, and that no fault opens it.
 * Method: small Part 10 files in a temporary folder, a detector that is told what to answer.
 */
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodePart10, readPart10Header, type DicomDataset } from '@aifi/dicom-core';
import { FakeClock, temporaryFolder } from '@aifi/shared-testing';
import { AifiError } from '@aifi/shared-kernel';
import { createPixelGate } from './create-pixel-gate.js';
import type { PixelDecision } from './pixel-gate.js';
import { pictureOf, type TestPicture } from '../test/test-picture.js';
import type { TextDetector } from './text-detector.js';

const folder = temporaryFolder('pixel-gate');
afterAll(() => folder.remove());

const QUIET: TextDetector = { read: () => Promise.resolve([]), close: () => Promise.resolve() };
const seeing = (isMarker: boolean): TextDetector => ({
  ...QUIET,
  read: () => Promise.resolve([{ x: 1, y: 1, width: 30, height: 10, isMarker }]),
});
const DEAD: TextDetector = {
  ...QUIET,
  read: () => Promise.reject(new AifiError('PEER_UNAVAILABLE', 'gone')),
};
let files = 0;

interface Asked {
  readonly picture: TestPicture;
  readonly change?: (dataset: DicomDataset) => void;
  readonly detector?: TextDetector;
  readonly isReleased?: boolean;
}
async function judge({ picture, change, detector = QUIET, isReleased = false }: Asked) {
  const dataset = pictureOf(picture);
  change?.(dataset);
  const path = join(folder.path, `${(files += 1)}.dcm`);
  writeFileSync(path, encodePart10(dataset));
  const { dataset: header } = await readPart10Header(path);
  const gate = createPixelGate({ clock: new FakeClock(), detector, manufacturers: ['TESTER'] });
  const decision = await gate.judge({ path, header, isReleased });
  await gate.close();
  return decision;
}
const told = (decision: PixelDecision): string =>
  'by' in decision ? `${decision.kind} ${decision.by}` : decision.kind;
const reasonOf = (decision: PixelDecision): string =>
  'reason' in decision ? `${decision.kind}: ${decision.reason}` : told(decision);

jest.setTimeout(60_000);

describe(createPixelGate, () => {
  it('clears a clean CT of a known scanner without asking the detector', async () => {
    expect(told(await judge({ picture: { kind: 'CT' }, detector: DEAD }))).toBe('clear border');
  });
  it('holds a CT with text at its border and says where, not what', async () => {
    const decision = await judge({ picture: { kind: 'CT', text: 'VISSER^FENNA' } });
    expect(reasonOf(decision)).toBe('hold: something like text was seen');
    expect(JSON.stringify(decision)).not.toMatch(/visser|fenna/i);
    expect('findings' in decision && decision.findings.length).toBeGreaterThan(0);
  });
  it('holds a CT of a scanner that it does not know', async () => {
    const change = (dataset: DicomDataset): void => void dataset.delete('Manufacturer');
    expect(reasonOf(await judge({ picture: { kind: 'CT' }, change }))).toBe(
      'hold: a person looks at every image of this kind',
    );
  });
  it('asks the detector for a radiograph', async () => {
    const picture = { kind: 'DX' } as const;
    expect(told(await judge({ picture }))).toBe('clear text-detector');
    expect(told(await judge({ picture, detector: seeing(true) }))).toBe('clear text-detector');
    expect(told(await judge({ picture, detector: seeing(false) }))).toBe('hold');
  });
  it.each(['DX', 'US'] as const)('holds %s when the detector is not available', async (kind) => {
    expect(reasonOf(await judge({ picture: { kind }, detector: DEAD }))).toBe(
      'hold: text detector not available',
    );
  });
  it('holds an ultrasound image of an unknown layout even when nothing is seen', async () => {
    expect(told(await judge({ picture: { kind: 'US' } }))).toBe('hold');
  });
  it('blacks out the known layout of an ultrasound device, also after a release', async () => {
    const change = (dataset: DicomDataset): void => {
      dataset.setString('Manufacturer', 'Zonare').setString('ManufacturerModelName', 'ZS3');
    };
    const picture = { kind: 'US', rows: 600, columns: 800 } as const;
    const regions = [{ x: 0, y: 0, width: 800, height: 55 }];
    expect(await judge({ picture, change })).toEqual({ kind: 'clean', regions });
    expect(await judge({ picture, change, isReleased: true })).toEqual({ kind: 'clean', regions });
  });
  it('holds a known layout with text outside of its places', async () => {
    const change = (dataset: DicomDataset): void => {
      dataset.setString('Manufacturer', 'Zonare').setString('ManufacturerModelName', 'ZS3');
    };
    const picture = { kind: 'US', rows: 600, columns: 800, text: '123456782', y: 500 } as const;
    expect(told(await judge({ picture, change }))).toBe('hold');
  });
  it.each([
    ['BurnedInAnnotation', ['YES'], 'burned-in annotation is declared'],
    ['ImageType', ['DERIVED', 'SECONDARY', 'SCREEN SAVE'], 'screen or report image'],
    ['SeriesDescription', ['Saved views'], 'the series is named as a saved screen'],
    ['DateOfSecondaryCapture', ['20200101'], 'a secondary capture device is named'],
    ['SeriesDescription', ['Patient Protocol'], 'on the list of images with burned-in text'],
    ['SOPClassUID', ['1.2.840.10008.5.1.4.1.1.7'], 'secondary capture'],
  ])('holds %s %j for a person, who may release it', async (keyword, values, reason) => {
    const change = (dataset: DicomDataset): void => void dataset.setStrings(keyword, values);
    const picture = { kind: 'CT' } as const;
    expect(reasonOf(await judge({ picture, change }))).toBe(`hold: ${reason}`);
    expect(told(await judge({ picture, change, isReleased: true }))).toBe('clear person');
  });
  it('refuses overlay bits inside the pixel values, whoever releases them', async () => {
    const change = (dataset: DicomDataset): void =>
      void dataset.setBytes(0x60000102, Uint8Array.of(12, 0), 'US');
    const picture = { kind: 'CT' } as const;
    expect(told(await judge({ picture, change, isReleased: true }))).toBe('refuse');
  });
  it('refuses pages of text', async () => {
    const change = (dataset: DicomDataset): void =>
      void dataset.setStrings('ImageType', ['DERIVED', 'PRIMARY', 'REPORTDATA'], 'CS');
    expect(told(await judge({ picture: { kind: 'CT' }, change }))).toBe('refuse');
  });
  it('looks at the whole picture of a derived CT', async () => {
    const change = (dataset: DicomDataset): void =>
      void dataset.setStrings('ImageType', ['DERIVED', 'SECONDARY', 'MPR'], 'CS');
    const picture = { kind: 'CT', text: 'geb. 3-4-1961', x: 180, y: 240, contrast: 0.35 } as const;
    expect(told(await judge({ picture }))).toBe('clear border');
    expect(told(await judge({ picture, change }))).toBe('hold');
    expect(told(await judge({ picture: { kind: 'CT' }, change }))).toBe('clear border');
  });
  it('holds what does not decode, also after a release', async () => {
    const change = (dataset: DicomDataset): void =>
      void dataset.setString('PhotometricInterpretation', 'HSV');
    const picture = { kind: 'CT' } as const;
    expect(told(await judge({ picture, change, isReleased: true }))).toBe('hold');
  });
});

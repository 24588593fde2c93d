/**
 * Goal: a pseudonymised instance is no worse DICOM than what came in.
 * Method: dciodvfy of dicom3tools over input and output of shared MR, CT and radiography files and
 * of one phantom; the errors of the output must be among those of the input.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { hasPeers, temporaryFolder } from '@aifi/shared-testing';
import {
  DEFAULT_CONTRACT,
  writePseudonymisedInstance,
  type DeidentificationContext,
} from './index.js';

const folder = temporaryFolder('dciodvfy');
afterAll(() => folder.remove());
const context: DeidentificationContext = {
  siteCode: 'SITE-A',
  keys: { uid: Buffer.alloc(32, 1), pid: Buffer.alloc(32, 2), date: Buffer.alloc(32, 3) },
  contract: { ...DEFAULT_CONTRACT, recognisableVisualFeatures: 'allow' },
};
// As behind the pixel gate: what it has not examined may lack a required Burned In Annotation.
const clearance = { isExamined: true };
const shared = join(import.meta.dirname, '../../../../../shared/data/dicom');
/** Folder and how many of its files: a series repeats one header. */
const SOURCES: readonly (readonly [string, number])[] = [
  ...[['small', 99] as const, ['transfer-syntaxes', 99] as const, ['cr-dx', 99] as const],
  ...[['ct-single', 9] as const, ['mr-brain-series-50', 2] as const],
];
const files = SOURCES.flatMap(([name, count]) => {
  const path = join(shared, name);
  if (!existsSync(path)) return [];
  const entries = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.slice(0, count).map((entry) => join(path, entry.name));
});

function errorsOf(path: string): Promise<string[]> {
  return new Promise((resolve) => {
    execFile('dciodvfy', ['-new', path], { encoding: 'latin1' }, (_, output, faults) => {
      resolve(`${output}\n${faults}`.split('\n').filter((line) => line.startsWith('Error')));
    });
  });
}

async function aPhantom(): Promise<string> {
  const dataset = new DicomDataset()
    .setStrings('ImageType', ['ORIGINAL', 'PRIMARY', 'M'])
    .setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.4')
    .setString('SOPInstanceUID', '1.2.3.4.1')
    .setString('StudyInstanceUID', '1.2.3.4.2')
    .setString('SeriesInstanceUID', '1.2.3.4.3')
    .setString('FrameOfReferenceUID', '1.2.3.4.4')
    .setString('StudyDate', '20240229')
    .setString('StudyTime', '101500')
    .setString('Modality', 'MR')
    .setString('Manufacturer', 'Aifi')
    .setString('AccessionNumber', 'ACC77')
    .setString('ReferringPhysicianName', 'Visser^A')
    .setString('PatientName', 'Berg^Jan')
    .setString('PatientID', '0012345')
    .setString('PatientBirthDate', '19610403')
    .setString('PatientSex', 'M')
    .setString('StudyID', '1')
    .setNumbers('SeriesNumber', [1])
    .setNumbers('InstanceNumber', [1])
    .setString('PositionReferenceIndicator', '')
    .setString('Laterality', '')
    .setString('PatientPosition', 'HFS')
    .setString('BodyPartExamined', 'KNEE')
    .setStrings('ScanningSequence', ['GR'])
    .setStrings('SequenceVariant', ['NONE'])
    .setString('ScanOptions', '')
    .setString('MRAcquisitionType', '3D')
    .setNumbers('EchoTime', [3])
    .setNumbers('RepetitionTime', [8])
    .setNumbers('EchoTrainLength', [1])
    .setNumbers('SliceThickness', [1])
    .setNumbers('PixelSpacing', [1, 1])
    .setNumbers('ImagePositionPatient', [0, 0, 0])
    .setNumbers('ImageOrientationPatient', [1, 0, 0, 0, 1, 0])
    .setNumbers('SamplesPerPixel', [1])
    .setString('PhotometricInterpretation', 'MONOCHROME2')
    .setNumbers('Rows', [2])
    .setNumbers('Columns', [2])
    .setNumbers('BitsAllocated', [16])
    .setNumbers('BitsStored', [12])
    .setNumbers('HighBit', [11])
    .setNumbers('PixelRepresentation', [0])
    .setBytes('PixelData', new Uint8Array(8), 'OW');
  const path = join(folder.path, 'phantom.source');
  await writeFile(path, encodePart10(dataset));
  return path;
}

(hasPeers('dciodvfy') ? describe : describe.skip)('beside dciodvfy', () => {
  it('has no error that its input had not', async () => {
    let compared = 0;
    for (const sourcePath of [await aPhantom(), ...files]) {
      const request = { sourcePath, folder: folder.path, context, clearance };
      const result = await writePseudonymisedInstance(request);
      if (!result.ok) continue;
      const [before, after] = await Promise.all([sourcePath, result.value.path].map(errorsOf));
      const added = after!.filter((line) => !before!.includes(line));
      expect([sourcePath, added]).toEqual([sourcePath, []]);
      compared += 1;
    }
    expect(compared).toBeGreaterThan(files.length > 0 ? 20 : 0);
  }, 60_000);

  it('has no error at all where its input has none', async () => {
    const sourcePath = await aPhantom();
    expect(await errorsOf(sourcePath)).toEqual([]);
    const request = { sourcePath, folder: folder.path, context, clearance };
    const result = await writePseudonymisedInstance(request);
    if (!result.ok) throw new Error(result.refusal.detail);
    expect(await errorsOf(result.value.path)).toEqual([]);
  });
});

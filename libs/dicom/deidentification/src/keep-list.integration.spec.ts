/**
 * Goal: for every family of SOP classes, what leaves is no worse DICOM than what came in.
 * Method: dciodvfy of dicom3tools over input and output: generated headers of every family, under
 * every contract, and real files of the shared corpus. Errors of the output must be among those of
 * the input.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  decodePart10,
  type DicomDataset,
  elementHeader,
  encodeDataset,
  encodeFileMeta,
  encodingOf,
  UNDEFINED_LENGTH,
} from '@aifi/dicom-core';
import { hasPeers, temporaryFolder } from '@aifi/shared-testing';
import { DEFAULT_CONTRACT, pseudonymiseHeader, type DeidentificationContext } from './index.js';
import { aHeaderOf, HEADER_NAMES } from './test-headers.js';

const folder = temporaryFolder('keep-list');
afterAll(() => folder.remove());
const context: DeidentificationContext = {
  siteCode: 'SITE-A',
  keys: { uid: Buffer.alloc(32, 1), pid: Buffer.alloc(32, 2), date: Buffer.alloc(32, 3) },
  contract: { ...DEFAULT_CONTRACT, recognisableVisualFeatures: 'allow' },
};
const shared = join(import.meta.dirname, '../../../../../shared/data/dicom');
const REAL = [
  ...['small/CT_small.dcm', 'small/MR_small.dcm', 'small/examples_overlay.dcm'],
  ...['cr-dx/dx_image.dcm', 'cr-dx/RG3_J2KR.dcm', 'mg/fo-dicom__GH133.dcm'],
  ...['enhanced/eCT_Supplemental.dcm', 'enhanced/emri_small_RLE.dcm'],
  ...['us-burned-in/GREYSCALE_IMAGE.dcm', 'small/examples_ybr_color.dcm'],
  ...['small/examples_palette.dcm', 'transfer-syntaxes/US1_J2KR.dcm'],
  ...['transfer-syntaxes/OBXXXX1A_rle.dcm', 'small/examples_rgb_color.dcm'],
  ...['small/SC_rgb.dcm', 'small/SC_rgb_rle_2frame.dcm', 'small/JPEG2000.dcm'],
  ...['sr-seg-rt-pdf/ct_image.dcm', 'sr-seg-rt-pdf/ebe.dcm'],
  ...[
    'transfer-syntaxes/TestPattern_Palette.dcm',
    'transfer-syntaxes/TestPattern_JPEG-LS-Lossless.dcm',
  ],
].map((name) => join(shared, name));

interface Pixels {
  readonly vr: string;
  readonly encapsulated: boolean;
  readonly bytes: Uint8Array;
}

async function errorsOf(name: string, header: DicomDataset, syntax: string, pixels: Pixels) {
  const encoding = encodingOf(syntax);
  const length = pixels.encapsulated ? UNDEFINED_LENGTH : pixels.bytes.length;
  const path = join(folder.path, name);
  await writeFile(
    path,
    Buffer.concat([
      encodeFileMeta({
        sopClassUid: header.string('SOPClassUID')!,
        sopInstanceUid: header.string('SOPInstanceUID')!,
        transferSyntaxUid: syntax,
      }),
      encodeDataset(header, encoding),
      elementHeader(0x7fe00010, pixels.vr, length, encoding),
      pixels.bytes,
    ]),
  );
  return new Promise<string[]>((resolve) => {
    execFile('dciodvfy', ['-new', path], { encoding: 'latin1' }, (_, output, faults) => {
      resolve(`${output}\n${faults}`.split('\n').filter((line) => line.startsWith('Error')));
    });
  });
}

const PLAIN_SYNTAX = '1.2.840.10008.1.2.1';
function phantomPixels(header: DicomDataset): Pixels {
  const bytes = header.number('BitsAllocated')! / 8;
  const frames = header.number('NumberOfFrames') ?? 1;
  return { vr: 'OW', encapsulated: false, bytes: new Uint8Array(16 * bytes * frames) };
}

const CONTRACTS = [
  { ...DEFAULT_CONTRACT, recognisableVisualFeatures: 'allow' as const },
  { retain: [], recognisableVisualFeatures: 'allow' as const, dates: 'remove' as const },
  {
    retain: ['age', 'sex', 'size', 'weight', 'pregnancy'] as const,
    recognisableVisualFeatures: 'allow' as const,
    dates: 'shift' as const,
  },
].map((contract) => ({ ...contract, retain: [...contract.retain] }));

(hasPeers('dciodvfy') ? describe : describe.skip)('beside dciodvfy', () => {
  it.each(HEADER_NAMES)('a header of %s has no new error under any contract', async (name) => {
    const header = aHeaderOf(name);
    const pixels = phantomPixels(header);
    const before = await errorsOf(`${name} in`, header, PLAIN_SYNTAX, pixels);
    // The generated header itself is as it should be: otherwise nothing would be compared.
    expect(before).toEqual([]);
    for (const contract of CONTRACTS) {
      const result = pseudonymiseHeader(header, { ...context, contract }, { isExamined: true });
      if (!result.ok) throw new Error(result.refusal.detail);
      const after = await errorsOf(`${name} out`, result.value.dataset, PLAIN_SYNTAX, pixels);
      expect([contract.dates, after]).toEqual([contract.dates, []]);
    }
  });

  it('real files of every family have no error that their input had not', async () => {
    const families = new Set<string>();
    for (const path of REAL.filter(existsSync)) {
      const bytes = readFileSync(path);
      const source = decodePart10(bytes);
      const { pixelData, meta } = source;
      if (!pixelData || meta.transferSyntaxUid.endsWith('.99')) continue;
      // Samples that were anonymised before or carry no identity are given one.
      source.dataset.delete('PatientIdentityRemoved');
      if (!source.dataset.string('PatientID')) source.dataset.setString('PatientID', '00123456');
      const result = pseudonymiseHeader(source.dataset, context, { isExamined: true });
      if (!result.ok) throw new Error(`${path}: ${result.refusal.detail}`);
      const start = source.datasetOffset + pixelData.valueOffset;
      const pixels = { ...pixelData, bytes: bytes.subarray(start, start + pixelData.valueLength) };
      const syntax = meta.transferSyntaxUid;
      const before = await errorsOf('in', source.dataset, syntax, pixels);
      const after = await errorsOf('out', result.value.dataset, syntax, pixels);
      expect([path, after.filter((line) => !before.includes(line))]).toEqual([path, []]);
      families.add(source.dataset.string('SOPClassUID')!);
    }
    if (existsSync(shared)) expect(families.size).toBeGreaterThanOrEqual(9);
  }, 60_000);
});

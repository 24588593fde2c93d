/**
 * Goal: a radiograph is read to exactly the values that were stored, in native and JPEG 2000
 * encodings, and what is not read is refused before it is decoded.
 * Method: the committed radiograph of the demonstration with the statistics that pydicom 3.0.2
 * gives (Pillow and pylibjpeg, both OpenJPEG); shared files where they exist; phantoms by hand.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { sha256Hex } from '@aifi/shared-kernel';
import { temporaryFolder } from '@aifi/shared-testing';
import { readRadiograph as sut, type Radiograph } from './radiograph.js';

const folder = temporaryFolder('radiograph');
afterAll(() => folder.remove());
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const shared = (path: string): string => here(`../../../../../shared/data/dicom/${path}`);
const saved = (bytes: Uint8Array, name = 'object.dcm'): string => {
  const path = join(folder.path, name);
  writeFileSync(path, bytes);
  return path;
};
const tibia = gunzipSync(
  readFileSync(here('../../../../deploy/demo/data/cr-tibia/RG3_J2KR.dcm.gz')),
);

/** [least, greatest, sum, SHA-256 of the values as 16 bits little endian]. */
const statisticsOf = ({ stored }: Radiograph): [number, number, number, string] => {
  let [least, greatest, sum] = [Infinity, -Infinity, 0];
  for (const value of stored) {
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
    sum += value;
  }
  return [least, greatest, sum, sha256Hex(new Uint8Array(Int16Array.from(stored).buffer))];
};
const imageIn = async (path: string): Promise<Radiograph> => {
  const result = await sut(path);
  if (!result.ok) throw new Error(result.refusal.detail);
  return result.value;
};

const phantom = (change: (dataset: DicomDataset) => unknown = () => undefined): DicomDataset => {
  const dataset = new DicomDataset()
    .setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.1')
    .setString('SOPInstanceUID', '1.2.3')
    .setString('PhotometricInterpretation', 'MONOCHROME1')
    .setNumbers('SamplesPerPixel', [1])
    .setNumbers('Rows', [2])
    .setNumbers('Columns', [2])
    .setNumbers('BitsAllocated', [16])
    .setNumbers('BitsStored', [10])
    .setNumbers('HighBit', [9])
    .setNumbers('PixelRepresentation', [0])
    .setNumbers('RescaleSlope', [2])
    .setBytes('PixelData', new Uint8Array(Uint16Array.of(0, 1, 512, 0xfc00 + 1023).buffer), 'OW');
  change(dataset);
  return dataset;
};
/** The dataset with its pixel data as one fragment in another transfer syntax. */
const encapsulated = (transferSyntaxUid: string, ...fragments: Uint8Array[]): string => {
  const header = phantom((dataset) => dataset.delete('PixelData'));
  const item = (tag: number, value: Uint8Array): Buffer => {
    const start = Buffer.alloc(8);
    start.writeUInt16LE(0xfffe, 0);
    start.writeUInt16LE(tag, 2);
    start.writeUInt32LE(value.length, 4);
    return Buffer.concat([start, value]);
  };
  const none = new Uint8Array(0);
  const start = Buffer.from('e07f10004f420000ffffffff', 'hex');
  return saved(
    Buffer.concat([
      encodePart10(header, transferSyntaxUid),
      start,
      item(0xe000, none),
      ...fragments.map((fragment) => item(0xe000, fragment)),
      item(0xe0dd, none),
    ]),
  );
};
const CT = 'transfer-syntaxes/CTImage.dcm_JPEG2000';
const LOSSLESS = '1.2.840.10008.1.2.4.90';
/** SOC and SIZ of one component. */
const codestreamHeader = (columns: number, rows: number, components = 1): Buffer => {
  const header = Buffer.alloc(46);
  header.writeUInt32BE(0xff4fff51, 0);
  header.writeUInt32BE(columns, 8);
  header.writeUInt32BE(rows, 12);
  header.writeUInt16BE(components, 40);
  header.set([9, 1, 1], 42);
  return header;
};

describe('readRadiograph: JPEG 2000', () => {
  it('decodes the lossless radiograph to the very values that were stored', async () => {
    const image = await imageIn(saved(tibia));
    expect(image).toMatchObject({
      rows: 1760,
      columns: 1760,
      objectDigest: sha256Hex(tibia),
      encoding: { bitsStored: 10, photometricInterpretation: 'MONOCHROME1' },
      padding: undefined,
    });
    expect(statisticsOf(image)).toEqual([
      0,
      1023,
      1_030_616_989,
      '85480a0287e37795bc96799747a69af475f3bf0c35203fac1010fc6e100821a7',
    ]);
  });

  const known: readonly [string, [number, number, number, string]][] = (
    [
      [
        'cr-dx/RG3_J2KI.dcm',
        [
          0,
          1023,
          1_030_622_924,
          '25559cb05640e9e9860e91adf4d49dd3469694d0ff56bbf76c8853c3e05f4cc5',
        ],
      ],
      [
        `${CT}LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90.dcm`,
        [
          -2000,
          2402,
          19_640_763,
          '1bee432808f49770bbc30d904e3e744082b0ba41704d4943e7de5bcb3e3d72f9',
        ],
      ],
      [
        `${CT}TransferSyntax_1.2.840.10008.1.2.4.91.dcm`,
        [
          -2003,
          2401,
          19_626_368,
          'ca3472c2d32b272f041d11868d17e58325ae8928fab94964fc486297a228436d',
        ],
      ],
      [
        // Unsigned in the codestream, signed in the dataset: the dataset is right.
        'small/J2K_pixelrep_mismatch.dcm',
        [
          -2000,
          1896,
          -172_605_258,
          '1296350a0006ef6908ce4aa11717e3e8a236b63478a097bbfb45ac7a5fca6359',
        ],
      ],
    ] as [string, [number, number, number, string]][]
  ).filter(([file]) => existsSync(shared(file)));
  it.each(known)('decodes %s as pydicom does', async (file, statistics) => {
    expect(statisticsOf(await imageIn(shared(file)))).toEqual(statistics);
  });

  it.each([
    ['no codestream', Buffer.alloc(64)],
    ['too little for a header', Buffer.from('ff4fff51', 'hex')],
    ['another size than the attributes say', codestreamHeader(60_000, 60_000)],
    ['more than one component', codestreamHeader(2, 2, 3)],
    ['a header and nothing else', codestreamHeader(2, 2)],
  ])('throws DICOM_MALFORMED for %s', async (_, codestream) => {
    await expect(sut(encapsulated(LOSSLESS, codestream))).rejects.toMatchObject({
      code: 'DICOM_MALFORMED',
    });
  });
});

describe('readRadiograph: native', () => {
  it('gives values as stored: without bits above them, rescale or inversion', async () => {
    const image = await imageIn(saved(encodePart10(phantom())));
    expect([...image.stored]).toEqual([0, 1, 512, 1023]);
    expect(image.encoding.slope).toBe(2);
  });
  it.each([
    ['one value', false, [1000], [1000, 1000]],
    ['a range in either order', false, [1000, 900], [900, 1000]],
    ['a signed value that was written as unsigned', true, [63_536], [-2000, -2000]],
  ])('reads padding of %s', async (_, signed, [value, limit], padding) => {
    const path = saved(
      encodePart10(
        phantom((dataset) => {
          dataset.setNumbers('PixelRepresentation', [signed ? 1 : 0]);
          dataset.setNumbers('PixelPaddingValue', [value!], 'US');
          if (limit) dataset.setNumbers('PixelPaddingRangeLimit', [limit], 'US');
        }),
      ),
    );
    expect((await imageIn(path)).padding).toEqual(padding);
  });
  it.each<[string, (dataset: DicomDataset) => unknown]>([
    ['colour', (dataset) => dataset.setString('PhotometricInterpretation', 'RGB')],
    ['more than one frame', (dataset) => dataset.setString('NumberOfFrames', '2')],
    ['no image', (dataset) => dataset.setNumbers('Rows', [0])],
  ])('refuses %s as INPUT_INCOMPLETE', async (_, change) => {
    expect(await sut(saved(encodePart10(phantom(change))))).toMatchObject({
      refusal: { code: 'INPUT_INCOMPLETE' },
    });
  });
  it.each(['1.2.840.10008.1.2.4.102', '1.2.840.10008.1.2.4.110'])(
    'refuses transfer syntax %s as INPUT_INCOMPLETE',
    async (uid) => {
      expect(await sut(encapsulated(uid, Buffer.alloc(8)))).toMatchObject({
        refusal: { code: 'INPUT_INCOMPLETE' },
      });
    },
  );
  it('throws LIMIT_EXCEEDED for a size beyond all use, before it reads pixels', async () => {
    const huge = phantom((dataset) => {
      dataset.setNumbers('Rows', [60_000]).setNumbers('Columns', [60_000]);
    });
    await expect(sut(saved(encodePart10(huge)))).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });
  const coloured = ['transfer-syntaxes/US1_J2KR.dcm', 'small/GDCMJ2K_TextGBR.dcm'];
  it.each(coloured.filter((file) => existsSync(shared(file))))('refuses %s', async (file) => {
    expect(await sut(shared(file))).toMatchObject({ refusal: { code: 'INPUT_INCOMPLETE' } });
  });
});

/**
 * Goal: the walker accepts whole datasets of every layout and nothing else, in pieces of any size.
 * Method: encoded phantoms cut and split at every byte, and the shared real and malformed files
 * where they are present; a fault other than AifiError fails the test.
 */
import { describe, expect, it } from '@jest/globals';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import fc from 'fast-check';
import { AifiError } from '@aifi/shared-kernel';
import {
  DicomDataset,
  ElementWalker,
  encodeDataset,
  encodingOf,
  readPart10,
  tagOf,
  vrOf,
  type WalkResult,
} from './index.js';

const SYNTAXES = ['1.2.840.10008.1.2', '1.2.840.10008.1.2.1', '1.2.840.10008.1.2.2'];
const EXPLICIT_LE = encodingOf('1.2.840.10008.1.2.1');

function aDataset(): DicomDataset {
  const inner = new DicomDataset().setString('CodeValue', '1').setNumbers('Rows', [258]);
  const outer = new DicomDataset().setItems('PurposeOfReferenceCodeSequence', [inner, inner]);
  return new DicomDataset()
    .setString('SpecificCharacterSet', 'ISO_IR 192')
    .setString('PatientName', 'Bäcken^Ij')
    .setItems('ReferencedStudySequence', [])
    .setItems('ContributingEquipmentSequence', [outer])
    .setNumbers('Rows', [2])
    .setNumbers('Columns', [3])
    .setNumbers('BitsAllocated', [16])
    .setBytes(
      'PixelData',
      Uint8Array.from({ length: 12 }, (_, i) => i),
      'OW',
    );
}

function walked(bytes: Uint8Array, encoding = EXPLICIT_LE, pieceBytes = bytes.length): WalkResult {
  const sut = new ElementWalker(encoding);
  for (let at = 0; at < bytes.length; at += pieceBytes)
    sut.push(bytes.subarray(at, at + pieceBytes));
  return sut.end();
}
const IMPLICIT_LE = encodingOf('1.2.840.10008.1.2');
/** Text, numbers and opaque bytes; the VRs of the dictionary, so that Implicit VR keeps them. */
const SOME_KEYWORDS = ['PatientName', 'Rows', 'PixelPaddingValue', 'DataPointRows', 'UnknownTag'];
function put(dataset: DicomDataset, keyword: string, bytes: Uint8Array): DicomDataset {
  // Whole numbers only: byte order is undefined for half of one.
  if (keyword === 'UnknownTag') return dataset.setBytes(0x00291101, bytes, 'UN');
  return dataset.setBytes(keyword, bytes.subarray(0, bytes.length - (bytes.length % 4)));
}
const aLongValue = (): Buffer => Buffer.alloc(256 * 1024, 'value');
const hex = (...bytes: readonly string[]): Buffer => Buffer.from(bytes.join(''), 'hex');

describe('dictionary', () => {
  it('knows tags by keyword and VRs by tag, open VRs settled', () => {
    expect(tagOf('PatientName')).toBe(0x00100010);
    expect(vrOf(0x00100010)).toBe('PN');
    expect([vrOf(0x00280106), vrOf(0x7fe00010), vrOf(0x00283006)]).toEqual(['US', 'OW', 'OW']);
    expect([vrOf(0x00290010), vrOf(0x00291001), vrOf(0x00080000)]).toEqual(['LO', 'UN', 'UL']);
  });
});

describe(ElementWalker.name, () => {
  it.each(SYNTAXES)('reads what was written in %s, whatever the pieces', (syntax) => {
    const encoding = encodingOf(syntax);
    const bytes = encodeDataset(aDataset(), encoding);
    for (const pieceBytes of [1, 2, 3, 7, 64, bytes.length]) {
      const { dataset, pixelData, sizeBytes } = walked(bytes, encoding, pieceBytes);
      expect(sizeBytes).toBe(bytes.length);
      expect(dataset.string('PatientName')).toBe('Bäcken^Ij');
      const [item] = dataset.items('ContributingEquipmentSequence');
      expect(item?.items('PurposeOfReferenceCodeSequence')[1]?.number('Rows')).toBe(258);
      expect(pixelData).toMatchObject({ valueLength: 12, encapsulated: false });
      expect(bytes.length - pixelData!.valueOffset).toBe(12);
    }
  });

  it.each(SYNTAXES)('refuses every proper prefix that ends inside an element in %s', (syntax) => {
    const encoding = encodingOf(syntax);
    const bytes = encodeDataset(aDataset(), encoding);
    const whole = new Set([0]);
    const partial = new DicomDataset();
    for (const element of aDataset()) {
      whole.add(encodeDataset(partial.put(element), encoding).length);
    }
    for (let length = 0; length < bytes.length; length += 1) {
      if (whole.has(length)) continue;
      expect(() => walked(bytes.subarray(0, length), encoding)).toThrow(AifiError);
    }
  });

  it('refuses pixel data that is longer or shorter than its attributes say', () => {
    const spoilt = aDataset().setNumbers('Rows', [3]);
    expect(() => walked(encodeDataset(spoilt, EXPLICIT_LE))).toThrow(/length of its attributes/);
  });

  it('reads undefined lengths, fragments, and icons with fragments of their own', () => {
    const item = hex('feff00e0', 'ffffffff');
    const itemEnd = hex('feff0de0', '00000000');
    const sequenceEnd = hex('feffdde0', '00000000');
    const fragment = hex('feff00e0', '04000000', 'aabbccdd');
    const pixels = hex('e07f1000', '4f420000', 'ffffffff');
    const icon = hex('88000002', '53510000', 'ffffffff');
    const bytes = Buffer.concat([
      ...[icon, item, pixels, fragment, sequenceEnd, itemEnd, sequenceEnd],
      ...[pixels, hex('feff00e0', '00000000'), fragment, fragment, sequenceEnd],
    ]);
    for (const pieceBytes of [1, bytes.length]) {
      const { pixelData, dataset } = walked(bytes, EXPLICIT_LE, pieceBytes);
      expect(pixelData?.fragments.map(({ length }) => length)).toEqual([0, 4, 4]);
      expect(pixelData?.valueLength).toBe(8 + 12 + 12 + 8);
      expect(dataset.items(0x00880200)).toHaveLength(1);
    }
    expect(() => walked(bytes.subarray(0, bytes.length - 8))).toThrow(/not closed/);
  });

  it('refuses sequences nested beyond the limit', () => {
    const bytes = Buffer.concat(
      Array.from({ length: 100 }, () =>
        hex('08001011', '53510000', 'ffffffff', 'feff00e0', 'ffffffff'),
      ),
    );
    expect(() => walked(bytes)).toThrow(AifiError);
  });

  it('gives the same dataset however the bytes are split', () => {
    const cuts = fc.array(fc.nat(400), { maxLength: 12 });
    fc.assert(
      fc.property(fc.constantFrom(...SYNTAXES), cuts, (syntax, at) => {
        const encoding = encodingOf(syntax);
        const bytes = encodeDataset(aDataset(), encoding);
        const sut = new ElementWalker(encoding);
        const ends = [...at.sort((a, b) => a - b), bytes.length];
        // A caller may use its buffer again: what was pushed must have been copied or consumed.
        ends.reduce((from, end) => {
          const piece = Uint8Array.from(bytes.subarray(from, end));
          sut.push(piece);
          piece.fill(0xee);
          return Math.max(from, end);
        }, 0);
        expect(sut.end()).toEqual(walked(bytes, encoding));
      }),
    );
  });

  it('gives back what was encoded, in every layout: encode is the inverse of walk', () => {
    const dataset = fc
      .uniqueArray(fc.tuple(fc.constantFrom(...SOME_KEYWORDS), fc.uint8Array({ maxLength: 9 })), {
        selector: ([keyword]) => keyword,
      })
      .map((values) => values.reduce((d, [keyword, v]) => put(d, keyword, v), new DicomDataset()));
    const nested = fc.tuple(dataset, fc.array(dataset, { maxLength: 3 }));
    fc.assert(
      fc.property(fc.constantFrom(...SYNTAXES), nested, (syntax, [outer, items]) => {
        const encoding = encodingOf(syntax);
        outer.setItems('ContentSequence', items);
        const bytes = encodeDataset(outer, encoding);
        expect(encodeDataset(walked(bytes, encoding).dataset, encoding)).toEqual(bytes);
      }),
    );
  });

  it('takes a long value in single bytes without copying it again and again', () => {
    const dataset = new DicomDataset().setBytes(
      'RedPaletteColorLookupTableData',
      aLongValue(),
      'OW',
    );
    const bytes = encodeDataset(dataset, EXPLICIT_LE);
    const sut = new ElementWalker(EXPLICIT_LE);
    for (let at = 0; at < bytes.length; at += 1) sut.push(bytes.subarray(at, at + 1));
    const value = sut.end().dataset.bytes('RedPaletteColorLookupTableData')!;
    expect(Buffer.compare(value, aLongValue())).toBe(0);
  });

  it('reads UN of undefined length as a sequence in Implicit VR Little Endian', () => {
    const item = encodeDataset(new DicomDataset().setNumbers('Rows', [258]), IMPLICIT_LE);
    const itemHead = Buffer.alloc(4);
    itemHead.writeUInt32LE(item.length);
    const body = Buffer.concat([hex('feff00e0'), itemHead, item, hex('feffdde0', '00000000')]);
    const little = Buffer.concat([hex('29001010', '554e0000', 'ffffffff'), body]);
    const big = Buffer.concat([hex('00291010', '554e0000', 'ffffffff'), body]);
    for (const bytes of [walked(little), walked(big, encodingOf('1.2.840.10008.1.2.2'))]) {
      expect(bytes.dataset.items(0x00291010)[0]?.number('Rows')).toBe(258);
    }
  });

  it('keeps UN of defined length as it is', () => {
    const bytes = hex('29001010', '554e0000', '02000000', 'abcd');
    expect(walked(bytes).dataset.get(0x00291010)).toMatchObject({ vr: 'UN', value: hex('abcd') });
  });

  const SEQUENCE = '08001011' + '53510000';
  const RUNS_PAST: [string, string][] = [
    ['an item past its sequence', `${SEQUENCE}0c000000feff00e00600000028001000`],
    ['an element past its item', `${SEQUENCE}10000000feff00e0080000002800100055530400`],
    ['a sequence past its item', `${SEQUENCE}14000000feff00e00c000000081011005351000010000000`],
    ['an item header past its sequence', `${SEQUENCE}04000000feff00e000000000`],
    ['a delimiter past its sequence', `${SEQUENCE}08000000feff00e0fffffffffeff0de000000000`],
  ];
  it.each(RUNS_PAST)('refuses %s as soon as its header is there', (_, bytes) => {
    expect(() => new ElementWalker(EXPLICIT_LE).push(hex(bytes))).toThrow(AifiError);
  });

  it('refuses an element that occurs twice, at any depth', () => {
    const twice = hex('10002000', '4c4f0200', '3131').toString('hex').repeat(2);
    expect(() => walked(hex(twice))).toThrow(/occurs twice/);
    expect(() => walked(hex(SEQUENCE, '1c000000', 'feff00e0', '14000000', twice))).toThrow(
      /occurs twice/,
    );
    expect(() => walked(hex(SEQUENCE, '00000000', SEQUENCE, '00000000'))).toThrow(/occurs twice/);
  });

  it('refuses header elements that hide behind the pixel data, and takes padding there', () => {
    const trailing = (keyword: string) =>
      encodeDataset(new DicomDataset().setBytes(keyword, hex('3131')), EXPLICIT_LE);
    const bytes = encodeDataset(aDataset(), EXPLICIT_LE);
    expect(() => walked(Buffer.concat([bytes, trailing('PatientID')]))).toThrow(/after pixel data/);
    const padded = walked(Buffer.concat([bytes, trailing('DataSetTrailingPadding')]));
    expect(padded.dataset.has('DataSetTrailingPadding')).toBe(true);
  });

  it('answers arbitrary and damaged bytes with a dataset or an AifiError only', () => {
    const whole = encodeDataset(aDataset(), EXPLICIT_LE);
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 });
    fc.assert(
      fc.property(fc.constantFrom(...SYNTAXES), damage, fc.uint8Array(), (syntax, hits, tail) => {
        const bytes = Buffer.concat([whole, tail]);
        for (const [at, value] of hits) bytes[at] = value;
        expectAifiOrOk(() => walked(bytes, encodingOf(syntax), 16));
        expectAifiOrOk(() => walked(tail, encodingOf(syntax)));
      }),
    );
  });
});

function expectAifiOrOk(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(AifiError);
  }
}

const shared = join(import.meta.dirname, '../../../../../shared/data/dicom');
function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}
// Why a file of the real set is refused though a lenient reader takes it; each one is a rule.
const REFUSED: Readonly<Record<string, RegExp>> = {
  'cr-dx/fo-dicom__CR-MONO1-10-chest': /no DICM/,
  'dicomdir/DICOMDIR-nooffset': /runs past its container/,
  'enhanced/emri_small_jpeg_2k_lossless_too_short.dcm': /not closed/,
  'small/ExplVR_BigEndNoMeta.dcm': /no DICM/,
  'small/ExplVR_LitEndNoMeta.dcm': /no DICM/,
  'small/MR_small_padded.dcm': /length of its attributes/,
  'small/MR_truncated.dcm': /cut short/,
  'small/SC_rgb_jpeg.dcm': /no valid VR/,
  'small/badVR.dcm': /not a number/,
  'small/meta_missing_tsyntax.dcm': /no transfer syntax/,
  'small/nested_priv_SQ.dcm': /no place here/, // elements of group 0001
  'small/no_meta.dcm': /no DICM/,
  'small/no_meta_group_length.dcm': /without group length/,
  'small/rtplan_truncated.dcm': /cut short/,
  'small/rtstruct.dcm': /no DICM/,
  'transfer-syntaxes/JLSL_RGB_ILV0.dcm': /no DICM/,
  'transfer-syntaxes/JLSL_RGB_ILV1.dcm': /no DICM/,
  'transfer-syntaxes/JLSL_RGB_ILV2.dcm': /no DICM/,
};

describe('real files', () => {
  it('parse, or are refused for the reason on the list', async () => {
    const folders = [
      'small',
      'transfer-syntaxes',
      'cr-dx',
      'charsets',
      'enhanced',
      'mg',
      'dicomdir',
    ];
    const files = folders.flatMap((name) => filesBelow(join(shared, name)));
    for (const path of files.filter((name) => !/\.(gz|txt|png|md)$|README/.test(name))) {
      const name = relative(shared, path);
      const outcome = await readPart10(path).then(
        () => 'read',
        (error: Error) => error.message,
      );
      expect([name, outcome]).toEqual([
        name,
        REFUSED[name] ? expect.stringMatching(REFUSED[name]) : 'read',
      ]);
    }
  });

  it('of the malformed corpus never cause anything but an AifiError', async () => {
    for (const path of filesBelow(join(shared, 'malformed'))) {
      await readPart10(path).catch((error: unknown) => expect(error).toBeInstanceOf(AifiError));
      const bytes = readFileSync(path);
      // Most of the corpus has no valid file meta: walk its datasets as well.
      for (const syntax of SYNTAXES) {
        expectAifiOrOk(() => walked(bytes.subarray(132), encodingOf(syntax), 64 * 1024));
      }
    }
  });
});

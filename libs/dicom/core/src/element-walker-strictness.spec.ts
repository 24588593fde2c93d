/**
 * Goal: bytes that two readers could read as two datasets are refused, and what a listener keeps of
 * a dataset changes nothing of the verdict.
 * Method: generated datasets with sequences of both forms, cut at every byte, pushed in generated
 * pieces, walked with and without keeping; hand-made elements that the standard does not allow.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AifiError } from '@aifi/shared-kernel';
import {
  DicomDataset,
  ElementWalker,
  elementHeader,
  encodeDataset,
  encodingOf,
  tagOf,
  type Encoding,
  type WalkOptions,
} from './index.js';

const EXPLICIT = encodingOf('1.2.840.10008.1.2.1');
const ENCODINGS = ['1.2.840.10008.1.2', '1.2.840.10008.1.2.1', '1.2.840.10008.1.2.2'].map(
  encodingOf,
);
const KEPT: WalkOptions = { keep: new Set([tagOf('PatientID')]), lowestGroup: 0x0008 };
const UNDEFINED = 0xffffffff;
/** The tag of an item, as it is on the wire. */
const ITEM = 'feff00e0';
const hex = (...parts: readonly string[]): Buffer => Buffer.from(parts.join(''), 'hex');

function verdict(
  bytes: Uint8Array,
  encoding: Encoding,
  options: WalkOptions = {},
  cuts: readonly number[] = [],
): string {
  const sut = new ElementWalker(encoding, options);
  try {
    let from = 0;
    for (const to of [...cuts.filter((cut) => cut < bytes.length), bytes.length]) {
      if (to > from) sut.push(Uint8Array.from(bytes.subarray(from, to)));
      from = Math.max(from, to);
    }
    const { sizeBytes, pixelData } = sut.end();
    return `whole ${sizeBytes} ${pixelData?.valueOffset} ${pixelData?.valueLength}`;
  } catch (error) {
    expect(error).toBeInstanceOf(AifiError);
    return (error as AifiError).message;
  }
}

/** A sequence in the form with delimiters, which our encoder never writes. */
function delimited(tag: number, items: readonly Buffer[], encoding: Encoding): Buffer {
  const implicit = { ...encoding, explicitVr: false };
  const mark = (of: number, length: number) => elementHeader(of, 'UN', length, implicit);
  return Buffer.concat([
    elementHeader(tag, 'SQ', UNDEFINED, encoding),
    ...items.flatMap((item) => [mark(0xfffee000, UNDEFINED), item, mark(0xfffee00d, 0)]),
    mark(0xfffee0dd, 0),
  ]);
}
const texts = fc.uniqueArray(
  fc.tuple(fc.constantFrom('PatientName', 'PatientID', 'StudyDescription'), fc.string()),
  { selector: ([keyword]) => keyword },
);
const aDataset = texts.map((values) =>
  values.reduce((set, [keyword, text]) => set.setString(keyword, text), new DicomDataset()),
);
const image = (pixels: number) =>
  new DicomDataset()
    .setNumbers('Rows', [1])
    .setNumbers('Columns', [pixels])
    .setNumbers('BitsAllocated', [8])
    .setBytes('PixelData', Buffer.alloc(pixels), 'OB');
/** Bytes of a whole dataset: text, a sequence of each form, pixels; where its elements end. */
const anObject = fc
  .tuple(fc.constantFrom(...ENCODINGS), aDataset, fc.array(aDataset, { maxLength: 3 }), fc.nat(99))
  .map(([encoding, head, items, pixels]) => {
    const parts = [
      ...[...head].map((element) => encodeDataset(new DicomDataset().put(element), encoding)),
      encodeDataset(new DicomDataset().setItems('ContentSequence', items), encoding),
      delimited(
        tagOf('OriginalAttributesSequence'),
        items.map((item) => encodeDataset(item, encoding)),
        encoding,
      ),
      ...[...image(pixels + 1)].map((element) =>
        encodeDataset(new DicomDataset().put(element), encoding),
      ),
    ];
    let end = 0;
    const ends = new Set([0, ...parts.map((part) => (end += part.length))]);
    return { encoding, bytes: Buffer.concat(parts), ends };
  });

describe('strictness of ElementWalker', () => {
  it('refuses every strict prefix that cuts an element, kept or not', () => {
    fc.assert(
      fc.property(anObject, ({ encoding, bytes, ends }) => {
        for (let length = 1; length < bytes.length; length += 1) {
          if (ends.has(length)) continue;
          const cut = bytes.subarray(0, length);
          expect(verdict(cut, encoding)).not.toMatch(/^whole/);
          expect(verdict(cut, encoding, KEPT)).not.toMatch(/^whole/);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('says the same however the bytes come and whatever is kept', () => {
    const cuts = fc.array(fc.nat(600), { maxLength: 20 });
    const hits = fc.array(fc.tuple(fc.nat(600), fc.nat(255)), { maxLength: 3 });
    fc.assert(
      fc.property(anObject, cuts, hits, ({ encoding, bytes }, at, damage) => {
        const sorted = at.sort((a, b) => a - b);
        expect(verdict(bytes, encoding)).toMatch(/^whole/);
        for (const [offset, value] of damage) {
          if (offset < bytes.length) bytes[offset] = value;
        }
        const every = Array.from({ length: bytes.length }, (_, i) => i);
        for (const options of [{ lowestGroup: 0x0008 }, KEPT]) {
          const whole = verdict(bytes, encoding, options);
          expect(verdict(bytes, encoding, options, sorted)).toBe(whole);
          expect(verdict(bytes, encoding, options, every)).toBe(whole);
        }
      }),
    );
  });

  it('keeps what is named and holds nothing else', () => {
    const dataset = image(4)
      .setString('PatientID', '7')
      .setString('PatientName', 'A^B')
      .setItems('ContentSequence', [new DicomDataset().setString('PatientID', '8')]);
    const sut = new ElementWalker(EXPLICIT, KEPT);
    sut.push(encodeDataset(dataset, EXPLICIT));
    const { dataset: kept } = sut.end();
    expect(kept.string('PatientID')).toBe('7');
    expect(kept.has('PatientName')).toBe(false);
    expect(kept.has('ContentSequence')).toBe(false);
  });

  it('keeps of a sequence that is named what is named in its first sixteen items', () => {
    const item = (_: unknown, i: number) =>
      new DicomDataset().setString('CodeValue', `${i}`).setString('CodeMeaning', 'not named');
    const dataset = image(4)
      .setItems('ProcedureCodeSequence', Array.from({ length: 20 }, item))
      .setItems('ContentSequence', [new DicomDataset().setString('CodeValue', '8')]);
    const keep = new Set([tagOf('ProcedureCodeSequence'), tagOf('CodeValue')]);
    const sut = new ElementWalker(EXPLICIT, { keep });
    sut.push(encodeDataset(dataset, EXPLICIT));
    const { dataset: kept } = sut.end();
    const items = kept.items('ProcedureCodeSequence');
    expect(items.map((each) => each.string('CodeValue'))).toEqual(
      Array.from({ length: 16 }, (_, i) => `${i}`),
    );
    expect(items.some((each) => each.has('CodeMeaning'))).toBe(false);
    expect(kept.has('ContentSequence')).toBe(false);
  });

  const attribute = (change: (dataset: DicomDataset) => void): Buffer => {
    const dataset = image(4);
    change(dataset);
    return encodeDataset(dataset, EXPLICIT);
  };
  it.each<[string, Buffer, RegExp]>([
    ['Rows as UL', attribute((d) => d.setNumbers('Rows', [1], 'UL')), /another VR/],
    ['two values of Rows', attribute((d) => d.setNumbers('Rows', [1, 1])), /another VR/],
    ['Rows as text', attribute((d) => d.setString('Rows', '1', 'IS')), /another VR/],
    ['more bits stored', attribute((d) => d.setNumbers('BitsStored', [9])), /stored bits/],
    ['no bits stored', attribute((d) => d.setNumbers('BitsStored', [0])), /stored bits/],
    ['a high bit outside', attribute((d) => d.setNumbers('HighBit', [8])), /stored bits/],
    ['a negative frame count', attribute((d) => d.setString('NumberOfFrames', '-1')), /frames/],
    ['half a frame', attribute((d) => d.setString('NumberOfFrames', '1.5')), /frames/],
    [
      'rows and columns that overflow',
      attribute((d) => d.setNumbers('Rows', [65535]).setString('NumberOfFrames', '2147483647')),
      /length of its attributes/,
    ],
    ['pixels as text', hex('e07f1000', '4c4f0000'), /another VR/],
    ['a VR that does not exist', hex('08001011', '5a5a0000'), /no valid VR/],
    ['file meta within a dataset', hex('02001000', '55490000'), /no place here/],
    ['a group that is not used', hex('ffff1000', '4c4f0000'), /no place here/],
    ['text of undefined length', hex('29001010', '4f420000', 'ffffffff'), /undefined length/],
    [
      'a delimiter with a length',
      hex('08001011', '53510000', 'ffffffff', 'feffdde0', '04000000', '00000000'),
      /delimiter with a length/,
    ],
    [
      'a fragment of undefined length',
      hex('e07f1000', '4f420000', 'ffffffff', 'feff00e0', 'ffffffff'),
      /bad pixel data fragment/,
    ],
    [
      'fragments without end',
      hex('e07f1000', '4f420000', 'ffffffff', 'feff00e0', '00000000'),
      /not/,
    ],
    [
      'sequences in one another, 10,000 times',
      Buffer.concat(
        Array<Buffer>(10_000).fill(hex('08001011', '53510000', 'ffffffff', ITEM, 'ffffffff')),
      ),
      /nested too deeply/,
    ],
    [
      'a bomb of fragments',
      Buffer.concat([
        hex('e07f1000', '4f420000', 'ffffffff'),
        Buffer.alloc(8 * 400_001, hex(ITEM, '00000000')),
      ]),
      /too many pixel data fragments/,
    ],
    ['a text of over 1 MiB', hex('08001011', '55540000', '01001000'), /value is too long/],
  ])('refuses %s', (_, bytes, reason) => {
    expect(verdict(bytes, EXPLICIT, { lowestGroup: 0x0008 })).toMatch(reason);
    expect(verdict(bytes, EXPLICIT, KEPT)).toMatch(reason);
  });

  it.each<[string, Buffer]>([
    [
      'dates that no calendar has',
      attribute((d) => d.setString('StudyDate', '00000000').setString('SeriesDate', '99999999')),
    ],
    [
      'a name that its character sets cannot say',
      attribute((d) =>
        d
          .setString('SpecificCharacterSet', 'ISO 2022 IR 999\\ISO_IR 192')
          .setBytes('PatientName', Buffer.from([0x1b, 0x24, 0x29, 0xff, 0xc3, 0x28]), 'PN'),
      ),
    ],
    [
      'an offset table that points out of its pixels',
      Buffer.concat([
        hex('e07f1000', '4f420000', 'ffffffff'),
        ...[hex(ITEM, '04000000', 'ffffff7f'), hex(ITEM, '02000000', 'ffd8')],
        hex('feffdde0', '00000000'),
      ]),
    ],
  ])('takes %s as the bytes that it is, whole', (_, bytes) => {
    expect(verdict(bytes, EXPLICIT, { lowestGroup: 0x0008 })).toMatch(`whole ${bytes.length} `);
    expect(verdict(bytes, EXPLICIT, KEPT)).toMatch(`whole ${bytes.length} `);
  });

  it('bounds the items of a sequence, whatever they hold', () => {
    const items = Buffer.concat(Array.from({ length: 1000 }, () => hex(ITEM, '00000000')));
    const sut = new ElementWalker(EXPLICIT);
    sut.push(hex('08001011', '53510000', 'ffffffff'));
    for (let i = 0; i < 250; i += 1) sut.push(items);
    const oneMore = (): void => sut.push(hex(ITEM, '00000000'));
    expect(oneMore).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
  });
  it('counts items at any depth, each once, also those that are not kept', () => {
    const inner = Buffer.concat(Array.from({ length: 999 }, () => hex(ITEM, '00000000')));
    const outer = hex(ITEM, '441f0000', '08001111', '53510000', '381f0000');
    const whole = Buffer.concat([outer, inner]);
    const sut = new ElementWalker(EXPLICIT, KEPT);
    sut.push(hex('08001011', '53510000', 'ffffffff'));
    for (let i = 0; i < 250; i += 1) sut.push(whole);
    const oneMore = (): void => sut.push(hex(ITEM, '00000000'));
    expect(oneMore).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
  });
  it('takes the functional groups of an enhanced object of 10,000 frames, eleven items each', () => {
    const group = Buffer.concat(Array.from({ length: 10 }, () => hex(ITEM, '00000000')));
    const frame = Buffer.concat([hex(ITEM, '5c000000', '08001111', '53510000', '50000000'), group]);
    const sut = new ElementWalker(EXPLICIT);
    sut.push(hex('00523092', '53510000', 'ffffffff'));
    for (let i = 0; i < 10_000; i += 1) sut.push(frame);
    sut.push(hex('feffdde0', '00000000'));
    expect(sut.end().dataset.items('PerFrameFunctionalGroupsSequence')).toHaveLength(10_000);
  });
});

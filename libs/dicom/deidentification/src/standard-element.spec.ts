/**
 * Goal: an attribute in a wrong or unknown value representation never passes by another rule.
 * Method: UN sequences at every depth, UN values of every kind, private and retired attributes.
 */
import { describe, expect, it } from '@jest/globals';
import { DicomDataset, encodeDataset, type DicomElement } from '@aifi/dicom-core';
import { DEFAULT_CONTRACT, pseudonymiseHeader } from './index.js';
import { standardElement } from './standard-element.js';
import { aHeaderOf, code, datasetOf } from './test-headers.js';

const context = {
  siteCode: 'SITE-A',
  keys: { uid: Buffer.alloc(32, 1), pid: Buffer.alloc(32, 2), date: Buffer.alloc(32, 3) },
  contract: { ...DEFAULT_CONTRACT, recognisableVisualFeatures: 'allow' as const },
};
const IMPLICIT = { explicitVr: false, littleEndian: true };
const EXPLICIT = { explicitVr: true, littleEndian: true };

/** A sequence as UN of defined length: its items in Implicit VR, without the element header. */
function asUnknown(header: DicomDataset, keyword: string): DicomDataset {
  const { tag } = header.get(keyword)!;
  const bytes = encodeDataset(new DicomDataset().put(header.get(keyword)!), IMPLICIT).subarray(8);
  return header.put({ tag, vr: 'UN', value: bytes });
}
function pseudonymised(header: DicomDataset): DicomDataset {
  const result = pseudonymiseHeader(header, context, { isExamined: true });
  if (!result.ok) throw new Error(result.refusal.detail);
  return result.value.dataset;
}
const region = { ...code('85562004', 'Hand'), PatientComments: 'GEHEIM', PatientID: 'GEHEIM7' };
const withRegion = (): DicomDataset =>
  aHeaderOf('DX').setItems('AnatomicRegionSequence', [
    datasetOf({ ...region, ViewModifierCodeSequence: [region] }),
  ]);

describe('attributes in a wrong value representation', () => {
  it('a sequence as UN is walked like any other: what is kept is kept, the rest is gone', () => {
    const output = pseudonymised(asUnknown(withRegion(), 'AnatomicRegionSequence'));
    expect(output.get('AnatomicRegionSequence')?.vr).toBe('SQ');
    expect(output).toEqual(pseudonymised(withRegion()));
    expect(encodeDataset(output, EXPLICIT).toString('latin1')).not.toContain('GEHEIM');
  });

  it('a sequence as UN inside a sequence as UN is walked too', () => {
    const header = withRegion();
    const item = header.items('AnatomicRegionSequence')[0]!;
    asUnknown(item, 'ViewModifierCodeSequence');
    const output = pseudonymised(asUnknown(header, 'AnatomicRegionSequence'));
    const inner = output.items('AnatomicRegionSequence')[0]!;
    expect(inner.items('ViewModifierCodeSequence')[0]?.string('CodeMeaning')).toBe('Hand');
    expect(encodeDataset(output, EXPLICIT).toString('latin1')).not.toContain('GEHEIM');
  });

  it('text in it is read in the character set around it', () => {
    const header = withRegion().setString('SpecificCharacterSet', 'ISO_IR 100');
    header.items('AnatomicRegionSequence')[0]!.put({
      ...{ tag: 0x00080104, vr: 'LO', value: Buffer.from('H\xe4nd', 'latin1') },
    });
    const output = pseudonymised(asUnknown(header, 'AnatomicRegionSequence'));
    const meaning = output.items('AnatomicRegionSequence')[0]?.bytes('CodeMeaning');
    expect(Buffer.from(meaning!).toString('utf8').trim()).toBe('Händ');
  });

  it.each([
    ['text', Buffer.from('GEHEIM PATIENT ')],
    ['items that are cut short', Buffer.from('feff00e0ff00000047454845', 'hex')],
    ['items of undefined length without an end', Buffer.from('feff00e0ffffffff4745', 'hex')],
  ])('a sequence as UN that holds %s is dropped', (_, value) => {
    const header = withRegion().put({ tag: 0x00082218, vr: 'UN', value });
    const output = pseudonymised(header);
    expect(output.has('AnatomicRegionSequence')).toBe(false);
  });

  it('values as UN are read in the VR of the standard, dates shifted, UIDs remapped', () => {
    const header = aHeaderOf('CT');
    for (const { tag, vr, value } of [...header]) {
      const isFirst = ['SpecificCharacterSet', 'SOPClassUID'].some(
        (k) => header.get(k)?.tag === tag,
      );
      const isUid = vr === 'UI';
      if (!isFirst && !isUid && value instanceof Uint8Array) header.put({ tag, vr: 'UN', value });
    }
    header.put({ ...header.get('FrameOfReferenceUID')!, vr: 'UN' });
    expect(pseudonymised(header)).toEqual(pseudonymised(aHeaderOf('CT')));
  });

  it.each([
    ['a number of the wrong length', 0x00280010, 'US', 3],
    ['a private attribute', 0x00291010, 'UN', 4],
  ])('%s as UN is not read', (_, tag, __, length) => {
    const element: DicomElement = { tag, vr: 'UN', value: new Uint8Array(length) };
    const output = pseudonymised(aHeaderOf('CT').put(element));
    expect(output.has(tag)).toBe(false);
  });

  it('any other wrong VR is dropped', () => {
    const value = Buffer.from('19610403');
    const element = { tag: 0x00080023, vr: 'LO', value };
    expect(standardElement(element, new DicomDataset())).toBeUndefined();
    const sequence = { tag: 0x00080023, vr: 'SQ', value: [] };
    expect(standardElement(sequence, new DicomDataset())).toBeUndefined();
  });

  it('private, retired and unknown attributes and group lengths are gone at every depth', () => {
    const hostile = (dataset: DicomDataset): DicomDataset =>
      dataset
        .setString(0x00290010, 'GEHEIM', 'LO')
        .setString(0x00291001, 'GEHEIM', 'UN')
        .setString(0x00080001, 'GEHEIM', 'LO')
        .setString(0x00185fff, 'GEHEIM', 'LO')
        .setBytes(0x00080000, Uint8Array.of(71, 69, 72, 69), 'UL')
        .setItems(0x00291003, [datasetOf(region)]);
    const header = hostile(withRegion());
    hostile(header.items('AnatomicRegionSequence')[0]!);
    expect(pseudonymised(header)).toEqual(pseudonymised(withRegion()));
  });

  it('a lookup table leaves as a table of its descriptor only', () => {
    const lut = (data: Buffer): DicomDataset =>
      aHeaderOf('DX').setItems('VOILUTSequence', [
        new DicomDataset().setNumbers('LUTDescriptor', [4, 0, 16]).setBytes('LUTData', data, 'OW'),
      ]);
    const kept = (data: Buffer): boolean =>
      pseudonymised(lut(data)).items('VOILUTSequence')[0]!.has('LUTData');
    expect(kept(Buffer.alloc(8))).toBe(true);
    expect(kept(Buffer.from('Bergsma^Janneke '))).toBe(false);
  });
});

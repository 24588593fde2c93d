/**
 * Goal: a result object gets the patient's identity and final UIDs, and keeps everything else.
 * Method: phantom results with every class of UID at several depths; byte comparisons of values.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  decodePart10,
  DicomDataset,
  encodeDataset,
  encodeFileMeta,
  encodePart10,
  type DicomElement,
} from '@aifi/dicom-core';
import { changedIdentity, identityElements, identityOf } from '@aifi/gateway-vault';
import { reidentifyObject, withIdentity, type ReidentificationPlan } from './reidentify-object.js';

const SR_CLASS = '1.2.840.10008.5.1.4.1.1.88.34';
const SC_CLASS = '1.2.840.10008.5.1.4.1.1.7';
const DEVICE = '2.25.777';
const EXPLICIT_LE = { explicitVr: true, littleEndian: true };
const uids = new Map([
  ['2.25.1', '1.2.3'], // study of the hospital
  ['2.25.2', '1.2.3.4'], // source series
  ['2.25.3', '1.2.3.4.5'], // source instance
  ['2.25.4', '1.2.3.9'], // frame of reference
  ['2.25.50', '2.25.9050'], // minted series
  ['2.25.51', '2.25.9051'], // minted instance
  ['2.25.52', '2.25.9052'], // minted observation
]);

const original = (): DicomDataset =>
  new DicomDataset()
    .setString('SpecificCharacterSet', 'ISO_IR 100')
    .put({ tag: 0x00100010, vr: 'PN', value: Buffer.from('B\xe4cken^Jan ', 'latin1') })
    .setString('PatientID', '0012345')
    .setString('PatientBirthDate', '19610403')
    .setString('StudyInstanceUID', '1.2.3')
    .setString('StudyDate', '20240229')
    .setItems('IssuerOfAccessionNumberSequence', [
      new DicomDataset().setString('LocalNamespaceEntityID', 'RIS'),
    ]);
const plan: ReidentificationPlan = {
  finalUid: (uid) => uids.get(uid),
  isPseudonymous: (uid) => uids.has(uid),
  dates: { offsetDays: -400, zoneMinutes: () => 60 },
  identity: identityElements(identityOf(original())),
};

const code = (value: string): DicomDataset =>
  new DicomDataset().setString('CodeValue', value).setString('CodingSchemeDesignator', 'DCM');
const uidItem = (concept: string, uid: string): DicomDataset =>
  new DicomDataset()
    .setString('ValueType', 'UIDREF')
    .setItems('ConceptNameCodeSequence', [code(concept)])
    .setString('UID', uid);
function aResult(sopClassUid = SC_CLASS): DicomDataset {
  const image = new DicomDataset()
    .setString('ReferencedSOPClassUID', '1.2.840.10008.5.1.4.1.1.4')
    .setString('ReferencedSOPInstanceUID', '2.25.3');
  const series = new DicomDataset()
    .setString('SeriesInstanceUID', '2.25.2')
    .setItems('ReferencedSOPSequence', [image]);
  const study = new DicomDataset()
    .setString('StudyInstanceUID', '2.25.1')
    .setItems('ReferencedSeriesSequence', [series]);
  const group = new DicomDataset()
    .setString('ValueType', 'CONTAINER')
    .setItems('ContentSequence', [uidItem('112040', '2.25.52'), uidItem('112002', '2.25.2')]);
  return new DicomDataset()
    .setString('SpecificCharacterSet', 'ISO_IR 192')
    .setString('SOPClassUID', sopClassUid)
    .setString('Modality', 'OT')
    .setString('SOPInstanceUID', '2.25.51')
    .setString('StudyInstanceUID', '2.25.1')
    .setString('SeriesInstanceUID', '2.25.50')
    .setString('FrameOfReferenceUID', '2.25.4')
    .setString('PatientName', 'SITE-A-XYZ')
    .setString('PatientID', 'SITE-A-XYZ')
    .setString('StudyDate', '20200101')
    .setString('IssuerOfPatientID', 'pseudo issuer')
    .setString('StudyDescription', 'pseudo study')
    .setString('SeriesDescription', 'Tissue volumes')
    .setString('DeviceUID', DEVICE)
    .setString('PatientIdentityRemoved', 'YES')
    .setString('DeidentificationMethod', 'AIFI')
    .setItems('DeidentificationMethodCodeSequence', [code('113100')])
    .setString('LongitudinalTemporalInformationModified', 'MODIFIED')
    .setItems('CurrentRequestedProcedureEvidenceSequence', [study])
    .setItems('ContentSequence', [uidItem('121012', DEVICE), group]);
}

function reidentified(dataset: DicomDataset, by = plan): DicomDataset {
  const result = reidentifyObject(encodePart10(dataset), by);
  if (!result.ok) throw new Error(result.refusal.code);
  return decodePart10(result.value.bytes).dataset;
}
const refusalOf = (dataset: DicomDataset) => reidentifyObject(encodePart10(dataset), plan);
const mismatch = { ok: false, refusal: { code: 'IDENTITY_MISMATCH' } };

describe(reidentifyObject.name, () => {
  it('maps minted and known UIDs at any depth and keeps those of the standard', () => {
    const output = reidentified(aResult());
    expect(output.string('SOPInstanceUID')).toBe('2.25.9051');
    expect(output.string('SeriesInstanceUID')).toBe('2.25.9050');
    expect(output.string('StudyInstanceUID')).toBe('1.2.3');
    expect(output.string('FrameOfReferenceUID')).toBe('1.2.3.9');
    const [evidence] = output.items('CurrentRequestedProcedureEvidenceSequence');
    expect(evidence?.string('StudyInstanceUID')).toBe('1.2.3');
    const [series] = evidence!.items('ReferencedSeriesSequence');
    expect(series?.string('SeriesInstanceUID')).toBe('1.2.3.4');
    const [image] = series!.items('ReferencedSOPSequence');
    expect(image?.string('ReferencedSOPClassUID')).toBe('1.2.840.10008.5.1.4.1.1.4');
    expect(image?.string('ReferencedSOPInstanceUID')).toBe('1.2.3.4.5');
  });

  it('maps UIDREF content items and keeps the UID of the device', () => {
    const output = reidentified(aResult());
    const [device, group] = output.items('ContentSequence');
    expect(device?.string('UID')).toBe(DEVICE);
    expect(output.string('DeviceUID')).toBe(DEVICE);
    expect(group?.items('ContentSequence').map((item) => item.string('UID'))).toEqual([
      '2.25.9052',
      '1.2.3.4',
    ]);
  });

  it('writes a file meta and an answer that name the same instance as the dataset', () => {
    const result = reidentifyObject(encodePart10(aResult()), plan);
    if (!result.ok) throw new Error(result.refusal.code);
    const { bytes, ...names } = result.value;
    const ids = { sopClassUid: SC_CLASS, sopInstanceUid: '2.25.9051' };
    expect(names).toEqual({ ...ids, seriesInstanceUid: '2.25.9050' });
    expect(decodePart10(bytes).meta).toMatchObject(ids);
  });

  it('puts the identity modules back byte for byte, the character set included', () => {
    const output = reidentified(aResult());
    const modules = new DicomDataset();
    for (const { tag } of original()) modules.put(output.get(tag)!);
    expect(encodeDataset(modules, EXPLICIT_LE)).toEqual(encodeDataset(original(), EXPLICIT_LE));
    expect(output.string('PatientName')).toBe('Bäcken^Jan');
    // What the pseudonymous object had of these modules and the original has not is gone.
    expect(output.has('IssuerOfPatientID')).toBe(false);
    expect(output.has('StudyDescription')).toBe(false);
  });

  it('removes the markers of de-identification and keeps everything else', () => {
    const output = reidentified(aResult());
    const markers = [0x00120062, 0x00120063, 0x00120064, 0x00280303];
    expect(markers.filter((tag) => output.has(tag))).toEqual([]);
    expect(output.string('SeriesDescription')).toBe('Tissue volumes');
    expect(encodePart10(output).toString('latin1')).not.toContain('SITE-A-XYZ');
  });

  it('keeps no patient attribute of the hub and nothing that follows the pixels', () => {
    const result = aResult()
      .setString('PatientAge', '090Y')
      .setBytes(0xfffcfffc, new Uint8Array(4), 'OB');
    const output = reidentified(result);
    expect(output.has('PatientAge')).toBe(false);
    expect(output.has(0xfffcfffc)).toBe(false);
    expect(output.string('PatientID')).toBe('0012345');
  });

  const HUB_TEXT = 'grijze stof: ë';
  const sets: [string, string, Buffer][] = [
    ['ISO_IR 100', HUB_TEXT, Buffer.from('grijze stof: \xeb', 'latin1')],
    ['ISO_IR 192', HUB_TEXT, Buffer.from('grijze stof: ë ', 'utf8')],
    ['\\ISO 2022 IR 87', '山田', Buffer.from('\x1b$B;3ED\x1b(B', 'latin1')],
  ];
  it.each(sets)('writes text of the hub in the set of an original in %s', (set, text, bytes) => {
    const identity = identityElements(
      identityOf(
        original().setString('SpecificCharacterSet', set).setString('PatientName', 'Berg^Jan'),
      ),
    );
    const inItem = new DicomDataset().setString('SpecificCharacterSet', 'ISO_IR 192');
    const result = aResult()
      .setString('SpecificCharacterSet', 'ISO_IR 192')
      .setString('SeriesDescription', text)
      .setItems('ContentSequence', [inItem.setString('TextValue', text)]);
    const output = reidentifyObject(encodePart10(result), { ...plan, identity });
    if (!output.ok) throw new Error(output.refusal.detail);
    const { dataset } = decodePart10(output.value.bytes);
    expect(dataset.string('SpecificCharacterSet')).toBe(identity.string('SpecificCharacterSet'));
    expect(dataset.string('SeriesDescription')).toBe(text);
    expect(Buffer.from(dataset.bytes('SeriesDescription')!)).toEqual(
      bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from(' ')]),
    );
    const [item] = dataset.items('ContentSequence');
    expect(Buffer.from(item!.bytes('TextValue')!)).toEqual(
      Buffer.from(dataset.bytes('SeriesDescription')!),
    );
    expect(item!.has('SpecificCharacterSet')).toBe(false);
    // With another identity, in another set, it reads the same.
    const unicode = changedIdentity(identityOf(identity), { name: 'Łukasz^Żak' });
    const other = withIdentity(output.value.bytes, identityElements(unicode));
    if (!other.ok) throw new Error(other.refusal.detail);
    expect(decodePart10(other.value).dataset.string('SeriesDescription')).toBe(text);
  });

  it('refuses text that the set of the original cannot hold', () => {
    const inItem = aResult().setItems('ContentSequence', [
      new DicomDataset().setString('TextValue', 'grijze stof: Ł'),
    ]);
    for (const result of [aResult().setString('SeriesDescription', 'Ł'), inItem]) {
      result.setString('SpecificCharacterSet', 'ISO_IR 192');
      expect(refusalOf(result)).toMatchObject({ ok: false, refusal: { code: 'OUTPUT_INVALID' } });
    }
  });

  it('gives the same bytes again', () => {
    const [a, b] = [refusalOf(aResult()), refusalOf(aResult())];
    expect(a).toEqual(b);
  });

  const unknown: [string, (result: DicomDataset) => void][] = [
    ['at the top level', (r) => r.setString('FrameOfReferenceUID', '2.25.404')],
    ['in an item', (r) => r.setItems('ReferencedStudySequence', [uidItem('1', '2.25.404')])],
    ['in a UIDREF', (r) => r.setItems('ContentSequence', [uidItem('112040', '2.25.404')])],
    ['as second value', (r) => r.setStrings('FailedSOPInstanceUIDList', ['2.25.3', '2.25.404'])],
    ['in a private element', (r) => r.setString(0x00291001, '2.25.404', 'UI')],
  ];
  it.each(unknown)('refuses a UID of unknown origin %s', (_, spoil) => {
    const result = aResult();
    spoil(result);
    expect(refusalOf(result)).toMatchObject(mismatch);
  });

  it('refuses every UID that is neither mapped nor of the standard', () => {
    const uid = fc.stringMatching(/^[12]\.[1-9][0-9]{0,4}(\.[1-9][0-9]{0,4}){1,4}$/);
    fc.assert(
      fc.property(uid, (text) => {
        fc.pre(!uids.has(text) && !text.startsWith('1.2.840.10008.'));
        const result = aResult().setItems('ReferencedStudySequence', [uidItem('1', text)]);
        expect(refusalOf(result)).toMatchObject(mismatch);
      }),
      { numRuns: 50 },
    );
  });

  it('refuses an object whose study UID leads to another study, or was minted', () => {
    for (const uid of ['2.25.50', '2.25.3']) {
      expect(refusalOf(aResult().setString('StudyInstanceUID', uid))).toMatchObject(mismatch);
    }
  });

  it('copies native and encapsulated pixel data untouched', () => {
    const pixels = Uint8Array.from({ length: 24 }, (_, i) => i * 11);
    const image = aResult()
      .setNumbers('SamplesPerPixel', [3])
      .setNumbers('Rows', [2])
      .setNumbers('Columns', [4])
      .setNumbers('BitsAllocated', [8]);
    const element: DicomElement = { tag: 0x7fe00010, vr: 'OB', value: pixels };
    const native = reidentifyObject(encodePart10(image.put(element)), plan);
    if (!native.ok) throw new Error(native.refusal.code);
    expect(Buffer.from(native.value.bytes.subarray(-24))).toEqual(Buffer.from(pixels));

    image.delete('PixelData');
    const fragments = Buffer.concat([
      Buffer.from('e07f10004f420000ffffffff', 'hex'),
      Buffer.from('feff00e000000000', 'hex'),
      Buffer.from('feff00e004000000ffd8ffd9', 'hex'),
      Buffer.from('feffdde000000000', 'hex'),
    ]);
    const head = encodeFileMeta({
      ...{ sopClassUid: SC_CLASS, sopInstanceUid: '2.25.51' },
      transferSyntaxUid: '1.2.840.10008.1.2.4.70',
    });
    const source = Buffer.concat([head, encodeDataset(image, EXPLICIT_LE), fragments]);
    const encapsulated = reidentifyObject(source, plan);
    if (!encapsulated.ok) throw new Error(encapsulated.refusal.code);
    expect(encapsulated.value.bytes.subarray(-fragments.length)).toEqual(fragments);
    expect(decodePart10(encapsulated.value.bytes).meta.transferSyntaxUid).toBe(
      '1.2.840.10008.1.2.4.70',
    );
  });

  it('refuses what does not parse or names no instance as an invalid output', () => {
    const invalid = { ok: false, refusal: { code: 'OUTPUT_INVALID' } };
    const whole = encodePart10(aResult());
    expect(reidentifyObject(whole.subarray(0, -3), plan)).toMatchObject(invalid);
    expect(reidentifyObject(Buffer.from('not dicom'), plan)).toMatchObject(invalid);
    const head = encodeFileMeta({
      ...{ sopClassUid: SR_CLASS, sopInstanceUid: '2.25.51' },
      transferSyntaxUid: '1.2.840.10008.1.2.1',
    });
    const nameless = aResult();
    nameless.delete('SeriesInstanceUID');
    const bytes = Buffer.concat([head, encodeDataset(nameless, EXPLICIT_LE)]);
    expect(reidentifyObject(bytes, plan)).toMatchObject(invalid);
  });
});

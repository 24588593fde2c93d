/**
 * Goal: re-identification undoes pseudonymisation: every mapped attribute comes back as it was, in
 * every character set, and nothing of the hub's names is left in the bytes.
 * Method: generated headers through the real engine; their pseudonymised copy, and a report that
 * the hub's own builder makes of it, stand for results.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { modelManifestSchema } from '@aifi/contracts-manifests';
import { decodePart10, DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { MADE_DATES, pseudonymiseHeader, reIdentifierActionOf } from '@aifi/dicom-deidentification';
import { buildStatusReport, buildVolumeReport, createMinter } from '@aifi/dicom-evidence';
import { changedIdentity, identityElements, identityOf } from '@aifi/gateway-vault';
import { jobId, keyedUid, sha256Hex } from '@aifi/shared-kernel';
import { fakeSiteKeys } from '@aifi/shared-testing';
import { reidentifyObject, withIdentity, type ReidentificationPlan } from './reidentify-object.js';
import { shiftedBack } from './result-dates.js';
import { shiftedDays } from './shifted-days.js';

const DX = '1.2.840.10008.5.1.4.1.1.1.1';
const XA = '1.2.840.10008.5.1.4.1.1.12.1';
const CONTEXT = { siteCode: 'SITE-A', keys: fakeSiteKeys() };
const JOB = jobId('ab'.repeat(16));
const MODEL = sha256Hex('model');

/** Names as bytes of their character set. */
const NAMES: readonly (readonly [string, Buffer])[] = [
  ['ISO_IR 100', Buffer.from('B\xe4cken^Zo\xeb ', 'latin1')],
  ['\\ISO 2022 IR 87', Buffer.from('Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B', 'latin1')],
  ['ISO_IR 192', Buffer.from('Żak^Łucja ', 'utf8')],
  ['ISO_IR 6', Buffer.from('Berg^Jan')],
];
const uid = fc.stringMatching(/^1\.[1-9][0-9]{3,8}\.[1-9][0-9]{3,8}$/);
const day = fc
  .date({ min: new Date('1995-01-01'), max: new Date('2026-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().replace(/\D/g, '').slice(0, 8));
const aHeader = fc.record({
  ...{ name: fc.constantFrom(...NAMES), id: fc.stringMatching(/^[A-Z]{1,3}[0-9]{4,9}$/) },
  issuer: fc.constantFrom('', 'ZKH', 'HUIS A'),
  ...{ born: day, study: day, acquired: day, sex: fc.constantFrom('M', 'F', 'O', '') },
  time: fc.constantFrom('', '10', '1015', '101530', '101530.123456', '101530.5+0100'),
  uids: fc.uniqueArray(uid, { minLength: 6, maxLength: 6 }),
});
type Header = typeof aHeader extends fc.Arbitrary<infer T> ? T : never;

function headerOf(given: Header): DicomDataset {
  const [set, name] = given.name;
  const [study, series, instance, frame, other, deeper] = given.uids as [
    ...[string, string, string, string, string, string],
  ];
  const padded = name.length % 2 === 0 ? name : Buffer.concat([name, Buffer.from(' ')]);
  const reference = (to: string): DicomDataset =>
    new DicomDataset()
      .setString('ReferencedSOPClassUID', DX)
      .setString('ReferencedSOPInstanceUID', to);
  return new DicomDataset()
    .setString('SpecificCharacterSet', set)
    .setString('SOPClassUID', DX)
    .setString('Modality', 'DX')
    .setString('BodyPartExamined', 'CHEST')
    .setString('SOPInstanceUID', instance)
    .setString('SeriesInstanceUID', series)
    .setString('StudyInstanceUID', study)
    .setString('FrameOfReferenceUID', frame)
    .setItems('ReferencedImageSequence', [reference(other), reference(deeper)])
    .put({ tag: 0x00100010, vr: 'PN', value: padded })
    .setString('PatientID', given.id)
    .setString('IssuerOfPatientID', given.issuer)
    .setString('PatientBirthDate', given.born)
    .setString('PatientSex', given.sex)
    .setString('StudyDate', given.study)
    .setString('StudyTime', '101500')
    .setString('AcquisitionDate', given.acquired)
    .setString('AcquisitionDateTime', given.acquired + given.time)
    .setString('StudyID', 'ST1')
    .setString('AccessionNumber', `ACC${given.id}`)
    .setString('ReferringPhysicianName', 'Visser^A');
}

interface Sent {
  readonly dataset: DicomDataset;
  readonly plan: ReidentificationPlan;
}
function sent(header: DicomDataset, minted: ReadonlyMap<string, string> = new Map()): Sent {
  const output = pseudonymiseHeader(header, CONTEXT, { isExamined: true });
  if (!output.ok) throw new Error(`${output.refusal.code} ${output.refusal.detail}`);
  const uids = output.value.uids as ReadonlyMap<string, string>;
  const identity = identityOf(header);
  const plan: ReidentificationPlan = {
    finalUid: (text) => minted.get(text) ?? uids.get(text),
    isPseudonymous: (text) => minted.has(text) || uids.has(text),
    dates: { offsetDays: shiftedDays(identity, CONTEXT), zoneMinutes: () => 60 },
    identity: identityElements(identity),
  };
  return { dataset: output.value.dataset, plan };
}
function restored({ dataset, plan }: Sent): { dataset: DicomDataset; bytes: Buffer } {
  const result = reidentifyObject(encodePart10(dataset), plan);
  if (!result.ok) throw new Error(`${result.refusal.code} ${result.refusal.detail}`);
  return { dataset: decodePart10(result.value.bytes).dataset, bytes: result.value.bytes };
}

const PRODUCT = modelManifestSchema.parse({
  ...{ schema: 'aifi.model-manifest.v1', product: 'tissue', name: 'Tissue', version: '1.0.0' },
  ...{ vendor: 'Vendor', purpose: 'demonstration', label: 'NOT FOR CLINICAL USE' },
  ...{ deviceUid: '2.25.98765432109876543210', seriesNumberBase: 9100, lane: 'routine' },
  artefact: { file: 'model.onnx', sha256: MODEL },
  intendedUse: {
    series: [{ id: 'modality', attribute: 'modality', oneOf: ['DX'], onMissing: 'deny' }],
  },
  input: {
    ...{ name: 'in', datatype: 'FP32', shape: [1, 1, 256, 256, 256] },
    steps: [{ kind: 'conform', size: 256, spacingMm: 1, orientation: 'LIA' }],
  },
  output: {
    ...{ name: 'out', kind: 'segmentation' },
    classes: [
      { value: 0, label: 'background' },
      {
        ...{ value: 1, label: 'white matter', colour: [255, 220, 60] },
        code: { value: '389080008', scheme: 'SCT', meaning: 'White matter' },
      },
    ],
  },
  timeoutMs: 120_000,
});

/** What the hub's builder makes of the pseudonymised image, re-identified. */
function report(header: DicomDataset, utcOffsetMinutes = 0) {
  const minter = createMinter(JOB, MODEL, 0);
  const { dataset } = sent(header);
  const [sopInstanceUid, seriesInstanceUid] = [
    dataset.string('SOPInstanceUID')!,
    dataset.string('SeriesInstanceUID')!,
  ];
  const instances = [{ sopClassUid: DX, sopInstanceUid, seriesInstanceUid }];
  const made = buildVolumeReport(
    {
      ...{ source: { dataset, instances }, product: PRODUCT, modelDigest: MODEL, jobId: JOB },
      ...{ platformVersion: '0.1.0', language: 'nl-NL', mint: minter.mint, utcOffsetMinutes },
      producedAt: new Date('2026-03-05T23:30:15Z'),
    },
    [{ classValue: 1, volumeMl: 518.54 }],
    undefined,
  );
  const minted = new Map(
    minter.minted.map((each): [string, string] => [
      each.uid,
      keyedUid(CONTEXT.keys.result, JOB, each.role, String(each.index)),
    ]),
  );
  return { made, minted, sent: { dataset: made, plan: sent(header, minted).plan } };
}
const sample = (seed: number): DicomDataset =>
  headerOf(fc.sample(aHeader, { numRuns: 1, seed })[0]!);

describe('reidentify(pseudonymise(x))', () => {
  it('restores every mapped attribute, and leaves no pseudonym', () => {
    fc.assert(
      fc.property(aHeader, (given) => {
        const header = headerOf(given);
        const hub = sent(header);
        const { dataset, bytes } = restored(hub);
        for (const { tag, value } of header) {
          // Not kept at all, or the hub's own date.
          if (!dataset.has(tag) || MADE_DATES.has(tag)) continue;
          if (value instanceof Uint8Array) {
            expect([tag, Buffer.from(dataset.bytes(tag)!)]).toEqual([tag, Buffer.from(value)]);
          }
        }
        const text = bytes.toString('latin1');
        expect(text).not.toContain(hub.dataset.string('PatientID'));
        expect(text).not.toContain(hub.dataset.string('StudyID'));
        expect(text).not.toContain(hub.dataset.string('StudyInstanceUID'));
      }),
      { numRuns: 150 },
    );
  });

  it('restores the UIDs that are nested in items', () => {
    const references = (of: DicomDataset): (string | undefined)[] =>
      of.items('ReferencedImageSequence').map((item) => item.string('ReferencedSOPInstanceUID'));
    fc.assert(
      fc.property(aHeader, (given) => {
        const header = headerOf(given).setString('SOPClassUID', XA).setString('Modality', 'XA');
        const hub = sent(header);
        const pseudonyms = references(hub.dataset);
        expect(pseudonyms).toHaveLength(2);
        expect(pseudonyms).not.toEqual(references(header));
        expect(references(restored(hub).dataset)).toEqual(references(header));
      }),
      { numRuns: 50 },
    );
  });

  it('brings acquisition dates back, which the engine keeps', () => {
    const header = sample(7);
    const hub = sent(header);
    expect(hub.dataset.string('AcquisitionDate')).not.toBe(header.string('AcquisitionDate'));
    const { dataset } = restored(hub);
    expect(dataset.string('AcquisitionDate')).toBe(header.string('AcquisitionDate'));
  });

  it('restores partial dates where that can be told, and never gives another', () => {
    const shift = (text: string, days: number): string => {
      const parts = [text.slice(0, 4), text.slice(4, 6) || '01', text.slice(6, 8) || '01'];
      const at = Date.UTC(Number(parts[0]), Number(parts[1]) - 1, Number(parts[2])) + days * 864e5;
      const digits = new Date(at).toISOString().replace(/\D/g, '');
      return digits.slice(0, Math.min(8, text.length));
    };
    const precision = fc.constantFrom(4, 6, 8);
    const offset = fc.integer({ min: -3650, max: -1 });
    let told = 0;
    fc.assert(
      fc.property(day, precision, offset, (date, digits, days) => {
        const text = date.slice(0, digits);
        const back = shiftedBack(shift(text, days), days);
        if (back !== undefined) told += 1;
        expect([text, undefined]).toContain(back);
        if (digits === 8) expect(back).toBe(text);
      }),
      { numRuns: 400 },
    );
    expect(told).toBeGreaterThan(300);
  });
});

describe('a report of the hub', () => {
  it('passes its checker, under the patient, with every action of the conformance table', () => {
    for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const header = sample(seed);
      const { made, sent: hub } = report(header);
      const { dataset } = restored(hub);
      for (const { tag, value } of made) {
        const { action } = reIdentifierActionOf(tag);
        const [after, before] = [dataset.bytes(tag), made.bytes(tag)];
        if (action === 'restored') {
          expect(after?.length ? after : undefined).toEqual(
            hub.plan.identity.bytes(tag)?.length ? hub.plan.identity.bytes(tag) : undefined,
          );
        } else if (action === 'removed') {
          expect(dataset.has(tag)).toBe(false);
        } else if (action === 'kept' && value instanceof Uint8Array) {
          expect([tag, after]).toEqual([tag, before]);
        } else if (value instanceof Uint8Array && value.length > 0) {
          expect(action).not.toBe('refused');
        }
      }
      for (const tag of hub.plan.identity) expect(dataset.get(tag.tag)?.value).toEqual(tag.value);
    }
  });

  it('tells when it was made in the zone of the study', () => {
    const { dataset } = restored(report(sample(3), 0).sent);
    const told = ['ContentDate', 'ContentTime', 'SeriesDate', 'TimezoneOffsetFromUTC'];
    expect(told.map((keyword) => dataset.string(keyword))).toEqual([
      ...['20260306', '003015', '20260306', '+0100'],
    ]);
    expect(restored(report(sample(3), 60).sent).bytes).toEqual(
      restored(report(sample(3), 60).sent).bytes,
    );
  });

  const damage: [string, string, (made: DicomDataset, pseudonym: DicomDataset) => void][] = [
    [
      'a date of unknown origin',
      'a date of unknown origin',
      (d) => d.setString(0x0040a121, '20200101', 'DA'),
    ],
    [
      'the pseudonym of the patient in a text',
      'a pseudonym is left',
      (d) => d.setString('SeriesDescription', `of ${d.string('PatientID')}`),
    ],
    [
      'the pseudonym of any patient of the site',
      'a pseudonym is left',
      (d) => d.setString('SeriesDescription', `SITE-A-${'0123456789ABCDEFGHJKMNPQRS'}`),
    ],
    [
      'a pseudonymous UID in a text',
      'a pseudonymous UID is left',
      (d) => d.setString('SeriesDescription', d.string('StudyInstanceUID')!),
    ],
    ['no modality', 'a module is not complete', (d) => d.delete('Modality')],
    [
      'content that does not fit its template',
      'a report does not fit its template',
      (d) => d.setItems('ContentSequence', []),
    ],
  ];
  it.each(damage)('is refused with %s', (_, detail, spoil) => {
    const { made, sent: hub } = report(sample(5));
    spoil(made, hub.dataset);
    const result = reidentifyObject(encodePart10(made), hub.plan);
    expect(result).toMatchObject({ ok: false, refusal: { code: 'OUTPUT_INVALID', detail } });
  });

  it('loses the gateway that took the identity out, and no other contributor', () => {
    const { made, sent: hub } = report(sample(5));
    const purpose = new DicomDataset().setString('CodeValue', '109104');
    const item = new DicomDataset().setItems('PurposeOfReferenceCodeSequence', [purpose]);
    const others = made.items('ContributingEquipmentSequence');
    made.setItems('ContributingEquipmentSequence', [...others, item]);
    const { dataset } = restored(hub);
    expect(dataset.items('ContributingEquipmentSequence')).toHaveLength(others.length);
  });
});

describe(withIdentity.name, () => {
  it('gives the bytes that re-identification with that identity gives, and gives back', () => {
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const header = sample(seed);
      const { sent: hub } = report(header);
      const first = restored(hub).bytes;
      const merged = changedIdentity(identityOf(header), {
        ...{ patient: { id: 'P2', issuer: 'ZKH' }, name: 'Łukasz^Żak', birthDate: '', sex: 'M' },
      });
      const plan = { ...hub.plan, identity: identityElements(merged) };
      const direct = restored({ ...hub, plan }).bytes;
      const rewritten = withIdentity(first, identityElements(merged));
      expect(rewritten.ok && rewritten.value.equals(direct)).toBe(true);
      const back = withIdentity(direct, hub.plan.identity);
      expect(back.ok && back.value.equals(first)).toBe(true);
    }
  });

  it('rewrites a status object as well, and refuses the identity of another study', () => {
    const header = sample(2);
    const identity = identityElements(identityOf(header));
    const image = {
      ...{ sopClassUid: DX, sopInstanceUid: '1.2.3.4', seriesInstanceUid: '1.2.3' },
    };
    const status = buildStatusReport(
      {
        ...{ identity, modality: 'DX', images: [image], issue: 0, platformVersion: '0.1.0' },
        ...{ seriesInstanceUid: '2.25.9001', sopInstanceUid: '2.25.9002', utcOffsetMinutes: 60 },
        device: { uid: '2.25.9003', serialNumber: 'site-a' },
        producedAt: new Date('2026-03-05T22:30:15Z'),
      },
      {
        products: [
          {
            ...{ product: 'lung', name: 'Lung', version: '2.0.0', label: '', resultReferences: [] },
            state: 'IN_PROGRESS',
          },
        ],
        language: 'nl-NL',
      },
    );
    const merged = changedIdentity(identityOf(header), { patient: { id: 'P2', issuer: '' } });
    const sut = withIdentity(encodePart10(status), identityElements(merged));
    const { dataset } = decodePart10(sut.ok ? sut.value : Buffer.alloc(0));
    expect(dataset.string('PatientID')).toBe('P2');
    expect(dataset.string('SOPInstanceUID')).toBe('2.25.9002');
    const foreign = identityElements(identityOf(sample(9)));
    expect(withIdentity(encodePart10(status), foreign)).toMatchObject({ ok: false });
  });
});

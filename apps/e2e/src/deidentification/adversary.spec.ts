/**
 * Goal: the adversary finds every link that is there, and none in what the engine lets leave.
 * Method: pseudonymised headers by the real engine as the hub's files; planted links of each kind.
 */
import { describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { decodePart10, DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { pseudonymiseHeader } from '@aifi/dicom-deidentification';
import { sha256Hex, uidFromBytes } from '@aifi/shared-kernel';
import { fakeSiteKeys } from '@aifi/shared-testing';
import { namedIn, OriginalAttributes } from './adversary-attributes.js';
import { Adversary, type Fact, type Link } from './adversary.js';

const CODE = 'SITE-A';
const headers = [1, 2, 3].map((n) =>
  new DicomDataset()
    .setString('SpecificCharacterSet', 'ISO_IR 192')
    .setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.1.1')
    .setString('Modality', 'DX')
    .setString('BodyPartExamined', 'CHEST')
    .setString('SOPInstanceUID', `1.3.46.670589.${n}.1`)
    .setString('SeriesInstanceUID', `1.3.46.670589.${n}.2`)
    .setString('StudyInstanceUID', `1.3.46.670589.${n}.3`)
    .setString('PatientName', `Vries^Anna${n}`)
    .setString('PatientID', `00${n}123456782`)
    .setString('PatientBirthDate', '19610403')
    .setString('AccessionNumber', `ACC77000${n}`)
    .setString('StudyDate', '20240229')
    .setString('StudyTime', '101530'),
);
const documentOf = (path: string): string =>
  readFileSync(new URL(`../../../../docs/${path}`, import.meta.url), 'utf8');
const KEYWORDS = [
  ...['SOPInstanceUID', 'SeriesInstanceUID', 'StudyInstanceUID', 'PatientName', 'PatientID'],
  ...['PatientBirthDate', 'AccessionNumber', 'StudyDate'],
];
const facts: Fact[] = headers.flatMap((header) => [
  ...KEYWORDS.map((carrier) => ({ carrier, text: header.string(carrier)! })),
  { carrier: 'file', text: sha256Hex(encodePart10(header)) },
]);
const hub = headers.map((header, n) => {
  const output = pseudonymiseHeader(header, { siteCode: CODE, keys: fakeSiteKeys() });
  if (!output.ok) throw new Error(output.refusal.detail);
  return { place: `object ${n}`, bytes: encodePart10(output.value.dataset) };
});
const stolen = (hospital: string) => [{ siteCode: CODE, keys: fakeSiteKeys(hospital), headers }];

describe(Adversary.name, () => {
  it('links nothing that the engine lets leave, with many guesses', () => {
    const sut = new Adversary(facts);
    expect(sut.guesses).toBeGreaterThan(1_000);
    expect(sut.links(hub)).toEqual([]);
  });
  it('links nothing with the keys of another site', () => {
    expect(new Adversary(facts, stolen('site-b')).links(hub)).toEqual([]);
  });
  it('links every study with the key of the site', () => {
    const links = new Adversary(facts, stolen('site-a')).links(hub);
    expect(new Set(links.map(({ place }) => place))).toEqual(
      new Set(['object 0', 'object 1', 'object 2']),
    );
    expect(new Set(links.map(({ carrier }) => carrier))).toEqual(new Set(['PatientID', 'UID']));
  });

  const [uid, id] = [headers[0]!.string('StudyInstanceUID')!, headers[0]!.string('PatientID')!];
  const digest = (hash: string, text: string): Buffer => createHash(hash).update(text).digest();
  const planted: [string, string, Buffer][] = [
    ['a name', 'PatientName', Buffer.from('x vries^anna1 x')],
    ['a name turned round', 'PatientName', Buffer.from('mevr. Anna1 Vries')],
    ['a number without its zeros', 'PatientID', Buffer.from(' 1123456782 ')],
    ['a birth date written out', 'PatientBirthDate', Buffer.from('geboren 3-4-1961.')],
    ['a UID in UTF-16', 'StudyInstanceUID', Buffer.from(uid, 'utf16le')],
    ['the MD5 of a number', 'PatientID', Buffer.from(digest('md5', id).toString('hex'))],
    [
      'the SHA-1 of a UID in base64',
      'StudyInstanceUID',
      Buffer.from(digest('sha1', uid).toString('base64')),
    ],
    ['the SHA-256 of a UID as bytes', 'StudyInstanceUID', digest('sha256', uid)],
    [
      'a UID of the SHA-256 of a UID',
      'StudyInstanceUID',
      Buffer.from(uidFromBytes(digest('sha256', uid))),
    ],
    [
      'the digest of an original file',
      'file',
      Buffer.from(facts.find(({ carrier }) => carrier === 'file')!.text),
    ],
  ];
  it.each(planted)('finds %s', (_, carrier, bytes) => {
    const around = Buffer.concat([Buffer.from('before '), bytes, Buffer.from(' after')]);
    const links = new Adversary(facts).links([...hub, { place: 'planted', bytes: around }]);
    const found = (link: Link): boolean => link.place === 'planted' && link.carrier === carrier;
    expect(links.some(found)).toBe(true);
  });
});

describe(OriginalAttributes.name, () => {
  const sut = new OriginalAttributes();
  headers.forEach((header) => sut.learn(header));
  const named = namedIn(
    documentOf('compliance/dpia-linkage.md'),
    documentOf('conformance/de-identification.md'),
  );
  const unnamed = (copies: Iterable<DicomDataset>): string[] =>
    [...sut.keptIn(copies)].filter((keyword) => !named.has(keyword));

  it('finds in copies of the engine nothing but what the assessment names', () => {
    const copies = hub.map(({ bytes }) => decodePart10(bytes).dataset);
    expect(sut.keptIn(copies).has('StudyTime')).toBe(true);
    expect(unnamed(copies)).toEqual([]);
  });
  it('finds an attribute that is kept and not named', () => {
    expect(unnamed(headers)).toEqual(expect.arrayContaining(['PatientID', 'PatientName']));
    const [found] = sut.foundIn([{ place: 'x', bytes: Buffer.from('of vries^anna1, knee') }]);
    expect(found).toEqual({ place: 'x', of: ['PatientName'] });
  });
});

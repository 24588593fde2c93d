/**
 * Mutants: outputs in which exactly one rule was not applied.
 * Decides how a carrier comes back, and which statements of an output are damaged one by one.
 * Invariant: a mutant differs from the output in one place; the verifier has to tell them all.
 * Source: pseudonymisation specification 3 (6).
 */
import { DicomDataset, tagOf } from '@aifi/dicom-core';
import type { Carrier } from './carriers.js';
import { copied, putInItem } from './planter.js';
import type { ReadObject } from './verify-object.js';

export interface Mutant {
  readonly name: string;
  readonly object: ReadObject;
}

/** One mutant per carrier: its element as received is in the output. */
export function carrierMutants(output: ReadObject, carriers: readonly Carrier[]): Mutant[] {
  return carriers.map(({ name, place }) => {
    if (place.in === 'preamble') return { name, object: { ...output, preamble: place.bytes } };
    if (place.in === 'meta') {
      const metaDataset = copied(output.metaDataset).put(place.element);
      return { name, object: { ...output, metaDataset } };
    }
    const dataset = copied(output.dataset);
    if (place.in === 'item') putInItem(dataset, place.sequence, place.element);
    else dataset.put(place.element);
    return { name, object: { ...output, dataset } };
  });
}

type Change = (dataset: DicomDataset) => void;
const without =
  (keyword: string): Change =>
  (dataset) =>
    void dataset.delete(keyword);
const withText =
  (keyword: string, value: string): Change =>
  (dataset) =>
    void dataset.setString(keyword, value);

const STATEMENTS = `PatientIdentityRemoved DeidentificationMethod DeidentificationMethodCodeSequence
  LongitudinalTemporalInformationModified ContributingEquipmentSequence RecognizableVisualFeatures
  PatientBirthDate AccessionNumber ReferringPhysicianName PatientID PatientName StudyID
  SpecificCharacterSet`.split(/\s+/);
const DAMAGES: Readonly<Record<string, Change>> = {
  'identity is said to be there': withText('PatientIdentityRemoved', 'NO'),
  'a method longer than 64 characters': withText('DeidentificationMethod', 'x'.repeat(65)),
  'dates are said to be as they were': withText(
    'LongitudinalTemporalInformationModified',
    'UNMODIFIED',
  ),
  'text is said to be burned in': withText('BurnedInAnnotation', 'YES'),
  'an age above ninety': withText('PatientAge', '097Y'),
  'a citizen service number in a kept text': withText('Manufacturer', 'ACME 123456782'),
  'the same, with dots': withText('Manufacturer', 'ACME 1234.56.782'),
  'a date of birth in a kept text': withText('Manufacturer', 'geb. 3-4-1961'),
  'a name in a description': withText('SeriesDescription', 'CT THORAX VISSER'),
  'an invalid date': withText('StudyDate', '20110230'),
  'a date not shifted with the others': (dataset) => {
    const date = dataset.string('StudyDate') ?? '20100105';
    dataset.setString('StudyDate', String(Number(date) + (date.endsWith('28') ? -1 : 1)));
  },
  'a UUID of a modality': withText(
    'FrameOfReferenceUID',
    '2.25.329800735698586629295641978511506172918',
  ),
  'a private element in an item': (dataset) => {
    const [item, ...others] = dataset.items('ContributingEquipmentSequence');
    const changed = copied(item!).setString(0x00291001, 'x', 'LO');
    dataset.setItems('ContributingEquipmentSequence', [changed, ...others]);
  },
  'full dates are claimed': withCode('113106', 'Retain Longitudinal Temporal Information'),
  'a device is claimed': withCode('113109', 'Retain Device Identity Option'),
  'a kept value was changed': (dataset) => void dataset.setNumbers('BitsStored', [3]),
};

/** Adds a code to those that the output claims. */
function withCode(value: string, meaning: string): Change {
  return (dataset) => {
    const keyword = 'DeidentificationMethodCodeSequence';
    const item = new DicomDataset()
      .setString('CodeValue', value)
      .setString('CodingSchemeDesignator', 'DCM')
      .setString('CodeMeaning', meaning);
    dataset.setItems(keyword, [...dataset.items(keyword), item]);
  };
}

/** One mutant per statement that every output makes, and per rule that is no row of the table. */
export function statementMutants(output: ReadObject): Mutant[] {
  const changes: (readonly [string, Change])[] = [
    ...STATEMENTS.map((keyword) => [`without ${keyword}`, without(keyword)] as const),
    ...Object.entries(DAMAGES),
    ...claimsOf(output),
  ];
  const changed = changes.map(([name, change]) => {
    const dataset = copied(output.dataset);
    change(dataset);
    return { name, object: { ...output, dataset } };
  });
  const otherPixels = { ...output, pixelsSha256: '0'.repeat(64) };
  const otherMeta = { ...output, meta: { ...output.meta, sopInstanceUid: '1.2.3' } };
  return [
    ...changed,
    { name: 'other pixels', object: otherPixels },
    { name: 'another instance in the file meta', object: otherMeta },
  ];
}
/** The output without one of the codes that it claims and needs. */
function claimsOf({ dataset }: ReadObject): (readonly [string, Change])[] {
  const keyword = 'DeidentificationMethodCodeSequence';
  const items = dataset.items(keyword);
  return ['113100', '113107'].map((value) => [
    `without code ${value}`,
    (changed) =>
      void changed.setItems(
        keyword,
        items.filter((item) => item.get(tagOf('CodeValue')) && item.string('CodeValue') !== value),
      ),
  ]);
}

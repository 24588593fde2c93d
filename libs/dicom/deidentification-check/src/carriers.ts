/**
 * Carriers: the places of an object that can hold identity, and how each is undone.
 * Decides the list: every addable row of Table E.1-1, private, repeating and unknown elements,
 * nested ones in sequences that may stay, file meta and preamble. Invariant: each has a marker of
 * its own, and knows how an output looks in which exactly its rule was not applied (a mutant).
 * Source: PS3.15 E.1; pseudonymisation specification 1.7, 3 (6).
 */
import {
  DicomDataset,
  encodeDataset,
  keywordOf,
  tagOf,
  vrOf,
  type DicomElement,
} from '@aifi/dicom-core';
import { tagText } from './finding.js';
import { padded, plantedUid, plantedValue, word, type MarkerKind } from './planted-values.js';
import { PROFILE } from './profile-oracle.js';

export interface Carrier {
  /** For people: keyword or place. */
  readonly name: string;
  readonly kind: MarkerKind;
  /** Top-level markers first; nested ones of the same element follow. */
  readonly markers: readonly string[];
  readonly place: CarrierPlace;
}
export type CarrierPlace =
  | { readonly in: 'dataset' | 'meta'; readonly element: DicomElement }
  /** A sequence of VR UN, written with undefined length. */
  | { readonly in: 'open-unknown'; readonly element: DicomElement }
  /** In the first item of a sequence that an output may keep. */
  | { readonly in: 'item'; readonly sequence: number; readonly element: DicomElement }
  | { readonly in: 'preamble'; readonly bytes: Uint8Array };

/**
 * Rows that are no carriers: command and media elements, which no dataset has; and what the claimed
 * options keep as it is: age, sex, and the four times (all dates of a patient move by whole days).
 */
const NOT_PLANTED = new Set([
  ...[0x00001000, 0x00001001, 0x00020003, 0x00041511],
  ...['PatientAge', 'PatientSex', 'StudyTime', 'SeriesTime', 'AcquisitionTime', 'ContentTime'].map(
    tagOf,
  ),
]);

/** Sequences that most keep-lists name: identity in their items has to go on its own. */
const KEPT_SEQUENCES = ['AnatomicRegionSequence', 'ViewCodeSequence', 'VOILUTSequence'].map(tagOf);
const IN_ITEMS = `PatientName PatientID InstitutionName PatientComments ReferencedSOPInstanceUID
  StudyDate OtherPatientIDs StationName OperatorsName`
  .split(/\s+/)
  .map(tagOf);
const LO = 'LO';
const IMPLICIT = { explicitVr: false, littleEndian: true };

/**
 * Numbers the carriers of one object. Days are numbered by themselves: a block of few months, which
 * a shift by more leaves, so that no shifted date looks like the marker of another carrier.
 */
class Numbering {
  #next = 1;
  #nextDay = 1;
  next(vr?: string): number {
    return vr === 'DA' || vr === 'DT' ? this.#nextDay++ : this.#next++;
  }
}

/** `sequences` are kept ones beside those that every class has. */
export function carriersOf(isExplicit: boolean, sequences: readonly number[] = []): Carrier[] {
  const numbering = new Numbering();
  return [
    ...rowCarriers(numbering),
    ...looseCarriers(numbering),
    ...privateCarriers(numbering),
    ...itemCarriers(numbering, [...KEPT_SEQUENCES, ...sequences]),
    ...(isExplicit ? unknownCarriers(numbering) : []),
    ...metaCarriers(numbering),
    preambleCarrier(numbering),
  ];
}

function elementCarrier(
  tag: number,
  vr: string,
  numbering: Numbering,
  place: (element: DicomElement) => CarrierPlace,
): Carrier[] {
  const name = `${keywordOf(tag)} ${tagText(tag)}`;
  if (vr === 'SQ') {
    const { item, markers } = nestedItem(numbering);
    return [{ name, kind: 'text', markers, place: place({ tag, vr, value: [item] }) }];
  }
  const value = plantedValue(vr, numbering.next(vr));
  if (!value) return [];
  const element = { tag, vr, value: padded(value.bytes, vr) };
  return [{ name, kind: value.kind, markers: [value.marker], place: place(element) }];
}
const inDataset = (element: DicomElement): CarrierPlace => ({ in: 'dataset', element });

function rowCarriers(numbering: Numbering): Carrier[] {
  const tags = [...PROFILE.keys()].filter((tag) => !NOT_PLANTED.has(tag));
  return tags.flatMap((tag) => elementCarrier(tag, vrOf(tag), numbering, inDataset));
}

/** A name, a text, a UID and a private blob, and the same one level deeper. */
function nestedItem(numbering: Numbering, depth = 0): { item: DicomDataset; markers: string[] } {
  const item = new DicomDataset();
  const markers: string[] = [];
  const take = (marker: string): string => {
    markers.push(marker);
    return marker;
  };
  item
    .setString('ReferencedSOPInstanceUID', take(plantedUid(numbering.next())))
    .setString('PatientName', take(word(numbering.next())))
    .setString('InstitutionName', take(word(numbering.next())))
    .setString(0x00290010, take(word(numbering.next())), LO)
    .setBytes(0x00291001, Buffer.from(take(word(numbering.next()))), 'OB');
  if (depth === 0) {
    const inner = nestedItem(numbering, 1);
    markers.push(...inner.markers);
    item.setItems('ViewCodeSequence', [inner.item]);
  }
  return { item, markers };
}

/** Repeating groups, retired and unknown elements: rows without a tag of their own, or none. */
function looseCarriers(numbering: Numbering): Carrier[] {
  const places: readonly (readonly [number, string])[] = [
    ...([0x50000022, 0x50002500] as const).map((tag) => [tag, LO] as const),
    ...([0x50003000, 0x50022610] as const).map((tag) => [tag, 'OW'] as const),
    ...([0x60000022, 0x60001500, 0x60021500] as const).map((tag) => [tag, LO] as const),
    ...([0x60003000, 0x60023000] as const).map((tag) => [tag, 'OW'] as const),
    [0x50002600, 'SQ'],
    [0x60004000, 'LT'],
    ...([0x00185fff, 0x00081fff, 0x00101ffe] as const).map((tag) => [tag, LO] as const),
    ...([0x00284000, 0x00204000] as const).map((tag) => [tag, 'LT'] as const),
  ];
  return places
    .filter(([tag]) => !PROFILE.has(tag))
    .flatMap(([tag, vr]) => elementCarrier(tag, vr, numbering, inDataset));
}

function privateCarriers(numbering: Numbering): Carrier[] {
  const places: readonly (readonly [number, string])[] = [
    ...([0x00090010, 0x00290010, 0x7fe10010] as const).map((tag) => [tag, LO] as const),
    ...[LO, 'OB', 'PN', 'DA', 'UI', 'UT', 'UN', 'SQ'].map(
      (vr, index) => [0x00291001 + index, vr] as const,
    ),
    [0x00091002, 'SQ'],
    [0x7fe11001, 'OB'],
  ];
  return places.flatMap(([tag, vr]) => elementCarrier(tag, vr, numbering, inDataset));
}

function itemCarriers(numbering: Numbering, sequences: readonly number[]): Carrier[] {
  return sequences.flatMap((sequence) =>
    [...IN_ITEMS, 0x00291001].flatMap((tag) =>
      elementCarrier(tag, tag === 0x00291001 ? 'OB' : vrOf(tag), numbering, (element) => ({
        ...{ in: 'item', sequence, element },
      })),
    ),
  );
}

/** Sequences of the standard that arrive with VR UN (PS3.5 6.2.2): Implicit VR inside. */
function unknownCarriers(numbering: Numbering): Carrier[] {
  const places = [
    [tagOf('ReferencedSeriesSequence'), 'dataset'],
    [tagOf('SegmentSequence'), 'open-unknown'],
  ] as const;
  return places.map(([tag, where]) => {
    const { item, markers } = nestedItem(numbering);
    const bytes = encodeDataset(new DicomDataset().setItems(tag, [item]), IMPLICIT);
    // Without the header of the sequence itself: tag and length.
    const element = { tag, vr: 'UN', value: bytes.subarray(8) };
    const name = `${keywordOf(tag)} as UN`;
    return { name, kind: 'text', markers, place: { in: where, element } };
  });
}

const META: readonly (readonly [number, string])[] = [
  [0x00020013, 'SH'],
  ...([0x00020016, 0x00020017, 0x00020018] as const).map((tag) => [tag, 'AE'] as const),
  ...([0x00020012, 0x00020100] as const).map((tag) => [tag, 'UI'] as const),
  [0x00020102, 'OB'],
];
function metaCarriers(numbering: Numbering): Carrier[] {
  return META.flatMap(([tag, vr]) =>
    elementCarrier(tag, vr, numbering, (element) => ({ in: 'meta', element })),
  );
}
function preambleCarrier(numbering: Numbering): Carrier {
  const marker = word(numbering.next());
  const bytes = Buffer.alloc(128, marker);
  return { name: 'preamble', kind: 'text', markers: [marker], place: { in: 'preamble', bytes } };
}

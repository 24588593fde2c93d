/**
 * The planter: a real file with a marker in every carrier.
 * Decides that the file stays readable: same transfer syntax, same pixel data, the attributes that
 * an instance needs as they were. Invariant: deterministic; the same file gives the same bytes.
 * Source: PS3.10 7.1; pseudonymisation specification 1.7, 3 (1).
 */
import { deflateRawSync } from 'node:zlib';
import {
  DicomDataset,
  elementHeader,
  encodeDataset,
  encodingOf,
  isDeflated,
  readDatasetRange,
  readPart10,
  tagOf,
  UNDEFINED_LENGTH,
  type DicomElement,
  type Encoding,
  type Part10File,
} from '@aifi/dicom-core';
import { carriersOf, type Carrier } from './carriers.js';

export interface PlantedObject {
  readonly file: Buffer;
  readonly markers: readonly string[];
  readonly carriers: readonly Carrier[];
}

const EXPLICIT_LE: Encoding = { explicitVr: true, littleEndian: true };
/** PS3.5 6.2.2 note 4: inside is Implicit VR Little Endian, and so is the end. */
const SEQUENCE_END = Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]);
const PIXEL_DATA = 0x7fe00010;
const IDENTITY_REMOVED = tagOf('PatientIdentityRemoved');
/** A code that says nothing, for sequences that the file did not have. */
const CODE = { CodeValue: 'T-D8700', CodingSchemeDesignator: 'SRT', CodeMeaning: 'Hand' };

export interface PlantOptions {
  /** Attributes that stay as they are, so that several files are one study. @default none */
  readonly spare?: readonly string[];
  /** Kept sequences of the class whose items are carriers too. @default none */
  readonly sequences?: readonly string[];
}

/** Plants into a Part 10 file, header and pixel data in memory. */
export async function plantMarkers(
  path: string,
  { spare = [], sequences = [] }: PlantOptions = {},
): Promise<PlantedObject> {
  const source = await readPart10(path);
  const encoding = encodingOf(source.meta.transferSyntaxUid);
  const spared = new Set(spare.map(tagOf));
  const carriers = carriersOf(encoding.explicitVr, sequences.map(tagOf)).filter(
    ({ place }) => place.in !== 'dataset' || !spared.has(place.element.tag),
  );
  const dataset = plantedDataset(source.dataset, carriers);
  const open = carriers.flatMap(({ place }) =>
    place.in === 'open-unknown' ? [place.element] : [],
  );
  const parts = datasetParts(dataset, open, encoding);
  const body = Buffer.concat([
    ...parts.filter(({ tag }) => tag < PIXEL_DATA).map(({ bytes }) => bytes),
    await pixelElement(path, source),
    ...parts.filter(({ tag }) => tag > PIXEL_DATA).map(({ bytes }) => bytes),
  ]);
  const deflated = isDeflated(source.meta.transferSyntaxUid) ? deflateRawSync(body) : body;
  const file = Buffer.concat([plantedHead(source, dataset, carriers), deflated]);
  return { file, carriers, markers: carriers.flatMap(({ markers }) => markers) };
}

function plantedDataset(base: DicomDataset, carriers: readonly Carrier[]): DicomDataset {
  const dataset = new DicomDataset();
  for (const element of base) {
    // Else an instance that was cleaned elsewhere would be refused for that alone.
    if (element.tag === IDENTITY_REMOVED) continue;
    // Group lengths would be wrong afterwards.
    if ((element.tag & 0xffff) !== 0) dataset.put(element);
  }
  for (const { place } of carriers) {
    if (place.in === 'dataset') dataset.put(place.element);
    if (place.in === 'open-unknown') dataset.delete(place.element.tag);
  }
  for (const { place } of carriers) {
    if (place.in === 'item') putInItem(dataset, place.sequence, place.element);
  }
  return dataset;
}

/** Into the first item of a sequence; makes the sequence where there is none. */
export function putInItem(dataset: DicomDataset, sequence: number, element: DicomElement): void {
  const items = dataset.items(sequence);
  const first = copied(items[0] ?? codeItem()).put(element);
  first.inheritCharacterSets(dataset);
  dataset.setItems(sequence, [first, ...items.slice(1)]);
}
function codeItem(): DicomDataset {
  const item = new DicomDataset();
  for (const [keyword, value] of Object.entries(CODE)) item.setString(keyword, value);
  return item;
}
export function copied(dataset: DicomDataset): DicomDataset {
  const copy = new DicomDataset();
  for (const element of dataset) copy.put(element);
  return copy;
}

interface Part {
  readonly tag: number;
  readonly bytes: Buffer;
}
function datasetParts(
  dataset: DicomDataset,
  open: readonly DicomElement[],
  encoding: Encoding,
): Part[] {
  const parts: Part[] = [...dataset].map((element) => ({
    tag: element.tag,
    bytes: encodeDataset(new DicomDataset().put(element), encoding),
  }));
  for (const { tag, vr, value } of open) {
    const header = elementHeader(tag, vr, UNDEFINED_LENGTH, encoding);
    const bytes = Buffer.concat([header, value as Uint8Array, SEQUENCE_END]);
    parts.push({ tag, bytes });
  }
  return parts.sort((a, b) => a.tag - b.tag);
}
async function pixelElement(path: string, source: Part10File): Promise<Buffer> {
  const { pixelData, meta } = source;
  if (!pixelData) return Buffer.alloc(0);
  const { tag, vr, encapsulated, valueOffset, valueLength } = pixelData;
  const length = encapsulated ? UNDEFINED_LENGTH : valueLength;
  const parts = [elementHeader(tag, vr, length, encodingOf(meta.transferSyntaxUid))];
  const range = { offset: valueOffset, length: valueLength };
  if (valueLength > 0) {
    for await (const bytes of readDatasetRange(path, source, range)) parts.push(bytes);
  }
  return Buffer.concat(parts);
}

function plantedHead(
  { meta, metaDataset }: Part10File,
  dataset: DicomDataset,
  carriers: readonly Carrier[],
): Buffer {
  const group = copied(metaDataset);
  group.delete(0x00020000);
  let preamble: Uint8Array = Buffer.alloc(128);
  for (const { place } of carriers) {
    if (place.in === 'meta') group.put(place.element);
    if (place.in === 'preamble') preamble = place.bytes;
  }
  group.setString(0x00020002, meta.sopClassUid, 'UI');
  group.setString(0x00020003, dataset.string('SOPInstanceUID') ?? '', 'UI');
  const body = encodeDataset(group, EXPLICIT_LE);
  const length = new DicomDataset().setNumbers(0x00020000, [body.length], 'UL');
  return Buffer.concat([preamble, Buffer.from('DICM'), encodeDataset(length, EXPLICIT_LE), body]);
}

/**
 * What of the originals' attributes is at the hub as it was, and what the assessment says of them.
 * Decides that every value counts, of every image and at any depth: texts are looked for in every
 * byte, and attributes of the copies are compared with those of the originals, numbers included.
 * Invariants: an attribute is known by its keyword, never by a value; what the assessment does not
 * name in "What remains" is a finding.
 * Source: docs/compliance/dpia-linkage.md; pseudonymisation specification 3.7.
 */
import { keywordOf, type DicomDataset } from '@aifi/dicom-core';
import type { Material } from './adversary.js';
import { TextNeedles } from './needle-index.js';

/** Texts shorter than this occur by chance in gigabytes. @unit characters */
const TEXT_MIN = 6;
const TEXT_VRS: ReadonlySet<string> = new Set([
  ...['AE', 'AS', 'CS', 'DA', 'DS', 'DT', 'IS', 'LO', 'LT', 'PN', 'SH', 'ST', 'TM'],
  ...['UC', 'UI', 'UR', 'UT'],
]);

export class OriginalAttributes {
  /** Keywords by the bytes of a value. */
  readonly #values = new Map<string, Set<string>>();
  /** Keywords by text. */
  readonly #texts = new Map<string, Set<string>>();

  learn(dataset: DicomDataset): void {
    for (const { keyword, bytes, texts } of attributesOf(dataset)) {
      note(this.#values, `${keyword} ${bytes.toString('latin1')}`, keyword);
      for (const text of texts) {
        if (text.length >= TEXT_MIN) note(this.#texts, text, keyword);
      }
    }
  }
  get size(): number {
    return this.#values.size;
  }

  /** Keywords of attributes that copies have with the value of an original. */
  keptIn(copies: Iterable<DicomDataset>): Set<string> {
    const kept = new Set<string>();
    for (const copy of copies) {
      for (const { keyword, bytes } of attributesOf(copy)) {
        if (this.#values.has(`${keyword} ${bytes.toString('latin1')}`)) kept.add(keyword);
      }
    }
    return kept;
  }

  /** For each text that is found anywhere: the attributes that have it. */
  foundIn(material: Iterable<Material>): { readonly place: string; readonly of: string[] }[] {
    const needles = new TextNeedles();
    for (const text of this.#texts.keys()) needles.add(text, text);
    const found = new Map<string, { place: string; of: string[] }>();
    for (const { place, bytes } of material) {
      for (const { carrier: text } of needles.scan(bytes)) {
        const of = [...this.#texts.get(text)!];
        found.set(of.join(' '), { place, of });
      }
    }
    return [...found.values()];
  }
}

function note(map: Map<string, Set<string>>, key: string, keyword: string): void {
  const known = map.get(key);
  if (known) known.add(keyword);
  else map.set(key, new Set([keyword]));
}

interface Attribute {
  readonly keyword: string;
  readonly bytes: Buffer;
  readonly texts: readonly string[];
}
function* attributesOf(dataset: DicomDataset): Generator<Attribute> {
  for (const { tag, vr, value } of dataset) {
    if (!(value instanceof Uint8Array)) {
      for (const item of value) yield* attributesOf(item);
      continue;
    }
    // An absent value, or nothing but padding, says nothing.
    if (value.every((byte) => byte === 0x20 || byte === 0)) continue;
    const texts = TEXT_VRS.has(vr) ? dataset.strings(tag).map((text) => text.trim()) : [];
    yield { keyword: keywordOf(tag), bytes: Buffer.from(value), texts };
  }
}

/** Rows of the conformance table whose de-identifier column says that something is left. */
const REMAINS = new RegExp(
  String.raw`^\| \(....,....\) \| (\w+) \|.*` +
    String.raw`\| (?:kept|cleaned|reduced to the vocabulary)[^|]*\|[^|]*\|$`,
  'gm',
);

/**
 * Keywords that "What remains" of the assessment names: itself, and by its word that what the
 * conformance table calls kept, cleaned or reduced to the vocabulary remains.
 */
export function namedIn(assessment: string, conformance: string): ReadonlySet<string> {
  const [, section = ''] = /^## What remains\n(.*?)^## /ms.exec(assessment) ?? [];
  const own = section.matchAll(/`([A-Z][A-Za-z0-9]+)`/g);
  const isReferred = section.includes('conformance/de-identification.md');
  const rows = isReferred ? conformance.matchAll(REMAINS) : [];
  return new Set([...own, ...rows].map(([, keyword]) => keyword!));
}

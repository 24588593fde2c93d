/**
 * Planted values: one marker per carrier, in the form of its value representation.
 * Decides how a marker looks, so that a raw search finds it and no marker is part of another: fixed
 * width, numbered. Invariant: deterministic; values keep to PS3.5 6.2 wherever it leaves room.
 * Source: pseudonymisation specification 1.7, 2.2 (a).
 */

export type MarkerKind = 'text' | 'date-or-uid';
export interface PlantedValue {
  readonly kind: MarkerKind;
  /** What a search looks for. */
  readonly marker: string;
  /** Value field without padding. */
  readonly bytes: Buffer;
}

/** First of the planted days; one day later for every next carrier. */
const FIRST_DAY = Date.UTC(2011, 0, 1);
const DAY_MS = 86_400_000;
const UID_ROOT = '1.2.826.0.1.3680043.9.7133.';

const numbered = (index: number): string => String(index).padStart(5, '0');
const dayText = (index: number): string =>
  new Date(FIRST_DAY + index * DAY_MS).toISOString().slice(0, 10).replaceAll('-', '');

/** A word that no other text holds: ten characters, valid in AE, CS and SH. */
export const word = (index: number): string => `QJX${numbered(index)}KZ`;
export const plantedUid = (index: number): string => `${UID_ROOT}4${numbered(index)}`;

/** The value of carrier `index`; undefined for representations that hold no searchable marker. */
export function plantedValue(vr: string, index: number): PlantedValue | undefined {
  const text = (marker: string, around = marker): PlantedValue => {
    const kind = /^(DA|DT|TM|UI)$/.test(vr) ? 'date-or-uid' : 'text';
    return { kind, marker, bytes: Buffer.from(around, 'latin1') };
  };
  // Four decimals behind the sixth digit: seconds and numbers of real files do not have them.
  const fraction = `.9${numbered(index)}`;
  if (vr === 'DA') return text(dayText(index));
  if (vr === 'DT') return text(`${dayText(index)}101112${fraction}`);
  if (vr === 'TM') return text(`101112${fraction}`);
  if (vr === 'UI') return text(plantedUid(index));
  if (vr === 'DS') return text(`71.8${fraction.slice(1)}`);
  if (vr === 'IS') return text(`718${numbered(index)}`);
  if (vr === 'PN') return text(word(index), `${word(index)}^Jan^van der`);
  if (vr === 'UR') return text(word(index), `https://${word(index)}.example/`);
  if (/^(LO|SH|AE|CS|AS)$/.test(vr)) return text(word(index));
  if (/^(LT|ST|UT|UC)$/.test(vr)) return text(word(index), `d.d. 3-4-1961 ${word(index)} tel`);
  if (/^(OB|OD|OF|OL|OV|OW|UN)$/.test(vr)) return text(word(index), `\x01\x02${word(index)}    `);
  return undefined;
}

/** Padded to an even length as the representation has it. */
export function padded(bytes: Buffer, vr: string): Buffer {
  const width = /^(OV|OD)$/.test(vr) ? 8 : /^(OF|OL)$/.test(vr) ? 4 : 2;
  const missing = (width - (bytes.length % width)) % width;
  return Buffer.concat([bytes, Buffer.alloc(missing, vr === 'UI' ? 0 : 0x20)]);
}

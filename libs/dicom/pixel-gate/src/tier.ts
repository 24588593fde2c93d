/**
 * Tiers: how closely the pixels of one image are examined.
 * Decides by SOP class and device. `border`: CT and MR of a known manufacturer; their pixels come
 * from a reconstruction, text is at the edge if anywhere. `bands`: radiographs; text and markers
 * are at the edge, where the text detector reads. `full`: everything else, where text is usual: the
 * whole picture, several windows, both polarities, and a person, unless the layout of that device
 * is known. A class that nobody listed is `full`. Source: pseudonymisation specification 1.5.
 */
import type { DicomDataset } from '@aifi/dicom-core';

export type Tier = 'border' | 'bands' | 'full';

const STORAGE = '1.2.840.10008.5.1.4.1.1.';
const CROSS_SECTIONAL = new Set(
  ['2', '2.1', '2.2', '4', '4.1', '4.3', '4.4'].map((end) => STORAGE + end),
);
/** CR; digital X-ray, mammography and intra-oral, for presentation and for processing. */
const RADIOGRAPHS = new Set(
  ['1', '1.1', '1.1.1', '1.2', '1.2.1', '1.3', '1.3.1'].map((end) => STORAGE + end),
);
/** Ultrasound, angiography, fluoroscopy, endoscopy and light: a region rule may release these. */
const REGION_RULE_CLASSES = new Set(
  [
    ...['3.1', '6.1', '6.2', '3', '6', '12.1', '12.1.1', '12.2', '12.2.1', '12.3'],
    ...['77.1.1', '77.1.1.1', '77.1.4', '77.1.4.1'],
  ].map((end) => STORAGE + end),
);

/**
 * Manufacturers of scanners as their images write them, in capitals, from the start of the value.
 * A site adds its own by configuration.
 */
export const KNOWN_MANUFACTURERS: readonly string[] = [
  ...['GE ', 'GEMS', 'G.E. ', 'SIEMENS', 'PHILIPS', 'CANON', 'TOSHIBA', 'HITACHI', 'FUJIFILM'],
  ...['FUJI PHOTO', 'UIH', 'UNITED IMAGING', 'NEUSOFT', 'NEUROLOGICA', 'SAMSUNG', 'PICKER'],
  ...['MARCONI', 'ELSCINT', 'ESAOTE', 'SHIMADZU', 'MINFOUND', 'ANKE', 'PARAMED', 'HYPERFINE'],
];

export function tierOf(header: DicomDataset, knownManufacturers: readonly string[]): Tier {
  const sopClassUid = header.string('SOPClassUID') ?? '';
  if (RADIOGRAPHS.has(sopClassUid)) return 'bands';
  if (!CROSS_SECTIONAL.has(sopClassUid)) return 'full';
  const manufacturer = `${(header.string('Manufacturer') ?? '').toUpperCase()} `;
  const isKnown = knownManufacturers.some((name) => manufacturer.startsWith(name.toUpperCase()));
  return isKnown ? 'border' : 'full';
}

/** A class of which a known layout is enough, without a person. */
export function mayUseRegionRule(header: DicomDataset): boolean {
  return REGION_RULE_CLASSES.has(header.string('SOPClassUID') ?? '');
}

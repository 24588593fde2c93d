/**
 * Own text: the sentences and names that the platform itself writes into a result.
 * Decides that they are printable ASCII without backslash, so that the gateway may declare any
 * character set of the original and no value splits in two. Invariant: nothing here comes from the
 * patient. Source: results specification 4.5 (character set), PS3.5 6.1.3 and 6.2 (backslash).
 */
import type { ModelManifest } from '@aifi/contracts-manifests';
import type { EarlyImages, EvidenceContext, EvidenceLanguage } from './evidence-context.js';

const DIACRITICS = /\p{Mn}/gu;
const NOT_PRINTABLE_ASCII = /[^\x20-\x7e]/g;

/** Nearest ASCII text: diacritics dropped, other characters '?', backslash '/', cut to `max`. */
export function ascii(text: string, max = 1024): string {
  const plain = text.normalize('NFKD').replace(DIACRITICS, '').replace(NOT_PRINTABLE_ASCII, '?');
  return plain.replaceAll('\\', '/').slice(0, max).trim();
}

const NOT_VERIFIED: Readonly<Record<EvidenceLanguage, string>> = {
  'en-GB': 'AI result, not verified',
  'nl-NL': 'AI-resultaat, niet geverifieerd',
};
/** The warning that every result carries. */
export function notVerified(language: EvidenceLanguage): string {
  return NOT_VERIFIED[language];
}
/** The product's label, where it has one, and the warning, as sentences. */
export function labelAndWarning({ label }: ModelManifest, language: EvidenceLanguage): string {
  return [ascii(label), notVerified(language)].filter((part) => part !== '').join('. ') + '.';
}

/** What a result says whose study still arrived when the product ran. */
export function earlyStart(
  { instances, expected }: EarlyImages,
  language: EvidenceLanguage,
): string {
  const isDutch = language === 'nl-NL';
  const images = isDutch ? 'beelden' : 'images';
  const start = isDutch ? 'Vroege start' : 'Early start';
  if (expected !== undefined) {
    return `${start}: ${instances} ${isDutch ? 'van' : 'of'} ${expected} ${images}`;
  }
  return `${start}: ${instances} ${images} ${isDutch ? 'tot nu toe' : 'so far'}`;
}
/** The product's label, the warning and how much of the study was there, as sentences. */
export function warnings({
  product,
  language,
  early,
}: Pick<EvidenceContext, 'product' | 'language' | 'early'>): string {
  const warning = labelAndWarning(product, language);
  return early ? `${warning} ${earlyStart(early, language)}.` : warning;
}

const NOTHING_SEGMENTED: Readonly<Record<EvidenceLanguage, string>> = {
  'en-GB': 'No voxel belongs to a class, so there is no segmentation object.',
  'nl-NL': 'Geen voxel hoort bij een klasse, daarom is er geen segmentatieobject.',
};
/** Why a segmentation product came without a segmentation. */
export function nothingSegmented(language: EvidenceLanguage): string {
  return NOTHING_SEGMENTED[language];
}

/** What a detection product looked for, where and with which outcome. */
export interface SearchScope {
  /** The finding in the manifest's words. */
  readonly label: string;
  readonly images: number;
  readonly threshold: number;
  readonly found: number;
}
/** The scope in words: a negative says what was looked for and where. */
export function searchScope(scope: SearchScope, language: EvidenceLanguage): string {
  const { images, threshold, found } = scope;
  const label = ascii(scope.label);
  if (language === 'nl-NL') {
    const where = images === 1 ? '1 beeld' : `${images} beelden`;
    const regions = found === 1 ? '1 gebied' : `${found} gebieden`;
    const outcome = found === 0 ? 'Niet gevonden' : `Gevonden: ${regions}`;
    return `Gezocht naar: ${label}, op ${where}, werkpunt ${threshold}. ${outcome}.`;
  }
  const where = images === 1 ? '1 image' : `${images} images`;
  const regions = found === 1 ? '1 region' : `${found} regions`;
  const outcome = found === 0 ? 'Not found' : `Found: ${regions}`;
  return `Looked for: ${label}, on ${where}, operating point ${threshold}. ${outcome}.`;
}

const MORE_IMAGES: Readonly<Record<EvidenceLanguage, string>> = {
  'en-GB': 'images without picture here',
  'nl-NL': 'beelden hier zonder afbeelding',
};
const MORE_REGIONS: Readonly<Record<EvidenceLanguage, string>> = {
  'en-GB': 'regions more in the report',
  'nl-NL': 'gebieden meer in het verslag',
};
/** What a page had no room for, or '' when it shows all. */
export function notShown(
  { images, regions }: { readonly images: number; readonly regions: number },
  language: EvidenceLanguage,
): string {
  const parts = [
    ...(images > 0 ? [`+${images} ${MORE_IMAGES[language]}`] : []),
    ...(regions > 0 ? [`+${regions} ${MORE_REGIONS[language]}`] : []),
  ];
  return parts.join(', ');
}

/** `AI <product> <finding>`, with the label when 64 characters (LO, PS3.5 6.2) hold both. */
export function seriesDescription(product: ModelManifest, finding: string): string {
  const plain = ascii(`AI ${product.product} ${finding}`, 64);
  const labelled = ascii(`${plain} - ${product.label}`);
  return product.label !== '' && labelled.length <= 64 ? labelled : plain;
}

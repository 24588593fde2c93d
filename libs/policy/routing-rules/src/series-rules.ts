/**
 * One rule on one series.
 * Decides when values of a series satisfy a rule; CR, DX and RG are one family of radiographs, as
 * the same room is called either by different makers.
 * Invariants: an empty value is a missing one; an exclusion takes its words literally, so that a
 * product may exclude CR and still take DX. Source: governance specification 4.3.
 */
import type { SeriesRule } from '@aifi/contracts-manifests';
import type { SeriesFacts } from './facts.js';
import { ATTRIBUTE_WORDS, isNotOneOf, shown } from './coded-values.js';
import { failed, missing, type Check, type Words } from './verdict.js';

/** Computed Radiography, Digital Radiography, Radiographic imaging (conventional film). */
const RADIOGRAPHS = ['CR', 'DX', 'RG'];

export function checkSeriesRule(rule: SeriesRule, { attributes }: SeriesFacts): Check {
  const { id, attribute, onMissing, matches, noneOf, noneMatch } = rule;
  const subject = ATTRIBUTE_WORDS[attribute];
  const values = (attributes[attribute] ?? []).filter((value) => value !== '');
  if (values.length === 0) return missing(id, onMissing, subject);
  const refused = (words: Words): Check => failed(id, 'OUT_OF_INTENDED_USE', words);
  const allowed = allowedValues(rule);
  if (allowed && !values.some((value) => allowed.includes(value))) {
    return refused(notAllowed(rule, values));
  }
  const fits = (pattern: string) => (value: string) => new RegExp(pattern, 'i').test(value);
  if (matches !== undefined && !values.some(fits(matches))) return refused(notFitting(rule));
  const isExcluded = (value: string): boolean =>
    (noneOf?.includes(value) ?? false) || (noneMatch !== undefined && fits(noneMatch)(value));
  return values.some(isExcluded) ? refused(excluded(rule)) : { rule: id };
}

export function satisfies(rules: readonly SeriesRule[], series: SeriesFacts): boolean {
  return rules.every((rule) => !checkSeriesRule(rule, series).reason);
}

function allowedValues({
  attribute,
  oneOf,
  exactModality,
}: SeriesRule): readonly string[] | undefined {
  const isFamily =
    attribute === 'modality' &&
    exactModality !== true &&
    oneOf?.some((value) => RADIOGRAPHS.includes(value));
  return isFamily ? [...oneOf!, ...RADIOGRAPHS] : oneOf;
}

function notAllowed({ id, attribute, oneOf }: SeriesRule, values: readonly string[]): Words {
  const subject = ATTRIBUTE_WORDS[attribute];
  // A list of UIDs tells a reader nothing.
  if (attribute !== 'sopClassUid') return isNotOneOf(subject, shown(attribute, values), oneOf!);
  return {
    en: `${subject.en} is none that the rule ${id} takes`,
    nl: `${subject.nl} valt buiten de regel ${id}`,
  };
}

function notFitting({ id, attribute }: SeriesRule): Words {
  const { en, nl } = ATTRIBUTE_WORDS[attribute];
  return { en: `${en} does not fit the rule ${id}`, nl: `${nl} past niet bij de regel ${id}` };
}

function excluded({ id, attribute }: SeriesRule): Words {
  const { en, nl } = ATTRIBUTE_WORDS[attribute];
  return { en: `${en} is excluded by the rule ${id}`, nl: `${nl} is uitgesloten door ${id}` };
}

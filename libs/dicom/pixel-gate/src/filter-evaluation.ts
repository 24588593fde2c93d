/**
 * Filter evaluation: what the filter rules say of one header.
 * Decides whether a label matches. Values are compared without case; an attribute with several
 * values matches by any of them; an absent attribute contains nothing, equals nothing and is not
 * empty. Only the top level is looked at: a CT carries the words of its dose phantom in a sequence.
 * Source: the rules of data/deid.dicom; pseudonymisation specification 1.5.
 */
import type { DicomDataset } from '@aifi/dicom-core';
import type { PixelRegion } from '@aifi/dicom-pixels';
import { AifiError } from '@aifi/shared-kernel';
import type { Condition, FilterLabel, FilterList } from './filter-rules.js';

export interface FilteredHeader {
  readonly header: DicomDataset;
  /** Implementation Version Name (0002,0013) of the file. */
  readonly implementationVersionName: string | undefined;
}

export interface FilterFinding {
  readonly list: FilterList;
  readonly name: string;
  readonly regions: readonly PixelRegion[];
  readonly hasSize: boolean;
}

/** The labels that match, in the order of the file. */
export function matchesOf(
  rules: readonly FilterLabel[],
  filtered: FilteredHeader,
): FilterFinding[] {
  return rules.filter(({ lines }) => doMatch(lines, filtered));
}

/** Kinds of header that are remembered: the slices of a series are of one kind. */
const KINDS_MAX = 64;

/** The same for many headers: those with the same values are judged once. */
export class FilterMatcher {
  readonly #keywords: readonly string[];
  readonly #known = new Map<string, readonly FilterFinding[]>();

  constructor(private readonly rules: readonly FilterLabel[]) {
    const conditions = rules.flatMap(({ lines }) => lines.flatMap(({ any }) => any));
    this.#keywords = [...new Set(conditions.map(({ keyword }) => keyword))];
  }

  matchesOf(filtered: FilteredHeader): readonly FilterFinding[] {
    const kind = this.#kindOf(filtered);
    if (kind === undefined) return matchesOf(this.rules, filtered);
    const known = this.#known.get(kind);
    if (known) return known;
    const found = matchesOf(this.rules, filtered);
    if (this.#known.size >= KINDS_MAX) this.#known.clear();
    this.#known.set(kind, found);
    return found;
  }

  /** Every value that a rule asks for; undefined when one does not decode. */
  #kindOf(filtered: FilteredHeader): string | undefined {
    try {
      return JSON.stringify(this.#keywords.map((keyword) => valuesOf(keyword, filtered)));
    } catch (error) {
      if (AifiError.from(error).code !== 'DICOM_MALFORMED') throw error;
      return undefined;
    }
  }
}

function doMatch(lines: FilterLabel['lines'], filtered: FilteredHeader): boolean {
  let matches: boolean | undefined;
  for (const { joins, any } of lines) {
    const here = any.some((condition) => isMet(condition, filtered));
    if (matches === undefined) matches = here;
    else matches = joins === 'or' ? matches || here : matches && here;
  }
  // A label without any condition says nothing.
  return matches ?? false;
}

function isMet({ operator, keyword, words }: Condition, filtered: FilteredHeader): boolean {
  const values = valuesOf(keyword, filtered);
  if (operator === 'missing') return values === undefined;
  if (operator === 'empty') return values?.every((value) => value === '') ?? false;
  if (values === undefined) return false;
  const isIn = (word: string): boolean =>
    values.some((value) => (operator === 'equals' ? value === word : value.includes(word)));
  return words.some((group) => group.every(isIn));
}

/** Lower case; undefined when the attribute is absent. */
function valuesOf(keyword: string, filtered: FilteredHeader): readonly string[] | undefined {
  if (keyword === 'ImplementationVersionName') {
    const name = filtered.implementationVersionName;
    return name === undefined ? undefined : [name.toLowerCase()];
  }
  const { header } = filtered;
  const element = header.get(keyword);
  if (!element) return undefined;
  const values = BINARY_VRS.has(element.vr)
    ? header.numbers(keyword).map(String)
    : header.strings(keyword).map((value) => value.trim().toLowerCase());
  return values.length === 0 ? [''] : values;
}
const BINARY_VRS = new Set(['US', 'SS', 'UL', 'SL', 'FL', 'FD']);

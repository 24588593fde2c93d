/**
 * Filter rules: the shared filter file for burned-in text, read strictly.
 * Decides what its lines mean. A label is a list of lines; a line is conditions joined by `||`;
 * lines join from left to right, with `+` or nothing as "and", with `||` as "or". A value is words
 * joined by `|` (any of them) or, between words, `+` (all of them); case does not matter. Unknown
 * words, sections and attributes are an error at start: a rule that nobody reads protects nobody.
 * The part that rewrites headers (`%header`) is not ours: the engine has its own table.
 * Source: data/deid.dicom with data/NOTICE.md.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { tagOf } from '@aifi/dicom-core';
import type { PixelRegion } from '@aifi/dicom-pixels';
import { AifiError } from '@aifi/shared-kernel';

export type FilterList = 'whitelist' | 'graylist' | 'blacklist';
export type Operator = 'contains' | 'equals' | 'missing' | 'empty';

export interface Condition {
  readonly operator: Operator;
  /** Keyword of PS3.6. */
  readonly keyword: string;
  /** Lower case; one group is enough, of a group every word is needed. */
  readonly words: readonly (readonly string[])[];
}
export interface ConditionLine {
  readonly joins: 'and' | 'or';
  /** One of them is enough. */
  readonly any: readonly Condition[];
}
export interface FilterLabel {
  readonly list: FilterList;
  readonly name: string;
  readonly lines: readonly ConditionLine[];
  readonly regions: readonly PixelRegion[];
  /** The rows of the picture are one of its conditions: the places are those of one layout. */
  readonly hasSize: boolean;
}

/** Keywords that the file misspells. */
const SPELLING: Readonly<Record<string, string>> = {
  Manfacturer: 'Manufacturer',
  Manufacture: 'Manufacturer',
};
const LISTS = new Set<string>(['whitelist', 'graylist', 'blacklist']);
const OPERATORS = new Set<string>(['contains', 'equals', 'missing', 'empty']);
/** Group 0002 has no rows in the dictionary of datasets. */
const FILE_META = new Set(['ImplementationVersionName']);

/** The rules of the library's own copy. */
export function loadFilterRules(): FilterLabel[] {
  const path = fileURLToPath(new URL('../data/deid.dicom', import.meta.url));
  return parseFilterRules(readFileSync(path, 'utf8'));
}

interface Draft {
  readonly list: FilterList;
  readonly name: string;
  readonly lines: ConditionLine[];
  readonly regions: PixelRegion[];
}

/** Throws CONFIG_INVALID with the number of the line that is not understood. */
export function parseFilterRules(text: string): FilterLabel[] {
  const labels: Draft[] = [];
  let list: FilterList | undefined;
  const rows = text.split(/\r?\n/);
  if (rows[0]?.trim() !== 'FORMAT dicom') throw wrong(1);
  for (const [index, row] of rows.entries()) {
    const number = index + 1;
    const line = row.split('#')[0]!.trim();
    if (index === 0 || line === '') continue;
    if (line === '%header') break;
    const section = /^%filter (\w+)$/.exec(line);
    if (section) {
      if (!LISTS.has(section[1]!)) throw wrong(number);
      list = section[1] as FilterList;
    } else if (line.startsWith('LABEL ')) {
      if (!list) throw wrong(number);
      labels.push({ list, name: line.slice('LABEL '.length).trim(), lines: [], regions: [] });
    } else {
      addLine(labels.at(-1), line, number);
    }
  }
  return labels.map((label) => ({
    ...label,
    hasSize: label.lines.some(({ any }) => any.every(isSize)),
  }));
}

function isSize({ operator, keyword }: Condition): boolean {
  return operator === 'equals' && keyword === 'Rows';
}

function addLine(label: Draft | undefined, line: string, number: number): void {
  if (!label) throw wrong(number);
  const place = /^(ctp)?coordinates\s+(.+)$/.exec(line);
  if (place) {
    label.regions.push(regionOf(place[2]!, place[1] !== undefined, number));
    return;
  }
  const [, joint, rest] = /^(\+|\|\|)?\s*(.+)$/.exec(line) ?? [];
  if (!rest) throw wrong(number);
  label.lines.push({
    joins: joint === '||' ? 'or' : 'and',
    any: rest.split('||').map((condition) => conditionOf(condition.trim(), number)),
  });
}

/** `x,y,width,height` of CTP, or both corners, the second one outside. */
function regionOf(text: string, isCtp: boolean, number: number): PixelRegion {
  const values = text.split(',').map((part) => Number(part.trim() || 'none'));
  const [x = -1, y = -1, third = -1, fourth = -1] = values;
  const [width, height] = isCtp ? [third, fourth] : [third - x, fourth - y];
  const isRight =
    values.length === 4 &&
    values.every((value) => Number.isSafeInteger(value) && value >= 0) &&
    width > 0 &&
    height > 0;
  if (!isRight) throw wrong(number);
  return { x, y, width, height };
}

function conditionOf(text: string, number: number): Condition {
  const [, operator = '', field = '', value = ''] = /^(\w+)\s+(\w+)(?:\s+(.+))?$/.exec(text) ?? [];
  const keyword = SPELLING[field] ?? field;
  const hasValue = operator === 'contains' || operator === 'equals';
  if (!OPERATORS.has(operator) || hasValue !== (value !== '')) throw wrong(number);
  if (!FILE_META.has(keyword) && !isKnown(keyword)) throw wrong(number);
  const words = value
    .toLowerCase()
    .split('|')
    // A plus that ends a word is part of a name ("Definition AS+").
    .map((group) => group.split(/\+(?=\w)/).map((word) => word.trim()));
  if (hasValue && words.flat().includes('')) throw wrong(number);
  return { operator: operator as Operator, keyword, words: hasValue ? words : [] };
}

function isKnown(keyword: string): boolean {
  try {
    return tagOf(keyword) > 0;
  } catch {
    return false;
  }
}

function wrong(line: number): AifiError {
  return new AifiError('CONFIG_INVALID', `the pixel filter file is not understood at line ${line}`);
}

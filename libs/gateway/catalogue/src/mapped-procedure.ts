/**
 * mappedProcedureOf: what the catalogue in force says of the codes of an order or of images.
 * Decides how several codes are one procedure: what they agree on stands, left and right are both
 * sides, and products are those of all of them.
 * Invariants: a code that the catalogue does not know says nothing; where known codes contradict
 * each other the images decide. Source: governance specification 4.3 (codes before image tags).
 */
import type { Sql } from '@aifi/gateway-database';
import type { MappedProcedure } from '@aifi/policy-routing-rules';
import type { CatalogueCode, Side } from './catalogue-file.js';

/** Codes of one study that are looked up; more than one procedure is rare. */
const CODES_MAX = 32;

interface CodeRow extends Omit<CatalogueCode, 'products'> {
  readonly products: string;
}
const CODE = `
  SELECT code, scheme, description, body_part AS bodyPart, side, phase, products
  FROM catalogue_code
  WHERE version = (SELECT of_version FROM catalogue_version ORDER BY version DESC LIMIT 1)
    AND code = ?1 AND (scheme = ?2 OR scheme = '') ORDER BY scheme = '' LIMIT 1`;

/** `codes`: `scheme:code`; undefined when none of them is in the catalogue. */
export function mappedProcedureOf(sql: Sql, codes: readonly string[]): MappedProcedure | undefined {
  const found = codes.slice(0, CODES_MAX).flatMap((each) => rowOf(sql, each) ?? []);
  if (found.length === 0) return undefined;
  const lists = found.map(({ products }) => JSON.parse(products) as string[]);
  // One that leaves the products to the intended use leaves it for all of them.
  const isOpen = lists.some((list) => list.length === 0);
  return {
    ...{ bodyPart: agreed(found.map(({ bodyPart }) => bodyPart)), side: sideOf(found) },
    phase: agreed(found.map(({ phase }) => phase)),
    products: isOpen ? [] : [...new Set(lists.flat())].sort(),
  };
}

/** Whether the catalogue knows one of them. */
export const isMapped = (sql: Sql, codes: readonly string[]): boolean =>
  codes.some((each) => rowOf(sql, each) !== undefined);

function rowOf(sql: Sql, text: string): CodeRow | undefined {
  const [, scheme = '', code = ''] = /^([^:]*):(.*)$/s.exec(text) ?? ['', '', text];
  return sql.get<CodeRow>(CODE, code.trim(), scheme.trim());
}

function agreed(values: readonly string[]): string | undefined {
  const said = new Set(values.filter((value) => value !== ''));
  const [only] = said;
  return said.size === 1 ? only : undefined;
}

function sideOf(rows: readonly CodeRow[]): Side | undefined {
  const sides = new Set(rows.flatMap(({ side }) => (side === '' ? [] : [side])));
  if (sides.size <= 1) return [...sides][0];
  return sides.has('U') ? undefined : 'B';
}

/**
 * A hospital's procedure catalogue as a CSV file.
 * Decides the columns with their Dutch and English names, what a value may be, and that a code that
 * stands on several lines may differ in its products alone: they are put together.
 * Invariants: a file with an error is not imported at all; what is written can be read again and
 * means the same. Source: governance specification 4.3; PS3.16 annex L; PS3.3 C.7.3.1.1.1.
 */
import type { CatalogueColumn, CatalogueFinding, CatalogueProblem } from '@aifi/contracts-rest';
import { AifiError, canonicalJson, sha256Hex } from '@aifi/shared-kernel';
import { BODY_PARTS } from './body-parts.table.js';
import { columnsOf, csvLine, decodeText, plainCell, plainName, readCsv } from './csv-reader.js';

const COLUMNS: Readonly<Record<CatalogueColumn, readonly string[]>> = {
  code: ['code', 'procedurecode', 'verrichtingcode', 'verrichtingscode', 'onderzoekcode'],
  scheme: ['scheme', 'codingscheme', 'codesysteem', 'codestelsel', 'stelsel'],
  description: ['description', 'name', 'omschrijving', 'naam', 'verrichting', 'onderzoek'],
  bodyPart: ['bodypart', 'bodypartexamined', 'lichaamsdeel'],
  side: ['side', 'laterality', 'zijde', 'kant'],
  phase: ['phase', 'contrastphase', 'fase', 'contrastfase'],
  product: ['product', 'products', 'producten'],
};
const SIDES = new Map<string, Side>([
  ...(['l', 'left', 'links'] as const).map((name) => [name, 'L'] as const),
  ...(['r', 'right', 'rechts'] as const).map((name) => [name, 'R'] as const),
  ...(['b', 'both', 'beide', 'beiderzijds'] as const).map((name) => [name, 'B'] as const),
  ...(['u', 'unpaired', 'ongepaard'] as const).map((name) => [name, 'U'] as const),
]);
export type Side = 'L' | 'R' | 'B' | 'U';

export interface CatalogueCode {
  readonly code: string;
  /** '': whatever scheme the code comes with. */
  readonly scheme: string;
  readonly description: string;
  /** '': the catalogue does not say. */
  readonly bodyPart: string;
  readonly side: Side | '';
  readonly phase: string;
  readonly products: readonly string[];
}
export interface CatalogueFile {
  /** By code and scheme. */
  readonly codes: readonly CatalogueCode[];
  readonly findings: readonly CatalogueFinding[];
}

/** Longest values: SH of a code and of a scheme, LO of its meaning (PS3.5), names of products. */
const LENGTHS = { code: 64, scheme: 16, description: 256, phase: 32, product: 128 } as const;
const WARNINGS: readonly CatalogueProblem[] = ['unknown-product', 'unknown-column', 'maps-nothing'];

/** Throws INVALID_ARGUMENT for what is no CSV with a code. */
export function readCatalogue(
  bytes: Uint8Array,
  knownProducts: ReadonlySet<string> | undefined,
): CatalogueFile {
  const rows = readCsv(decodeText(bytes));
  const header = rows.next();
  if (header.done) throw new AifiError('INVALID_ARGUMENT', 'the catalogue is empty');
  const { places, unknown } = columnsOf(header.value.cells, COLUMNS);
  if (places.code === undefined) {
    throw new AifiError('INVALID_ARGUMENT', 'the catalogue needs the column code');
  }
  const reading = new Reading(knownProducts);
  if (unknown.some((name) => name.trim() !== '')) reading.found(1, null, 'unknown-column');
  for (const { line, cells } of rows) {
    const text = (column: CatalogueColumn): string =>
      plainCell(places[column] === undefined ? '' : (cells[places[column]] ?? ''));
    reading.add(line, text);
  }
  return reading.file();
}

class Reading {
  readonly #codes = new Map<string, CatalogueCode>();
  readonly #findings: CatalogueFinding[] = [];

  constructor(private readonly knownProducts: ReadonlySet<string> | undefined) {}

  found(line: number, column: CatalogueColumn | null, problem: CatalogueProblem): void {
    this.#findings.push({ line, column, problem, isError: !WARNINGS.includes(problem) });
  }

  add(line: number, text: (column: CatalogueColumn) => string): void {
    const side = SIDES.get(plainName(text('side'))) ?? '';
    const read: CatalogueCode = {
      ...{ code: text('code'), scheme: text('scheme'), description: text('description'), side },
      bodyPart: text('bodyPart').toUpperCase().replace(/\s/g, ''),
      phase: text('phase').toUpperCase(),
      products: listOf(text('product')),
    };
    if (!this.#isGood(line, read, text('side'))) return;
    const key = `${read.scheme}\0${read.code}`;
    const earlier = this.#codes.get(key);
    if (earlier && !isSameBut(earlier, read)) return this.found(line, null, 'contradicts');
    const products = [...new Set([...(earlier?.products ?? []), ...read.products])].sort();
    this.#codes.set(key, { ...read, products });
  }

  file(): CatalogueFile {
    return { codes: [...this.#codes.values()].sort(byCode), findings: this.#findings };
  }

  #isGood(line: number, code: CatalogueCode, side: string): boolean {
    const before = this.#findings.length;
    if (code.code === '') this.found(line, 'code', 'no-code');
    for (const column of ['code', 'scheme', 'description', 'phase'] as const) {
      if (code[column].length > LENGTHS[column]) this.found(line, column, 'too-long');
    }
    if (code.products.some((each) => each.length > LENGTHS.product)) {
      this.found(line, 'product', 'too-long');
    }
    if (code.bodyPart !== '' && !BODY_PARTS.has(code.bodyPart)) {
      this.found(line, 'bodyPart', 'unknown-body-part');
    }
    if (side !== '' && code.side === '') this.found(line, 'side', 'unknown-side');
    if (this.#findings.length > before) return false;
    const { knownProducts } = this;
    if (knownProducts && code.products.some((each) => !knownProducts.has(each))) {
      this.found(line, 'product', 'unknown-product');
    }
    const said = code.bodyPart + code.side + code.phase + code.products.join('');
    if (said === '') this.found(line, null, 'maps-nothing');
    return true;
  }
}

const listOf = (text: string): string[] =>
  text
    .split('|')
    .map((each) => each.trim())
    .filter((each) => each !== '');

const isSameBut = (one: CatalogueCode, other: CatalogueCode): boolean =>
  (['description', 'bodyPart', 'side', 'phase'] as const).every((key) => one[key] === other[key]);

const byCode = (one: CatalogueCode, other: CatalogueCode): number =>
  compare(one.code, other.code) || compare(one.scheme, other.scheme);
const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

/** Of the codes alone: equal for catalogues that mean the same. */
export const digestOf = (codes: readonly CatalogueCode[]): string =>
  sha256Hex(canonicalJson(codes));

/** The file again, line by line, with its header. */
export function* writeCatalogue(codes: readonly CatalogueCode[]): Generator<string> {
  yield csvLine(['code', 'scheme', 'description', 'bodyPart', 'side', 'phase', 'product']);
  for (const { code, scheme, description, bodyPart, side, phase, products } of codes) {
    yield csvLine([code, scheme, description, bodyPart, side, phase, products.join('|')]);
  }
}

/**
 * Goal: a catalogue means the same in Dutch and English, and each wrong line is told by number and
 * column. Method: files by hand, one rule each; what was read is written and read again.
 */
import { describe, expect, it } from '@jest/globals';
import type { CatalogueColumn, CatalogueProblem } from '@aifi/contracts-rest';
import { BODY_PARTS } from './body-parts.table.js';
import { digestOf, readCatalogue, writeCatalogue } from './catalogue-file.js';

const PRODUCTS = new Set(['fracture', 'lung']);
const read = (text: string | Buffer) => readCatalogue(Buffer.from(text), PRODUCTS);
const HEADER = 'code;scheme;description;bodyPart;side;phase;product';

describe(readCatalogue.name, () => {
  it('reads Dutch names and words, of a windows-1252 file', () => {
    const text =
      'Verrichtingcode;Omschrijving;Lichaamsdeel;Zijde;Contrastfase;Producten\r\n' +
      'RX12;"Hand, links; coördinatie";hand;Links;;fracture|lung\r\n';
    expect(read(Buffer.from(text, 'latin1'))).toEqual({
      codes: [
        {
          ...{ code: 'RX12', scheme: '', description: 'Hand, links; coördinatie' },
          ...{ bodyPart: 'HAND', side: 'L', phase: '', products: ['fracture', 'lung'] },
        },
      ],
      findings: [],
    });
  });
  it('puts the products of several lines of one code together', () => {
    const { codes, findings } = read(
      `${HEADER}\nA;99X;x;CHEST;U;;lung\nA;99X;x;CHEST;U;;fracture\n`,
    );
    expect(findings).toEqual([]);
    expect(codes).toHaveLength(1);
    expect(codes[0]!.products).toEqual(['fracture', 'lung']);
  });
  it('keeps the same code of two schemes apart', () => {
    expect(read(`${HEADER}\nA;X;;CHEST\nA;Y;;HAND\n`).codes).toHaveLength(2);
  });
  it.each<[string, CatalogueProblem, CatalogueColumn | null, boolean]>([
    [';99X;x;CHEST;U;;lung', 'no-code', 'code', true],
    ['A;99X;x;THORAXFOTO;U;;lung', 'unknown-body-part', 'bodyPart', true],
    ['A;99X;x;CHEST;X;;lung', 'unknown-side', 'side', true],
    [`A;99X;${'x'.repeat(257)};CHEST;U;;lung`, 'too-long', 'description', true],
    ['A;99X;x;CHEST;U;;nobody', 'unknown-product', 'product', false],
    ['A;99X;x;;;;', 'maps-nothing', null, false],
  ])('tells of %s: %s', (line, problem, column, isError) => {
    const { codes, findings } = read(`${HEADER}\nOK;99X;x;HAND;R;;fracture\n${line}\n`);
    expect(findings).toEqual([{ line: 3, column, problem, isError }]);
    expect(codes).toHaveLength(isError ? 1 : 2);
  });
  it('tells of a code that contradicts an earlier line, and of a column that it does not read', () => {
    const { findings } = read('code;bodyPart;prijs\nA;HAND;1\nA;FOOT;1\n');
    expect(findings).toEqual([
      { line: 1, column: null, problem: 'unknown-column', isError: false },
      { line: 3, column: null, problem: 'contradicts', isError: true },
    ]);
  });
  it('knows no unknown product while there are no rules', () => {
    expect(readCatalogue(Buffer.from('code,product\nA,x\n'), undefined).findings).toEqual([]);
  });
  it('refuses what has no column code, or nothing at all', () => {
    expect(() => read('description;bodyPart\nx;HAND\n')).toThrow('needs the column code');
    expect(() => read('')).toThrow('the catalogue is empty');
  });
});

describe(writeCatalogue.name, () => {
  it('gives a file that means the same at another site', () => {
    const { codes } = read(
      `${HEADER}\nB2;99X;"=cmd; ""x""";CHEST;U;PORTAL VENOUS;lung|fracture\n-1;;-;HAND;L;;\n`,
    );
    const again = read([...writeCatalogue(codes)].join(''));
    expect(again).toEqual({ codes, findings: [] });
    expect(digestOf(again.codes)).toBe(digestOf(codes));
  });
});

describe('BODY_PARTS', () => {
  it('has the terms of the standard, each a Code String', () => {
    expect(BODY_PARTS.size).toBeGreaterThan(250);
    for (const part of BODY_PARTS) expect(part).toMatch(/^[A-Z0-9]{3,16}$/);
    for (const part of ['CHEST', 'HAND', 'LSSPINE', 'BRAIN']) expect(BODY_PARTS).toContain(part);
  });
});

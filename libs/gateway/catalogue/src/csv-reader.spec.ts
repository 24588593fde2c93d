/**
 * Goal: files as hospitals export them read the same, whatever separator, quotes and character set;
 * what is no CSV is told by line. Method: texts by hand, and generated tables that are written and
 * read again.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import {
  columnsOf,
  CSV_BYTES_MAX,
  CSV_ROWS_MAX,
  csvLine,
  decodeText,
  plainCell,
  readCsv,
  unpackFile,
} from './csv-reader.js';

const cellsOf = (text: string) => [...readCsv(text)].map(({ cells }) => cells);
const failing = (text: string) => () => cellsOf(text);

describe(readCsv.name, () => {
  it.each([
    ['comma', 'a,b\n1,2\n'],
    ['semicolon', 'a;b\r\n1;2\r\n'],
    ['tab', 'a\tb\r1\t2'],
    ['semicolon although a quoted name has commas', '"a";"b"\n1;2'],
  ])('takes the separator from the header: %s', (_, text) => {
    expect(cellsOf(text)).toEqual([
      ['a', 'b'],
      ['1', '2'],
    ]);
  });
  it('reads quotes, separators and line ends inside of them, and tells the line', () => {
    const rows = [...readCsv('a;b\n"x;""y""\nz";2\n\n3;"";\n')];
    expect(rows).toEqual([
      { line: 1, cells: ['a', 'b'] },
      { line: 2, cells: ['x;"y"\nz', '2'] },
      { line: 5, cells: ['3', '', ''] },
    ]);
  });
  it('tells the line of a quote that is not closed, or that something follows', () => {
    expect(failing('a,b\n1,"2\n3,4\n')).toThrow('line 2: a quote is not closed');
    expect(failing('a,b\n"1"2,3\n')).toThrow('line 2: something follows a quoted cell');
  });
  it('is bounded in cells, their length and rows', () => {
    expect(failing(`a\n${'x'.repeat(1_001)}`)).toThrow('line 2: too long');
    expect(failing(`${'a,'.repeat(64)}`)).toThrow('line 1: too long');
    expect(cellsOf('a\n'.repeat(CSV_ROWS_MAX))).toHaveLength(CSV_ROWS_MAX);
    expect(failing('a\n'.repeat(CSV_ROWS_MAX + 1))).toThrow('too many rows');
  });
  it('reads again what csvLine wrote, and no spreadsheet runs it', () => {
    const cell = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.trim());
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 9 }), (table) => {
        const text = ['h,h\r\n', ...table.map((row) => csvLine(['x', ...row]))].join('');
        const read = cellsOf(text).slice(1);
        expect(read.map(([, ...cells]) => cells.map(plainCell))).toEqual(table);
      }),
    );
    expect(csvLine(['=1+1', '-', 'a'])).toBe("'=1+1,'-,a\r\n");
    for (const cell of ["'=1", "''-", "'a", "'"])
      expect(plainCell(csvLine([cell]).trim())).toBe(cell);
  });
});

describe(decodeText.name, () => {
  const dutch = 'röntgen; coördinatie €';
  it('reads UTF-8 with and without its mark, and windows-1252', () => {
    expect(decodeText(Buffer.from(dutch))).toBe(dutch);
    expect(decodeText(Buffer.from(`\ufeff${dutch}`))).toBe(dutch);
    const windows = Buffer.from(dutch.replace('€', '\x80'), 'latin1');
    expect(decodeText(windows)).toBe(dutch);
  });
});

describe(unpackFile.name, () => {
  it('takes a file plain or as gzip', () => {
    const bytes = Buffer.from('code\nA\n');
    expect(Buffer.from(unpackFile(bytes.toString('base64')))).toEqual(bytes);
    expect(Buffer.from(unpackFile(gzipSync(bytes).toString('base64')))).toEqual(bytes);
  });
  it('refuses one that unpacks to more than the limit, or not at all', () => {
    const bomb = gzipSync(Buffer.alloc(CSV_BYTES_MAX + 1)).toString('base64');
    expect(bomb.length).toBeLessThan(10_000);
    expect(() => unpackFile(bomb)).toThrow('larger than 4 MiB');
    const cut = gzipSync(Buffer.from('code')).subarray(0, 20).toString('base64');
    expect(() => unpackFile(cut)).toThrow('no whole gzip');
  });
});

describe(columnsOf.name, () => {
  const names = { code: ['code', 'verrichtingcode'], side: ['zijde'] };
  it('finds columns whatever the case, spaces and hyphens, and tells what it does not know', () => {
    const header = ['Verrichting-Code', ' ZIJDE ', 'Prijs'];
    expect(columnsOf(header, names)).toEqual({ places: { code: 0, side: 1 }, unknown: ['Prijs'] });
  });
  it('refuses a column that is there twice', () => {
    expect(() => columnsOf(['code', 'Verrichtingcode'], names)).toThrow('code twice');
  });
});

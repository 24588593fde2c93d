/** The hospital's catalogue of procedures: its file, its versions, what it maps and covers. */
export * from './body-parts.table.js';
export * from './catalogue-file.js';
export * from './catalogue.js';
export * from './coverage.js';
export * from './csv-reader.js';
export * from './mapped-procedure.js';

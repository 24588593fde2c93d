/** Tidy: the rules of the house as a function over files. */
export * from './tidy.js';

/**
 * Goal: the document that people review is the table that the code runs on.
 * Method: the committed file against what the code makes now.
 */
import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { accessMatrixMarkdown } from './access-matrix.js';

it('docs/compliance/access-matrix.md is as the code makes it (npm run generate)', () => {
  const file = new URL('../../../../docs/compliance/access-matrix.md', import.meta.url);
  expect(readFileSync(file, 'utf8')).toBe(accessMatrixMarkdown());
});

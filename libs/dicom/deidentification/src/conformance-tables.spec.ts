/**
 * Goal: the conformance statement says what the code does.
 * Method: the committed document against the one that the tables make.
 */
import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { tagOf } from '@aifi/dicom-core';
import { conformanceMarkdown, reIdentifierActionOf } from './conformance-tables.js';
import { CLASS_FAMILIES } from './keep-list.js';

it('docs/conformance/de-identification.md is as the code makes it (npm run generate)', () => {
  const file = new URL('../../../../docs/conformance/de-identification.md', import.meta.url);
  expect(readFileSync(file, 'utf8')).toBe(conformanceMarkdown());
});

it('every attribute of every keep-list has its row, in the order of the tags', () => {
  const rows = conformanceMarkdown()
    .split('\n## Attributes that may leave\n')[1]!
    .split('\n## ')[0]!
    .match(/^\| \([0-9A-F]{4},[0-9A-F]{4}\)/gm)!;
  const tags = rows.map((row) => Number.parseInt(row.replace(/[^0-9A-F]/g, ''), 16));
  expect(tags).toEqual([...tags].sort((a, b) => a - b));
  for (const { list } of CLASS_FAMILIES) {
    for (const tag of list.keys()) expect(tags).toContain(tag);
  }
});

describe(reIdentifierActionOf.name, () => {
  it.each([
    ['PatientName', 'restored'],
    ['StudyDate', 'restored'],
    ['PatientAge', 'removed'],
    ['DeidentificationMethod', 'removed'],
    ['SeriesInstanceUID', 'mapped back'],
    ['ContentDate', 'un-shifted'],
    ['AcquisitionDateTime', 'un-shifted'],
    ['ContentTime', 'kept'],
    ['Rows', 'kept'],
  ])('%s is %s', (keyword, action) => {
    expect(reIdentifierActionOf(tagOf(keyword)).action).toBe(action);
  });
});

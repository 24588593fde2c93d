/**
 * Goal: the conformance statement says what the code does.
 * Method: the committed document against the one that the tables make.
 */
import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { keywordOf, tagOf, vrOf } from '@aifi/dicom-core';
import { conformanceMarkdown, reIdentifierActionOf } from './conformance-tables.js';
import { CLASS_FAMILIES } from './keep-list.js';
import { IDENTITY_KEYWORDS, MADE_DATES, SOURCE_DATES } from './result-origins.table.js';

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

it('the column of the re-identifier says what the lists of the re-identification say', () => {
  const rows = conformanceMarkdown().match(/^\| \([0-9A-F]{4},[0-9A-F]{4}\).* \|$/gm)!;
  const told = new Map(
    rows.map((row) => {
      const cells = row.split(' | ');
      return [cells[1]!, cells.at(-1)!.replace(' |', '')] as const;
    }),
  );
  for (const keyword of IDENTITY_KEYWORDS) {
    if (told.has(keyword)) expect([keyword, told.get(keyword)]).toEqual([keyword, 'restored']);
  }
  const dates = CLASS_FAMILIES.flatMap(({ list }) => [...list.keys()]).filter((tag) =>
    ['DA', 'DT'].includes(vrOf(tag)),
  );
  expect(dates.length).toBeGreaterThan(20);
  for (const tag of dates) {
    const isIdentity = (IDENTITY_KEYWORDS as readonly string[]).includes(keywordOf(tag));
    const expected = isIdentity
      ? /^restored$/
      : MADE_DATES.has(tag)
        ? /^(kept|told in the zone of the images)$/
        : SOURCE_DATES.has(tag)
          ? /^un-shifted$/
          : /^refused$/;
    expect(told.get(keywordOf(tag))).toMatch(expected);
  }
});

describe(reIdentifierActionOf.name, () => {
  it.each([
    ['PatientName', 'restored'],
    ['StudyDate', 'restored'],
    ['PatientAge', 'removed'],
    ['DeidentificationMethod', 'removed'],
    ['SeriesInstanceUID', 'mapped back'],
    ['StudyTime', 'restored'],
    ['PatientSize', 'removed'],
    ['AcquisitionDateTime', 'un-shifted'],
    ['PerformedProcedureStepStartDate', 'un-shifted'],
    ['ContentDate', 'told in the zone of the images'],
    ['ContentTime', 'told in the zone of the images'],
    ['SeriesDate', 'told in the zone of the images'],
    ['ContributionDateTime', 'kept'],
    ['AcquisitionTime', 'kept'],
    ['DateOfLastCalibration', 'refused'],
    ['ContributingEquipmentSequence', 'item removed'],
    ['Rows', 'kept'],
  ])('%s is %s', (keyword, action) => {
    expect(reIdentifierActionOf(tagOf(keyword)).action).toBe(action);
  });
});

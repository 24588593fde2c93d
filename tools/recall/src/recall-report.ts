/**
 * Recall report: the measurement as a page of the conformance statement.
 * Decides the cells and the words; the numbers come from the library's recall.ts. Invariant: a
 * cell says how many texts it holds, and a rate without its interval is not written.
 */
import { proportionOf, type Trial } from '@aifi/dicom-pixel-gate/recall';

export const SIZES = [
  [8, 9],
  [10, 13],
  [14, 19],
  [20, 32],
] as const;
export const CONTRASTS = [
  [20, 29],
  [30, 49],
  [50, 74],
  [75, 100],
] as const;

export interface GroupResult {
  readonly name: string;
  readonly pictures: number;
  readonly trials: readonly Trial[];
  /** Pictures without text in which something was seen, by letters and by the detector too. */
  readonly falseHolds: { readonly held: number; readonly of: number };
}

export function reportOf(groups: readonly GroupResult[], seed: number): string {
  const parts = groups.flatMap(({ name, pictures, trials, falseHolds }) => [
    `## ${name}`,
    '',
    `${pictures} pictures, ${trials.length} planted texts. ` +
      'Pictures without text that would be held: ' +
      `${falseHolds.held} of ${falseHolds.of} (${interval(falseHolds.held, falseHolds.of)}).`,
    '',
    `| capitals | ${CONTRASTS.map(([low, high]) => `${low}-${high} %`).join(' | ')} |`,
    `|---|${CONTRASTS.map(() => '---').join('|')}|`,
    ...SIZES.map(
      (size) =>
        `| ${size[0]}-${size[1]} px | ${CONTRASTS.map((c) => cell(trials, size, c)).join(' | ')} |`,
    ),
    '',
  ]);
  return [...INTRODUCTION, `Seed ${seed}.`, '', ...parts].join('\n');
}

const INTRODUCTION = [
  '# Burned-in text: what the pixel gate finds',
  '',
  'Made by `node tools/bootstrap.mjs node tools/recall/run.mjs FOLDER PAGE`.',
  'Invented Dutch names, dates and numbers are planted in real pictures and in phantoms: three',
  'faces, smooth and hard edges, bright and dark, at a random place among those that the tier',
  'examines (CT, MR, radiographs: border bands; ultrasound: anywhere). Height is that of capitals.',
  'Contrast is a part of the display range, against at least 95 % of the pixels behind the text;',
  'a place where it is not reached is not used, nor a picture in which letters were seen before.',
  'A text counts as found when a finding touches it. Recall is of the search for letters alone;',
  'the text detector can only add to it. Pictures that would be held are counted with both.',
  'Each cell: found of planted, and the 95 % interval (Wilson). The gate is the two right columns',
  'from 10 px on: all of it has to be found.',
  '',
  'Limits of this measurement: the limits of the search were set on the same real pictures; these',
  'are few patients (most slices are of one head CT and one head MR); ultrasound is phantoms only,',
  'since the real ones carry text of their own; dark text fits few places, since most borders are',
  'dark.',
  '',
];

function cell(
  trials: readonly Trial[],
  [small, large]: readonly [number, number],
  [faint, strong]: readonly [number, number],
): string {
  const here = trials.filter(
    ({ capRows, contrast }) =>
      capRows >= small && capRows <= large && contrast >= faint && contrast <= strong,
  );
  const found = here.filter(({ isFound }) => isFound).length;
  return here.length === 0
    ? 'none fits'
    : `${found}/${here.length} (${interval(found, here.length)})`;
}

function interval(found: number, of: number): string {
  const { low, high } = proportionOf(found, of);
  const percent = (part: number): string => (part * 100).toFixed(1);
  return `${percent(low)}-${percent(high)} %`;
}

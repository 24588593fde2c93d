/**
 * Goal: only boxes at the operating point are told, the best of overlapping ones, in the pixels of
 * the stored image; an unusable output spoils the run.
 * Method: boxes by hand.
 */
import { describe, expect, it } from '@jest/globals';
import type { DetectionOutput } from '@aifi/contracts-manifests';
import { letterbox } from '@aifi/dicom-pixels';
import { selectBoxes, toStoredImage, type Box } from './detections.js';

const code = { value: '1', scheme: '99AIFI', meaning: 'Finding' };
const output: DetectionOutput = {
  kind: 'detection',
  names: { boxes: 'boxes', scores: 'scores' },
  finding: code,
  site: code,
  label: 'Finding',
  operatingPoint: { threshold: 0.5 },
  suppression: { iouMax: 0.5 },
  classes: [],
};
const raw = (...rows: number[][]) => ({
  boxes: Float32Array.from(rows.flatMap((row) => row.slice(0, 4))),
  scores: Float32Array.from(rows.map((row) => row[4]!)),
});
const scoresOf = (rows: number[][], change: Partial<DetectionOutput> = {}) => {
  const result = selectBoxes(raw(...rows), { ...output, ...change });
  return result.ok ? result.value.map(({ score }) => score) : result.refusal.code;
};

describe(selectBoxes.name, () => {
  it('keeps boxes at or above the operating point, best first', () => {
    const rows = [
      [0, 0, 1, 1, 0.5],
      [2, 0, 3, 1, 0.25],
      [4, 0, 5, 1, 0.75],
    ];
    expect(scoresOf(rows)).toEqual([0.75, 0.5]);
  });
  it('drops a box that overlaps a better one by more than the limit', () => {
    // Shared 9 of 11, 4 of 16 and 0.
    const rows = [
      [0, 0, 10, 1, 0.75],
      [1, 0, 11, 1, 1],
      [7, 0, 17, 1, 0.5],
    ];
    expect(scoresOf(rows)).toEqual([1, 0.5]);
  });
  it('leaves overlaps alone when the graph has dealt with them', () => {
    const rows = [
      [0, 0, 10, 1, 0.75],
      [0, 0, 10, 1, 1],
    ];
    const { suppression, ...rest } = output;
    expect(suppression).toBeDefined();
    const result = selectBoxes(raw(...rows), rest);
    expect(result).toMatchObject({ ok: true, value: [{ score: 1 }, { score: 0.75 }] });
  });
  it.each([
    ['a score that is no number', [[0, 0, 1, 1, NaN]]],
    ['a score above 1', [[0, 0, 1, 1, 1.5]]],
    ['a box without end', [[0, 0, Infinity, 1, 0.1]]],
    ['a box that is turned inside out', [[1, 0, 0, 1, 0.1]]],
  ])('refuses %s, also below the operating point', (_, rows) => {
    expect(scoresOf(rows)).toBe('OUTPUT_INVALID');
  });
  it('refuses boxes and scores of different number', () => {
    const output1 = { boxes: new Float32Array(4), scores: new Float32Array(2) };
    expect(selectBoxes(output1, output)).toMatchObject({ refusal: { code: 'OUTPUT_INVALID' } });
  });
});

describe(toStoredImage.name, () => {
  // 200 × 100 in 64 × 64: a picture of 64 × 32 with 16 black rows above and below.
  const image = { rows: 100, columns: 200, data: new Uint8Array(20_000) };
  const boxed = letterbox(image, { rows: 64, columns: 64 });
  it.each<[string, Box, Box | undefined]>([
    ['the whole picture', [0, 16, 64, 48], [0, 0, 200, 100]],
    ['a part', [16, 24, 32, 32], [50, 25, 100, 50]],
    ['a box over the rim', [-4, 0, 32, 20], [0, 0, 100, 12.5]],
    ['a box in the black above', [10, 2, 20, 15], undefined],
  ])('places %s', (_, box, expected) => {
    expect(toStoredImage(box, boxed, image)).toEqual(expected);
  });
});

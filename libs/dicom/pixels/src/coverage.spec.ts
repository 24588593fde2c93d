/**
 * Goal: coverage is the outer extent along the common normal, or unknown.
 * Method: placements in plain numbers, axial and oblique.
 */
import { describe, expect, it } from '@jest/globals';
import { coverageMm as sut } from './coverage.js';

const AXIAL = [1, 0, 0, 0, 1, 0];
const slice = (z: number, sliceThicknessMm?: number, imageOrientationPatient = AXIAL) => ({
  imageOrientationPatient,
  imagePositionPatient: [10, 20, z],
  sliceThicknessMm,
});

describe('coverageMm', () => {
  it('reaches half a slice beyond both end positions, in any order', () => {
    expect(sut([slice(30, 5), slice(0, 5), slice(15, 5)])).toBe(35);
  });
  it('measures along the normal of an oblique series, not along an axis of the patient', () => {
    const c = Math.SQRT1_2;
    const oblique = [1, 0, 0, 0, c, c];
    const at = (mm: number) => ({
      imageOrientationPatient: oblique,
      imagePositionPatient: [0, -c * mm, c * mm],
      sliceThicknessMm: 2,
    });
    expect(sut([at(0), at(100)])).toBeCloseTo(102, 9);
  });
  it('is the distance of the positions when no thickness is given', () => {
    expect(sut([slice(0), slice(119)])).toBe(119);
  });
  it.each([
    ['no slices', []],
    ['two orientations', [slice(0), slice(10, 1, [0, 1, 0, 0, 0, -1])]],
    ['direction cosines that are no unit vectors', [slice(0, 1, [2, 0, 0, 0, 1, 0])]],
    ['a position with two numbers', [{ ...slice(0), imagePositionPatient: [0, 0] }]],
  ])('is unknown for %s', (_, slices) => {
    expect(sut(slices)).toBeUndefined();
  });
});

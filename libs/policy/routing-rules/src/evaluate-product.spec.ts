/**
 * Goal: every gate of the intended use says no with its own code, and nothing missing is allowed.
 * Method: one product with four rules, series facts varied one at a time.
 */
import { describe, expect, it } from '@jest/globals';
import type { DeployedProduct } from '@aifi/contracts-manifests';
import type { Sha256 } from '@aifi/shared-kernel';
import { evaluateProduct, type SeriesFacts } from './index.js';

const product = (change: Partial<DeployedProduct> = {}): DeployedProduct => ({
  product: 'brain',
  name: 'Brain',
  version: '1.0.0',
  modelDigest: 'a'.repeat(64) as Sha256,
  label: 'RESEARCH',
  purpose: 'demonstration',
  state: 'active',
  lane: 'routine',
  intendedUse: {
    series: [
      { id: 'modality', attribute: 'modality', oneOf: ['MR'], onMissing: 'deny' },
      { id: 't1', attribute: 'seriesDescription', matches: '\\bT1', onMissing: 'deny' },
      { id: 'notT2', attribute: 'seriesDescription', noneMatch: '\\bT2', onMissing: 'deny' },
      { id: 'part', attribute: 'bodyPartExamined', oneOf: ['HEAD', 'BRAIN'], onMissing: 'allow' },
    ],
    coverageMinMm: 120,
    instancesMin: 10,
  },
  ...change,
});
const series = (change: Partial<SeriesFacts> = {}): SeriesFacts => ({
  seriesUid: '1.2.3',
  attributes: { modality: ['MR'], seriesDescription: ['t1 mprage'] },
  instanceCount: 100,
  coverageMm: 120,
  ...change,
});
const sut = evaluateProduct;

describe(evaluateProduct.name, () => {
  it('allows at the inclusive limit and attests every rule', () => {
    expect(sut(product(), [series()], 'demonstration')).toEqual({
      allow: true,
      seriesUid: '1.2.3',
      attestations: ['modality', 't1', 'notT2', 'part', 'sufficiency'].map((rule) => ({
        rule,
        verdict: 'allow',
      })),
    });
  });
  it.each([
    ['another modality', { attributes: { modality: ['CT'] } }, 'OUT_OF_INTENDED_USE', 'modality'],
    [
      'a description of another weighting',
      { attributes: { modality: ['MR'], seriesDescription: ['T1 and T2'] } },
      'OUT_OF_INTENDED_USE',
      'notT2',
    ],
    ['no description', { attributes: { modality: ['MR'] } }, 'TAG_MISSING', 't1'],
    ['an empty modality', { attributes: { modality: [''] } }, 'TAG_MISSING', 'modality'],
    ['too few images', { instanceCount: 9 }, 'INPUT_INCOMPLETE', 'instancesMin 10, found 9'],
    [
      'too little coverage',
      { coverageMm: 119.96 },
      'COVERAGE_INSUFFICIENT',
      'coverageMinMm 120, found 120 mm',
    ],
    [
      'unknown coverage',
      { coverageMm: undefined },
      'COVERAGE_INSUFFICIENT',
      'coverageMinMm 120, found unknown',
    ],
  ])('refuses %s', (_, change, code, rule) => {
    const verdict = sut(product(), [series(change)], 'demonstration');
    expect(verdict).toMatchObject({ allow: false, reasons: [{ code, rule }] });
  });
  it('logs what does not apply and notifies what applies but cannot run', () => {
    const ct = series({ attributes: { modality: ['CT'] } });
    expect(sut(product(), [ct], 'demonstration')).toMatchObject({ state: 'NOT_ELIGIBLE_LOGGED' });
    const slab = series({ coverageMm: 33 });
    expect(sut(product(), [slab], 'demonstration')).toMatchObject({
      state: 'NOT_ANALYSED_NOTIFIED',
    });
  });
  it('returns all reasons', () => {
    const verdict = sut(product(), [series({ coverageMm: 1, instanceCount: 1 })], 'demonstration');
    expect(verdict.allow ? [] : verdict.reasons.map((r) => r.code)).toEqual([
      'INPUT_INCOMPLETE',
      'COVERAGE_INSUFFICIENT',
    ]);
  });
  it('takes the series with the largest coverage', () => {
    const wide = series({ seriesUid: '1.2.4', coverageMm: 200 });
    expect(sut(product(), [series(), wide], 'demonstration')).toMatchObject({ seriesUid: '1.2.4' });
  });
  it('never runs a demonstration product at a clinical site', () => {
    expect(sut(product(), [series()], 'clinical')).toMatchObject({
      allow: false,
      reasons: [{ code: 'NOT_DEPLOYED' }],
    });
  });
  it('notifies a suspended product only where it would have applied', () => {
    const suspended = product({ state: 'suspended' });
    expect(sut(suspended, [series()], 'demonstration')).toMatchObject({
      state: 'NOT_ANALYSED_NOTIFIED',
      reasons: [{ code: 'SUSPENDED' }],
    });
    const ct = series({ attributes: { modality: ['CT'] } });
    expect(sut(suspended, [ct], 'demonstration')).toMatchObject({ state: 'NOT_ELIGIBLE_LOGGED' });
  });
});

/**
 * A product and a study that it takes, for the tests of the engine.
 * Decides nothing: every test changes them in one place.
 */
import type { DeployedProduct, IntendedUse } from '@aifi/contracts-manifests';
import type { Sha256 } from '@aifi/shared-kernel';
import type { SeriesFacts, StudyFacts } from './facts.js';

/** @unit ms */
export const HOUR_MS = 3_600_000;
/** Noon in Amsterdam, 16 July 2026 (summer time). */
export const RECEIVED_MS = Date.parse('2026-07-16T10:00:00Z');

export const MODALITY_RULE = {
  ...{ id: 'modality', attribute: 'modality', oneOf: ['MR'], onMissing: 'deny' },
} as const;

export function aProduct(
  use: Partial<IntendedUse> = {},
  change: Partial<DeployedProduct> = {},
): DeployedProduct {
  return {
    ...{ product: 'brain', name: 'Brain', version: '1.0.0', label: 'RESEARCH', lane: 'routine' },
    modelDigest: 'a'.repeat(64) as Sha256,
    ...{ purpose: 'demonstration', state: 'active' },
    intendedUse: {
      series: [{ ...MODALITY_RULE, oneOf: ['MR'] }],
      instancesMin: 1,
      ...use,
    },
    ...change,
  } as DeployedProduct;
}

export function aSeries(change: Partial<SeriesFacts> = {}): SeriesFacts {
  return {
    ...{ seriesUid: '1.2.3', instanceCount: 100, coverageMm: 120 },
    attributes: { modality: ['MR'] },
    ...change,
  };
}

export function aStudy(change: Partial<StudyFacts> = {}): StudyFacts {
  return {
    series: [aSeries()],
    age: { kind: 'known', years: 40, months: 485, from: 'birth-date' },
    sex: 'F',
    objections: [],
    procedure: undefined,
    acquiredAtMs: RECEIVED_MS - HOUR_MS,
    receivedAtMs: RECEIVED_MS,
    requested: [],
    ...change,
  };
}

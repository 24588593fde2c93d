/**
 * Goal: gateway and hub give the same answer for the same study: what the gateway allows the hub
 * allows, what it refuses the hub refuses with the same codes, and an attestation that is missing
 * or changed never opens a gate.
 * Method: 10,000 generated studies, products and deployments around the limits of the rules; rules
 * as the publisher writes them, read back through their schema; the gateway's attestations.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  attestationSchema,
  deployedProductSchema,
  type Attestation,
  type DeployedProduct,
  type IntendedUse,
  type ModelManifest,
  type OnMissing,
  type ProductCertificate,
  type ProductStop,
  type StudyManifest,
} from '@aifi/contracts-manifests';
import {
  ageAtStudy,
  evaluateStudy,
  needsCertificate,
  requiredAttestations,
  type ObjectionKind,
  type SeriesFacts,
  type StudyFacts,
  type StudyVerdict,
} from '@aifi/policy-routing-rules';
import type { Purpose, ReasonCode, Sha256, SiteId } from '@aifi/shared-kernel';
import { closedGates, evaluateGates, type GateInput } from './gates.js';
import { deployedProduct } from './rules-publisher.js';

const STUDIES = 10_000;
const SEED = 43;
/** A slow machine needs some 10 s. @unit ms */
const TIMEOUT_MS = 120_000;
const NOW_MS = Date.parse('2026-07-16T10:00:00Z');
const HOUR_MS = 3_600_000;
const DIGEST = 'd'.repeat(64) as Sha256;

const pick = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined, freq: 2 });
/** The first value in three of four, so that many studies get through all gates. */
const mostly = <T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );
const onMissing = mostly<OnMissing>('allow', 'deny', 'review');

const intendedUse: fc.Arbitrary<IntendedUse> = fc.record({
  series: fc.tuple(
    fc.record({
      id: fc.constant('modality'),
      attribute: fc.constant('modality' as const),
      oneOf: mostly(['DX'], ['DX', 'MR'], ['MR']),
      exactModality: mostly(false, true),
      onMissing,
    }),
    fc.record({
      id: fc.constant('maker'),
      attribute: fc.constant('manufacturer' as const),
      noneOf: fc.constant(['ACME']),
      onMissing,
    }),
  ),
  instancesMin: mostly(1, 2),
  coverageMinMm: maybe(fc.constant(120)),
  sliceThicknessMaxMm: maybe(fc.constant(3)),
  sliceThicknessOnMissing: maybe(onMissing),
  patient: maybe(
    fc.record({
      age: maybe(
        fc.record({ minYears: pick(2, 18), belowMonths: maybe(pick(24, 300)), onMissing }),
      ),
      sex: maybe(fc.record({ oneOf: pick<('F' | 'M')[]>(['F'], ['F', 'M']), onMissing })),
    }),
  ),
  study: maybe(
    fc.record({
      bodyPart: maybe(fc.record({ oneOf: fc.constant(['KNEE', 'HAND']), onMissing })),
      side: maybe(fc.record({ oneOf: fc.constant<('L' | 'R')[]>(['L', 'R']), onMissing })),
      phase: maybe(fc.record({ oneOf: fc.constant(['venous']), onMissing })),
      procedureCodes: maybe(fc.record({ oneOf: fc.constant(['A:1']), onMissing })),
    }),
  ),
});
const certificate: fc.Arbitrary<ProductCertificate> = fc.record({
  number: fc.constant('MDR 1'),
  notifiedBody: fc.constant('0344'),
  class: fc.constant('IIa'),
  validFrom: pick('2025-01-01', '2026-07-16'),
  validTo: mostly('2026-07-16', '2027-01-01', '2026-07-15'),
});
const model: fc.Arbitrary<ModelManifest> = fc
  .record({
    purpose: mostly<Purpose>('clinical', 'demonstration'),
    intendedUse,
    certificate: fc.option(certificate, { nil: undefined, freq: 6 }),
    maxStudyAgeHours: maybe(pick(1, 48)),
    studyAgeOnMissing: maybe(onMissing),
  })
  .map((varied) => {
    const fixed = { product: 'p', name: 'P', version: '1.0.0', label: 'TEST', lane: 'routine' };
    return { ...fixed, ...varied, artefact: { sha256: DIGEST } } as unknown as ModelManifest;
  });

const oneSeries: fc.Arbitrary<SeriesFacts> = fc.record({
  seriesUid: pick('1.2.3', '1.2.4'),
  instanceCount: mostly(40, 1, 2),
  coverageMm: mostly<number | undefined>(120, 150, 119.9, undefined),
  sliceThicknessMm: mostly<number | undefined>(3, 1, 3.1, undefined),
  attributes: fc.record({
    modality: mostly(['DX'], ['MR'], ['CR'], ['CT'], []),
    manufacturer: mostly(['OTHER'], ['ACME'], []),
    bodyPartExamined: mostly(['KNEE'], ['CHEST'], ['']),
    laterality: mostly(['L'], ['B'], []),
  }),
});
const age = fc
  .record({
    birthDate: mostly<string | undefined>(
      '20080716',
      '20080717',
      '20240229',
      '19000101',
      undefined,
    ),
    studyDate: fc.constant('20260716'),
    patientAge: mostly<string | undefined>(undefined, '002Y', '023M', '018Y', '040Y'),
  })
  .map(ageAtStudy);
const facts: fc.Arbitrary<StudyFacts> = fc.record({
  series: mostly(1, 2, 3, 0).chain((n) => fc.array(oneSeries, { minLength: n, maxLength: n })),
  age,
  sex: mostly<'F' | 'M' | undefined>('F', 'M', undefined),
  objections: mostly<ObjectionKind[]>([], ['ai-in-own-care'], ['secondary-use', 'sharing']),
  procedure: maybe(
    fc.record({
      codes: mostly(['A:1'], ['B:2']),
      from: pick('order' as const, 'images' as const),
      mapped: maybe(
        fc.record({
          bodyPart: mostly<string | undefined>('KNEE', undefined, 'CHEST'),
          side: mostly<'L' | 'B' | undefined>('L', undefined, 'B'),
          phase: mostly<string | undefined>('venous', undefined, 'arterial'),
          products: mostly<string[]>([], ['p'], ['q']),
        }),
      ),
    }),
  ),
  acquiredAtMs: mostly<number | undefined>(NOW_MS, NOW_MS - 24 * HOUR_MS, 1, undefined),
  receivedAtMs: fc.constant(NOW_MS),
  requested: mostly<string[]>([], ['p']),
});

interface Case {
  readonly model: ModelManifest;
  readonly facts: StudyFacts;
  readonly state: 'active' | 'suspended';
  readonly siteState: 'active' | 'inactive';
  readonly sitePurpose: Purpose;
  readonly stops: readonly ProductStop[];
}
const often = <T>(usual: T, other: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other });
const stop = pick<ProductStop['code']>('SUSPENDED', 'CERTIFICATE_INVALID', 'AGREEMENT_MISSING').map(
  (code): ProductStop[] => [{ product: 'p', version: '*', code, sinceMs: 1 }],
);
const cases: fc.Arbitrary<Case> = fc.record({
  ...{ model, facts, state: often<Case['state']>('active', fc.constant('suspended')) },
  siteState: often<Case['siteState']>('active', fc.constant('inactive')),
  sitePurpose: pick<Purpose>('demonstration', 'demonstration', 'clinical'),
  stops: often<readonly ProductStop[]>([], stop),
});

/** The product as a gateway reads it from its rules. */
function published({ model, state, stops }: Case): DeployedProduct {
  const [product, version] = ['p', '1.0.0'];
  const told = stops.length > 0 ? 'suspended' : state;
  const rules = deployedProduct({ product, version, modelDigest: DIGEST, state: told }, model);
  return deployedProductSchema.parse(JSON.parse(JSON.stringify(rules)));
}
function atGateway(one: Case): StudyVerdict {
  const { facts: study, sitePurpose, siteState, stops } = one;
  const siteActive = siteState === 'active';
  return evaluateStudy(published(one), study, { sitePurpose, siteActive, stops, nowMs: NOW_MS });
}
function atHub(one: Case, attestations: readonly Attestation[]): GateInput {
  const sent = attestationSchema.array().parse(JSON.parse(JSON.stringify(attestations)));
  const product = { id: 'p', version: '1.0.0', modelDigest: DIGEST };
  return {
    site: { siteId: 'a' as unknown as SiteId, purpose: one.sitePurpose, state: one.siteState },
    manifest: { product, attestations: sent } as unknown as StudyManifest,
    deployments: [{ product: 'p', version: '1.0.0', modelDigest: DIGEST, state: one.state }],
    ...{ model: one.model, stops: one.stops, nowMs: NOW_MS },
  };
}
const sorted = (codes: readonly ReasonCode[]): ReasonCode[] => [...new Set(codes)].sort();

describe('gateway and hub', () => {
  it(
    `agree on ${STUDIES} generated studies, code by code`,
    () => {
      const counted = { allowed: 0, codes: new Set<ReasonCode>() };
      const property = fc.property(cases, (one) => {
        const verdict = atGateway(one);
        const denials = closedGates(atHub(one, verdict.attestations));
        const codes = verdict.allow ? [] : verdict.reasons.map(({ code }) => code);
        expect(sorted(denials.map(({ code }) => code))).toEqual(sorted(codes));
        if (verdict.allow) counted.allowed += 1;
        for (const code of codes) counted.codes.add(code);
      });
      fc.assert(property, { numRuns: STUDIES, seed: SEED });
      // Neither answer is rare, and every gate that both can see has closed.
      expect(counted.allowed).toBeGreaterThan(STUDIES / 10);
      expect(sorted([...counted.codes])).toEqual([
        'AGREEMENT_MISSING',
        'CERTIFICATE_INVALID',
        'COVERAGE_INSUFFICIENT',
        'INPUT_INCOMPLETE',
        'NOT_DEPLOYED',
        'NO_PRODUCT',
        'OBJECTION',
        'OUT_OF_INTENDED_USE',
        'SITE_INACTIVE',
        'STUDY_TOO_OLD',
        'SUSPENDED',
        'TAG_MISSING',
      ]);
    },
    TIMEOUT_MS,
  );
  it(
    'refuse a job whose attestation was dropped or turned into a denial',
    () => {
      let tried = 0;
      const property = fc.property(cases, fc.nat(), (one, nth) => {
        const verdict = atGateway(one);
        if (!verdict.allow) return;
        const { attestations } = verdict;
        const isCare = needsCertificate(one.model, one.sitePurpose);
        for (const required of requiredAttestations(one.model.intendedUse, { isCare })) {
          const without = attestations.filter(({ rule }) => rule !== required);
          expect(without.length).toBeLessThan(attestations.length);
          expect(evaluateGates(atHub(one, without)).ok).toBe(false);
          tried += 1;
        }
        const { rule } = attestations[nth % attestations.length]!;
        for (const changed of ['deny', 'review'] as const) {
          const added = [...attestations, { rule, verdict: changed }];
          expect(evaluateGates(atHub(one, added)).ok).toBe(false);
        }
      });
      fc.assert(property, { numRuns: STUDIES, seed: SEED });
      expect(tried).toBeGreaterThan(STUDIES / 50);
    },
    TIMEOUT_MS,
  );
});

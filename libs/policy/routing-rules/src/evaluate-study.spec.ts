/**
 * Goal: every gate of governance 4.3 says no with its own code and words, at the edge where it
 * should, and nothing missing is allowed. Method: the boundary table, and one product and study
 * varied in one place at a time.
 */
import { describe, expect, it } from '@jest/globals';
import type { DeployedProduct, IntendedUse } from '@aifi/contracts-manifests';
import { REASON_CODES } from '@aifi/shared-kernel';
import { BOUNDARIES, type BoundaryRow } from './boundary.table.js';
import { evaluateStudy } from './evaluate-study.js';
import type { StudyFacts } from './facts.js';
import { aProduct, aSeries, aStudy, HOUR_MS, RECEIVED_MS } from './test-product.js';
import type { Denied } from './verdict.js';

const context = { sitePurpose: 'demonstration', nowMs: RECEIVED_MS } as const;
const sut = evaluateStudy;

function judge({ use, product, facts, sitePurpose = 'demonstration', nowMs }: BoundaryRow) {
  const study = aStudy(facts);
  return sut(aProduct(use, product), study, { sitePurpose, nowMs: nowMs ?? study.receivedAtMs });
}
function refusal(
  facts: Partial<StudyFacts>,
  use: Partial<IntendedUse> = {},
  product: Partial<DeployedProduct> = {},
): Denied {
  const verdict = sut(aProduct(use, product), aStudy(facts), context);
  if (verdict.allow) throw new Error('was allowed');
  return verdict;
}

describe(evaluateStudy.name, () => {
  it.each(BOUNDARIES)('$is: $codes', (row) => {
    const verdict = judge(row);
    const codes = verdict.allow ? [] : verdict.reasons.map(({ code }) => code);
    expect(codes).toEqual(row.codes);
    if (row.words) expect(verdict).toMatchObject({ decisive: { words: { en: row.words } } });
  });
  it('gives every reason in both languages, without a capital or a full stop', () => {
    const reasons = BOUNDARIES.flatMap((row) => {
      const verdict = judge(row);
      return verdict.allow ? [] : verdict.reasons;
    });
    expect(reasons.length).toBeGreaterThan(50);
    for (const { words } of reasons) {
      expect(words.en).not.toBe(words.nl);
      for (const text of [words.en, words.nl]) expect(text).toMatch(/^[\p{Ll}\d][^\\]*[^.\s]$/u);
    }
  });
  it('reaches every code that a gateway can decide before anything is sent', () => {
    const reached = new Set(BOUNDARIES.flatMap(({ codes }) => codes));
    const before = Object.keys(REASON_CODES).slice(
      0,
      Object.keys(REASON_CODES).indexOf('QUARANTINED_PIXELS'),
    );
    // An inactive site is given no product at all: its code is the hub's.
    expect([...reached].sort()).toEqual(before.filter((code) => code !== 'SITE_INACTIVE').sort());
  });
  it('attests every rule that it judged, and allows at the limit', () => {
    const use = { coverageMinMm: 120, instancesMin: 100 };
    expect(sut(aProduct(use), aStudy(), context)).toEqual({
      allow: true,
      seriesUid: '1.2.3',
      attestations: [
        ...['gate.objection', 'gate.catalogue', 'modality', 'sufficiency', 'gate.study-age'],
      ].map((rule) => ({ rule, verdict: 'allow' })),
      notes: [],
      dataQuality: [],
    });
  });
  it('returns all reasons in the order of the gates', () => {
    const verdict = refusal(
      {
        objections: ['ai-in-own-care'],
        series: [aSeries({ attributes: { modality: ['CT'] } })],
        ...{ sex: 'M', acquiredAtMs: 0 },
      },
      { patient: { sex: { oneOf: ['F'], onMissing: 'deny' } } },
      { state: 'suspended' },
    );
    expect(verdict.reasons.map(({ code, words }) => `${code}: ${words.nl}`)).toEqual([
      'OBJECTION: de patiënt heeft bezwaar tegen het gebruik van AI',
      'SUSPENDED: het gebruik van het product is opgeschort',
      'OUT_OF_INTENDED_USE: geslacht M is niet F',
      'OUT_OF_INTENDED_USE: modaliteit CT is niet MR',
      expect.stringMatching(/^STUDY_TOO_OLD: onderzoek bij ontvangst [\d]+ u oud > 24 u$/),
    ]);
  });
  it('says whether a person may decide, and holds it like a denial', () => {
    const sex = { oneOf: ['F' as const], onMissing: 'review' as const };
    const verdict = refusal({ sex: undefined }, { patient: { sex } });
    expect(verdict.decisive).toMatchObject({ code: 'TAG_MISSING', review: true });
    const attested = { rule: 'patient.sex', verdict: 'review', code: 'TAG_MISSING' };
    expect(verdict.attestations).toContainEqual(attested);
  });
  it('says what the rule allowed although nobody told', () => {
    const sex = { oneOf: ['F' as const], onMissing: 'allow' as const };
    const verdict = sut(aProduct({ patient: { sex } }), aStudy({ sex: undefined }), context);
    const words = {
      en: 'sex is missing, which the rule allows',
      nl: 'geslacht ontbreekt, dat mag van de regel',
    };
    expect(verdict).toMatchObject({ allow: true, notes: [{ rule: 'patient.sex', words }] });
  });
  it('says what a request by name has opened', () => {
    const asked = aStudy({ acquiredAtMs: RECEIVED_MS - 48 * HOUR_MS, requested: ['brain'] });
    const en = 'asked for by name, although: study 48 h old on arrival > 24 h';
    expect(sut(aProduct(), asked, context)).toMatchObject({
      allow: true,
      notes: [{ words: { en } }],
    });
  });
  it('only logs a product that was never meant for the study, whatever else is wrong', () => {
    const ct = aSeries({ attributes: { modality: ['CT'] } });
    expect(refusal({ series: [ct] }, {}, { state: 'suspended' })).toMatchObject({
      state: 'NOT_ELIGIBLE_LOGGED',
      decisive: { code: 'OUT_OF_INTENDED_USE' },
    });
    expect(refusal({}, {}, { state: 'suspended' })).toMatchObject({
      state: 'NOT_ANALYSED_NOTIFIED',
      decisive: { code: 'SUSPENDED' },
    });
  });
  it('tells faults in the data whether or not a rule asks', () => {
    const told = (facts: Partial<StudyFacts>) =>
      sut(aProduct(), aStudy(facts), context).dataQuality;
    expect(told({ age: { kind: 'contradiction' } })).toEqual(['age-contradiction']);
    expect(told({ age: { kind: 'placeholder' } })).toEqual(['birth-date-placeholder']);
    expect(told({ acquiredAtMs: RECEIVED_MS * 2 })).toEqual(['acquired-in-future']);
  });
  it('names a kill switch by its own code, newer than the rules or not', () => {
    const stop = { product: 'brain', version: '*', code: 'AGREEMENT_MISSING', sinceMs: 1 } as const;
    for (const state of ['active', 'suspended'] as const) {
      const verdict = sut(aProduct({}, { state }), aStudy(), { ...context, stops: [stop] });
      expect(verdict).toMatchObject({ reasons: [{ code: 'AGREEMENT_MISSING' }] });
    }
    expect(sut(aProduct(), aStudy(), { ...context, siteActive: false })).toMatchObject({
      reasons: [{ code: 'SITE_INACTIVE' }],
    });
  });
  it('never repeats what somebody typed into a coded tag', () => {
    const typed = aSeries({
      attributes: {
        modality: ['JANSEN'],
        bodyPartExamined: ['DE VRIES'],
        manufacturer: ['BAKKER'],
      },
    });
    const verdict = refusal(
      { series: [typed], procedure: { codes: ['L:VISSER'], from: 'images' } },
      {
        series: [
          { id: 'm', attribute: 'modality', oneOf: ['MR'], onMissing: 'deny' },
          { id: 'b', attribute: 'bodyPartExamined', oneOf: ['KNEE', 'HAND'], onMissing: 'deny' },
          { id: 'k', attribute: 'manufacturer', noneMatch: 'bakker', onMissing: 'deny' },
        ],
        study: { procedureCodes: { oneOf: ['L:1'], onMissing: 'deny' } },
      },
    );
    expect(verdict.reasons).toHaveLength(4);
    expect(JSON.stringify(verdict)).not.toMatch(/jansen|vries|bakker|visser/i);
  });
  describe('of several series', () => {
    const thick = aSeries({ seriesUid: '1.2.4', coverageMm: 200, sliceThicknessMm: 5 });
    const thin = aSeries({ sliceThicknessMm: 1 });
    it('takes the one that suffices, then the widest, in whatever order they came', () => {
      for (const series of [
        [thick, thin],
        [thin, thick],
      ]) {
        expect(sut(aProduct(), aStudy({ series }), context)).toMatchObject({ seriesUid: '1.2.4' });
        const use = { sliceThicknessMaxMm: 3 };
        expect(sut(aProduct(use), aStudy({ series }), context)).toMatchObject({
          seriesUid: '1.2.3',
        });
      }
    });
    it('explains the refusal by the one that got furthest', () => {
      const rules: IntendedUse['series'] = [
        { id: 'modality', attribute: 'modality', oneOf: ['MR'], onMissing: 'deny' },
        { id: 't1', attribute: 'seriesDescription', matches: '\\bT1', onMissing: 'deny' },
      ];
      const ct = aSeries({ attributes: { modality: ['CT'], seriesDescription: ['T1'] } });
      const mr = aSeries({ attributes: { modality: ['MR'] }, seriesUid: '1.2.9' });
      for (const series of [
        [ct, mr],
        [mr, ct],
      ]) {
        expect(refusal({ series }, { series: rules })).toMatchObject({
          state: 'NOT_ANALYSED_NOTIFIED',
          reasons: [{ code: 'TAG_MISSING', words: { en: 'series description is missing' } }],
        });
      }
    });
  });
});

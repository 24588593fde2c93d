/**
 * Goal: a study is whole by silence, by what a site expects of it, or by what was announced; a
 * series by what comes after it. Method: studies as data, the pure functions.
 */
import { describe, expect, it } from '@jest/globals';
import { assembleConfigSchema } from './assemble.config.js';
import {
  isComplete,
  settledSeries,
  type ArrivedSeries,
  type ArrivingStudy,
} from './completeness.js';

const QUIET = { nowMs: 100_000, quietMs: 30_000 };

function series(parts: Partial<ArrivedSeries> = {}): ArrivedSeries {
  return {
    ...{ seriesUid: '1.2.3', instances: 10, open: 10, firstId: 1, lastId: 10 },
    ...{ lastReceivedMs: 99_000, callingAeTitle: 'CT1', header: { modality: 'CT' } },
    ...parts,
  };
}
function study(parts: Partial<ArrivingStudy> = {}): ArrivingStudy {
  const found = { series: [series()], lastReceivedMs: 99_000 };
  return { ...found, wasComplete: false, announced: undefined, ...parts };
}
const rules = (...list: unknown[]) => assembleConfigSchema.parse({ rules: list });
const thin = { where: [{ attribute: 'seriesDescription', matches: 'thin' }], instancesMin: 100 };
const axial = { where: [{ attribute: 'modality', oneOf: ['ct'] }] };

describe(isComplete.name, () => {
  it('is a matter of silence where nothing else is said, the limit included', () => {
    expect(isComplete(study(), rules(), QUIET)).toBe(false);
    expect(isComplete(study({ lastReceivedMs: 70_001 }), rules(), QUIET)).toBe(false);
    expect(isComplete(study({ lastReceivedMs: 70_000 }), rules(), QUIET)).toBe(true);
  });
  it.each([
    ['modality', { modalities: ['CT'] }, true],
    ['another modality', { modalities: ['MR'] }, false],
    ['sender', { callingAeTitles: ['CT1'] }, true],
    ['another sender', { callingAeTitles: ['MR1'] }, false],
    ['procedure', { procedures: ['L:CTA'] }, true],
    ['another procedure', { procedures: ['L:MRI'] }, false],
    ['all of them', { modalities: ['CT'], callingAeTitles: ['CT1'] }, true],
    ['one of two that is not so', { modalities: ['CT'], callingAeTitles: ['MR1'] }, false],
  ])('takes the timer of the rule for %s', (_, match, applies) => {
    const header = { modality: 'CT', procedureCodes: ['L:CTA'] };
    const arriving = study({ series: [series({ header })] });
    const config = rules({ name: 'quick', ...match, quietMs: 1_000 });
    expect(isComplete(arriving, config, QUIET)).toBe(applies);
  });
  it('takes the first rule that fits', () => {
    const config = rules({ name: 'slow', quietMs: 60_000 }, { name: 'quick', quietMs: 1 });
    expect(isComplete(study({ lastReceivedMs: 50_000 }), config, QUIET)).toBe(false);
  });

  describe('with a list of series', () => {
    const config = rules({ name: 'head', expectedSeries: [axial, thin] });
    const thinSeries = (instances: number) =>
      series({ instances, header: { modality: 'CT', seriesDescription: 'Thin 0.6' } });
    it('is whole at once when each is there, and not before', () => {
      expect(isComplete(study({ series: [series(), thinSeries(99)] }), config, QUIET)).toBe(false);
      expect(isComplete(study({ series: [series(), thinSeries(100)] }), config, QUIET)).toBe(true);
    });
    it('needs a series of its own for each, whatever the order', () => {
      expect(isComplete(study({ series: [thinSeries(100)] }), config, QUIET)).toBe(false);
      expect(isComplete(study({ series: [thinSeries(100), series()] }), config, QUIET)).toBe(true);
    });
    it('is whole by silence all the same, so that what never comes holds nothing', () => {
      expect(isComplete(study({ lastReceivedMs: 1 }), config, QUIET)).toBe(true);
    });
    it('decides for the first time only: late images make one revision, not one each', () => {
      const whole = { series: [series(), thinSeries(100)], wasComplete: true };
      expect(isComplete(study(whole), config, QUIET)).toBe(false);
    });
  });

  it.each([
    [{ isComplete: true }, true],
    [{ isComplete: false }, false],
    [{ expectedInstances: 10 }, true],
    [{ expectedInstances: 11 }, false],
    [{ expectedInstances: 11, isComplete: true }, false],
    [{}, false],
  ])('takes the announcement %j', (announced, whole) => {
    expect(isComplete(study({ announced }), rules(), QUIET)).toBe(whole);
    expect(isComplete(study({ announced, wasComplete: true }), rules(), QUIET)).toBe(false);
  });
});

describe(settledSeries.name, () => {
  const early = { nowMs: 100_000, quietMs: 2_000 };
  const uids = (list: readonly ArrivedSeries[]) => list.map(({ seriesUid }) => seriesUid);
  it('takes a series after which another began, or which has been silent', () => {
    const first = series({ seriesUid: '1', firstId: 1, lastId: 5 });
    const second = series({ seriesUid: '2', firstId: 6, lastId: 9 });
    expect(uids(settledSeries([first, second], early))).toEqual(['1']);
    const silent = { ...second, lastReceivedMs: 98_000 };
    expect(uids(settledSeries([first, silent], early))).toEqual(['1', '2']);
  });
  it('leaves one alone that goes on beside another', () => {
    const first = series({ seriesUid: '1', firstId: 1, lastId: 9 });
    const second = series({ seriesUid: '2', firstId: 2, lastId: 8 });
    expect(settledSeries([first, second], early)).toEqual([]);
  });
  it('takes one that has as many images as its acquisition', () => {
    const of = (imagesInAcquisition: number) => series({ header: { imagesInAcquisition } });
    expect(settledSeries([of(11)], early)).toEqual([]);
    expect(settledSeries([of(10)], early)).toHaveLength(1);
    expect(settledSeries([of(0)], early)).toEqual([]);
  });
  it('takes none that is in a revision already', () => {
    expect(settledSeries([series({ open: 0, lastReceivedMs: 0 })], early)).toEqual([]);
  });
});

describe('settings of assemble', () => {
  it('have no rules and two seconds by default', () => {
    expect(assembleConfigSchema.parse({})).toEqual({ rules: [], earlyQuietMs: 2_000 });
  });
  it.each([
    [{ name: 'Upper' }],
    [{ name: 'a', unknown: 1 }],
    [{ name: 'a', expectedSeries: [{ where: [] }] }],
    [{ name: 'a', expectedSeries: [{ where: [{ attribute: 'modality', matches: '(' }] }] }],
    [{ name: 'a', expectedSeries: [{ where: [{ attribute: 'patientName', oneOf: ['x'] }] }] }],
  ])('refuse the rule %j', (rule) => {
    expect(assembleConfigSchema.safeParse({ rules: [rule] }).success).toBe(false);
  });
});

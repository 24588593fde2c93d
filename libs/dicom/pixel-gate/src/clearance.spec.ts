/**
 * Goal: each decision of the gate comes to one thing for whoever asks, and no fault clears pixels.
 * Method: a gate that is told what to decide, on a real file whose regions are blacked out.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DicomDataset, encodePart10 } from '@aifi/dicom-core';
import { AifiError } from '@aifi/shared-kernel';
import { temporaryFolder } from '@aifi/shared-testing';
import { pictureOf } from '../test/test-picture.js';
import { clearanceOf, unattended, type PixelOutcome } from './clearance.js';
import type { PixelDecision } from './pixel-gate.js';

const folder = temporaryFolder('clearance');
const path = join(folder.path, 'picture.dcm');
beforeAll(() => writeFileSync(path, encodePart10(pictureOf({ kind: 'CT' }))));
afterAll(() => folder.remove());

const question = { path, header: new DicomDataset(), isReleased: false } as const;
const outcomeOf = (decision: PixelDecision): Promise<PixelOutcome> =>
  clearanceOf({ judge: () => Promise.resolve(decision) }, question);
const finding = { x: 1, y: 2, width: 30, height: 10, frame: 0 };
const code = 'QUARANTINED_PIXELS';

describe(clearanceOf, () => {
  it('clears what the gate clears', async () => {
    const outcome = await outcomeOf({ kind: 'clear', by: 'border' });
    expect(outcome).toEqual({ kind: 'clearance', clearance: { isExamined: true } });
    expect(unattended(outcome)).toEqual({ ok: true, value: { isExamined: true } });
  });
  it('blacks out first what the gate says', async () => {
    const regions = [{ x: 0, y: 0, width: 16, height: 16 }];
    const outcome = await outcomeOf({ kind: 'clean', regions });
    const cleaned = { regionsSha256: expect.stringMatching(/^[0-9a-f]{64}$/) };
    expect(outcome).toMatchObject({
      ...{ kind: 'clearance', clearance: { isExamined: true, cleaned } },
    });
  });
  it('refuses what cannot be blacked out', async () => {
    const regions = [{ x: 9_000, y: 0, width: 16, height: 16 }];
    const outcome = await outcomeOf({ kind: 'clean', regions });
    expect(outcome).toMatchObject({ kind: 'refuse', refusal: { code } });
  });
  it('holds with the reason and the places, and lets nobody pass where nobody looks', async () => {
    const hold: PixelDecision = { kind: 'hold', reason: 'text was seen', findings: [finding] };
    const outcome = await outcomeOf(hold);
    expect(outcome).toEqual(hold);
    const refusal = { code, detail: 'text was seen' };
    expect(unattended(outcome)).toEqual({ ok: false, refusal });
  });
  it('refuses what never leaves', async () => {
    const outcome = await outcomeOf({ kind: 'refuse', reason: 'a page of text' });
    const refusal = { code, detail: 'a page of text' };
    expect(outcome).toEqual({ kind: 'refuse', refusal });
    expect(unattended(outcome)).toEqual({ ok: false, refusal });
  });
  it('holds when the gate fails, and tells the fault', async () => {
    const fault = new AifiError('INTERNAL', 'broken');
    const told: unknown[] = [];
    const judge = (): Promise<never> => Promise.reject(fault);
    const outcome = await clearanceOf({ judge }, question, (error) => told.push(error));
    const reason = 'the pixels could not be examined';
    expect(outcome).toEqual({ kind: 'hold', reason, findings: [] });
    expect(told).toEqual([fault]);
    expect(await clearanceOf({ judge }, question)).toMatchObject({ kind: 'hold' });
  });
});

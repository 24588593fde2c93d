/**
 * Goal: two hospitals that hold equal Study, Series and SOP Instance UIDs never get each other's
 * results (T-MIS-3). Method: the same radiograph at both at once, under two patients; every object
 * of both PACS is judged by the patient in it and by the job that made it.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeFileMeta } from '@aifi/dicom-core';
import { DEMO_DATA_FOLDER, demoStudies, deviations, followStudies, Stack } from '@aifi/demo';
import { hasPeers } from '@aifi/shared-testing';
import { readBack, type FollowedStudy } from './followed-study.js';
import { datasetOf } from './pacs-snapshot.js';

const START_MS = 300_000;
const suite = hasPeers('Orthanc') ? describe : describe.skip;

suite('equal UIDs at two hospitals', () => {
  let stack: Stack;
  let followed: FollowedStudy[];

  beforeAll(async () => {
    const siteIds = ['site-a', 'site-b'];
    stack = await Stack.start({ siteIds, environment: process.env, quietMs: 2_000 });
    const uidsOf = `same-${process.pid}-${Date.now()}`;
    const products = stack.parts.products.map(({ product }) => product);
    const originals = new Set<string>();
    const runs = await followStudies({
      hospitals: stack.parts.hospitals,
      studiesOf: (siteId) => {
        const options = { runId: `${uidsOf}/${siteId}`, uidsOf, nowMs: Date.now(), products };
        const made = demoStudies(DEMO_DATA_FOLDER, options);
        const study = made.find(({ name }) => name === 'cr-tibia')!;
        for (const bytes of study.instances()) {
          originals.add(decodeFileMeta(bytes).meta.sopInstanceUid);
        }
        return [study];
      },
      deadlineMs: START_MS,
    });
    followed = await Promise.all(
      runs.map((run) => readBack(stack, run, (uid) => originals.has(uid))),
    );
  }, START_MS);
  afterAll(() => stack?.stop(), START_MS);

  const byJob = ({ run }: FollowedStudy): string[] => run.seen!.products.map(({ jobId }) => jobId);

  it('is the case: one study UID, two patients', () => {
    const [a, b] = followed;
    expect(a!.study.studyInstanceUid).toBe(b!.study.studyInstanceUid);
    expect(a!.study.identity.attributes).not.toEqual(b!.study.identity.attributes);
  });
  it('ends as expected at both', () => {
    expect(followed.map(({ run }) => deviations(run))).toEqual([[], []]);
  });
  it('keeps every object under the patient of its own hospital', () => {
    for (const { objects, study } of followed) {
      const patients = [...objects.values()].map((o) => datasetOf(o).string('PatientID'));
      expect(new Set(patients)).toEqual(new Set([study.identity.attributes['PatientID']]));
    }
  });
  it('has results of its own jobs only, with UIDs that the other hospital does not have', () => {
    const [a, b] = followed;
    for (const [own, other] of [
      [a!, b!],
      [b!, a!],
    ]) {
      expect(own!.results.length).toBeGreaterThan(0);
      for (const result of own!.results) {
        const items = datasetOf(result).items('ContributingEquipmentSequence');
        const text = items.map((item) => item.string(0x0018a003) ?? '').join();
        expect(byJob(own!).some((jobId) => text.includes(jobId))).toBe(true);
        expect(byJob(other!).some((jobId) => text.includes(jobId))).toBe(false);
        expect(other!.objects.has(result.sopInstanceUid)).toBe(false);
      }
    }
  });
});

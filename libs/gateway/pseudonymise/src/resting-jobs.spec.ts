/** Suite: how long a job that failed is left alone, on a fake clock. */
import { describe, expect, it } from '@jest/globals';
import type { JobId } from '@aifi/shared-kernel';
import { FakeClock } from '@aifi/shared-testing';
import { RestingJobs } from './resting-jobs.js';

const JOB = '0'.repeat(32) as JobId;

describe(RestingJobs.name, () => {
  it('rests a job twice as long each time, up to ten seconds', () => {
    const clock = new FakeClock();
    const sut = new RestingJobs(clock);
    const rests: number[] = [];
    for (let time = 0; time < 6; time += 1) {
      sut.failed(JOB);
      let restMs = 0;
      for (; sut.now().length > 0; restMs += 500) clock.advance(500);
      rests.push(restMs);
    }
    expect(rests).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  });

  it('forgets a job that succeeded', () => {
    const sut = new RestingJobs(new FakeClock());
    sut.failed(JOB);
    sut.done(JOB);
    expect(sut.now()).toEqual([]);
  });
});

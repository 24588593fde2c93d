/**
 * Contract of ObjectRecords: the rules that PostgreSQL and its twin in memory both keep.
 * Decides what a suite of either must run.
 */
import { describe, expect, it } from '@jest/globals';
import { sha256Hex, type Sha256, type SiteId } from '@aifi/shared-kernel';
import { LISTED_MAX, type ObjectRecords } from './object-records.js';

export interface RecordsUnderTest {
  readonly sut: ObjectRecords;
  readonly sites: readonly [SiteId, SiteId];
  /** A job of the first site that lists objects of these digests, each of 10 bytes. */
  readonly openJob: (
    jobId: string,
    lane: 'acute' | 'routine',
    digests: readonly Sha256[],
  ) => Promise<void>;
  /** Digests of the rows of the first site. */
  readonly rows: () => Promise<readonly string[]>;
}

const JOB = 'a'.repeat(32);
const digest = (index: number): Sha256 => sha256Hex(`object ${index}`);

export function objectRecordsContract(name: string, make: () => Promise<RecordsUnderTest>): void {
  describe(name, () => {
    it('gives an object with those that its job lists after it, up to a limit', async () => {
      const { sut, sites, openJob } = await make();
      const digests = Array.from({ length: LISTED_MAX + 5 }, (_, index) => digest(index));
      await openJob(JOB, 'acute', digests);
      const listed = await sut.listed(sites[0], { jobId: JOB, sha256: digest(2) });
      expect(listed.map((one) => one.sha256)).toEqual(digests.slice(2, 2 + LISTED_MAX));
      expect(listed[0]).toEqual({
        ...{ jobId: JOB, sha256: digest(2), sizeBytes: 10 },
        lane: 'acute',
      });
    });

    it('gives nothing to another site, and nothing of a job that does not list it', async () => {
      const { sut, sites, openJob } = await make();
      await openJob(JOB, 'routine', [digest(1)]);
      const name = { jobId: JOB, sha256: digest(1) };
      await expect(sut.listed(sites[0], name)).resolves.toHaveLength(1);
      await expect(sut.listed(sites[1], name)).resolves.toEqual([]);
      await expect(sut.listed(sites[0], { ...name, sha256: digest(2) })).resolves.toEqual([]);
      await expect(sut.listed(sites[0], { ...name, jobId: 'b'.repeat(32) })).resolves.toEqual([]);
      await expect(sut.listed(sites[0], { jobId: 'no id', sha256: '../x' })).resolves.toEqual([]);
    });

    it('keeps one row for each object, however often it is stored', async () => {
      const { sut, sites, rows } = await make();
      const objects = [1, 2].map((index) => ({
        ...{ siteId: sites[0], sha256: digest(index), sizeBytes: 10 },
      }));
      await sut.stored(sites[0], objects, 1_000);
      await sut.stored(sites[0], [...objects].reverse(), 2_000);
      expect([...(await rows())].sort()).toEqual([digest(1), digest(2)].sort());
    });
  });
}

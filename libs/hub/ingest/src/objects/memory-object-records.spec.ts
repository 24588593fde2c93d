/**
 * Goal: the twin in memory keeps the rules of ObjectRecords. Method: the shared contract.
 */
import type { SiteId } from '@aifi/shared-kernel';
import { MemoryObjectRecords } from './memory-object-records.js';
import { objectRecordsContract } from './object-records.contract.js';

const sites = ['site-a', 'site-b'] as unknown as [SiteId, SiteId];

objectRecordsContract(MemoryObjectRecords.name, () => {
  const sut = new MemoryObjectRecords();
  return Promise.resolve({
    sut,
    sites,
    openJob: (jobId, lane, digests) => {
      const objects = digests.map((sha256) => ({ jobId, sha256, sizeBytes: 10, lane }) as never);
      sut.open(sites[0], jobId, objects);
      return Promise.resolve();
    },
    rows: () => Promise.resolve(sut.digestsOf(sites[0])),
  });
});

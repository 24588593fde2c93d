/**
 * Goal: the store in memory keeps the rules of every IngestStore. Method: the shared suite.
 */
import {
  CONTRACT_OPEN_JOBS_MAX,
  CONTRACT_RULES,
  CONTRACT_SITES,
  ingestStoreContract,
} from './ingest-store.contract.js';
import { MemoryIngestStore } from './memory-ingest.store.js';

const store = new MemoryIngestStore(CONTRACT_OPEN_JOBS_MAX);
for (const site of CONTRACT_SITES) store.enrol(site, ...CONTRACT_RULES);

ingestStoreContract(MemoryIngestStore.name, () => ({
  ...{ store, records: store },
  events: async (siteId) => {
    const jobs = [...(store.sites.get(siteId)?.jobs ?? [])];
    return jobs.filter(([, job]) => job.state === 'STORED').map(([jobId]) => jobId);
  },
}));

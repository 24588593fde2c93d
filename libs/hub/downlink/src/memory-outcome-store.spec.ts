/**
 * Goal: the outcome store of the simulator keeps the promises of the port.
 * Method: the shared contract.
 */
import { siteId, type JobId } from '@aifi/shared-kernel';
import { checkOutcomeStore } from './outcome-store.contract.js';
import { MemoryOutcomeStore } from './memory-outcome-store.js';

checkOutcomeStore(MemoryOutcomeStore.name, async () => {
  const store = new MemoryOutcomeStore();
  let jobs = 0;
  return {
    store,
    peer: (siteName, gateway) => ({ siteId: siteId(siteName), gateway }),
    conclude: async ({ siteName, gateway, study, revision, isResult = true }) => {
      jobs += 1;
      const jobId = String(jobs).padStart(32, '0') as JobId;
      const none = Buffer.alloc(0);
      store.add({
        ...{ siteName, gateway, revision, jobId, isResult, issue: 0, objects: [] },
        ...{ studyPseudonym: study, product: 'p', version: '1.0.0' },
        ...{ manifest: none, signature: none, envelope: none },
      });
      return jobId;
    },
    stop: async () => store.stop('site-a', 'p'),
    resume: async () => store.resume('site-a', 'p'),
    takeOver: async (siteName, gateway, successor) =>
      store.takeOver(siteName, { gateway, successor }),
  };
});

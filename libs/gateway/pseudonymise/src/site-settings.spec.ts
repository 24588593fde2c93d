/**
 * Goal: what a hospital decides for all products reaches the engine.
 * Method: one job by the product's contract, and the same under settings of the site.
 */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { readPart10Header, type DicomDataset } from '@aifi/dicom-core';
import { siteDeidentificationSchema } from '@aifi/dicom-deidentification';
import { silentLogger } from '@aifi/shared-observability';
import { FakeClock } from '@aifi/shared-testing';
import { anInstance, SelectedJobs, SITE } from '../test/selected-jobs.js';
import { pseudonymiseJob } from './pseudonymise-job.js';
import { selectedJobs } from './selected-job.js';
import { seriesWork } from './series-work.js';

let jobs: SelectedJobs;
beforeEach(() => {
  jobs = new SelectedJobs();
});
afterEach(() => {
  jobs.remove();
});

async function sent(image: DicomDataset, site?: object): Promise<DicomDataset | string> {
  await jobs.add(1, [image]);
  const { database, vault, sink, gate } = jobs;
  const [job] = selectedJobs(database);
  const outcome = await pseudonymiseJob(
    {
      ...{ database, vault, sink, keys: jobs.ring, series: seriesWork(gate), siteId: SITE },
      ...{ dataFolder: jobs.path, clock: new FakeClock(), logger: silentLogger },
      site: site && siteDeidentificationSchema.parse(site),
    },
    job!,
  );
  if (!outcome.ok) return outcome.refusal.code;
  return (await readPart10Header(sink.studies[0]!.instances[0]!.path)).dataset;
}
const dateOf = (given: DicomDataset | string): string | undefined =>
  typeof given === 'string' ? given : given.string('StudyDate');

it('dates are shifted by the contract of the product', async () => {
  expect(dateOf(await sent(anInstance(1)))).toMatch(/^(201[4-9]|202[0-4])\d{4}$/);
});
it('dates go where the hospital sends none, whatever the contract says', async () => {
  expect(dateOf(await sent(anInstance(1), { dates: 'remove' }))).toBeUndefined();
});
it.each([
  ['refuse', 'QUARANTINED_IDENTIFIER'],
  ['allow', undefined],
] as const)('identity removed elsewhere: %s', async (identityRemovedElsewhere, code) => {
  const image = anInstance(1).setString('PatientIdentityRemoved', 'YES');
  const given = await sent(image, { identityRemovedElsewhere });
  if (code) expect(given).toBe(code);
  else expect(dateOf(given)).toBeDefined();
});

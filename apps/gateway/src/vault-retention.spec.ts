/**
 * Goal: identity events stay as long as a study that may need them, and not longer.
 * Method: a real vault and event log in a temporary folder, a clock that the test moves.
 */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { DicomDataset } from '@aifi/dicom-core';
import { GATEWAY_MIGRATIONS, GatewayDatabase } from '@aifi/gateway-database';
import { IdentityEventLog, identityOf, Vault } from '@aifi/gateway-vault';
import { jobId, originalUid, pseudonymousUid } from '@aifi/shared-kernel';
import { silentLogger } from '@aifi/shared-observability';
import { keyRingOf } from '@aifi/shared-site-keys';
import {
  FakeClock,
  fakeSiteKeys,
  temporaryFolder,
  type TemporaryFolder,
} from '@aifi/shared-testing';
import { createVaultRetention } from './vault-retention.js';

const DAY_MS = 86_400_000;
const retention = { linkageDays: 90, registerYears: 20 };
const patient = { id: 'P1', issuer: '' };

/** A clock whose first wait ends the run. */
class OneLookClock extends FakeClock {
  readonly stop = new AbortController();
  override sleep(): Promise<void> {
    this.stop.abort();
    return Promise.resolve();
  }
}

let folder: TemporaryFolder;
let database: GatewayDatabase;
let vault: Vault;
let identityEvents: IdentityEventLog;
let nowMs: number;
beforeEach(() => {
  folder = temporaryFolder('vault-retention');
  const ring = keyRingOf(fakeSiteKeys());
  nowMs = Date.UTC(2026, 0, 1);
  database = GatewayDatabase.open(join(folder.path, 'gateway.db'), GATEWAY_MIGRATIONS);
  vault = Vault.open(join(folder.path, 'vault.db'), ring, { retention });
  identityEvents = IdentityEventLog.open(join(folder.path, 'events.db'), ring);
});
afterEach(() => {
  for (const each of [database, vault, identityEvents]) each.close();
  folder.remove();
});
async function look(): Promise<void> {
  const clock = new OneLookClock(nowMs);
  await createVaultRetention({
    ...{ vault, identityEvents, retention, database, clock, logger: silentLogger },
  }).run(clock.stop.signal);
}
const told = (eventId: string): Promise<boolean> => {
  const event = { eventId, trigger: 'A08' as const, happenedMs: nowMs, demographics: {} };
  return identityEvents.record({ ...event, from: patient, into: patient }, nowMs);
};
const kept = (): string[] => identityEvents.about('P1').map(({ eventId }) => eventId);

it('keeps events of one linkage period before the oldest study that is kept', async () => {
  await told('long before');
  nowMs += 30 * DAY_MS;
  await told('before');
  nowMs += 80 * DAY_MS;
  const dataset = new DicomDataset().setString('PatientID', 'P1');
  const linkage = {
    ...{ jobId: jobId('1'.repeat(32)), studyUid: originalUid('1.2'), epoch: 1 },
    ...{ seriesUid: originalUid('1.2.1'), pseudonymousStudyUid: pseudonymousUid('2.25.1') },
  };
  await vault.recordLinkage({ ...linkage, asSent: identityOf(dataset) }, new Map(), nowMs);
  nowMs += 89 * DAY_MS;
  await look();
  expect(kept()).toEqual(['before']);
});

it('lets events go a linkage period after the last study', async () => {
  await told('old');
  nowMs += 60 * DAY_MS;
  await told('new');
  nowMs += 31 * DAY_MS;
  await look();
  expect(kept()).toEqual(['new']);
});

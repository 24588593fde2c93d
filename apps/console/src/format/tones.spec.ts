/** Goal: a site that is not heard shows as such in time. Method: times around the limit. */
import { describe, expect, it } from '@jest/globals';
import type { SiteView } from '@aifi/contracts-rest';
import { jobTone, SILENT_AFTER_MS, siteHealth } from './tones.js';

const NOW = 1_000_000_000;
const site = (lastSeenAtMs: number | null, state = 'active'): SiteView => ({
  ...{ siteId: 'noord', purpose: 'demonstration', state, enrolledAtMs: 0, lastSeenAtMs },
  ...{ openJobs: 0, waitingOutcomes: 0, rulesSequence: null, deployments: [] },
});

describe(siteHealth.name, () => {
  it('is silent only after the limit', () => {
    expect(siteHealth(site(NOW - SILENT_AFTER_MS), NOW)).toBe('healthy');
    expect(siteHealth(site(NOW - SILENT_AFTER_MS - 1), NOW)).toBe('silent');
  });
  it('tells a site that never called from one that stopped', () => {
    expect(siteHealth(site(null), NOW)).toBe('neverSeen');
    expect(siteHealth(site(NOW, 'inactive'), NOW)).toBe('inactive');
  });
});

describe(jobTone.name, () => {
  it('shows an unknown state as going on, never as done', () => {
    expect(jobTone('NEW_STATE')).toBe('busy');
    expect(jobTone('QUARANTINED')).toBe('bad');
  });
});

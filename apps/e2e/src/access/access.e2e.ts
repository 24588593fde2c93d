/**
 * Goal: everybody gets in through the provider, sees what the role allows and nothing else, in
 * pages that work for all, and every act of two persons is one. Method: real Chromium against a
 * running stack whose studies have gone their way; one browser, one context per person.
 */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { hasPeers } from '@aifi/shared-testing';
import { ensureChromium } from '../../../../deploy/services/chromium/install.mjs';
import { ensureKeycloak } from '../../../../deploy/services/keycloak/install.mjs';
import { scanHub } from '../hub-dump.js';
import { breakGlassSuite } from './break-glass.contract.js';
import { commandLineSuite } from './command-line.contract.js';
import { deadLettersSuite } from './dead-letters.contract.js';
import { keycloakSuite } from './keycloak.contract.js';
import { maskingSuite } from './masking.contract.js';
import { pixelHoldsSuite } from './pixel-holds.contract.js';
import { rolesSuite } from './roles.contract.js';
import { screenshotSuite } from './screenshot.contract.js';
import { startWorld, type World } from './world.js';

const START_MS = 400_000;
// In CI a missing peer is a failure, not a skip.
const isThere = (peer: { readonly ok: boolean }): boolean =>
  peer.ok || process.env['CI'] === 'true';
const hasBrowser = isThere(ensureChromium()) && isThere(ensureKeycloak());
const suite = hasPeers('Orthanc') && hasBrowser ? describe : describe.skip;
jest.setTimeout(30_000);

suite('access', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  }, START_MS);
  afterAll(() => world?.end(), START_MS);

  rolesSuite(() => world);
  breakGlassSuite(() => world);
  maskingSuite(() => world);
  commandLineSuite(() => world);
  deadLettersSuite(() => world);
  pixelHoldsSuite(() => world);
  it('leaves no planted identity at the hub, whatever people have done there', async () => {
    const canaries = world.runs.flatMap(({ study }) => study.canaries);
    const { finds, rows } = await scanHub(world.stack, canaries);
    expect(finds).toEqual([]);
    const [, count] = Object.entries(rows).find(([table]) => table.endsWith('.audit_record'))!;
    expect(count).toBeGreaterThan(20);
  });
  screenshotSuite(() => world);
  // Last: it gives the hub another provider.
  keycloakSuite(() => world);
});

/**
 * Goal: everybody gets in through the provider, sees what the role allows and nothing else, in
 * pages that work for all, and every act of two persons is one. Method: real Chromium against a
 * running stack whose studies have gone their way; one browser, one context per person.
 */
import { afterAll, beforeAll, describe, jest } from '@jest/globals';
import { hasPeers } from '@aifi/shared-testing';
import { ensureChromium } from '../../../../deploy/services/chromium/install.mjs';
import { ensureKeycloak } from '../../../../deploy/services/keycloak/install.mjs';
import { breakGlassSuite } from './break-glass-suite.js';
import { commandLineSuite } from './command-line-suite.js';
import { keycloakSuite } from './keycloak-suite.js';
import { maskingSuite } from './masking-suite.js';
import { rolesSuite } from './roles-suite.js';
import { screenshotSuite } from './screenshot-suite.js';
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
  screenshotSuite(() => world);
  // Last: it gives the hub another provider.
  keycloakSuite(() => world);
});

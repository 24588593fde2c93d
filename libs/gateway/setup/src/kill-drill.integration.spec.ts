/**
 * Goal: a gateway that dies at any step of changing its settings starts again with whole settings:
 * the ones before until the new ones were ordered, and again after a try that did not come up.
 * Method: a life orders, tries and confirms settings in a process of its own, and dies by kill -9
 * before or after each of its writes; the next life says what it starts with.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { killedAt, livedOn, temporaryFolder, type TemporaryFolder } from '@aifi/shared-testing';

const LIFE = `
const { SettingsOverlay } = await import('@aifi/gateway-setup');
const { systemClock } = await import('@aifi/shared-kernel');
const { dataFolder, host } = JSON.parse(process.argv[1]);
const pacs = { port: 104, calledAeTitle: 'PACS', callingAeTitle: 'AIFI', commitment: false };
const fits = () => true;
const before = SettingsOverlay.open(dataFolder, systemClock);
if (host) await before.order({ pacs: { host, ...pacs } });
const sut = SettingsOverlay.open(dataFolder, systemClock);
const settings = await sut.begin(fits);
if (host) await sut.started();
const { rolledBackAtMs } = sut.view();
process.stdout.write(JSON.stringify([settings.pacs?.host, rolledBackAtMs !== null]));`;
const TEST_MS = 60_000;

let folder: TemporaryFolder;
beforeEach(() => {
  folder = temporaryFolder('settings-drill');
});
afterEach(() => folder.remove());
const lifeWith = (host?: string): string[] => [JSON.stringify({ dataFolder: folder.path, host })];

describe('a kill while settings change', () => {
  it.each([
    // The first write is the order, the second the try, the third the confirmation.
    ['gateway.setup.before-settings#1', ['first', false]],
    ['gateway.setup.after-settings#1', ['second', false]],
    ['gateway.setup.before-settings#2', ['second', false]],
    ['gateway.setup.after-settings#2', ['first', true]],
    ['gateway.setup.before-settings#3', ['first', true]],
    ['gateway.setup.after-settings#3', ['second', false]],
  ])(
    'at %s',
    async (point, expected) => {
      expect(JSON.parse(await livedOn(LIFE, lifeWith('first')))).toEqual(['first', false]);
      await killedAt(point, LIFE, lifeWith('second'));
      expect(JSON.parse(await livedOn(LIFE, lifeWith()))).toEqual(expected);
    },
    TEST_MS,
  );
});

/**
 * Goal: settings of the page are tried once; those with which the gateway did not come up, or that
 * do not fit, are put aside, and the last that started are used again.
 * Method: starts, deaths and orders in turn, over one folder.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SetupSettings } from '@aifi/contracts-rest';
import { FakeClock, temporaryFolder } from '@aifi/shared-testing';
import { SettingsOverlay } from './settings-overlay.js';

const settingsOf = (host: string): SetupSettings => ({
  pacs: {
    ...{ host, port: 104, calledAeTitle: 'PACS', callingAeTitle: 'AIFI', commitment: false },
  },
});
const [FIRST, SECOND] = [settingsOf('first'), settingsOf('second')];
const fits = (): boolean => true;

let folder: ReturnType<typeof temporaryFolder>;
const clock = new FakeClock(1_000);
beforeEach(() => {
  folder = temporaryFolder('overlay');
});
afterEach(() => folder.remove());
const open = (): SettingsOverlay => SettingsOverlay.open(folder.path, clock);
/** A start that succeeds. */
async function started(): Promise<SettingsOverlay> {
  const overlay = open();
  await overlay.begin(fits);
  await overlay.started();
  return overlay;
}

describe(SettingsOverlay.name, () => {
  it('is nothing at first, and there is nothing to undo', async () => {
    expect(await open().begin(fits)).toEqual({});
    const { current, canUndo, rolledBackAtMs } = (await started()).view();
    expect({ current, canUndo, rolledBackAtMs }).toEqual({
      ...{ current: null, canUndo: false, rolledBackAtMs: null },
    });
  });
  it('what is ordered is used from the next start on', async () => {
    await (await started()).order(FIRST);
    expect(await open().begin(fits)).toEqual(FIRST);
    const sut = open();
    expect(sut.view().current).toBeNull();
  });
  it('what started is in force, with the one before to go back to', async () => {
    await (await started()).order(FIRST);
    await started();
    await open().order(SECOND);
    const sut = await started();
    expect(sut.view()).toMatchObject({ current: SECOND, canUndo: true });
    expect(sut.before()).toEqual(FIRST);
  });
  it('undoing the first settings leads to the configuration file alone', async () => {
    await (await started()).order(FIRST);
    const sut = await started();
    await sut.order(sut.before()!);
    expect((await started()).view()).toMatchObject({ current: null, canUndo: true });
  });
  it('a process that dies with them starts with the last that worked', async () => {
    await (await started()).order(FIRST);
    await started();
    await open().order(SECOND);
    expect(await open().begin(fits)).toEqual(SECOND);
    const sut = open();
    expect(await sut.begin(fits)).toEqual(FIRST);
    await sut.started();
    expect(sut.view()).toMatchObject({ current: FIRST, rolledBackAtMs: clock.nowMs() });
    expect(await open().begin(fits)).toEqual(FIRST);
  });
  it('settings that do not fit the configuration are never tried', async () => {
    await open().order(FIRST);
    const sut = open();
    expect(await sut.begin(() => false)).toEqual({});
    expect(sut.view().rolledBackAtMs).toBe(clock.nowMs());
  });
  it('settings in force that do not fit a changed file are left out, not removed', async () => {
    await open().order(FIRST);
    await started();
    expect(await open().begin(() => false)).toEqual({});
    expect(await open().begin(fits)).toEqual(FIRST);
  });
  it('a file that does not read is none', async () => {
    writeFileSync(join(folder.path, 'settings.json'), '{"schema":');
    expect(await open().begin(fits)).toEqual({});
  });
});

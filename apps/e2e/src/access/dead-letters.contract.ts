/**
 * Suite: a result that the PACS refused stands on the gateway's page with its count, and hospital
 * IT has it sent again; whoever may only look finds no button. Method: people at the page, a result
 * of a demo study buried in the gateway's rows, the real PACS at the end.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { seriousIssues } from './axe.js';
import { buryResult, stateOfResult } from './buried-result.js';
import type { ConsolePage } from './console-page.js';
import { shoot } from './screenshots.js';
import { arrive, FIRST_SITE, person, type World } from './world.js';

const STEP_MS = 60_000;
const IT = person(`hospital-it.${FIRST_SITE}`);
const OFFICER = person(`privacy-officer.${FIRST_SITE}`);
const PATH = '/dead-letters';

export function deadLettersSuite(world: () => World): void {
  describe('a result that the PACS refused', () => {
    let sut: ConsolePage;
    let uid: string;
    const study = () => world().runs.find((run) => run.study.name === 't1-brain')!.study;
    beforeAll(async () => {
      uid = buryResult(world().hospital, study().studyInstanceUid);
      sut = await arrive(world(), { at: 'gateway' });
    });
    afterEach(() => expect(sut.visitor.takeFaults()).toEqual([]));
    afterAll(() => sut?.visitor.leave());
    const badge = () => sut.navigation.getByRole('img', { name: /undelivered$/ });
    const row = () => sut.page.getByRole('row').filter({ hasText: 'PEER_REFUSED' });

    it(
      'stands on the page with why, and is counted beside its name and in the status',
      async () => {
        await sut.signIn(IT, PATH);
        await row().waitFor();
        const text = await row().innerText();
        expect(text).toContain('the PACS refuses this object');
        expect(text).toContain('A900');
        expect(await badge().innerText()).toBe('1');
        expect(await seriousIssues(sut.page)).toEqual([]);
        await shoot(sut.page, 'gateway-dead-letters-light-en');
        await sut.follow('Queue and disk');
        await sut.main.getByRole('link', { name: 'Undelivered' }).click();
        await row().waitFor();
        const content = await sut.page.content();
        const { canaries } = study();
        for (const carrier of ['PatientName', 'PatientID', 'AccessionNumber']) {
          const { text: planted } = canaries.find((canary) => canary.carrier === carrier)!;
          expect(content).not.toContain(planted);
        }
      },
      STEP_MS,
    );
    it(
      'can be looked at by the privacy officer, who may not send it',
      async () => {
        const officer = await arrive(world(), { at: 'gateway' });
        await officer.signIn(OFFICER, PATH);
        await officer.page.getByRole('row').filter({ hasText: 'PEER_REFUSED' }).waitFor();
        expect(await officer.button(/^Send /).count()).toBe(0);
        expect(await officer.page.content()).not.toContain(study().studyInstanceUid);
        expect(officer.visitor.takeFaults()).toEqual([]);
        await officer.visitor.leave();
      },
      STEP_MS,
    );
    it(
      'is asked about, with how many, and sent again by the keyboard alone',
      async () => {
        await sut.button(/^Send all again/).click();
        const dialog = sut.page.getByRole('dialog');
        await dialog.getByText('Objects that go to the PACS again: 1.').waitFor();
        expect(await seriousIssues(sut.page)).toEqual([]);
        await dialog.getByRole('button', { name: 'Cancel' }).click();
        await dialog.waitFor({ state: 'hidden' });
        expect(stateOfResult(world().hospital, uid)[0]).toBe('DEAD');
        await sut.button(/^Send again: /).press('Enter');
        await dialog.getByText('same bytes under the same UID', { exact: false }).waitFor();
        // The dialog takes the focus a moment after its words are there.
        await dialog.locator('[data-autofocus]:focus').waitFor();
        await sut.page.keyboard.press('Enter');
        await sut.page.getByText('Goes to the PACS again: 1.').waitFor();
        await sut.main.getByText('Everything was delivered.').waitFor();
        await badge().waitFor({ state: 'hidden' });
      },
      STEP_MS,
    );
    it(
      'ends in the PACS, as if nothing had been',
      async () => {
        const wanted = ['VERIFIED', 'RESULT_IN_PACS', 1];
        let state = stateOfResult(world().hospital, uid);
        for (let look = 0; look < 300 && state[0] !== 'VERIFIED'; look += 1) {
          await new Promise((resolve) => setTimeout(resolve, 100));
          state = stateOfResult(world().hospital, uid);
        }
        expect(state).toEqual(wanted);
      },
      STEP_MS,
    );
  });
}

/**
 * Suite: images that a person has to look at stand on the gateway's page with their count; hospital
 * IT sees them in every view, by the keyboard, before they can be let go, and the study goes its
 * way to the PACS; whoever may only see the list sees no image. Method: people at the page, a demo
 * study held in the gateway's rows, the real pipeline, hub and PACS behind it.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { seriousIssues } from './axe.js';
import type { ConsolePage } from './console-page.js';
import { holdStudy, stateOfHeld } from './held-study.js';
import { shoot } from './screenshots.js';
import { arrive, FIRST_SITE, person, type World } from './world.js';

const STEP_MS = 60_000;
/** Pseudonymise, hub, worker and PACS, on a machine that does other things too. @unit ms */
const WAY_MS = 180_000;
const IT = person(`hospital-it.${FIRST_SITE}`);
const OFFICER = person(`privacy-officer.${FIRST_SITE}`);
const PATH = '/pixel-holds';
const SEEN = 'a side marker and nothing else is in the image';

export function pixelHoldsSuite(world: () => World): void {
  describe('images that a person has to look at', () => {
    let sut: ConsolePage;
    let jobId: string;
    const study = () => world().runs.find((run) => run.study.name === 'cr-tibia')!.study;
    beforeAll(async () => {
      jobId = holdStudy(world().hospital, study().studyInstanceUid);
      sut = await arrive(world(), { at: 'gateway' });
    });
    afterEach(() => expect(sut.visitor.takeFaults()).toEqual([]));
    afterAll(() => sut?.visitor.leave());
    const badge = () => sut.navigation.getByRole('img', { name: /to look at$/ });
    const row = () => sut.page.getByRole('row').filter({ hasText: 'text was seen' });

    it(
      'stand on the page with why, are counted, and name nobody',
      async () => {
        await sut.signIn(IT, PATH);
        await row().waitFor();
        expect(await badge().innerText()).toBe('1');
        expect(await seriousIssues(sut.page)).toEqual([]);
        await shoot(sut.page, 'gateway-pixel-holds-light-en');
        const content = await sut.page.content();
        for (const carrier of ['PatientName', 'PatientID', 'AccessionNumber']) {
          const { text } = study().canaries.find((canary) => canary.carrier === carrier)!;
          expect(content).not.toContain(text);
        }
        await row().getByRole('link', { name: /^Hops/ }).click();
        await sut.main.getByText('1 image waits for a person').waitFor();
        await sut.main.getByRole('link', { name: 'Look at the images' }).click();
        await row().waitFor();
      },
      STEP_MS,
    );
    it(
      'can be seen in the list by the privacy officer, who sees no image',
      async () => {
        const officer = await arrive(world(), { at: 'gateway' });
        await officer.signIn(OFFICER, PATH);
        await officer.page.getByRole('row').filter({ hasText: 'text was seen' }).waitFor();
        expect(await officer.link(/^Look/).count()).toBe(0);
        expect(await officer.page.content()).not.toContain(study().studyInstanceUid);
        expect(officer.visitor.takeFaults()).toEqual([]);
        await officer.visitor.leave();
      },
      STEP_MS,
    );
    it(
      'are opened with a reason after a fresh sign-in, and shown with their marks',
      async () => {
        await row().getByRole('link', { name: /^Look/ }).click();
        await sut.stepUp(IT);
        await sut.page.getByRole('textbox', { name: 'Reason' }).fill('the radiographer asks me');
        await sut.button('Show the images').click();
        const picture = sut.page.getByRole('img', { name: /^Preview of frame 1 .*; / });
        await picture.waitFor();
        expect(await sut.page.locator('.aifi-held rect').count()).toBeGreaterThan(0);
        expect(await seriousIssues(sut.page)).toEqual([]);
        await shoot(sut.page, 'gateway-pixel-hold-light-en');
        await sut.button('Hide the marks').press('Enter');
        await sut.page.locator('.aifi-held rect').first().waitFor({ state: 'detached' });
        expect(stateOfHeld(world().hospital, jobId)).toEqual(['QUARANTINED', 1]);
      },
      STEP_MS,
    );
    it(
      'can be released once they were seen in every view, marks over each of them',
      async () => {
        await sut.button('Show the marks').press('Enter');
        const { page } = sut;
        const shown = (view: string) =>
          page.getByRole('img', { name: new RegExp(`^Preview of frame 1 \\(${view}\\); `) });
        await page.getByText('2 pictures are still to be looked at').waitFor();
        expect(await sut.button('Release').count()).toBe(0);
        await page.getByRole('radio', { name: 'As set' }).press('ArrowRight');
        await shown('Whole range').waitFor();
        await page.getByText('One picture is still to be looked at').waitFor();
        expect(await page.locator('.aifi-held rect').count()).toBeGreaterThan(0);
        expect(await sut.button('Release').count()).toBe(0);
        await sut.button('Next still to see').press('Enter');
        await shown('Faint detail').waitFor();
        await sut.button('Release').waitFor();
        expect(await page.locator('.aifi-held rect').count()).toBeGreaterThan(0);
        expect(await page.getByRole('radio', { name: 'Faint detail' }).isChecked()).toBe(true);
        expect(await seriousIssues(page)).toEqual([]);
        await shoot(page, 'gateway-pixel-hold-detail-light-en');
      },
      STEP_MS,
    );
    it(
      'are released, and the study goes on to its result in the PACS',
      async () => {
        await sut.page.getByRole('textbox', { name: 'Reason' }).fill(SEEN);
        await sut.button('Release').press('Enter');
        await sut.page.getByText('Released: the study goes on.').waitFor();
        await sut.main.getByText('No image waits.').waitFor();
        await badge().waitFor({ state: 'hidden' });
        const wanted = ['RESULT_IN_PACS', 0];
        let state = stateOfHeld(world().hospital, jobId);
        for (let look = 0; look < WAY_MS / 200 && state[0] !== wanted[0]; look += 1) {
          await new Promise((resolve) => setTimeout(resolve, 200));
          state = stateOfHeld(world().hospital, jobId);
        }
        expect(state).toEqual(wanted);
      },
      STEP_MS + WAY_MS,
    );
  });
}

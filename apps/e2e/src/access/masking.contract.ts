/**
 * Suite: a patient whom the privacy officer has masked is nobody in the list until somebody opens
 * the identity with a reason, and then the privacy officer knows. Method: two people at the
 * gateway's own page; the planted identity of a demo study.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { demoAccounts } from '@aifi/access-embedded-provider';
import type { Locator } from 'playwright-core';
import type { ConsolePage } from './console-page.js';
import { shoot } from './screenshots.js';
import { arrive, FIRST_SITE, person, type World } from './world.js';

const STEP_MS = 60_000;
const OFFICER = person(`privacy-officer.${FIRST_SITE}`);
const RADIOLOGIST = person(`radiologist.${FIRST_SITE}`);
const RADIOLOGIST_NAME = demoAccounts({ siteIds: [FIRST_SITE] }).find(
  ({ userName }) => userName === RADIOLOGIST.userName,
)!.name;
const WHY = 'Colleague asks for a second reading';

export function maskingSuite(world: () => World): void {
  describe('a masked patient at the gateway', () => {
    let officer: ConsolePage;
    let radiologist: ConsolePage;
    const study = () => world().runs.find((run) => run.study.name === 't1-brain')!.study;
    const text = (carrier: string): string =>
      study().canaries.find((canary) => canary.carrier === carrier)!.text;
    const rowOf = ({ page }: ConsolePage): Locator => {
      const address = `/studies/${study().studyInstanceUid}`;
      return page.getByRole('row').filter({ has: page.locator(`a[href="${address}"]`) });
    };
    beforeAll(async () => {
      officer = await arrive(world(), { at: 'gateway' });
      radiologist = await arrive(world(), { at: 'gateway' });
    });
    afterAll(async () => {
      await officer?.visitor.leave();
      await radiologist?.visitor.leave();
    });
    const faults = (): string[] =>
      [officer, radiologist].flatMap((sut) => sut.visitor.takeFaults());

    it(
      'is somebody to a radiologist before',
      async () => {
        await radiologist.signIn(RADIOLOGIST);
        const row = rowOf(radiologist);
        await row.waitFor();
        expect(await row.innerText()).toContain(text('PatientName'));
        expect(await row.innerText()).toContain(text('PatientID'));
      },
      STEP_MS,
    );
    it(
      'is masked by the privacy officer',
      async () => {
        await officer.signIn(OFFICER, '/patient-flags');
        await officer.button('Mask a patient').click();
        const dialog = officer.page.getByRole('dialog');
        await dialog.getByLabel('Patient number').fill(text('PatientID'));
        await dialog.getByLabel('Issuer').fill(text('IssuerOfPatientID'));
        await dialog.getByRole('button', { name: 'Mask a patient' }).click();
        await officer.page
          .getByRole('rowheader')
          .filter({ hasText: text('PatientID') })
          .waitFor();
        expect(faults()).toEqual([]);
      },
      STEP_MS,
    );
    it(
      'is nobody in the list until the identity is opened with a reason',
      async () => {
        await radiologist.open('/');
        const row = rowOf(radiologist);
        await row.waitFor();
        await row.getByText(/^Masked/).waitFor();
        const page = await radiologist.page.content();
        for (const carrier of ['PatientName', 'PatientID', 'AccessionNumber']) {
          expect(page).not.toContain(text(carrier));
        }
        await row.scrollIntoViewIfNeeded();
        await shoot(radiologist.page, 'gateway-studies-masked-light-en');
        await row.getByRole('button', { name: /^Open identity/ }).click();
        const dialog = radiologist.page.getByRole('dialog');
        await dialog.getByText('The privacy officer is told at once', { exact: false }).waitFor();
        await dialog.getByLabel('Reason').fill('short');
        await dialog.getByRole('button', { name: 'Open identity' }).click();
        await dialog.getByText('Give a reason of at least 10 characters.').waitFor();
        await dialog.getByLabel('Reason').fill(WHY);
        await dialog.getByRole('button', { name: 'Open identity' }).click();
        await row.getByText(text('PatientName'), { exact: false }).first().waitFor();
        expect(radiologist.page.url()).not.toContain(text('PatientID'));
        expect(faults()).toEqual([]);
      },
      STEP_MS,
    );
    it(
      'raises an alert that the privacy officer sees, with who and why',
      async () => {
        await officer.follow('Alerts');
        const row = officer.page.getByRole('row').filter({ hasText: WHY });
        await row.waitFor();
        expect(await row.getByRole('rowheader').innerText()).toBe(RADIOLOGIST_NAME);
        await shoot(officer.page, 'gateway-alerts-light-en');
        await row.getByRole('button', { name: /^Mark as seen/ }).click();
        await row.getByText(/^Seen by/).waitFor();
        expect(faults()).toEqual([]);
      },
      STEP_MS,
    );
    it(
      'is told to the patient who asks who has looked',
      async () => {
        await officer.follow('Patient extract');
        const number = officer.page.getByLabel('Patient number');
        if (!(await number.isVisible())) await officer.stepUp(OFFICER);
        await number.fill(text('PatientID'));
        await officer.button('Make the extract').click();
        await officer.main.getByText(RADIOLOGIST_NAME, { exact: false }).first().waitFor();
        expect(await officer.main.innerText()).toContain(WHY);
        expect(faults()).toEqual([]);
      },
      STEP_MS,
    );
  });
}

/**
 * Suite: an operator sees the pixels of one study only after another one has agreed, for as long as
 * it is not ended, and the trail tells all of it. Method: two people in two browser contexts.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ConsolePage } from './console-page.js';
import { bringToTop, shoot } from './screenshots.js';
import { arrive, FIRST_SITE, person, type World } from './world.js';

const STEP_MS = 60_000;
const [ASKING, AGREEING, AUDITING] = ['central-operator', 'central-operator-2', 'auditor'].map(
  person,
) as [ReturnType<typeof person>, ReturnType<typeof person>, ReturnType<typeof person>];
const WHY = 'The vendor reports streaks in the output';
const WHY_AGREED = 'Known fault, seen on the telephone';
const WHY_ENDED = 'The fault has been found';

export function breakGlassSuite(world: () => World): void {
  describe('break-glass to the pixels of one study', () => {
    let asking: ConsolePage;
    let agreeing: ConsolePage;
    let studyPath: string;
    beforeAll(async () => {
      asking = await arrive(world(), { at: 'hub' });
      agreeing = await arrive(world(), { at: 'hub' });
    });
    afterAll(async () => {
      await asking?.visitor.leave();
      await agreeing?.visitor.leave();
    });
    const faults = (): string[] => [asking, agreeing].flatMap((sut) => sut.visitor.takeFaults());
    async function giveReason(sut: ConsolePage, why: string, button: string): Promise<void> {
      await sut.page.getByLabel('Reason').fill(why);
      await sut.button(button).click();
    }

    it(
      'is asked for with a reason, after a fresh sign-in',
      async () => {
        await asking.signIn(ASKING, '/studies');
        const row = asking.page.getByRole('row').filter({ hasText: FIRST_SITE });
        await row.filter({ hasText: 'fracture-stand-in' }).first().getByRole('link').click();
        await asking.heading.filter({ hasText: 'Study' }).waitFor();
        studyPath = new URL(asking.page.url()).pathname;
        expect(await asking.page.getByRole('img', { name: /^Image of instance/ }).count()).toBe(0);
        await asking.button('Ask for access').click();
        await asking.stepUp(ASKING);
        expect(new URL(asking.page.url()).pathname).toBe(studyPath);
        await asking.button('Ask for access').click();
        await giveReason(asking, WHY, 'Ask for access');
        await asking.page.getByText('Waits for a second person').first().waitFor();
        expect(faults()).toEqual([]);
      },
      STEP_MS,
    );

    it(
      'shows nothing before somebody has agreed',
      async () => {
        const address = `/api/v1${studyPath}/instances/0/preview`;
        const status = await asking.visitor.refused(() => statusOf(asking, address));
        expect(status).toBe(403);
      },
      STEP_MS,
    );

    it(
      'is agreed to by another person, who reads the reason first',
      async () => {
        await agreeing.signIn(AGREEING, '/approvals');
        await agreeing.button(/^Decide: /).click();
        await agreeing.stepUp(AGREEING);
        const dialog = agreeing.page.getByRole('dialog');
        await dialog.getByText(WHY).waitFor();
        await shoot(agreeing.page, 'hub-approval-decide-light-en');
        await giveReason(agreeing, WHY_AGREED, 'Agree');
        await agreeing.page.getByRole('status').getByText('Your decision is recorded.').waitFor();
        expect(faults()).toEqual([]);
      },
      STEP_MS,
    );

    it(
      'opens the images to who asked, without a reload, and closes when it is ended',
      async () => {
        await asking.page.getByText('Access is granted').waitFor();
        await asking
          .button(/^Show image/)
          .first()
          .click();
        const image = asking.page.getByRole('img', { name: /^Image of instance/ });
        await image.waitFor();
        const address = (await image.getAttribute('src')) ?? '';
        await expectPixels(asking, address);
        await bringToTop(asking.page.getByText('Access is granted'));
        await shoot(asking.page, 'hub-break-glass-light-en');
        await asking.button('End access').click();
        await giveReason(asking, WHY_ENDED, 'End access');
        await asking.page.getByText('The earlier access has ended.').waitFor();
        expect(await image.count()).toBe(0);
        const status = await asking.visitor.refused(() => statusOf(asking, address));
        expect(status).toBe(403);
        expect(faults()).toEqual([]);
      },
      STEP_MS,
    );

    it(
      'is in the trail: who asked, who agreed, what was seen and that it was ended',
      async () => {
        const auditing = await arrive(world(), { at: 'hub' });
        await auditing.signIn(AUDITING, '/audit');
        await auditing.page.getByLabel('Site').fill(FIRST_SITE);
        await auditing.page.getByLabel('From').fill(localMinute(Date.now() - 10 * 60_000));
        await auditing.button('Apply').click();
        await auditing.settled();
        const table = auditing.page.getByRole('table');
        for (const act of [
          'Asked for a second person',
          'Decided on a request',
          'Break-glass: pixels at the hub',
          'Ended a request or grant',
        ]) {
          await table.getByRole('rowheader', { name: act }).first().waitFor();
        }
        await shoot(auditing.page, 'hub-audit-light-en');
        const ended = table.getByRole('row').filter({ hasText: 'Ended a request or grant' });
        await ended
          .first()
          .getByRole('button', { name: /^Details/ })
          .click();
        await auditing.page.getByRole('dialog').getByText(WHY_ENDED).waitFor();
        expect(auditing.visitor.takeFaults()).toEqual([]);
        await auditing.visitor.leave();
      },
      STEP_MS,
    );
  });
}

/** Status of an address, asked from within the page with its session. */
const statusOf = ({ page }: ConsolePage, address: string): Promise<number> =>
  page.evaluate(`fetch(${JSON.stringify(address)}).then((answer) => answer.status)`);

/** The image is one, and it is not one flat colour. */
async function expectPixels({ page }: ConsolePage, address: string): Promise<void> {
  const sizes = (await page.evaluate(`(async () => {
    const answer = await fetch(${JSON.stringify(address)});
    const picture = await createImageBitmap(await answer.blob());
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    const context = canvas.getContext('2d');
    context.drawImage(picture, 0, 0);
    const { data } = context.getImageData(0, 0, picture.width, picture.height);
    return [picture.width, picture.height, new Set(data.filter((_, i) => i % 4 === 0)).size];
  })()`)) as number[];
  const [width = 0, height = 0, greys = 0] = sizes;
  expect(width * height).toBeGreaterThan(10_000);
  expect(greys).toBeGreaterThan(16);
}

/** As a field for date and time takes it; the visitors are in Amsterdam. */
function localMinute(atMs: number): string {
  const text = new Date(atMs).toLocaleString('sv-SE', { timeZone: 'Europe/Amsterdam' });
  return text.replace(' ', 'T').slice(0, 'yyyy-mm-ddThh:mm'.length);
}

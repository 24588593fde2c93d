/**
 * Goal: patients understand who used their data.
 * Method: whole sentences in both languages; no code or identifier in any of them.
 */
import { describe, expect, it } from '@jest/globals';
import { ROLES } from '@aifi/access-authorisation';
import { patientExtract } from './patient-extract.js';
import { aDraft, ALL_ACTS, draftOf, sealAll } from './test-trail.js';

const opened = aDraft({ act: 'identity.open', reason: 'Question of\n the surgeon' });

describe(patientExtract.name, () => {
  it('tells in English who did what, when and why', () => {
    const text = patientExtract(sealAll([opened]), 'en', 'Example Hospital');
    expect(text).toContain('Who used your data at Example Hospital');
    expect(text).toContain(
      '- On 3 March 2026 at 14:05 (local time Europe/Amsterdam) a radiologist of this hospital ' +
        'opened your examination with your name. Reason: "Question of the surgeon"',
    );
  });
  it('tells it in Dutch', () => {
    const text = patientExtract(sealAll([opened]), 'nl', 'Voorbeeldziekenhuis');
    expect(text).toContain(
      '- Op 3 maart 2026 om 14:05 uur (plaatselijke tijd Europe/Amsterdam) heeft een radioloog ' +
        'van dit ziekenhuis uw onderzoek met uw naam geopend. Reden: "Question of the surgeon"',
    );
  });
  it('tells what was refused and who agreed', () => {
    const act = 'linkage.read';
    const refused = aDraft({ act, outcome: 'refused', code: 'APPROVAL_REQUIRED' });
    const records = sealAll([refused, aDraft({ act, responsibleUserId: 'sub-2' })]);
    const text = patientExtract(records, 'en', 'Example Hospital');
    expect(text).toContain('tried to look up which patient');
    expect(text).toContain('This was refused.');
    expect(text.match(/A second person agreed to this\./g)).toHaveLength(1);
    expect(patientExtract(records, 'nl', 'X')).toContain('geprobeerd op te zoeken');
  });
  it('follows summer time', () => {
    const [record] = sealAll([opened]);
    const summer = [{ ...record!, atMs: Date.UTC(2026, 6, 1, 22, 30) }];
    expect(patientExtract(summer, 'en', 'X')).toContain('On 2 July 2026 at 00:30');
  });
  it('has the oldest first and a kind word when there is nothing', () => {
    const records = sealAll([opened, aDraft({ act: 'study.read' })]).toReversed();
    const text = patientExtract(records, 'en', 'X');
    expect(text.indexOf('opened your')).toBeLessThan(text.indexOf('looked at how'));
    expect(patientExtract([], 'nl', 'X')).toContain('Niemand heeft uw gegevens gebruikt');
  });
  it.each(['nl', 'en'] as const)(
    'has a sentence without codes for every act and role: %s',
    (to) => {
      const drafts = ALL_ACTS.flatMap((act) =>
        [...ROLES, null].map((role) => ({ ...draftOf(act), role, reason: null })),
      );
      const records = sealAll(drafts);
      const text = patientExtract(records, to, 'X');
      expect(text.match(/^- /gm)).toHaveLength(records.length);
      expect(text).not.toMatch(
        /undefined|null|sub-|P-0001|2\.25|Robin|[a-z]\.(read|open|set|start)/,
      );
    },
  );
});

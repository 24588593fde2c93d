/** Dutch words of the page of what did not come from the PACS. */
import type { Widened } from '../widened.js';
import type { reconciliation as english } from '../en/reconciliation.js';

export const reconciliation: Widened<typeof english> = {
  nav: 'Niet ontvangen',
  title: 'Niet ontvangen',
  lead:
    'Onderzoeken van de laatste 24 uur die het PACS heeft en die een product had kunnen ' +
    'verwerken, maar die niet of niet volledig bij deze gateway binnenkwamen.',
  caption: 'Onderzoeken die niet kwamen, nieuwste eerst',
  none: 'Voor zover bekend ontbreekt er niets.',
  off: 'Het vergelijken met het PACS staat in de configuratie uit.',
  never: 'Er is nog niet met het PACS vergeleken: dat gebeurt elk uur.',
  lastRun: 'Laatste vergelijking',
  lastDone: 'Laatste die volledig was',
  neverDone: 'nog geen',
  compared: (count) => `${count} onderzoeken vergeleken`,
  study: 'Onderzoek',
  when: 'Gemaakt',
  kinds: { MISSED: 'niets kwam binnen', PARTLY: 'kwam deels binnen' },
  kind: 'Wat',
  images: 'Beelden',
  imagesText: (received, expected) => `${received} van ${expected}`,
  products: 'Kon zijn voor',
  modalities: 'Modaliteit',
  dismiss: 'Afdoen',
  dismissTitle: 'Hoeft dit onderzoek niet geanalyseerd te worden?',
  dismissText: 'Het verdwijnt voorgoed uit deze lijst. Uw naam, tijd en reden worden vastgelegd.',
  dismissed: 'Afgedaan.',
  assurance: 'Controles',
  clock: 'Klok ten opzichte van de hub',
  levels: {
    unknown: 'onbekend: nog niets van de hub gehoord',
    good: 'gelijk',
    alarm: 'wijkt af: zet de klok van deze machine goed (NTP)',
    hold: 'wijkt te veel af: resultaten wachten tot de klok goed staat',
  },
  offset: (seconds) => `${seconds} s`,
  digests: 'Nachtelijke controle van bestanden',
  digestsRunning: 'bezig',
  digestsText: (files, time) => `${files} bestanden, klaar ${time}`,
  digestsNever: 'nog niet',
  damaged: (count) => `${count} beschadigd: hun opdrachten zijn gestopt`,
  invariants: 'Eigen boekhouding',
  invariantsGood: 'klopt',
  invariantsBad: (count) => `${count} tegenstrijdigheden: meld het de makers`,
};

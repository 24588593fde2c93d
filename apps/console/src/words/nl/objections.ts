/** Dutch words of the page of objections. */
import type { Widened } from '../widened.js';
import type { objections as english } from '../en/objections.js';

export const objections: Widened<typeof english> = {
  nav: 'Bezwaren',
  title: 'Bezwaren van patiënten',
  lead:
    'Zoek één patiënt op nummer op. Hier staat geen lijst van patiënten; elke keer kijken en ' +
    'elke wijziging wordt met het nummer vastgelegd.',
  patientId: 'Patiëntnummer',
  issuer: 'Uitgever (als er meer zijn)',
  find: 'Opzoeken',
  inForce: 'Nu van kracht',
  none: 'Er is geen bezwaar van kracht.',
  history: 'Wat er is gezegd',
  caption: 'Wat er over bezwaren van deze patiënt is gezegd, nieuwste eerst',
  noHistory: 'Er is nooit iets gezegd.',
  at: 'Op',
  event: 'Wat',
  events: { set: 'heeft bezwaar', withdrawn: 'ingetrokken' },
  kind: 'Tegen',
  source: 'Door',
  sources: { list: 'lijst', adt: 'patiëntadministratie', fhir: 'FHIR Consent', person: 'persoon' },
  since: 'Vanaf',
  until: 'Tot',
  noEnd: 'geen einde',
  add: 'Bezwaar toevoegen',
  addText:
    'Opdrachten die het ziekenhuis nog niet verlieten, eindigen direct als het om AI in de eigen ' +
    'zorg gaat.',
  added: 'Het bezwaar is van kracht.',
  withdraw: 'Intrekken',
  withdrawTitle: 'Dit bezwaar intrekken?',
  withdrawn: 'Het bezwaar is ingetrokken.',
  jobs: (ended, atHub) => `Beëindigde opdrachten: ${ended}; bij de hub en gaan door: ${atHub}`,
  listTitle: 'Lijst overnemen',
  list: 'Lijst',
  listHint:
    'CSV met de kolommen number, issuer, kind, from, until (of hun Nederlandse namen). Eerst ' +
    'wordt de lijst bekeken; het bestand wordt niet bewaard.',
  tooLong: 'Deze lijst is te lang voor één verzoek. Importeer haar met aifictl.',
  check: 'Lijst bekijken',
  take: 'Overnemen',
  takeGood: 'Goede regels overnemen',
  listText: (lines, added, unchanged) =>
    `Regels: ${lines}; nieuw: ${added}; al bekend: ${unchanged}`,
  taken: (added) => `Overgenomen. Nieuwe regels: ${added}.`,
  bad: (count) => `Foute regels: ${count}`,
  findings: 'Regels die fout zijn',
  line: 'Regel',
  column: 'Kolom',
  problem: 'Wat',
};

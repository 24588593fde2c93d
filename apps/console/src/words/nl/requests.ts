/** Dutch words of asking for a product by name. */
export const requests = {
  ask: 'Op dit onderzoek draaien',
  title: 'Dit product op dit onderzoek draaien?',
  text:
    'Het product draait op dit onderzoek, al was het er niet vanzelf voor gekozen. Waar het niet ' +
    'voor bedoeld is, en waar de patiënt bezwaar tegen heeft, blijft geweigerd. Uw naam en het ' +
    'tijdstip worden vastgelegd.',
  asked: 'Gevraagd. Het antwoord komt op deze pagina.',
  waits: 'Dit is al gevraagd en nog niet beantwoord.',
};

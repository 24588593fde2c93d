/**
 * Words for patients: what was done and by whom, in Dutch and English.
 * Decides no meaning, only wording: plain, kind, no codes, no names of systems.
 * Invariant: every act and every role has words in both languages, or this file does not compile.
 * Source: NEN 7513 (overview for the patient); language level B1.
 */
import type { Act, Role } from '@aifi/access-authorisation';

export type PatientLanguage = 'nl' | 'en';
export interface ActWords {
  /** "has ... ": opened your examination / uw onderzoek geopend. */
  readonly done: string;
  /** "tried ... ": to open your examination / uw onderzoek te openen. */
  readonly tried: string;
}
type InBoth<T> = Readonly<Record<PatientLanguage, T>>;

const act = (
  [doneEn, triedEn]: readonly [string, string],
  [doneNl, triedNl]: readonly [string, string],
): InBoth<ActWords> => ({
  en: { done: doneEn, tried: triedEn },
  nl: { done: doneNl, tried: triedNl },
});

const SYSTEM = act(
  ['looked at how our computer system works', 'to look at how our computer system works'],
  ['bekeken hoe ons computersysteem werkt', 'te bekijken hoe ons computersysteem werkt'],
);
const SETTINGS = act(
  ['changed how our computer system works', 'to change how our computer system works'],
  ['gewijzigd hoe ons computersysteem werkt', 'te wijzigen hoe ons computersysteem werkt'],
);
const SIGN_IN = act(
  ['signed in to our computer system', 'to sign in to our computer system'],
  ['ingelogd in ons computersysteem', 'in te loggen in ons computersysteem'],
);
const SIGN_OUT = act(
  ['signed out of our computer system', 'to sign out of our computer system'],
  ['uitgelogd uit ons computersysteem', 'uit te loggen uit ons computersysteem'],
);
const REQUESTS = act(
  ['looked at a request to see your data', 'to look at a request to see your data'],
  ['een verzoek bekeken om uw gegevens te zien', 'een verzoek te bekijken om uw gegevens te zien'],
);
const LOG = act(
  ['checked who had used your data', 'to check who had used your data'],
  ['nagekeken wie uw gegevens heeft gebruikt', 'na te kijken wie uw gegevens heeft gebruikt'],
);
const KEPT = act(
  ['took care of what is kept for the analysis', 'to take care of what is kept for the analysis'],
  [
    'gezorgd voor wat er voor de analyse wordt bewaard',
    'te zorgen voor wat er voor de analyse wordt bewaard',
  ],
);

const FETCHED = act(
  [
    'had your examination fetched from the archive',
    'to have your examination fetched from the archive',
  ],
  ['uw onderzoek uit het archief laten halen', 'uw onderzoek uit het archief te laten halen'],
);

export const ACT_WORDS: Readonly<Record<Act, InBoth<ActWords>>> = {
  'process.probe': SYSTEM,
  'interface.describe': SYSTEM,
  'session.start': SIGN_IN,
  'session.step-up': SIGN_IN,
  'session.end': SIGN_OUT,
  'session.revoke': SIGN_OUT,
  'session.read': SIGN_IN,
  'page.follow': SYSTEM,
  'health.read': SYSTEM,
  'models.read': SYSTEM,
  'study-list.read': act(
    ['saw your examination in a list', 'to see a list with your examination'],
    ['uw onderzoek in een lijst gezien', 'een lijst met uw onderzoek te zien'],
  ),
  'study.read': act(
    ['looked at how your examination was handled', 'to look at how your examination was handled'],
    ['bekeken hoe uw onderzoek is verwerkt', 'te bekijken hoe uw onderzoek is verwerkt'],
  ),
  'hospital-study-list.read': act(
    ['saw your examination in a list', 'to see a list with your examination'],
    ['uw onderzoek in een lijst gezien', 'een lijst met uw onderzoek te zien'],
  ),
  'hospital-study.read': act(
    ['looked at how your examination was handled', 'to look at how your examination was handled'],
    ['bekeken hoe uw onderzoek is verwerkt', 'te bekijken hoe uw onderzoek is verwerkt'],
  ),
  'identity.open': act(
    ['opened your examination with your name', 'to open your examination with your name'],
    ['uw onderzoek met uw naam geopend', 'uw onderzoek met uw naam te openen'],
  ),
  'dead-letters.read': act(
    ['saw your examination in a list', 'to see a list with your examination'],
    ['uw onderzoek in een lijst gezien', 'een lijst met uw onderzoek te zien'],
  ),
  'dead-letter.replay': act(
    [
      'had the result of the analysis sent to your examination again',
      'to have the result of the analysis sent to your examination again',
    ],
    [
      'de uitslag van de analyse opnieuw naar uw onderzoek laten sturen',
      'de uitslag van de analyse opnieuw naar uw onderzoek te laten sturen',
    ],
  ),
  'reconciliation.read': act(
    ['saw your examination in a list', 'to see a list with your examination'],
    ['uw onderzoek in een lijst gezien', 'een lijst met uw onderzoek te zien'],
  ),
  'missed-study.dismiss': act(
    [
      'decided that your examination need not be analysed',
      'to decide that your examination need not be analysed',
    ],
    [
      'besloten dat uw onderzoek niet geanalyseerd hoeft te worden',
      'te besluiten dat uw onderzoek niet geanalyseerd hoeft te worden',
    ],
  ),
  'missed-study.fetch': FETCHED,
  'retrievals.read': act(
    ['saw your examination in a list', 'to see a list with your examination'],
    ['uw onderzoek in een lijst gezien', 'een lijst met uw onderzoek te zien'],
  ),
  'retrieval.request': FETCHED,
  'retrieval.withdraw': act(
    [
      'decided that your examination need not be fetched from the archive',
      'to decide that your examination need not be fetched from the archive',
    ],
    [
      'besloten dat uw onderzoek niet uit het archief hoeft te worden gehaald',
      'te besluiten dat uw onderzoek niet uit het archief hoeft te worden gehaald',
    ],
  ),
  'product.request': act(
    ['had your examination analysed by one product', 'to have your examination analysed'],
    ['uw onderzoek door één product laten analyseren', 'uw onderzoek te laten analyseren'],
  ),
  'catalogue.read': SYSTEM,
  'catalogue.check': SYSTEM,
  'catalogue.import': SETTINGS,
  'catalogue.roll-back': SETTINGS,
  'objections.read': act(
    ['looked up what you object to', 'to look up what you object to'],
    ['opgezocht waartegen u bezwaar heeft', 'op te zoeken waartegen u bezwaar heeft'],
  ),
  'objection.set': act(
    ['recorded that you object', 'to record that you object'],
    ['vastgelegd dat u bezwaar heeft', 'vast te leggen dat u bezwaar heeft'],
  ),
  'objection.withdraw': act(
    ['recorded that you no longer object', 'to record that you no longer object'],
    ['vastgelegd dat u geen bezwaar meer heeft', 'vast te leggen dat u geen bezwaar meer heeft'],
  ),
  'objection-list.check': act(
    ['checked a list of objections', 'to check a list of objections'],
    ['een lijst met bezwaren nagekeken', 'een lijst met bezwaren na te kijken'],
  ),
  'objection-list.import': act(
    ['took over a list of objections', 'to take over a list of objections'],
    ['een lijst met bezwaren overgenomen', 'een lijst met bezwaren over te nemen'],
  ),
  'consent.receive': act(
    ['took over what you object to', 'to take over what you object to'],
    ['overgenomen waartegen u bezwaar heeft', 'over te nemen waartegen u bezwaar heeft'],
  ),
  'pixel-holds.read': act(
    ['saw your examination in a list', 'to see a list with your examination'],
    ['uw onderzoek in een lijst gezien', 'een lijst met uw onderzoek te zien'],
  ),
  'pixel-hold.open': act(
    ['looked whether your images show who you are', 'to look whether your images show who you are'],
    ['bekeken of op uw beelden staat wie u bent', 'te bekijken of op uw beelden staat wie u bent'],
  ),
  'pixel-hold.release': act(
    [
      'let your images, without your name, go to the national service for analysis',
      'to let your images go to the national service for analysis',
    ],
    [
      'uw beelden zonder uw naam vrijgegeven voor analyse door de landelijke dienst',
      'uw beelden vrij te geven voor analyse door de landelijke dienst',
    ],
  ),
  'pixel-hold.reject': act(
    ['kept your images in the hospital', 'to keep your images in the hospital'],
    ['uw beelden in het ziekenhuis gehouden', 'uw beelden in het ziekenhuis te houden'],
  ),
  'job.retry': act(
    ['had your examination prepared again for analysis', 'to have your examination prepared again'],
    [
      'uw onderzoek opnieuw laten klaarmaken voor analyse',
      'uw onderzoek opnieuw te laten klaarmaken voor analyse',
    ],
  ),
  'results-register.read': act(
    [
      'looked up which results of the analysis were put with examinations',
      'to look up which results of the analysis were put with examinations',
    ],
    [
      'opgezocht welke uitslagen van de analyse bij onderzoeken zijn gezet',
      'op te zoeken welke uitslagen van de analyse bij onderzoeken zijn gezet',
    ],
  ),
  'patient-code.read': act(
    [
      'looked up what is kept about you for the analysis',
      'to look up what is kept about you for the analysis',
    ],
    [
      'opgezocht wat er voor de analyse over u wordt bewaard',
      'op te zoeken wat er voor de analyse over u wordt bewaard',
    ],
  ),
  'vault.erase': act(
    [
      'erased what was kept about you for the analysis',
      'to erase what is kept about you for the analysis',
    ],
    [
      'gewist wat er voor de analyse over u werd bewaard',
      'te wissen wat er voor de analyse over u wordt bewaard',
    ],
  ),
  'approvals.read': REQUESTS,
  'approval.request': act(
    ['asked for permission to see your data', 'to ask for permission to see your data'],
    ['toestemming gevraagd om uw gegevens te zien', 'toestemming te vragen om uw gegevens te zien'],
  ),
  'approval.decide': act(
    ['decided on a request to see your data', 'to decide on a request to see your data'],
    [
      'beslist over een verzoek om uw gegevens te zien',
      'te beslissen over een verzoek om uw gegevens te zien',
    ],
  ),
  'approval.end': act(
    ['ended a permission to see your data', 'to end a permission to see your data'],
    [
      'een toestemming om uw gegevens te zien beëindigd',
      'een toestemming om uw gegevens te zien te beëindigen',
    ],
  ),
  'linkage.read': act(
    [
      'looked up which patient an examination without a name belongs to',
      'to look up which patient an examination without a name belongs to',
    ],
    [
      'opgezocht bij welke patiënt een onderzoek zonder naam hoort',
      'op te zoeken bij welke patiënt een onderzoek zonder naam hoort',
    ],
  ),
  'pixels.read': act(
    ['looked at the images of your examination', 'to look at the images of your examination'],
    ['de beelden van uw onderzoek bekeken', 'de beelden van uw onderzoek te bekijken'],
  ),
  'patient-flags.read': act(
    ['checked whose data have extra protection', 'to check whose data have extra protection'],
    [
      'nagekeken wiens gegevens extra beschermd zijn',
      'na te kijken wiens gegevens extra beschermd zijn',
    ],
  ),
  'patient-flag.set': act(
    ['gave your data extra protection', 'to give your data extra protection'],
    ['uw gegevens extra beschermd', 'uw gegevens extra te beschermen'],
  ),
  'patient-flag.remove': act(
    ['took the extra protection off your data', 'to take the extra protection off your data'],
    [
      'de extra bescherming van uw gegevens weggehaald',
      'de extra bescherming van uw gegevens weg te halen',
    ],
  ),
  'alerts.read': LOG,
  'alert.acknowledge': act(
    ['dealt with a warning about the use of your data', 'to deal with a warning about your data'],
    [
      'een melding over het gebruik van uw gegevens behandeld',
      'een melding over het gebruik van uw gegevens te behandelen',
    ],
  ),
  'audit.search': LOG,
  'audit.anchors': LOG,
  'audit.export': act(
    [
      'made a copy of the list of who used your data',
      'to make a copy of the list of who used your data',
    ],
    [
      'een kopie gemaakt van de lijst van wie uw gegevens gebruikte',
      'een kopie te maken van de lijst van wie uw gegevens gebruikte',
    ],
  ),
  'patient-extract.read': act(
    ['made an overview like this one', 'to make an overview like this one'],
    ['een overzicht zoals dit gemaakt', 'een overzicht zoals dit te maken'],
  ),
  'product-stops.read': SYSTEM,
  'product.stop': SETTINGS,
  'product.resume': SETTINGS,
  'gateway.take-over': SETTINGS,
  'certificates.read': SYSTEM,
  'join-token.issue': SETTINGS,
  'certificate.revoke': SETTINGS,
  'authority.rotate': SETTINGS,
  'binding.create': SETTINGS,
  'binding.end': SETTINGS,
  'link.join': SETTINGS,
  'setup.check': SYSTEM,
  'setup.plan': SYSTEM,
  'setup.change': SETTINGS,
  'probe.run': SYSTEM,
  'gateway.join': SETTINGS,
  'certificate.renew': SETTINGS,
  'authority.create': SETTINGS,
  'authority.retire': SETTINGS,
  'site.enrol': SETTINGS,
  'site.change': SETTINGS,
  'deployment.change': SETTINGS,
  'rules.publish': SETTINGS,
  'audit.cut': act(
    ['removed old lines from the list of who used your data', 'to remove old lines from the list'],
    [
      'oude regels verwijderd uit de lijst van wie uw gegevens gebruikte',
      'oude regels uit de lijst te verwijderen',
    ],
  ),
  'study.export': act(
    [
      'sent your examination, without your name, to the national service for analysis',
      'to send your examination, without your name, to the national service for analysis',
    ],
    [
      'uw onderzoek zonder uw naam naar de landelijke dienst gestuurd voor analyse',
      'uw onderzoek zonder uw naam naar de landelijke dienst te sturen voor analyse',
    ],
  ),
  'result.store': act(
    [
      'put the result of the analysis with your examination',
      'to put the result of the analysis with your examination',
    ],
    [
      'de uitslag van de analyse bij uw onderzoek gezet',
      'de uitslag van de analyse bij uw onderzoek te zetten',
    ],
  ),
  'vault.open': act(
    [
      'looked up whose examination a result belongs to',
      'to look up whose examination a result belongs to',
    ],
    [
      'opgezocht bij wiens onderzoek een uitslag hoort',
      'op te zoeken bij wiens onderzoek een uitslag hoort',
    ],
  ),
  'vault.expire': KEPT,
  'vault.erase-again': KEPT,
  'vault.back-up': KEPT,
  'vault.restore': KEPT,
  'vault.check': KEPT,
  'vault.replace': KEPT,
  'keys.rotate': SETTINGS,
  'keys.retire': SETTINGS,
  'keys.wrap': SETTINGS,
  'link.upload': act(
    ['received your examination, without your name', 'to receive your examination'],
    ['uw onderzoek zonder uw naam ontvangen', 'uw onderzoek te ontvangen'],
  ),
  'link.fetch': act(
    ['fetched the result of your examination', 'to fetch the result of your examination'],
    ['de uitslag van uw onderzoek opgehaald', 'de uitslag van uw onderzoek op te halen'],
  ),
};
/** For an act that only a newer version knows. */
export const OTHER_ACT: InBoth<ActWords> = act(
  ['used your data', 'to use your data'],
  ['uw gegevens gebruikt', 'uw gegevens te gebruiken'],
);

const who = (en: string, nl: string): InBoth<string> => ({ en, nl });
export const ROLE_WORDS: Readonly<Record<Role, InBoth<string>>> = {
  'hospital-it': who(
    'somebody of the IT department of this hospital',
    'iemand van de ICT-afdeling van dit ziekenhuis',
  ),
  radiologist: who('a radiologist of this hospital', 'een radioloog van dit ziekenhuis'),
  'central-operator': who(
    'a technician of the national service',
    'een technicus van de landelijke dienst',
  ),
  'model-manager': who(
    'somebody who looks after the software of the national service',
    'iemand die de software van de landelijke dienst beheert',
  ),
  vendor: who('somebody of a supplier of software', 'iemand van een leverancier van software'),
  auditor: who('an auditor', 'een auditor'),
  raio: who(
    'the person who oversees the use of AI in this hospital',
    'degene die in dit ziekenhuis toezicht houdt op het gebruik van AI',
  ),
  procurement: who('somebody of the purchasing department', 'iemand van de afdeling inkoop'),
  radiographer: who('a radiographer of this hospital', 'een laborant van dit ziekenhuis'),
  resident: who(
    'a radiologist in training at this hospital',
    'een radioloog in opleiding van dit ziekenhuis',
  ),
  'physician-assistant': who(
    'a physician assistant of this hospital',
    'een physician assistant van dit ziekenhuis',
  ),
  'referring-clinician': who(
    'a doctor who referred patients to this hospital',
    'een arts die patiënten naar dit ziekenhuis verwijst',
  ),
  'clinical-physicist': who(
    'a clinical physicist of this hospital',
    'een klinisch fysicus van dit ziekenhuis',
  ),
  'privacy-officer': who(
    'the privacy officer of this hospital',
    'de functionaris voor de privacy van dit ziekenhuis',
  ),
};
/** For records without a role. */
export const KIND_WORDS: Readonly<
  Record<'person' | 'machine' | 'system' | 'anonymous', InBoth<string>>
> = {
  person: who('somebody with an account here', 'iemand met een account hier'),
  machine: who('a computer program', 'een computerprogramma'),
  system: who('our computer system itself', 'ons computersysteem zelf'),
  anonymous: who('somebody who had not signed in', 'iemand die niet was ingelogd'),
};

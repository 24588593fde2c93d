/**
 * Words of the provider's own pages, in English and Dutch.
 * Decides which language a visitor gets: what our page asked for (`ui_locales`), else what the
 * browser prefers. Invariant: both languages have the same words; names of roles read as in the
 * glossary. Source: OpenID Connect Core 1.0, 3.1.2.1 (ui_locales).
 */
import type { Role } from '@aifi/access-authorisation';

export type Language = 'en' | 'nl';
const isLanguage = (value: string | undefined): value is Language =>
  value === 'en' || value === 'nl';

/** `preferred`: of the languages here, the one that the browser likes best. */
export function languageOf(uiLocales: unknown, preferred: string | false): Language {
  const asked = typeof uiLocales === 'string' ? uiLocales.split(' ') : [];
  const wanted = asked.map((tag) => tag.toLowerCase().split('-')[0]).find(isLanguage);
  if (wanted) return wanted;
  return preferred === 'nl' ? 'nl' : 'en';
}

const english = {
  platform: 'AI platform',
  banner: 'Demonstration: these accounts are open to everybody. No real patients, no real people.',
  signIn: 'Sign in',
  stepUp: 'Confirm that it is you',
  stepUpWhy: 'What you are about to do asks for your password again.',
  again: 'Sign in again',
  userName: 'User name',
  password: 'Password',
  continue: 'Continue',
  cancel: 'Cancel',
  refused: 'The name or the password is not right, or there were too many tries. Wait a minute.',
  accounts: 'Accounts to choose from',
  accountsHelp: 'Choose one: its name is filled in.',
  passwordIs: 'The password of every account is',
  national: 'National',
  site: 'Hospital',
  code: 'Connect a command line',
  codeHelp: 'Enter the code that the command line shows.',
  codeField: 'Code',
  codeWrong: 'That code is not known, or it has been used or is too old.',
  codeStopped: 'The request was ended. Nothing was connected.',
  confirmCode: 'Is this the code that you see?',
  confirmCodeHelp: 'Continue only when you started this yourself and the codes are the same.',
  connected: 'Connected',
  connectedHelp: 'You can close this page and go on at the command line.',
  signOut: 'Sign out',
  signOutHelp: 'You leave every page that you signed in to with this account.',
  stay: 'Stay signed in',
  signedOut: 'Signed out',
  signedOutHelp: 'You can close this page.',
  error: 'This did not work',
  expired: 'This page has expired. Go back to the page where you came from and sign in again.',
  errorHelp: 'Go back to the page where you came from and try again.',
};
export type Texts = Readonly<typeof english>;

const dutch: Texts = {
  platform: 'AI-platform',
  banner: 'Demonstratie: deze accounts zijn open voor iedereen. Geen echte patiënten of personen.',
  signIn: 'Inloggen',
  stepUp: 'Bevestig dat u het bent',
  stepUpWhy: 'Voor wat u wilt gaan doen, vragen we uw wachtwoord opnieuw.',
  again: 'Opnieuw inloggen',
  userName: 'Gebruikersnaam',
  password: 'Wachtwoord',
  continue: 'Doorgaan',
  cancel: 'Annuleren',
  refused: 'De naam of het wachtwoord klopt niet, of er is te vaak geprobeerd. Wacht een minuut.',
  accounts: 'Accounts om uit te kiezen',
  accountsHelp: 'Kies er een: de naam wordt ingevuld.',
  passwordIs: 'Het wachtwoord van elk account is',
  national: 'Landelijk',
  site: 'Ziekenhuis',
  code: 'Een opdrachtregel verbinden',
  codeHelp: 'Vul de code in die de opdrachtregel toont.',
  codeField: 'Code',
  codeWrong: 'Die code is onbekend, al gebruikt of te oud.',
  codeStopped: 'Het verzoek is beëindigd. Er is niets verbonden.',
  confirmCode: 'Is dit de code die u ziet?',
  confirmCodeHelp: 'Ga alleen door als u dit zelf bent begonnen en de codes gelijk zijn.',
  connected: 'Verbonden',
  connectedHelp: 'U kunt deze pagina sluiten en verdergaan op de opdrachtregel.',
  signOut: 'Uitloggen',
  signOutHelp: 'U verlaat elke pagina waar u met dit account bent ingelogd.',
  stay: 'Ingelogd blijven',
  signedOut: 'Uitgelogd',
  signedOutHelp: 'U kunt deze pagina sluiten.',
  error: 'Dit is niet gelukt',
  expired: 'Deze pagina is verlopen. Ga terug naar waar u vandaan kwam en log opnieuw in.',
  errorHelp: 'Ga terug naar de pagina waar u vandaan kwam en probeer het opnieuw.',
};

export const TEXTS: Readonly<Record<Language, Texts>> = { en: english, nl: dutch };

export const ROLE_NAMES: Readonly<Record<Language, Readonly<Record<Role, string>>>> = {
  en: {
    'hospital-it': 'Hospital IT',
    radiologist: 'Radiologist',
    'central-operator': 'Central operator',
    'model-manager': 'Model manager',
    vendor: 'Vendor',
    auditor: 'Auditor',
    raio: 'Radiology AI officer',
    procurement: 'Procurement',
    radiographer: 'Radiographer',
    resident: 'Resident',
    'physician-assistant': 'Physician assistant',
    'referring-clinician': 'Referring clinician',
    'clinical-physicist': 'Clinical physicist',
    'privacy-officer': 'Privacy officer',
  },
  nl: {
    'hospital-it': 'Ziekenhuis-IT',
    radiologist: 'Radioloog',
    'central-operator': 'Centrale beheerder',
    'model-manager': 'Modelbeheerder',
    vendor: 'Leverancier',
    auditor: 'Auditor',
    raio: 'Verantwoordelijke AI radiologie',
    procurement: 'Inkoop',
    radiographer: 'Radiodiagnostisch laborant',
    resident: 'Arts in opleiding',
    'physician-assistant': 'Physician assistant',
    'referring-clinician': 'Verwijzend arts',
    'clinical-physicist': 'Klinisch fysicus',
    'privacy-officer': 'Functionaris gegevensbescherming',
  },
};

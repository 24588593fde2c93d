/**
 * Patient extract: who used the data of one patient, as a text that the patient can read.
 * Decides the sentences. Invariants: no code, no identifier, no name of an employee; every record
 * that it is given is in it, refused attempts too; times are local and say so.
 * Source: NEN 7513 (overview for the patient); Wabvpz art. 15e; security specification 5.
 */
import { isRole, type Act } from '@aifi/access-authorisation';
import type { AuditRecord } from '@aifi/contracts-rest';
import {
  ACT_WORDS,
  KIND_WORDS,
  OTHER_ACT,
  ROLE_WORDS,
  type ActWords,
  type PatientLanguage,
} from './patient-words.table.js';
import { plainText } from './rendering.js';

export type { PatientLanguage } from './patient-words.table.js';

/** Hospitals of the platform are in the Netherlands. */
const TIME_ZONE = 'Europe/Amsterdam';

/** `records` are those of one patient, in any order; the text has them oldest first. */
export function patientExtract(
  records: readonly AuditRecord[],
  language: PatientLanguage,
  siteName: string,
): string {
  const sorted = records.toSorted((a, b) => a.atMs - b.atMs || a.sequence - b.sequence);
  const lines = sorted.map((record) => `- ${SENTENCES[language](record)}`);
  const frame = FRAMES[language];
  const site = plainText(siteName);
  const list = lines.length === 0 ? [frame.nobody] : [frame.introduction, '', ...lines];
  return [frame.title(site), '', ...list, '', frame.closing(site), ''].join('\n');
}

const FRAMES = {
  en: {
    title: (site: string) => `Who used your data at ${site}`,
    introduction:
      'Below you can read who used your data in our system for artificial intelligence in ' +
      'radiology, and when. The oldest use comes first.',
    nobody:
      'Nobody has used your data in our system for artificial intelligence in radiology. There ' +
      'is nothing in our records about you.',
    closing: (site: string) =>
      `Do you have a question, or is something here that you did not expect? Please ask the ` +
      `privacy officer of ${site}. We are happy to explain it.`,
  },
  nl: {
    title: (site: string) => `Wie uw gegevens heeft gebruikt in ${site}`,
    introduction:
      'Hieronder leest u wie uw gegevens heeft gebruikt in ons systeem voor kunstmatige ' +
      'intelligentie in de radiologie, en wanneer. Het oudste gebruik staat bovenaan.',
    nobody:
      'Niemand heeft uw gegevens gebruikt in ons systeem voor kunstmatige intelligentie in de ' +
      'radiologie. Er staat bij ons niets over u geregistreerd.',
    closing: (site: string) =>
      `Heeft u een vraag, of ziet u iets wat u niet had verwacht? Vraag het de functionaris voor ` +
      `de privacy van ${site}. Wij leggen het u graag uit.`,
  },
} as const;

const SENTENCES: Readonly<Record<PatientLanguage, (record: AuditRecord) => string>> = {
  en: (record) => {
    const { done, tried } = wordsOf(record, 'en');
    const [day, time] = localTime(record.atMs, 'en-GB');
    const when = `On ${day} at ${time} (local time ${TIME_ZONE})`;
    const who = whoOf(record, 'en');
    const what = record.outcome === 'success' ? done : `tried ${tried}`;
    const end = {
      success: '',
      refused: ' This was refused.',
      failed: ' This did not work.',
      unavailable: ' This did not work.',
    }[record.outcome];
    const second = record.responsibleUserId === null ? '' : ' A second person agreed to this.';
    return `${when} ${who} ${what}.${end}${second}${reasonOf(record, 'Reason')}`;
  },
  nl: (record) => {
    const { done, tried } = wordsOf(record, 'nl');
    const [day, time] = localTime(record.atMs, 'nl-NL');
    const when = `Op ${day} om ${time} uur (plaatselijke tijd ${TIME_ZONE})`;
    const who = whoOf(record, 'nl');
    const what = record.outcome === 'success' ? done : `geprobeerd ${tried}`;
    const end = {
      success: '',
      refused: ' Dit is geweigerd.',
      failed: ' Dit is niet gelukt.',
      unavailable: ' Dit is niet gelukt.',
    }[record.outcome];
    const second =
      record.responsibleUserId === null ? '' : ' Een tweede persoon was het hiermee eens.';
    return `${when} heeft ${who} ${what}.${end}${second}${reasonOf(record, 'Reden')}`;
  },
};

function wordsOf({ act }: AuditRecord, language: PatientLanguage): ActWords {
  return (Object.hasOwn(ACT_WORDS, act) ? ACT_WORDS[act as Act] : OTHER_ACT)[language];
}

function whoOf({ role, userKind }: AuditRecord, language: PatientLanguage): string {
  return (isRole(role) ? ROLE_WORDS[role] : KIND_WORDS[userKind])[language];
}

/** As the person wrote it, on one line. */
function reasonOf({ reason }: AuditRecord, word: string): string {
  return reason === null ? '' : ` ${word}: "${plainText(reason.replace(/\s+/g, ' ').trim())}"`;
}

function localTime(atMs: number, locale: string): [day: string, time: string] {
  const at = new Date(atMs);
  const zone = { timeZone: TIME_ZONE };
  const day = at.toLocaleDateString(locale, {
    ...zone,
    day: 'numeric',
    month: 'long',
    year: 'numeric',
  });
  const time = at.toLocaleTimeString(locale, {
    ...zone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  return [day, time];
}

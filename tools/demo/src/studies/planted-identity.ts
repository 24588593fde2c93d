/**
 * PlantedIdentity: an invented, valid, Dutch-looking identity whose every part can be searched for.
 * Decides which attributes of the demo studies carry identity and the one unique string (canary)
 * in each. Invariants: equal seed and run id give the same identity, any other pair another one;
 * no canary occurs in another canary; nothing here belongs to a person.
 * Source: PS3.6; PS3.5 6.2 (VR lengths); pseudonymisation specification, fixture generator.
 */
import { createHash } from 'node:crypto';

export interface Canary {
  /** Keyword of the attribute, or a short name of the carrier. */
  readonly carrier: string;
  /** Text that must be found nowhere outside the hospital. */
  readonly text: string;
}

export interface PlantedIdentity {
  /** Attribute keyword → value, for the top level of every instance. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Citizen service number (BSN) that passes the 11-test. */
  readonly citizenServiceNumber: string;
  /** Attributes of the item of Request Attributes Sequence. */
  readonly request: Readonly<Record<string, string>>;
  /** For a private LO element and a private OB element. */
  readonly privateText: string;
  readonly privateBytes: string;
  readonly canaries: readonly Canary[];
}

/** Deterministic source of bytes: one SHA-256 per field. */
export type Field = (name: string) => Buffer;

export function fieldsOf(...scope: readonly string[]): Field {
  return (name) =>
    createHash('sha256')
      .update([...scope, name].join('\0'))
      .digest();
}

/** Five syllables of 80 each: 3.3e9 words, pronounceable, in no dictionary. */
function word(bytes: Buffer): string {
  const syllable = (i: number): string =>
    'bdfghjklmnprstvz'[bytes[i * 2]! % 16]! + 'aeiou'[bytes[i * 2 + 1]! % 5]!;
  const text = [0, 1, 2, 3, 4].map(syllable).join('');
  return text[0]!.toUpperCase() + text.slice(1);
}

/** `count` decimal digits, the first not zero. */
function digits(bytes: Buffer, count: number): string {
  const text = (BigInt(`0x${bytes.toString('hex')}`) % 10n ** BigInt(count)).toString();
  return text.padStart(count, '7').replace(/^0/, '7');
}

/** Nine digits whose weighted sum 9,8,...,2,-1 is divisible by 11 (the Dutch 11-test). */
export function citizenServiceNumber(bytes: Buffer): string {
  const start = BigInt(`0x${bytes.subarray(0, 8).toString('hex')}`) % 800_000_000n;
  for (let number = 100_000_000 + Number(start); ; number += 1) {
    if (passesElevenTest(String(number))) return String(number);
  }
}
export function passesElevenTest(number: string): boolean {
  const weights = [9, 8, 7, 6, 5, 4, 3, 2, -1];
  const sum = weights.reduce((total, weight, i) => total + weight * Number(number[i]), 0);
  return /^\d{9}$/.test(number) && sum % 11 === 0;
}

function birthDate(bytes: Buffer): string {
  const [year, month, day] = [1931 + (bytes[0]! % 60), 1 + (bytes[1]! % 12), 1 + (bytes[2]! % 28)];
  return `${year}${String(month).padStart(2, '0')}${String(day).padStart(2, '0')}`;
}

/** Attribute → text around its unique word, `*` being the word. Lengths keep to the VR. */
const WORDED: Readonly<Record<string, string>> = {
  PatientName: 'van der *^Zoë',
  PatientBirthName: '*^Zoë',
  PatientMotherBirthName: "in 't *^Aafke",
  PatientAddress: '*straat 12, 1234 AB Utrecht',
  PatientComments: 'belt mw. * voor de uitslag',
  AdditionalPatientHistory: 'eerder gezien door dr. *',
  MedicalAlerts: 'allergie gemeld door *',
  Occupation: 'smid *',
  ReferringPhysicianName: '*^Jan^^dr.',
  PerformingPhysicianName: 'de *^Els^^dr.',
  NameOfPhysiciansReadingStudy: '*^Bram^^dr.',
  OperatorsName: '*^Noor',
  InstitutionName: 'Ziekenhuis *',
  InstitutionAddress: 'Laan van * 1, Utrecht',
  InstitutionalDepartmentName: 'Radiologie *',
  StationName: 'KAMER*',
  StudyDescription: 'aanvraag van dr. *',
  ImageComments: 'opname herhaald door *',
};
const REQUEST_WORDED: Readonly<Record<string, string>> = {
  RequestedProcedureDescription: 'op verzoek van *',
  ScheduledProcedureStepDescription: 'plek van *',
};

/** Fills each template with the word of its field and notes the word as canary. */
function plantWords(
  templates: Readonly<Record<string, string>>,
  field: Field,
  canaries: Canary[],
): Record<string, string> {
  const filled: Record<string, string> = {};
  for (const [keyword, template] of Object.entries(templates)) {
    const text = word(field(keyword));
    canaries.push({ carrier: keyword, text });
    filled[keyword] = template.replace('*', text);
  }
  return filled;
}

/** The identity of one demo study in one run. */
export function plantIdentity(studyName: string, runId: string): PlantedIdentity {
  const field = fieldsOf('identity', studyName, runId);
  const canaries: Canary[] = [];
  const planted = (carrier: string, text: string): string => {
    canaries.push({ carrier, text });
    return text;
  };
  const patientId = planted('PatientID', digits(field('PatientID'), 10));
  const accessionNumber = planted('AccessionNumber', `A${digits(field('AccessionNumber'), 13)}`);
  const attributes: Record<string, string> = {
    ...plantWords(WORDED, field, canaries),
    PatientID: patientId,
    IssuerOfPatientID: planted('IssuerOfPatientID', `ZIS-${word(field('IssuerOfPatientID'))}`),
    PatientBirthDate: planted('PatientBirthDate', birthDate(field('PatientBirthDate'))),
    PatientTelephoneNumbers: planted('PatientTelephoneNumbers', `+316${digits(field('tel'), 8)}`),
    AccessionNumber: accessionNumber,
    StudyID: planted('StudyID', `S${digits(field('StudyID'), 12)}`),
    DeviceSerialNumber: planted('DeviceSerialNumber', `SN${digits(field('serial'), 14)}`),
  };
  const request = {
    ...plantWords(REQUEST_WORDED, field, canaries),
    RequestedProcedureID: planted('RequestedProcedureID', `R${digits(field('rp'), 12)}`),
    ScheduledProcedureStepID: planted('ScheduledProcedureStepID', `P${digits(field('sps'), 12)}`),
  };
  const bsn = citizenServiceNumber(field('bsn'));
  planted('OtherPatientIDsSequence', bsn);
  return {
    attributes,
    request,
    citizenServiceNumber: bsn,
    privateText: planted('private LO', word(field('private LO'))),
    privateBytes: planted('private OB', word(field('private OB'))),
    canaries,
  };
}

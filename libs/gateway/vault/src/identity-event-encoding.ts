/**
 * A changed identity: new values in the elements of the one before.
 * Decides in which character set they are written: the study's own when it has every character,
 * else the whole identity is transcoded to ISO_IR 192, so that all values survive. What nobody
 * changed keeps its bytes. Invariant: the study is never another one.
 * Source: results specification 4.1.2; PS3.3 C.7.1.1, C.12.1.1.2.
 */
import { DicomDataset, tagOf, vrOf, type DicomElement } from '@aifi/dicom-core';
import { isSamePatient, normalisedId, type Demographics } from './identity-event.js';
import type { PatientIdentifier } from './identity-event.js';
import { encodeText } from './identity-event-text.js';
import { identityElements, identityOf, type Identity } from './identity.js';

const TEXT_VRS: ReadonlySet<string> = new Set(['LO', 'LT', 'PN', 'SH', 'ST', 'UC', 'UT']);

/** New values; absent stays as it is. */
export interface IdentityChange extends Demographics {
  readonly patient?: PatientIdentifier | undefined;
  readonly accessionNumber?: string | undefined;
}

/** Number and issuer of the patient. */
export function patientOf({ fields }: Identity): PatientIdentifier {
  return { id: fields.PatientID, issuer: fields.IssuerOfPatientID };
}

export function changedIdentity(identity: Identity, change: IdentityChange): Identity {
  const dataset = identityElements(identity);
  const values = changedValues(identity, change).filter(
    ([keyword, value]) => dataset.strings(keyword).join('\\') !== value,
  );
  if (values.length === 0) return identity;
  if (change.patient && isOtherIssuer(identity, change.patient)) {
    // Says more about the issuer before.
    dataset.delete('IssuerOfPatientIDQualifiersSequence');
  }
  const elements = values.map(([keyword, value]) => elementOf(dataset, keyword, value));
  if (!elements.includes(undefined)) {
    for (const element of elements) dataset.put(element!);
    return identityOf(dataset);
  }
  const unicode = transcoded(dataset).setString('SpecificCharacterSet', 'ISO_IR 192');
  for (const [keyword, value] of values) unicode.setString(keyword, value);
  return identityOf(unicode);
}

function changedValues(identity: Identity, change: IdentityChange): [string, string][] {
  const { patient, name, birthDate, sex, accessionNumber } = change;
  // A study without an issuer keeps none: its objects in the PACS have none either.
  const issuer = identity.fields.IssuerOfPatientID === '' ? undefined : patient?.issuer;
  const values: [string, string | undefined][] = [
    ['PatientID', patient?.id],
    ['IssuerOfPatientID', issuer === '' ? undefined : issuer],
    ['PatientName', name],
    ['PatientBirthDate', birthDate],
    ['PatientSex', sex],
    ['AccessionNumber', accessionNumber],
  ];
  return values.filter((entry): entry is [string, string] => entry[1] !== undefined);
}

function isOtherIssuer({ fields }: Identity, { issuer }: PatientIdentifier): boolean {
  return normalisedId(issuer) !== normalisedId(fields.IssuerOfPatientID);
}

function elementOf(
  dataset: DicomDataset,
  keyword: string,
  value: string,
): DicomElement | undefined {
  const tag = tagOf(keyword);
  const vr = vrOf(tag);
  if (!TEXT_VRS.has(vr)) return new DicomDataset().setString(tag, value).get(tag);
  const bytes = encodeText(value, dataset.characterSets, vr);
  if (!bytes) return undefined;
  const padded = bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from(' ')]);
  return { tag, vr, value: padded };
}

/** The same values in UTF-8, at any depth; items inherit the set that the caller declares. */
function transcoded(dataset: DicomDataset): DicomDataset {
  const copy = new DicomDataset();
  for (const element of dataset) {
    const { tag, vr, value } = element;
    if (!(value instanceof Uint8Array)) copy.setItems(tag, value.map(transcoded));
    else if (TEXT_VRS.has(vr)) copy.setStrings(tag, dataset.strings(tag), vr);
    else copy.put(element);
  }
  copy.delete('SpecificCharacterSet');
  return copy;
}

/** True when the identity is of this patient. */
export function isOf(identity: Identity, patient: PatientIdentifier): boolean {
  return isSamePatient(patientOf(identity), patient);
}

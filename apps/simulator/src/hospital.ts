/**
 * Hospital: what a schedule sends, and the objects it is made of.
 * Decides that every study says in its pixels whose it is: site, study, revision. What comes out at
 * the other end is compared with that (pixel oracle). All sites use the same Study and SOP Instance
 * UIDs, and the same patient numbers for other people.
 * Source: reliability specification T-MIS-1, T-MIS-3.
 */
import { DicomDataset, encodePart10 } from '@aifi/dicom-core';
import type { StudyMatch } from '@aifi/dicom-dimse';
import { sha256Hex, siteId, type Sha256, type SiteId } from '@aifi/shared-kernel';
import { keyRingOf, type KeyRing } from '@aifi/shared-site-keys';
import { fakeSiteKeys } from '@aifi/shared-testing';

export const MR_IMAGE = '1.2.840.10008.5.1.4.1.1.4';
export const CT_IMAGE = '1.2.840.10008.5.1.4.1.1.2';
export const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';

export interface Patient {
  readonly id: string;
  readonly issuer: string;
  readonly name: string;
  readonly birthDate: string;
}
export interface Instance {
  readonly sopInstanceUid: string;
  readonly sopClassUid: string;
  readonly seriesUid: string;
  readonly studyUid: string;
  readonly modality: 'CT' | 'MR' | 'KO';
  readonly bytes: Buffer;
  readonly sha256: Sha256;
}
export interface Study {
  readonly siteId: SiteId;
  readonly studyUid: string;
  readonly modality: 'CT' | 'MR';
  readonly patient: Patient;
  /** Instances of each revision: those of a later one come after the study was quiet. */
  readonly revisions: readonly (readonly Instance[])[];
}

/** Sites that a schedule may have, with their keys: made once. */
export const SITES: readonly { readonly siteId: SiteId; readonly ring: KeyRing }[] = [
  'alpha',
  'beta',
  'gamma',
].map((name) => ({ siteId: siteId(name), ring: keyRingOf(fakeSiteKeys(name)) }));

/** Canary: no text of it may be anywhere at the hub. */
export const patientOf = (site: SiteId, number: number): Patient => ({
  id: `PAT-${number}`,
  issuer: 'HOSP',
  name: `CANARY^${site.toUpperCase()}${number}`,
  birthDate: `19${50 + number}0102`,
});
export const CANARY = 'CANARY';

export const studyUidOf = (number: number): string => `1.2.826.0.1.${100 + number}`;

export interface StudyPlan {
  readonly siteId: SiteId;
  readonly number: number;
  readonly patient: Patient;
  readonly modality: 'CT' | 'MR';
  /** Instances of each revision. */
  readonly counts: readonly number[];
}

const made = new Map<string, Study>();

/** The study of a plan; equal plans give the same one. */
export function studyOf(plan: StudyPlan): Study {
  const key = JSON.stringify(plan);
  const known = made.get(key);
  if (known) return known;
  let count = 0;
  const revisions = plan.counts.map((instances, index) =>
    Array.from({ length: instances }, () => {
      count += 1;
      return instanceOf(plan, { revision: index + 1, series: 1, count });
    }),
  );
  const { siteId: site, number, patient, modality } = plan;
  const study = { siteId: site, studyUid: studyUidOf(number), modality, patient, revisions };
  made.set(key, study);
  return study;
}

/** Which image of a study. */
export interface ImageNumber {
  readonly revision: number;
  readonly series: number;
  readonly count: number;
}
export function instanceOf(
  plan: Omit<StudyPlan, 'counts'>,
  { revision, series, count }: ImageNumber,
): Instance {
  const { siteId: site, number, patient, modality } = plan;
  const studyUid = studyUidOf(number);
  const sopClassUid = modality === 'CT' ? CT_IMAGE : MR_IMAGE;
  const sopInstanceUid = `${studyUid}.${series}.${count}`;
  const seriesUid = `${studyUid}.${series}`;
  const dataset = new DicomDataset()
    .setString('SOPClassUID', sopClassUid)
    .setString('SOPInstanceUID', sopInstanceUid)
    .setString('StudyDate', '20260102')
    .setString('StudyTime', '1010')
    .setString('AccessionNumber', `A${number}`)
    .setString('Modality', modality)
    .setString('ReferringPhysicianName', '')
    .setString('PatientName', patient.name)
    .setString('PatientID', patient.id)
    .setString('IssuerOfPatientID', patient.issuer)
    .setString('PatientBirthDate', patient.birthDate)
    .setString('PatientSex', 'O')
    .setString('StudyInstanceUID', studyUid)
    .setString('SeriesInstanceUID', seriesUid)
    .setString('StudyID', `${number}`);
  const bytes = encodePart10(withPixels(dataset, oracleOf(site, studyUid, revision)));
  const sha256 = sha256Hex(bytes);
  return { sopInstanceUid, sopClassUid, seriesUid, studyUid, modality, bytes, sha256 };
}

/** What the pixels of a study say. */
export const oracleOf = (site: SiteId, studyUid: string, revision: number): string =>
  `${site}|${studyUid}|${revision}`;

/** One row of 8 bit pixels that spell a text. */
export function withPixels(dataset: DicomDataset, text: string): DicomDataset {
  const pixels = Buffer.from(text.length % 2 === 0 ? text : `${text} `);
  return dataset
    .setNumbers('Rows', [1])
    .setNumbers('Columns', [pixels.length])
    .setNumbers('BitsAllocated', [8])
    .setBytes('PixelData', pixels, 'OB');
}

/** What a PACS tells of a study that has this patient. */
export const matchOf = (study: Study, patient: Patient): StudyMatch => ({
  studyInstanceUid: study.studyUid,
  patientId: patient.id,
  issuerOfPatientId: patient.issuer,
  patientBirthDate: patient.birthDate,
  patientName: patient.name,
  patientSex: 'O',
  accessionNumber: '',
});

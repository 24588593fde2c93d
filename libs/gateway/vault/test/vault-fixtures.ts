/**
 * Made-up patients and linkages of the vault's own suites.
 * Decides one patient whose name needs its character set, and one site's keys.
 * Invariant: nothing here is of a real person.
 */
import { DicomDataset } from '@aifi/dicom-core';
import { jobId, originalUid, pseudonymousUid, type JobId } from '@aifi/shared-kernel';
import { identityOf, type Identity, type Linkage } from '../src/index.js';

export function aPatient(name: string, patientId = '0012345'): DicomDataset {
  return new DicomDataset()
    .setString('SpecificCharacterSet', 'ISO_IR 100')
    .put({ tag: 0x00100010, vr: 'PN', value: Buffer.from(name, 'latin1') })
    .setString('PatientID', patientId)
    .setString('StudyInstanceUID', '1.2.3')
    .setString('InstitutionName', 'St. Elders')
    .setItems('IssuerOfAccessionNumberSequence', [
      new DicomDataset().setString('LocalNamespaceEntityID', 'RIS'),
    ]);
}
export function aLinkage(name = 'B\xe4cken^Jan '): Linkage {
  return {
    jobId: jobId('0123456789abcdef0123456789abcdef'),
    studyUid: originalUid('1.2.3'),
    seriesUid: originalUid('1.2.3.1'),
    pseudonymousStudyUid: pseudonymousUid('2.25.1'),
    epoch: 1,
    asSent: identityOf(aPatient(name)),
  };
}

/** Job `n`. */
export const jobOf = (n: number): JobId => jobId(n.toString(16).padStart(32, '0'));

/** The identity of another name and number. */
export function anIdentity(name: string, patientId = '0012345', issuer = ''): Identity {
  const patient = aPatient(name, patientId);
  if (issuer) patient.setString('IssuerOfPatientID', issuer);
  return identityOf(patient);
}

/** A job over study `1.2.<n>` of a patient. */
export function linkageOf(n: number, asSent: Identity, epoch = 1): Linkage {
  return {
    ...{ jobId: jobOf(n), studyUid: originalUid(`1.2.${n}`), epoch, asSent },
    ...{ seriesUid: originalUid(`1.2.${n}.1`), pseudonymousStudyUid: pseudonymousUid(`2.25.${n}`) },
  };
}

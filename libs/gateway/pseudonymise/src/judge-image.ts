/**
 * One image of a job: is it of the same patient, and may its pixels leave?
 * Decides both from the one reading of its header, before a byte of it is written.
 * Invariants: a fault of the pixel gate holds the image, it never passes; an image of another
 * patient, or one whose identity does not decode, stops the job; no value is in a reason.
 * Source: pseudonymisation specification 1.5, 1.6; reliability specification C4.
 */
import { DicomDataset } from '@aifi/dicom-core';
import { patientKey, type PixelClearance } from '@aifi/dicom-deidentification';
import { clearanceOf, type PixelGate, type PixelQuestion } from '@aifi/dicom-pixel-gate';
import { identityOf, type Identity } from '@aifi/gateway-vault';
import { AifiError, ok, refuse, type Result } from '@aifi/shared-kernel';
import type { NewPixelHold } from './pixel-hold.store.js';

/** Whether the hospital has said that two identities are of one patient. */
export type SamePatientRule = (a: Identity, b: Identity) => boolean | Promise<boolean>;

/** Watches that all images of a study are of one patient. */
export class OnePatient {
  #first: { readonly patient: string; readonly identity: Identity } | undefined;

  constructor(private readonly areOne: SamePatientRule = () => false) {}

  /**
   * The identity of the study by a header of it; refuses QUARANTINED_IDENTIFIER. A header with
   * another number of the same patient gets the first one's, so that all images have one pseudonym
   * and one shift of dates; its own stays among the other numbers, for the sweep.
   */
  async admit(header: DicomDataset): Promise<Result<Identity>> {
    let identity: Identity;
    try {
      identity = identityOf(header);
    } catch (error) {
      if (AifiError.from(error).code !== 'DICOM_MALFORMED') throw error;
      return refuse('QUARANTINED_IDENTIFIER', 'identity does not decode');
    }
    // As the engine tells patients apart: one patient here is one pseudonym there.
    const patient = patientKey(header) ?? '';
    this.#first ??= { patient, identity };
    const { identity: first, patient: firstPatient } = this.#first;
    if (patient === firstPatient) return ok(identity);
    if (!(await this.areOne(first, identity))) {
      return refuse('QUARANTINED_IDENTIFIER', 'two patients in one study');
    }
    takeNumber(header, first);
    return ok(first);
  }
}

const PATIENT_KEYWORDS = ['PatientID', 'IssuerOfPatientID'] as const;

function takeNumber(header: DicomDataset, { fields }: Identity): void {
  const own = new DicomDataset();
  for (const keyword of PATIENT_KEYWORDS) {
    const element = header.get(keyword);
    if (element) own.put(element);
    header.delete(keyword);
    // Numbers are ASCII, or the two would not be compared as text of different sets.
    if (fields[keyword] !== '') header.setString(keyword, fields[keyword]);
  }
  const others = header.items('OtherPatientIDsSequence');
  header.setItems('OtherPatientIDsSequence', [...others, own]);
}

export type PixelVerdict = PixelClearance | Omit<NewPixelHold, 'sha256'>;

/** How the pixels are cleared, or why a person has to look; refuses what never leaves. */
export async function judgePixels(
  gate: Pick<PixelGate, 'judge'>,
  question: PixelQuestion,
  onGateFault: (error: unknown) => void,
): Promise<Result<PixelVerdict>> {
  const outcome = await clearanceOf(gate, question, onGateFault);
  if (outcome.kind === 'refuse') return { ok: false, refusal: outcome.refusal };
  if (outcome.kind === 'clearance') return ok(outcome.clearance);
  return ok({ reason: outcome.reason, findings: outcome.findings });
}

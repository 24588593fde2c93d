/**
 * One image of a job: is it of the same patient, and may its pixels leave?
 * Decides both from the one reading of its header, before a byte of it is written.
 * Invariants: a fault of the pixel gate holds the image, it never passes; an image of another
 * patient, or one whose identity does not decode, stops the job; no value is in a reason.
 * Source: pseudonymisation specification 1.5, 1.6; reliability specification C4.
 */
import type { DicomDataset } from '@aifi/dicom-core';
import type { PixelClearance } from '@aifi/dicom-deidentification';
import { clearanceOf, type PixelGate, type PixelQuestion } from '@aifi/dicom-pixel-gate';
import { identityOf, type Identity } from '@aifi/gateway-vault';
import { AifiError, ok, refuse, type Result } from '@aifi/shared-kernel';
import type { NewPixelHold } from './pixel-hold.store.js';

/** Watches that all images of a study are of one patient. */
export class OnePatient {
  #patient: string | undefined;

  /** The identity in a header; refuses QUARANTINED_IDENTIFIER. */
  admit(header: DicomDataset): Result<Identity> {
    let identity: Identity;
    try {
      identity = identityOf(header);
    } catch (error) {
      if (AifiError.from(error).code !== 'DICOM_MALFORMED') throw error;
      return refuse('QUARANTINED_IDENTIFIER', 'identity does not decode');
    }
    const { PatientID, IssuerOfPatientID } = identity.fields;
    const patient = JSON.stringify([PatientID, IssuerOfPatientID]);
    this.#patient ??= patient;
    if (patient !== this.#patient) {
      return refuse('QUARANTINED_IDENTIFIER', 'two patients in one study');
    }
    return ok(identity);
  }
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

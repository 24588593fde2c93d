/**
 * How many days a patient's dates were shifted when a job was sent.
 * Decides nothing of its own: the engine is asked with a header of this patient and one known date,
 * so that there is no second derivation that could differ. Undefined when the engine keeps no dates
 * or takes no such patient. Unit: days, negative. Source: pseudonymisation specification 1.3.
 */
import { DicomDataset } from '@aifi/dicom-core';
import {
  DEFAULT_CONTRACT,
  pseudonymiseHeader,
  type DeidentificationContext,
} from '@aifi/dicom-deidentification';
import { identityElements, type Identity } from '@aifi/gateway-vault';

const DAY_MS = 86_400_000;
const KNOWN_DATE = '20160229';

export function shiftedDays(
  asSent: Identity,
  context: DeidentificationContext,
): number | undefined {
  const sent = identityElements(asSent);
  const probe = new DicomDataset()
    .setString('SOPClassUID', '1.2.840.10008.5.1.4.1.1.1.1')
    .setString('Modality', 'DX')
    .setString('BodyPartExamined', 'CHEST')
    .setString('SOPInstanceUID', '2.25.1')
    .setString('SeriesInstanceUID', '2.25.2')
    .setString('StudyInstanceUID', '2.25.3')
    .setString('StudyDate', KNOWN_DATE);
  for (const keyword of ['SpecificCharacterSet', 'PatientID', 'IssuerOfPatientID']) {
    const element = sent.get(keyword);
    if (element) probe.put(element);
  }
  // What the product wanted to keep does not change the offset.
  const contract = { ...DEFAULT_CONTRACT, dates: 'shift' } as const;
  const shifted = pseudonymiseHeader(probe, { ...context, contract });
  const date = shifted.ok ? shifted.value.dataset.string('StudyDate') : undefined;
  return date === undefined ? undefined : (timeOf(date) - timeOf(KNOWN_DATE)) / DAY_MS;
}

const timeOf = (date: string): number =>
  Date.UTC(Number(date.slice(0, 4)), Number(date.slice(4, 6)) - 1, Number(date.slice(6, 8)));

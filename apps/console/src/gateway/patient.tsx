/**
 * Patient: identity as a person reads it.
 * Decides the order of what identifies. Invariant: shown only where the server gave it; never in
 * an address, title or notice.
 */
import type { PatientView } from '@aifi/contracts-rest';
import { useLanguage } from '../frame/language.js';
import { Facts } from '../parts/facts.js';
import { termOf } from '../words/words.js';

/** In a row of a list. */
export function PatientLines({ patient }: { readonly patient: PatientView }) {
  const { words, formats } = useLanguage();
  const { studies } = words.gateway;
  const { name, patientId, birthDate, sex, accessionNumber } = patient;
  const about = [
    birthDate && studies.born(formats.dicomDate(birthDate)),
    sex && termOf(studies.sexes, sex),
  ];
  return (
    <>
      <span>{name ?? words.frame.unknown}</span>
      <div className="aifi-dimmed">{about.filter(Boolean).join(', ')}</div>
      {patientId && <div className="aifi-dimmed">{studies.number(patientId)}</div>}
      {accessionNumber && <div className="aifi-dimmed">{studies.accession(accessionNumber)}</div>}
    </>
  );
}

/** On a page of its own. */
export function PatientFacts({ patient }: { readonly patient: PatientView }) {
  const { words, formats } = useLanguage();
  const { patient: text, studies } = words.gateway;
  const { birthDate, sex } = patient;
  return (
    <Facts
      rows={[
        [text.name, patient.name ?? words.frame.unknown],
        [text.patientId, patient.patientId],
        [text.issuer, patient.issuer],
        [text.birthDate, birthDate && formats.dicomDate(birthDate)],
        [text.sex, sex && termOf(studies.sexes, sex)],
        [text.accessionNumber, patient.accessionNumber],
      ]}
    />
  );
}

/**
 * The set: whether all objects together tell one consistent story.
 * Decides on the graph of UIDs, one patient per study and one distance per patient for all dates.
 * Invariants: nothing is kept of an object but its identifiers; the map of UIDs is a bijection.
 * Source: pseudonymisation specification 1.3, 2.2 (d, f).
 */
import { keywordOf, type DicomDataset } from '@aifi/dicom-core';
import { failed, tagText, type Finding, type ObjectFinding } from './finding.js';
import type { ObjectVerification, ReadObject } from './verify-object.js';

/** Same in every object of a study (PS3.3 A.1.2: patient and study are one entity each). */
const STUDY_TAGS: readonly number[] = [
  ...[0x00080005, 0x00080020, 0x00080030, 0x00080050, 0x00080090],
  ...[0x00100010, 0x00100020, 0x00100030, 0x00100040, 0x00200010],
];

export class SetCheck {
  readonly #newByOld = new Map<string, string>();
  readonly #oldByNew = new Map<string, string>();
  readonly #seriesByInstance = new Map<string, string>();
  readonly #studyBySeries = new Map<string, string>();
  readonly #studyValues = new Map<string, readonly string[]>();
  readonly #offsetByPatient = new Map<string, number>();

  /** Takes the next object; its findings are those that only the set shows. */
  add(file: number, object: ReadObject, verification: ObjectVerification): Finding[] {
    const { dataset } = object;
    const found = [
      ...this.#graphFindings(dataset),
      ...this.#studyFindings(dataset),
      ...this.#uidFindings(verification),
      ...this.#offsetFindings(dataset, verification),
    ];
    return found.map((finding) => ({ file, ...finding }));
  }

  *#graphFindings(dataset: DicomDataset): Generator<ObjectFinding> {
    const [instance, series, study] = [
      'SOPInstanceUID',
      'SeriesInstanceUID',
      'StudyInstanceUID',
    ].map((keyword) => dataset.string(keyword) ?? '');
    if (this.#seriesByInstance.has(instance!)) yield failed('set.duplicate', '(0008,0018)');
    this.#seriesByInstance.set(instance!, series!);
    const known = this.#studyBySeries.get(series!) ?? study!;
    if (known !== study) yield failed('uid.reference', '(0020,000E)');
    this.#studyBySeries.set(series!, study!);
    const kinds = new Set([instance, series, study]);
    const isMixed =
      kinds.size !== 3 || this.#studyBySeries.has(instance!) || this.#seriesByInstance.has(series!);
    if (isMixed) yield failed('uid.reference', '(0008,0018)');
  }

  *#studyFindings(dataset: DicomDataset): Generator<ObjectFinding> {
    const study = dataset.string('StudyInstanceUID') ?? '';
    const values = STUDY_TAGS.map((tag) => dataset.strings(tag).join('\\'));
    const known = this.#studyValues.get(study);
    if (!known) this.#studyValues.set(study, values);
    for (const [index, tag] of STUDY_TAGS.entries()) {
      if (known && known[index] !== values[index]) {
        yield failed(
          keywordOf(tag).startsWith('Patient') ? 'set.patient' : 'set.study',
          tagText(tag),
        );
      }
    }
  }

  *#uidFindings({ uids }: ObjectVerification): Generator<ObjectFinding> {
    for (const [before, after] of uids) {
      const isConflict =
        (this.#newByOld.get(before) ?? after) !== after ||
        (this.#oldByNew.get(after) ?? before) !== before;
      if (isConflict) yield failed('uid.mapping');
      this.#newByOld.set(before, after);
      this.#oldByNew.set(after, before);
    }
  }

  *#offsetFindings(
    dataset: DicomDataset,
    { offsetsDays }: ObjectVerification,
  ): Generator<ObjectFinding> {
    const patient = dataset.string('PatientID') ?? '';
    for (const offset of offsetsDays) {
      if ((this.#offsetByPatient.get(patient) ?? offset) !== offset) yield failed('date.interval');
      this.#offsetByPatient.set(patient, offset);
    }
  }
}

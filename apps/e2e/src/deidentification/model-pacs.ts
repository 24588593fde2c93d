/**
 * ModelPacs: a PACS that takes identity events late, and notes each result that it is given.
 * Decides whether a result is right: it must name the patient to whom the study belongs here at the
 * moment of its C-STORE. Source: hazard H1; reliability specification C7, T-MIS-3.
 */
import { ElementWalker } from '@aifi/dicom-core';
import { chunksOf, type StoreObject, type StudyMatch } from '@aifi/dicom-dimse';
import type { PacsPeer } from '@aifi/gateway-deliver';
import { AifiError } from '@aifi/shared-kernel';
import { matchOf, StudyLedger } from './hospital-model.js';

export interface StoredResult {
  readonly studyUid: string;
  readonly patientId: string;
  readonly isRight: boolean;
  /** Its study had been given to somebody by hand, so that nothing explains what the PACS shows. */
  readonly wasMixedUp: boolean;
}

export class ModelPacs implements PacsPeer {
  ledger = new StudyLedger();
  isUp = true;
  /** A second patient under whom it lists a study. */
  readonly twice = new Map<string, StudyMatch>();
  /** Studies that somebody has moved by hand. */
  readonly mixedUp = new Set<string>();
  readonly stored: StoredResult[] = [];
  readonly #listed = new Set<string>();

  #answer<T>(value: T): Promise<T> {
    const down = new AifiError('PEER_UNAVAILABLE', 'down');
    return this.isUp ? Promise.resolve(value) : Promise.reject(down);
  }
  echo(): Promise<void> {
    return this.#answer(undefined);
  }
  findStudy(studyUid: string): Promise<StudyMatch[]> {
    const holding = this.ledger.studies.get(studyUid);
    const other = this.twice.get(studyUid);
    const matches = holding ? [matchOf(studyUid, holding.person), ...(other ? [other] : [])] : [];
    return this.#answer(matches);
  }
  findInstance(_study: string, _series: string, instance: string): Promise<boolean> {
    return this.#answer(this.#listed.has(instance));
  }
  async store(object: StoreObject): Promise<number> {
    await this.#answer(undefined);
    const walker = new ElementWalker({ explicitVr: true, littleEndian: true });
    for await (const chunk of chunksOf(object.dataset)) walker.push(Buffer.from(chunk));
    const { dataset } = walker.end();
    const studyUid = dataset.string('StudyInstanceUID')!;
    const { person } = this.ledger.studies.get(studyUid)!;
    const text = (keyword: string): string => dataset.string(keyword) ?? '';
    this.stored.push({
      ...{ studyUid, patientId: text('PatientID') },
      isRight: text('PatientID') === person.id && !this.twice.has(studyUid),
      wasMixedUp: this.mixedUp.has(studyUid),
    });
    this.#listed.add(object.sopInstanceUid);
    return 0;
  }
}

/**
 * FakePacs: a PACS with scripted answers, for the suites of this library; not exported.
 * Decides what it lists: the study of one patient, and what it took unless it is told to lose it.
 */
import type { StoreObject, StudyMatch } from '@aifi/dicom-dimse';
import { AifiError } from '@aifi/shared-kernel';
import type { PacsPeer } from './deliver-stage.js';

export const STUDY = '2.25.10';
export const MATCH: StudyMatch = {
  studyInstanceUid: STUDY,
  patientId: 'P-1 ',
  issuerOfPatientId: '',
  patientBirthDate: '19700102',
};

export class FakePacs implements PacsPeer {
  matches: StudyMatch[] = [MATCH];
  readonly stored: StoreObject[] = [];
  /** Answers to the next C-STOREs; 'silent' stores and fails, 'hang' stores and never answers. */
  answers: (number | 'silent' | 'hang' | AifiError)[] = [];
  isUp = true;
  isIndexing = true;
  asked = 0;
  echoes = 0;
  #reach(): void {
    this.asked += 1;
    if (!this.isUp) throw new AifiError('PEER_UNAVAILABLE', 'down');
  }
  async echo(): Promise<void> {
    this.echoes += 1;
    this.#reach();
  }
  async store(object: StoreObject): Promise<number> {
    this.#reach();
    const answer = this.answers.shift() ?? 0;
    if (answer instanceof AifiError) throw answer;
    const isTaken = typeof answer === 'string' || answer === 0 || answer >>> 8 === 0xb0;
    if (isTaken) this.stored.push(object);
    if (answer === 'hang') return new Promise(() => undefined);
    if (answer === 'silent') throw new AifiError('PEER_UNAVAILABLE', 'no answer');
    return answer;
  }
  async findStudy(): Promise<StudyMatch[]> {
    this.#reach();
    return this.matches;
  }
  async findInstance(_study: string, _series: string, instance: string): Promise<boolean> {
    this.#reach();
    return this.isIndexing && this.stored.some((o) => o.sopInstanceUid === instance);
  }
}

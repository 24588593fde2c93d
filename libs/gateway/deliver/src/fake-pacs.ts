/**
 * FakePacs: a PACS with scripted answers, for the suites of this library; not exported.
 * Decides what it lists: the study of one patient, and what it took unless it is told to lose it.
 * It keeps the time of every attempt on it that failed, and of every echo.
 */
import { createHash } from 'node:crypto';
import {
  chunksOf,
  storeVerdict,
  type CommitmentReport,
  type CommitmentRequest,
  type StoreObject,
  type StudyMatch,
} from '@aifi/dicom-dimse';
import { AifiError, type Clock } from '@aifi/shared-kernel';
import type { PacsPeer } from './pacs-peer.js';

export const STUDY = '2.25.10';
export const MATCH: StudyMatch = {
  studyInstanceUid: STUDY,
  patientId: 'P-1 ',
  issuerOfPatientId: '',
  patientBirthDate: '19700102',
  patientName: '',
  patientSex: '',
  accessionNumber: '',
};
/**
 * Answer to a C-STORE. 'silent': stored, and no answer; 'hang': stored, and never an answer;
 * 'aborted': not stored, and no answer; 'lose': Success, and not stored.
 */
export type Answer = number | 'silent' | 'hang' | 'aborted' | 'lose' | AifiError;

export class FakePacs implements PacsPeer {
  matches: StudyMatch[] = [MATCH];
  /** Every object that was taken, in order. */
  readonly stored: StoreObject[] = [];
  /** What it lists: digest of the dataset by SOP Instance UID. */
  readonly listed = new Map<string, string>();
  /** Answers to the next C-STOREs; after them `otherwise`. */
  answers: Answer[] = [];
  otherwise: (object: StoreObject) => Answer = () => 0;
  /** What becomes of the next requests for a commitment. */
  commit: (request: CommitmentRequest) => CommitmentReport | undefined | AifiError = () =>
    undefined;
  readonly requests: CommitmentRequest[] = [];
  isUp = true;
  /** The fault of every request while it is set, the echo included. */
  rejection: AifiError | undefined;
  isIndexing = true;
  asked = 0;
  echoes = 0;
  looks = 0;
  /** When a request failed, and when an echo came: what a storm is made of. */
  readonly attemptsAtMs: number[] = [];
  inUse = 0;
  inUseMax = 0;

  constructor(private readonly clock: Clock) {}

  async #use<T>(work: () => Promise<T> | T): Promise<T> {
    this.asked += 1;
    this.inUse += 1;
    this.inUseMax = Math.max(this.inUseMax, this.inUse);
    try {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.rejection) throw this.rejection;
      if (!this.isUp) throw new AifiError('PEER_UNAVAILABLE', 'down');
      return await work();
    } catch (error) {
      this.attemptsAtMs.push(this.clock.nowMs());
      throw error;
    } finally {
      this.inUse -= 1;
    }
  }
  async echo(): Promise<void> {
    this.echoes += 1;
    // A failed one counts itself.
    await this.#use(() => void this.attemptsAtMs.push(this.clock.nowMs()));
  }
  store(object: StoreObject): Promise<number> {
    return this.#use(async () => {
      const answer = this.answers.shift() ?? this.otherwise(object);
      if (answer instanceof AifiError) throw answer;
      if (answer === 'aborted') throw new AifiError('PEER_UNAVAILABLE', 'aborted');
      const status = typeof answer === 'number' ? answer : 0;
      if (answer === 'lose') return status;
      if (storeVerdict(status) === 'stored') await this.#take(object);
      else if (status !== 0x0111) this.attemptsAtMs.push(this.clock.nowMs());
      if (answer === 'hang') return new Promise<number>(() => undefined);
      if (answer === 'silent') throw new AifiError('PEER_UNAVAILABLE', 'no answer');
      return status;
    });
  }
  async #take(object: StoreObject): Promise<void> {
    const hash = createHash('sha256');
    for await (const chunk of chunksOf(object.dataset)) hash.update(chunk);
    this.stored.push(object);
    this.listed.set(object.sopInstanceUid, hash.digest('hex'));
  }
  findStudy(studyInstanceUid: string): Promise<StudyMatch[]> {
    return this.#use(() => this.matches.map((match) => ({ ...match, studyInstanceUid })));
  }
  findInstance(_study: string, _series: string, instance: string): Promise<boolean> {
    this.looks += 1;
    return this.#use(() => this.isIndexing && this.listed.has(instance));
  }
  requestCommitment(request: CommitmentRequest): Promise<CommitmentReport | undefined> {
    this.requests.push(request);
    return this.#use(() => {
      const answer = this.commit(request);
      if (answer instanceof AifiError) throw answer;
      return answer;
    });
  }

  /** It forgets what it took. */
  lose(): void {
    this.listed.clear();
  }
  /** Most attempts in any window of a minute. */
  attemptsPerMinuteMax(): number {
    const times = [...this.attemptsAtMs].sort((a, b) => a - b);
    return times.reduce((most, fromMs, first) => {
      const after = times.findIndex((atMs, at) => at >= first && atMs >= fromMs + 60_000);
      return Math.max(most, (after === -1 ? times.length : after) - first);
    }, 0);
  }
}

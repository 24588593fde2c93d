/**
 * OutcomeRoom: how many instances all web requests together may have listed for their answers.
 * Decides that long answers of many peers at once cost bounded memory. Invariant: what is taken is
 * given back when its request is over. Source: reliability specification 0 (bounded everything).
 */
import { LIMITS } from '@aifi/shared-kernel';

/** Four of the largest requests; about 150 bytes each. */
const INSTANCES_MAX = 4 * LIMITS.instancesPerStudyMax;

export class OutcomeRoom {
  #taken = 0;

  constructor(private readonly max = INSTANCES_MAX) {}

  /** False when there is no room for one more. */
  take(): boolean {
    if (this.#taken >= this.max) return false;
    this.#taken += 1;
    return true;
  }
  free(count: number): void {
    this.#taken -= count;
  }
}

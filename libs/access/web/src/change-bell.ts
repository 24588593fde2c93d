/**
 * ChangeBell: tells open pages which lists have changed, never what is in them.
 * Decides that a burst of changes is one event per topic and tick. Invariants: listeners are
 * bounded; an event carries no identifier of a study, patient or user.
 */
import { AifiError } from '@aifi/shared-kernel';
import type { ChangedEvent } from '@aifi/contracts-rest';

export type ChangeTopic = ChangedEvent['topic'];
/** Open pages of one server: a department of readers with two windows each. */
const LISTENERS_MAX = 500;

export class ChangeBell {
  readonly #listeners = new Set<(topic: ChangeTopic) => void>();
  readonly #pending = new Set<ChangeTopic>();

  notify(topic: ChangeTopic): void {
    if (this.#pending.size === 0) setImmediate(() => this.#ring());
    this.#pending.add(topic);
  }
  /** Returns what ends it. LIMIT_EXCEEDED when too many listen already. */
  listen(listener: (topic: ChangeTopic) => void): () => void {
    if (this.#listeners.size >= LISTENERS_MAX) {
      throw new AifiError('LIMIT_EXCEEDED', 'too many open pages');
    }
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
  #ring(): void {
    const topics = [...this.#pending];
    this.#pending.clear();
    for (const listener of this.#listeners) for (const topic of topics) listener(topic);
  }
}

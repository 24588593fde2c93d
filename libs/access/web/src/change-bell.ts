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
/** Windows of one person; nobody can take the streams of all others. */
const LISTENERS_OF_USER_MAX = 10;

export class ChangeBell {
  readonly #listeners = new Map<(topic: ChangeTopic) => void, string>();
  readonly #pending = new Set<ChangeTopic>();

  notify(topic: ChangeTopic): void {
    if (this.#pending.size === 0) setImmediate(() => this.#ring());
    this.#pending.add(topic);
  }
  /** Returns what ends it. LIMIT_EXCEEDED when too many listen, or this person already does. */
  listen(userId: string, listener: (topic: ChangeTopic) => void): () => void {
    const own = [...this.#listeners.values()].filter((user) => user === userId).length;
    if (this.#listeners.size >= LISTENERS_MAX || own >= LISTENERS_OF_USER_MAX) {
      throw new AifiError('LIMIT_EXCEEDED', 'too many open pages');
    }
    this.#listeners.set(listener, userId);
    return () => void this.#listeners.delete(listener);
  }
  #ring(): void {
    const topics = [...this.#pending];
    this.#pending.clear();
    for (const listener of this.#listeners.keys()) for (const topic of topics) listener(topic);
  }
}

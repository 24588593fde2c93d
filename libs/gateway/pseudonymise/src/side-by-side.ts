/**
 * Work on the items of a list, some at a time.
 * Decides the order of things: items begin in order, results stand in order. Invariants: never more
 * than `limit` at a time; after the first item that says stop, or fails, none begins any more, and
 * all that began have ended before this returns, so the outcome does not depend on their speed.
 */

/** Results of the items that began; `work` gives undefined as its stop when the next may begin. */
export async function sideBySide<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<{ readonly result: R; readonly stop: boolean }>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  let isStopped = false;
  const lane = async (): Promise<void> => {
    while (!isStopped && next < items.length) {
      const index = next;
      next += 1;
      try {
        const { result, stop } = await work(items[index]!, index);
        results[index] = result;
        isStopped ||= stop;
      } catch (error) {
        isStopped = true;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: limit }, lane));
  const failed = ended.find((lane) => lane.status === 'rejected');
  if (failed) throw failed.reason;
  return results;
}

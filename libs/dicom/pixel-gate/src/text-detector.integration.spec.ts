/**
 * Goal: the text detector's real process reads text, tells no text, and every fault is a rejection.
 * Method: the compiled process; written pictures; a clock that says when a picture took too long.
 */
import { afterAll, describe, expect, it } from '@jest/globals';
import { systemClock, type Clock } from '@aifi/shared-kernel';
import { inkOf } from './planted-text.js';
import type { Plane } from './components.js';
import { createTextDetector } from './text-detector.js';

function written(text: string): Plane {
  const inked = inkOf(text, { face: 'sans', capRows: 24, edges: 'smooth' });
  const [rows, columns] = [inked.rows + 60, inked.columns + 80];
  const data = new Uint8Array(rows * columns).fill(20);
  for (let y = 0; y < inked.rows; y += 1) {
    for (let x = 0; x < inked.columns; x += 1) {
      data[(y + 30) * columns + x + 40] = 20 + 220 * inked.ink[y * inked.columns + x]!;
    }
  }
  return { rows, columns, data };
}
const TIMEOUT_MS = 120_000;

describe(createTextDetector, () => {
  const sut = createTextDetector({ clock: systemClock, timeoutMs: TIMEOUT_MS });
  afterAll(() => sut.close());

  it(
    'finds words and tells places only',
    async () => {
      const words = await sut.read(written('Marijke Hoekstra'));
      expect(words.length).toBeGreaterThan(0);
      const keys = ['height', 'isMarker', 'width', 'x', 'y'];
      expect(words.map((word) => Object.keys(word).sort())).toEqual(words.map(() => keys));
      expect(words.some(({ isMarker }) => !isMarker)).toBe(true);
    },
    TIMEOUT_MS,
  );
  it(
    'knows a side marker',
    async () => {
      const words = await sut.read(written('STAAND'));
      expect(words.map(({ isMarker }) => isMarker)).toEqual([true]);
    },
    TIMEOUT_MS,
  );
  it('finds nothing in nothing', async () => {
    expect(await sut.read({ rows: 64, columns: 64, data: new Uint8Array(4096) })).toEqual([]);
  });
  it('refuses a picture beyond all use', async () => {
    const data = new Uint8Array(0);
    await expect(sut.read({ rows: 65_536, columns: 65_536, data })).rejects.toThrow(
      'not available',
    );
  });
  it('rejects when its process cannot start, and rests after three faults', async () => {
    let [nowMs, started] = [0, 0];
    const clock: Clock = {
      nowMs: () => nowMs,
      monotonicMs: () => nowMs,
      // Called once for each picture that reaches a process.
      sleep: (delayMs, signal) => ((started += 1), systemClock.sleep(delayMs, signal)),
    };
    const broken = createTextDetector({ clock, timeoutMs: TIMEOUT_MS, entry: '/nowhere/main.js' });
    const read = (): Promise<unknown> => broken.read(written('x'));
    for (let tried = 0; tried < 5; tried += 1) {
      await expect(read()).rejects.toThrow('not available');
    }
    expect(started).toBe(3);
    nowMs += 60_000;
    await expect(read()).rejects.toThrow('not available');
    expect(started).toBe(4);
    await broken.close();
  });
  it(
    'rejects when a picture takes too long, and reads the next one',
    async () => {
      let pictures = 0;
      const sleep: Clock['sleep'] = (delayMs, signal) =>
        (pictures += 1) === 1 ? Promise.resolve() : systemClock.sleep(delayMs, signal);
      const clock: Clock = { ...systemClock, sleep };
      const hasty = createTextDetector({ clock, timeoutMs: TIMEOUT_MS });
      await expect(hasty.read(written('Marijke'))).rejects.toThrow('not available');
      expect(await hasty.read(written('Marijke'))).toHaveLength(1);
      await hasty.close();
    },
    TIMEOUT_MS,
  );
  it('rejects after it was closed', async () => {
    const closed = createTextDetector({ clock: systemClock });
    await closed.close();
    await expect(closed.read(written('Joost'))).rejects.toThrow('not available');
  });
});

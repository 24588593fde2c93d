/**
 * Entry of the text detector's process: reads pictures, answers with boxes.
 * Decides what counts as a word: three letters or digits that the engine is fairly sure of, or a
 * side marker. Invariants: the text itself never leaves this process; nothing is downloaded or
 * written; it ends with its parent, and when it outgrows its memory.
 * Source: Tesseract 5 as WebAssembly (tesseract.js); pseudonymisation specification 1.5.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createWorker, OEM, PSM, type Page } from 'tesseract.js';
import { assertNodeVersion } from '@aifi/shared-kernel';
import { isSideMarker } from './side-markers.js';
import type { DetectedWord, ReadAnswer, ReadRequest } from './text-detector-messages.js';

assertNodeVersion();
process.on('disconnect', () => process.exit(0));
// The engine's own complaints may quote what it read.
process.on('uncaughtException', () => process.exit(70));
process.on('unhandledRejection', () => process.exit(70));

/** The engine takes 150 MiB and its pictures; more is a leak or an attack. @unit bytes */
const MEMORY_MAX = 1024 ** 3;
const MEMORY_CHECK_MS = 250;
/** Of 100. Noise and anatomy are read with less. */
const CONFIDENCE_MIN = 60;
const LETTERS_MIN = 3;

const guard = setInterval(() => {
  if (process.memoryUsage.rss() > MEMORY_MAX) process.exit(71);
}, MEMORY_CHECK_MS);
guard.unref();

const packagePath = createRequire(import.meta.url).resolve('@tesseract.js-data/eng/package.json');
const engine = await createWorker('eng', OEM.LSTM_ONLY, {
  langPath: join(dirname(packagePath), '4.0.0_best_int'),
  cacheMethod: 'none',
  gzip: true,
  logger: () => undefined,
  errorHandler: () => process.exit(70),
});
await engine.setParameters({ tessedit_pageseg_mode: PSM.SPARSE_TEXT });

const tell = (answer: ReadAnswer): void => void process.send?.(answer);
let queue = Promise.resolve();
process.on('message', (request: ReadRequest) => {
  queue = queue.then(async () => {
    const { id, rows, columns, data } = request;
    const image = Buffer.concat([Buffer.from(`P5\n${columns} ${rows}\n255\n`), data]);
    const read = await engine.recognize(image, {}, { text: false, blocks: true });
    tell({ kind: 'words', id, words: wordsOf(read.data) });
  });
});
tell({ kind: 'ready' });

function wordsOf(page: Page): DetectedWord[] {
  const words = (page.blocks ?? []).flatMap(({ paragraphs }) =>
    paragraphs.flatMap(({ lines }) => lines.flatMap((line) => line.words)),
  );
  return words.flatMap(({ text, confidence, bbox }) => {
    const isMarker = isSideMarker(text);
    const letters = text.replace(/[^\p{L}\p{N}]/gu, '').length;
    if (!isMarker && (confidence < CONFIDENCE_MIN || letters < LETTERS_MIN)) return [];
    const [x, y] = [Math.max(0, Math.round(bbox.x0)), Math.max(0, Math.round(bbox.y0))];
    return [{ x, y, width: size(bbox.x1 - x), height: size(bbox.y1 - y), isMarker }];
  });
}
function size(length: number): number {
  return Math.max(1, Math.round(length));
}

/**
 * Thread that renders one preview, or checks the frames of one file, and ends.
 * Decides nothing: it decodes away from the event loop, and an answer is what was asked for or a
 * code of the catalogue with its fixed words. Invariant: no text of a foreign error leaves it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { AifiError } from '@aifi/shared-kernel';
import { checkFrames, type CheckOrder } from './frames-check.js';
import { renderPreview, type PreviewOrder } from './preview-picture.js';

const order = workerData as PreviewOrder | CheckOrder;
const done =
  'frames' in order
    ? checkFrames(order).then(() => ({ isWhole: true }))
    : renderPreview(order).then((png) => ({ png }));
done.then(
  (answer) => parentPort?.postMessage(answer),
  (error: unknown) => {
    const isGone = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const { code, message } = isGone
      ? new AifiError('NOT_FOUND', 'the images are no longer kept')
      : AifiError.from(error);
    parentPort?.postMessage({ code, message });
  },
);

/**
 * Thread that renders one preview and ends.
 * Decides nothing: it decodes away from the event loop, and an answer is a picture or a code of the
 * catalogue with its fixed words. Invariant: no text of a foreign error leaves it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { AifiError } from '@aifi/shared-kernel';
import { renderPreview, type PreviewOrder } from './preview-picture.js';

renderPreview(workerData as PreviewOrder).then(
  (png) => parentPort?.postMessage({ png }),
  (error: unknown) => {
    const isGone = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const { code, message } = isGone
      ? new AifiError('NOT_FOUND', 'the images are no longer kept')
      : AifiError.from(error);
    parentPort?.postMessage({ code, message });
  },
);

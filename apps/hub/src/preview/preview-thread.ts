/**
 * Thread that renders previews, one after the other.
 * Decides nothing: it decodes away from the event loop, and an answer is a picture or a code of the
 * catalogue with its fixed words. Invariant: no text of a foreign error leaves it.
 */
import { parentPort } from 'node:worker_threads';
import { AifiError } from '@aifi/shared-kernel';
import { renderPreview, type PreviewOrder } from './preview-picture.js';

parentPort?.on('message', (order: PreviewOrder) => {
  renderPreview(order).then(
    (png) => parentPort?.postMessage({ png }),
    (error: unknown) => {
      const isGone = (error as NodeJS.ErrnoException).code === 'ENOENT';
      const { code, message } = isGone
        ? new AifiError('NOT_FOUND', 'the object is no longer here')
        : AifiError.from(error);
      parentPort?.postMessage({ code, message });
    },
  );
});

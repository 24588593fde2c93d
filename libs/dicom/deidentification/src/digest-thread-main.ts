/**
 * Entry of the thread that digests bytes for `DigestThread`.
 * Decides nothing. Invariants: answers come in the order of the questions, one for each; of a
 * digest that has ended nothing is kept.
 */
import { createHash, type Hash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import type { DigestQuestion, DigestAnswer } from './digest-thread.js';

const digests = new Map<number, Hash>();

function answerTo({ id, pieces }: DigestQuestion): DigestAnswer {
  const digest = digests.get(id) ?? createHash('sha256');
  if (!pieces) {
    digests.delete(id);
    return digest.digest('hex');
  }
  digests.set(id, digest);
  for (const bytes of pieces) digest.update(bytes);
  return '';
}

parentPort!.on('message', (question: DigestQuestion) => {
  parentPort!.postMessage(answerTo(question));
});

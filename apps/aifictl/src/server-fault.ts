/**
 * Server fault: why one server gave no document, in words that follow its address.
 * Decides that "not there" is told as such; null when there was an answer.
 */
import type { Answer } from './api-client.js';

export function faultOf(answer: Answer<unknown>): string | null {
  if (answer.kind === 'found') return null;
  return answer.kind === 'absent' ? 'does not know it, or you may not see it' : answer.why;
}

/**
 * How many objects are undelivered, as the gateway's status says it at any time.
 * Decides that only who has both pages knows; the status is no recorded view, so it is live.
 */
import { gatewayRoutes } from '@aifi/contracts-rest';
import { useAnswer } from '../api/use-answer.js';
import { useSession } from '../frame/session.js';

/** What the status page, and the count in the navigation, is renewed by. */
export const STATUS_TOPICS = ['status', 'studies'] as const;

/** Undefined while it is not known, or not for this role. */
export function useUndelivered(): number | undefined {
  const { acts } = useSession();
  const isWanted = acts.includes('dead-letters.read') && acts.includes('health.read');
  const { data } = useAnswer(gatewayRoutes.status, {}, { topics: STATUS_TOPICS, isWanted });
  return data?.deadLetters?.count;
}

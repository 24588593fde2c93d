/**
 * Held images: how many wait for a person, as the gateway's status says it at any time.
 * Decides that only who has both pages knows; the status is no recorded view, so it is live.
 */
import { gatewayRoutes } from '@aifi/contracts-rest';
import { useAnswer } from '../api/use-answer.js';
import { useSession } from '../frame/session.js';
import { STATUS_TOPICS } from './undelivered.js';

/** Undefined while it is not known, or not for this role. */
export function useImagesToLookAt(): number | undefined {
  const { acts } = useSession();
  const isWanted = acts.includes('pixel-holds.read') && acts.includes('health.read');
  const { data } = useAnswer(gatewayRoutes.status, {}, { topics: STATUS_TOPICS, isWanted });
  return data?.pixelHolds?.count;
}

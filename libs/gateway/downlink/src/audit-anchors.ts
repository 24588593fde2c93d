/**
 * Anchors of the hub's audit chain about this site: fetched, verified, kept at the hospital.
 * Decides that the hub's history is compared as a whole: at the start and once a day every anchor
 * is fetched again, so a day that was told otherwise before is seen. Invariants: only anchors
 * signed by a key of the hub and of the own chain are kept; a contradiction is an error for
 * people.
 * Source: security specification 5 (daily anchor sent to the hospital); hazard H18.
 */
import { verifyAnchor } from '@aifi/access-audit';
import { decodeManifest, type VerifyingKeys } from '@aifi/contracts-manifests';
import { auditAnchorSchema, type AuditAnchor } from '@aifi/contracts-rest';
import {
  AifiError,
  backoffMs,
  pollingStage,
  Wake,
  type Clock,
  type SiteId,
  type Stage,
} from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { DownlinkPort } from './downlink-port.js';

/** Where verified anchors are kept; of one day the first stays. */
export interface AnchorKeeper {
  keep(anchor: AuditAnchor): Promise<'new' | 'known' | 'contradiction'>;
}
export interface AnchorDependencies {
  readonly port: Pick<DownlinkPort, 'auditAnchors'>;
  /** The hub's Ed25519 keys: pinned at enrolment, followed since. */
  readonly signingKeys: VerifyingKeys;
  readonly siteId: SiteId;
  readonly anchors: AnchorKeeper;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** @source security specification 5 (daily anchor) @unit ms */
const FETCH_MS = 24 * 3_600_000;
const RETRY_MS_MAX = 10 * 60_000;
/** Anchors of one answer (proto contract). */
const ANSWER_ANCHORS_MAX = 400;

export function createAnchorFetch(dependencies: AnchorDependencies): Stage {
  const { clock, logger } = dependencies;
  let failures = 0;
  return pollingStage({
    ...{ name: 'downlink-anchors', clock, wake: new Wake(), intervalMs: FETCH_MS },
    onFault: (error) => logger.fault('audit anchors failed', error, { stage: 'downlink' }),
    runOnce: async (signal) => {
      try {
        const count = await fetchAnchors(dependencies);
        if (count > 0) logger.info('audit anchors kept', { stage: 'downlink', count });
        failures = 0;
        return 0;
      } catch (error) {
        if (signal.aborted) return 0;
        failures += 1;
        tell(logger, AifiError.from(error), failures);
        await clock.sleep(backoffMs(failures, { maxMs: RETRY_MS_MAX }), signal);
        return 1;
      }
    },
  });
}

/** What does not verify is for people: the link itself was authenticated. */
function tell(logger: Logger, fault: AifiError, attempt: number): void {
  const { code, instanceId } = fault;
  if (code === 'UNTRUSTED') {
    logger.error('an audit anchor does not verify', { stage: 'downlink', code, instanceId });
    return;
  }
  logger.fault('audit anchors not fetched', fault, { stage: 'downlink', attempt });
}

/** Fetches and keeps the whole history; how many anchors are new. */
export async function fetchAnchors(dependencies: AnchorDependencies): Promise<number> {
  let [fromDay, count] = ['', 0];
  for (;;) {
    const answer = await dependencies.port.auditAnchors(fromDay);
    const anchors = answer.map((bytes) => verified(dependencies, bytes));
    for (const anchor of anchors) count += await keep(dependencies, anchor);
    const lastDay = anchors.at(-1)?.day ?? '';
    // An answer that is not full is the last one; one that goes on nowhere is no answer.
    if (anchors.length < ANSWER_ANCHORS_MAX || lastDay <= fromDay) return count;
    fromDay = lastDay;
  }
}

async function keep({ anchors, logger }: AnchorDependencies, anchor: AuditAnchor): Promise<number> {
  const kept = await anchors.keep(anchor);
  if (kept === 'contradiction') {
    logger.error('the hub contradicts an audit anchor that it gave before', { stage: 'downlink' });
  }
  return kept === 'new' ? 1 : 0;
}

function verified({ signingKeys, siteId }: AnchorDependencies, bytes: Uint8Array): AuditAnchor {
  const anchor = decodeManifest(auditAnchorSchema, bytes);
  verifyAnchor(anchor, signingKeys);
  if (anchor.chain === `hub:${siteId}`) return anchor;
  throw new AifiError('UNTRUSTED', 'an audit anchor of another chain');
}

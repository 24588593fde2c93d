/**
 * withPermits: a PACS of which never more is asked at once than it was promised.
 * Decides nothing but the waiting: deliver, reconciliation and retrieval take their turns at the
 * same permits. Invariant: every request of delivery goes through here.
 * Source: reliability specification H15 (at most 2 associations to the PACS).
 */
import type { PacsPeer } from '@aifi/gateway-deliver';
import type { AssociationPermits } from '@aifi/gateway-retrieve';

export function withPermits(pacs: PacsPeer, permits: Pick<AssociationPermits, 'run'>): PacsPeer {
  return {
    echo: () => permits.run(() => pacs.echo()),
    store: (object) => permits.run(() => pacs.store(object)),
    findStudy: (study) => permits.run(() => pacs.findStudy(study)),
    findInstance: (study, series, instance) =>
      permits.run(() => pacs.findInstance(study, series, instance)),
    ...(pacs.requestCommitment && {
      requestCommitment: (request, waitMs, reported) =>
        permits.run(() => pacs.requestCommitment!(request, waitMs, reported)),
    }),
  };
}

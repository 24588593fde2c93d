/**
 * Broken hub: where planted bugs stand in the store of outcomes, and the tap that sees what leaves.
 * Decides nothing when no bug is named but that an outcome which leaves to another site is seen.
 * Source: reliability specification C2, P5, T-MIS-5.
 */
import type { OutcomeStore } from '@aifi/hub-downlink';
import type { Bug } from './bugs.js';
import type { ReferenceModel } from './reference-model.js';
import type { HubRows } from './sim-hub.js';

export function brokenOutcomes(
  bug: Bug | undefined,
  model: ReferenceModel,
  store: OutcomeStore,
  rows: HubRows,
): OutcomeStore {
  const next: OutcomeStore['next'] = async (peer, lease, after) => {
    const own = await store.next(peer, lease, after);
    // The planted fault: whose outcome it is is not asked.
    const foreign = rows.concluded.find(({ siteName }) => siteName !== peer.siteId);
    const found =
      bug === 'c2-outcome-to-another-site' && !own && foreign
        ? { ...foreign, sequence: after + 1 }
        : own;
    const owner = rows.concluded.find(
      ({ jobId, manifest }) => jobId === found?.jobId && manifest === found.manifest,
    );
    if (owner && owner.siteName !== peer.siteId) {
      model.violated('C2: an outcome leaves to another site');
    }
    // The planted fault: what was sent counts as taken.
    if (bug === 'p5-cursor-skips' && found) await store.acknowledge(peer, found);
    return found;
  };
  // Both planted faults of P5 mean that nobody says any more what is durable at the gateway.
  const isForgetful = bug === 'p5-cursor-skips' || bug === 'p5-ack-before-durable';
  const open: OutcomeStore['open'] = (peer, cursor) =>
    store.open(peer, isForgetful ? { ...cursor, isExact: false } : cursor);
  return { ...store, open, next };
}

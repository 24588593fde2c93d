/**
 * Anchor stage: signs the end of every audit chain once for each day (UTC), and clears used keys.
 * Decides when: at the first look of a day, so a hub that was away makes it up when it starts.
 * Invariant: an anchor once made stays; looking again changes nothing.
 * Source: security specification 5 (daily signed anchor).
 */
import type { KeyObject } from 'node:crypto';
import { pollingStage, Wake, type Clock, type Stage } from '@aifi/shared-kernel';
import { makeAnchors, type HubDatabase } from '@aifi/hub-database';
import type { HubActStore } from './act-store.js';

export interface AnchorDependencies {
  readonly database: HubDatabase;
  readonly acts: HubActStore;
  readonly clock: Clock;
  /** Ed25519 key of the hub, the one that signs outcomes. */
  readonly signingKey: KeyObject;
  readonly onFault: (error: unknown) => void;
  /** Told how many anchors were made; gateways fetch them by themselves. */
  readonly onAnchors?: (count: number) => void;
}

/** A day begins at most so much before its anchors. @unit ms */
const LOOK_MS = 60_000;

export function createAnchorStage(dependencies: AnchorDependencies): Stage {
  const { database, acts, clock, signingKey, onFault, onAnchors } = dependencies;
  const runOnce = async (): Promise<number> => {
    const nowMs = clock.nowMs();
    const made = await database.withAccess((sql) => makeAnchors(sql, signingKey, nowMs));
    if (made > 0) onAnchors?.(made);
    await acts.purgeKeys();
    // Nothing is ever left over for a second look.
    return 0;
  };
  return pollingStage({
    ...{ name: 'anchor', clock, wake: new Wake(), intervalMs: LOOK_MS, runOnce, onFault },
  });
}

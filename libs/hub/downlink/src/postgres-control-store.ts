/**
 * What is in force for a gateway, from the hub's database: one transaction of its site.
 * Decides that the kill state comes from the stops in force and that the rules are the latest.
 * Source: reliability specification C3; governance specification 1 (kill switch).
 */
import type { KeyObject } from 'node:crypto';
import type { LinkPeer } from '@aifi/hub-identity';
import { currentKillState, noteSeen, type HubDatabase, type Sql } from '@aifi/hub-database';
import type { Clock } from '@aifi/shared-kernel';
import type { ControlConfig } from './control.config.js';
import type { ControlStore, SignedPart } from './control-store.js';

export interface ControlStoreDependencies {
  readonly database: HubDatabase;
  readonly clock: Clock;
  /** Ed25519 key of the hub. */
  readonly signingKey: KeyObject;
  readonly control: ControlConfig;
  /** The signed configuration in force for a gateway. @default none is told */
  readonly configuration?: ((peer: LinkPeer) => Promise<SignedPart | undefined>) | undefined;
}

export function createPostgresControlStore(dependencies: ControlStoreDependencies): ControlStore {
  const { database, clock, signingKey, control, configuration } = dependencies;
  return {
    current: async (peer) => {
      const told = await configuration?.(peer);
      return database.withSite(peer.siteId, async (sql) => {
        const settings = { ...control, signingKey };
        const { sequence, state, signature } = await currentKillState(sql, settings, clock.nowMs());
        return {
          killState: { sequence, bytes: state, signature },
          rules: await latestRules(sql),
          configuration: told,
        };
      });
    },
    seen: ({ siteId }) => database.withSite(siteId, (sql) => noteSeen(sql, clock.nowMs())),
  };
}

/** The newest routing rules of the site of the transaction. */
export async function latestRules(sql: Sql): Promise<SignedPart | undefined> {
  const row = await sql.row<{
    sequence: string;
    rules: Buffer;
    signature: Buffer;
    rules_sha256: string;
  }>(
    `SELECT sequence, rules, signature, rules_sha256 FROM routing_rules
     ORDER BY sequence DESC LIMIT 1`,
  );
  return (
    row && {
      ...{ sequence: Number(row.sequence), sha256: row.rules_sha256 },
      ...{ bytes: row.rules, signature: row.signature },
    }
  );
}

/**
 * Tasks for the loss of a whole machine: backup of the gateway, and its restore elsewhere.
 * Decides that these are commands on the machine, like those on keys and vault. A backup is made
 * beside a running gateway; a restore asks for an empty data folder with the site's keys in it.
 * Invariant: their output is counts and file names. Source: reliability specification 3, 8.9.
 */
import { join } from 'node:path';
import { backupGateway, restoreGateway } from '@aifi/gateway-backup';
import type { Clock } from '@aifi/shared-kernel';
import type { KeyRing } from '@aifi/shared-site-keys';
import type { GatewayConfig } from './gateway-config.js';
import { eventsPath, vaultPath } from './identity-stores.js';

export interface BoxTask {
  readonly config: Pick<GatewayConfig, 'dataFolder' | 'keys' | 'vault'>;
  readonly ring: KeyRing;
  readonly clock: Clock;
  /** Account of the machine. */
  readonly actor: string;
}

const termsOf = ({ config, ring, clock, actor }: BoxTask) => ({
  path: vaultPath(config),
  eventsPath: eventsPath(config),
  pipeline: join(config.dataFolder, 'gateway.db'),
  access: join(config.dataFolder, 'access.db'),
  link: join(config.dataFolder, 'link'),
  ...{ ring, actor, atMs: clock.nowMs() },
});

export const backUpBox = (task: BoxTask, folder: string): Promise<object> =>
  backupGateway({ ...termsOf(task), folder });

/** `erasures`: an erasure list that was kept elsewhere. */
export function restoreBox(
  task: BoxTask,
  backup: string,
  erasures: string | undefined,
): Promise<object> {
  const { config, clock } = task;
  return restoreGateway({
    ...{ ...termsOf(task), backup },
    vault: { retention: config.vault, clock },
    // What is still owed is not known yet: nothing runs out before the gateway has asked the hub.
    isOpen: () => true,
    ...(erasures !== undefined && { erasureLists: [erasures] }),
  });
}

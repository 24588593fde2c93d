/**
 * Folder intake of a gateway: batches of files, stored through the private intake.
 * Decides the wiring: a batch goes the way of all objects that do not come by C-STORE.
 * Source: architecture 2 (gateway: receive).
 */
import {
  createFolderIntake,
  type FolderIntake,
  type FolderIntakeState,
} from '@aifi/gateway-folder-intake';
import { createPrivateIntake } from '@aifi/gateway-receive';
import type { Clock } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import type { GatewayConfig } from './gateway-config.js';

/** Undefined where no folder is configured. */
export type FolderState = () => FolderIntakeState | undefined;

export function createFolderBatches(parts: {
  readonly config: Pick<GatewayConfig, 'dataFolder' | 'folderIntake'>;
  readonly clock: Clock;
  readonly logger: Logger;
}): { readonly stages: readonly FolderIntake[]; readonly folderState: FolderState } {
  const { config, clock, logger } = parts;
  if (!config.folderIntake) return { stages: [], folderState: () => undefined };
  const intake = createPrivateIntake(config.dataFolder, clock);
  const batches = createFolderIntake({ config: config.folderIntake, intake, clock, logger });
  return { stages: [batches], folderState: batches.state };
}

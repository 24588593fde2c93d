/**
 * The key ring and the vault of a gateway, opened in that order.
 * Decides when keys may be made: only where nothing is in use yet. Invariant: a vault without its
 * keys stops the start; lost keys are never replaced by new ones in silence.
 * Source: reliability specification H12; security specification 5 (keys).
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { erasureListPath, IdentityEventLog, Vault } from '@aifi/gateway-vault';
import { AifiError, type Clock } from '@aifi/shared-kernel';
import {
  loadKeyRing,
  pkcs11KeyWrapper,
  type KeyRing,
  type KeyStoreOptions,
} from '@aifi/shared-site-keys';
import type { GatewayConfig } from './gateway-config.js';

export interface IdentityStores {
  readonly keys: KeyRing;
  readonly vault: Vault;
  /** What was said about patients' identities. */
  readonly identityEvents: IdentityEventLog;
}
type IdentityConfig = Pick<GatewayConfig, 'dataFolder' | 'keys' | 'vault'>;

/** Where the vault lies. */
export const vaultPath = ({ dataFolder }: IdentityConfig): string => join(dataFolder, 'vault.db');

/** Where the events about identities lie. */
export const eventsPath = ({ dataFolder }: IdentityConfig): string =>
  join(dataFolder, 'identity-events.db');

/** Where the key ring lies, and what wraps it. */
export function keyStoreOf({ dataFolder, keys }: IdentityConfig): KeyStoreOptions {
  const path = keys.file ?? join(dataFolder, 'keys', 'site-keys.json');
  if (!keys.pkcs11) return { path };
  const { pinFile, ...rest } = keys.pkcs11;
  return { path, wrapper: pkcs11KeyWrapper({ ...rest, pin: { file: pinFile } }) };
}

export async function openIdentityStores(
  config: IdentityConfig,
  clock: Clock,
): Promise<IdentityStores> {
  const path = vaultPath(config);
  // A vault that is being restored is not there, but what points to it is.
  const used = [path, erasureListPath(path), join(config.dataFolder, 'gateway.db')];
  const mayCreate = !used.some((each) => existsSync(each));
  const keys = await loadKeyRing({ ...keyStoreOf(config), mayCreate, clock });
  if (!existsSync(path) && !mayCreate) {
    throw new AifiError('CONFIG_INVALID', 'the vault is missing: restore it from its backup');
  }
  const vault = Vault.open(path, keys, { retention: config.vault, clock });
  const list = { erasureListPath: erasureListPath(path) };
  return { keys, vault, identityEvents: IdentityEventLog.open(eventsPath(config), keys, list) };
}

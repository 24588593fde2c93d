/**
 * A signed document that was stored, looked at again when the process starts.
 * Decides that one which no trusted key signed is no reason not to start: a key may have left the
 * hub's trust since. It is told to people and counts as none, so that the hub is asked anew.
 * Invariant: nothing that does not verify comes into force. Source: reliability specification C6.
 */
import { verifyManifest, type VerifyingKeys } from '@aifi/contracts-manifests';
import { AifiError } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';

export interface StoredDocument {
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
  readonly keys: VerifyingKeys;
  /** What it is, for the log. */
  readonly words: string;
  readonly logger: Logger;
}

/** Whether it may be used. Whatever is not about trust is thrown on. */
export function ifTrusted({ bytes, signature, keys, words, logger }: StoredDocument): boolean {
  try {
    verifyManifest(bytes, signature, keys);
    return true;
  } catch (error) {
    const { code, instanceId } = AifiError.from(error);
    if (code !== 'UNTRUSTED') throw error;
    logger.error(`${words}: no trusted key signed it`, { stage: 'downlink', code, instanceId });
    return false;
  }
}

/**
 * ControlStore: what the hub has to tell a gateway at once, as the control stream needs it.
 * Decides the port only. Invariant: everything that decides something at a gateway is signed, and
 * is the same whichever process of the hub answers. Source: docs/adr/0023-control-stream.md.
 */
import type { LinkPeer } from '@aifi/hub-identity';

export interface SignedPart {
  /** Rises with every change of what is signed. */
  readonly sequence: number;
  readonly sha256: string;
  readonly bytes: Buffer;
  readonly signature: Buffer;
}
export interface ControlState {
  readonly killState: Omit<SignedPart, 'sha256'>;
  /** Undefined: the site has none yet. */
  readonly rules: SignedPart | undefined;
  readonly configuration: SignedPart | undefined;
}
export interface ControlStore {
  /** What is in force for this gateway now; the kill state is signed anew when it is due. */
  current(peer: LinkPeer): Promise<ControlState>;
  /** The gateway was heard of. */
  seen(peer: LinkPeer): Promise<void>;
}

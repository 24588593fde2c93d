/**
 * The in-memory twin of the control store, for the simulator and for tests of the stream.
 * Decides the same as the database does: a state is signed anew when what it says has changed or a
 * heartbeat is due, and its sequence rises each time.
 * Invariant: as the port. Source: reliability specification 3 (cores behind ports).
 */
import type { KeyObject } from 'node:crypto';
import {
  encodeManifest,
  killStateSchema,
  signManifest,
  type ProductStop,
} from '@aifi/contracts-manifests';
import type { LinkPeer } from '@aifi/hub-identity';
import { canonicalJson, sha256Hex, type Clock } from '@aifi/shared-kernel';
import type { ControlConfig } from './control.config.js';
import type { ControlState, ControlStore, SignedPart } from './control-store.js';

interface Kept extends Omit<SignedPart, 'sha256'> {
  readonly content: string;
  readonly issuedAtMs: number;
}

export class MemoryControlStore implements ControlStore {
  readonly #kept = new Map<string, Kept>();
  readonly #rules = new Map<string, SignedPart>();
  #stopped: readonly ProductStop[] = [];
  /** When each gateway was last heard, as `site/number`. */
  readonly seenAtMs = new Map<string, number>();

  constructor(
    private readonly clock: Clock,
    private readonly signingKey: KeyObject,
    private readonly settings: ControlConfig,
  ) {}

  /** The stops in force at every site, instead of those before. */
  stop(stopped: readonly ProductStop[]): void {
    this.#stopped = stopped;
  }
  publish(siteName: string, sequence: number, rules: Buffer): void {
    const signature = signManifest(rules, this.signingKey);
    this.#rules.set(siteName, { sequence, sha256: sha256Hex(rules), bytes: rules, signature });
  }

  async current({ siteId }: LinkPeer): Promise<ControlState> {
    const killState = this.#killState(siteId);
    return { killState, rules: this.#rules.get(siteId), configuration: undefined };
  }
  async seen({ siteId, gateway }: LinkPeer): Promise<void> {
    this.seenAtMs.set(`${siteId}/${gateway}`, this.clock.nowMs());
  }

  #killState(siteName: string): Kept {
    const nowMs = this.clock.nowMs();
    const { validForMs, heartbeatMs, killRelevant } = this.settings;
    const told = { validForMs, killRelevant: [...killRelevant], stopped: [...this.#stopped] };
    const content = sha256Hex(canonicalJson(told));
    const kept = this.#kept.get(siteName);
    const ageMs = nowMs - (kept?.issuedAtMs ?? 0);
    if (kept?.content === content && ageMs >= 0 && ageMs < heartbeatMs) return kept;
    const sequence = Math.max((kept?.sequence ?? 0) + 1, Math.floor(nowMs / 1_000));
    const bytes = encodeManifest(killStateSchema, {
      ...{ schema: 'aifi.kill-state.v1', sequence, issuedAtMs: nowMs },
      ...told,
    });
    const signature = signManifest(bytes, this.signingKey);
    const made: Kept = { sequence, bytes, signature, content, issuedAtMs: nowMs };
    this.#kept.set(siteName, made);
    return made;
  }
}

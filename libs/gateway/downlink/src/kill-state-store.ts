/**
 * The kill state at the gateway: verified, durable, with its age.
 * Decides which state is in force: the newest that the hub has signed. Its age counts from when it
 * came, by the clock that has gone further, so that neither a wrong wall clock nor a sleep makes an
 * old state young. Invariants: the sequence never goes back; a state is durable before it is told.
 * Source: governance specification 1 (kill switch); reliability specification H16.
 */
import type { KeyObject } from 'node:crypto';
import {
  decodeManifest,
  killStateSchema,
  verifyManifest,
  type KillState,
} from '@aifi/contracts-manifests';
import type { GatewayDatabase } from '@aifi/gateway-database';
import { AifiError, crashPoint, type Clock } from '@aifi/shared-kernel';

/** What is known of the kill switches at one moment. */
export interface KillKnowledge {
  readonly state: KillState;
  /** Since it came. @unit ms */
  readonly ageMs: number;
  /** When the hub was last heard, by our wall clock. */
  readonly contactMs: number;
}

interface Held {
  readonly state: KillState;
  readonly receivedMs: number;
  /** Monotonic; undefined for a state of the process before this one. */
  readonly receivedMonotonicMs: number | undefined;
}

export class KillStateStore {
  #held: Held | undefined;
  #heardMs = 0;
  #hasHubNone = false;

  constructor(
    private readonly database: GatewayDatabase,
    private readonly publicKey: KeyObject,
    private readonly clock: Clock,
  ) {
    const row = database.read((sql) =>
      sql.get<{ state: Uint8Array; signature: Uint8Array; received_ms: number }>(
        'SELECT state, signature, received_ms FROM kill_state',
      ),
    );
    if (!row) return;
    const state = this.#verified(row.state, row.signature);
    this.#held = { state, receivedMs: row.received_ms, receivedMonotonicMs: undefined };
  }

  /** Sequence of the state that is held; 0: none. */
  get sequence(): number {
    return this.#held?.state.sequence ?? 0;
  }

  /** 'none' when the hub has no kill switches; undefined when it has told nothing yet. */
  knowledge(): KillKnowledge | 'none' | undefined {
    if (!this.#held) return this.#hasHubNone ? 'none' : undefined;
    const { state, receivedMs, receivedMonotonicMs } = this.#held;
    const { clock } = this;
    const wallMs = clock.nowMs() - receivedMs;
    const monotonicMs = clock.monotonicMs() - (receivedMonotonicMs ?? clock.monotonicMs());
    const isSetBack = receivedMonotonicMs === undefined && wallMs < 0;
    const ageMs = isSetBack ? Infinity : Math.max(wallMs, monotonicMs);
    return { state, ageMs, contactMs: Math.max(receivedMs, this.#heardMs) };
  }

  /** True when it came into force. UNTRUSTED: another key, or older than the held one. */
  async accept(bytes: Uint8Array, signature: Uint8Array): Promise<boolean> {
    const state = this.#verified(bytes, signature);
    if (state.sequence < this.sequence) {
      throw new AifiError('UNTRUSTED', 'the kill state is older than the one in force');
    }
    this.heard();
    if (state.sequence === this.sequence) return false;
    const receivedMs = this.clock.nowMs();
    crashPoint('gateway.control.before-commit');
    await this.database.write((sql) =>
      sql.run(
        'INSERT OR REPLACE INTO kill_state VALUES (1, ?, ?, ?, ?)',
        state.sequence,
        bytes,
        signature,
        receivedMs,
      ),
    );
    crashPoint('gateway.control.after-commit');
    this.#held = { state, receivedMs, receivedMonotonicMs: this.clock.monotonicMs() };
    return true;
  }

  /** The hub is there; what it has told stays as old as it is. */
  heard(): void {
    this.#heardMs = this.clock.nowMs();
  }
  /** The hub is of a release before kill switches. What was told once stays in force. */
  hubHasNone(): void {
    this.#hasHubNone = true;
  }

  #verified(bytes: Uint8Array, signature: Uint8Array): KillState {
    verifyManifest(bytes, signature, this.publicKey);
    return decodeManifest(killStateSchema, bytes);
  }
}

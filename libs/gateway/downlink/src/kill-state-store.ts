/**
 * The kill state at the gateway: verified, durable, with its age.
 * Decides which state is in force: the newest that the hub has signed; a stored one that no trusted
 * key signed any more is none, but nothing older than it is taken either. Its age counts from when
 * it came, by the clock that has gone further, so that neither a wrong wall clock nor a sleep makes
 * an old state young. Invariants: the sequence never goes back; a state is durable before it is
 * told. Source: governance specification 1 (kill switch); reliability specification H16.
 */
import {
  decodeManifest,
  killStateSchema,
  verifyManifest,
  type KillState,
  type VerifyingKeys,
} from '@aifi/contracts-manifests';
import type { GatewayDatabase } from '@aifi/gateway-database';
import { AifiError, crashPoint, type Clock } from '@aifi/shared-kernel';
import type { Logger } from '@aifi/shared-observability';
import { ifTrusted } from './stored-document.js';

/** What is known of the kill switches at one moment. */
export interface KillKnowledge {
  readonly state: KillState;
  /** Since it came. @unit ms */
  readonly ageMs: number;
  /** When the hub was last heard, by our wall clock. */
  readonly contactMs: number;
}

interface KillRow {
  readonly sequence: number;
  readonly state: Uint8Array;
  readonly signature: Uint8Array;
  readonly received_ms: number;
}
interface Held {
  readonly state: KillState;
  readonly receivedMs: number;
  /** Monotonic; undefined for a state of the process before this one. */
  readonly receivedMonotonicMs: number | undefined;
}

export class KillStateStore {
  #held: Held | undefined;
  /** The newest that was ever in force here. */
  #newest = 0;
  #heardMs = 0;
  #hasHubNone = false;

  constructor(
    private readonly database: GatewayDatabase,
    private readonly keys: VerifyingKeys,
    private readonly clock: Clock,
    logger: Logger,
  ) {
    const row = database.read((sql) =>
      sql.get<KillRow>('SELECT sequence, state, signature, received_ms FROM kill_state'),
    );
    if (!row) return;
    this.#newest = row.sequence;
    const { state: bytes, signature } = row;
    if (!ifTrusted({ bytes, signature, keys, words: 'the stored kill state', logger })) return;
    const state = decodeManifest(killStateSchema, bytes);
    this.#held = { state, receivedMs: row.received_ms, receivedMonotonicMs: undefined };
  }

  /** Sequence of the state that is held; 0: none. */
  get sequence(): number {
    return this.#held?.state.sequence ?? 0;
  }

  /** 'none' when the hub has no kill switches; undefined when it has told nothing yet. */
  knowledge(): KillKnowledge | 'none' | undefined {
    // A state that was told once is not undone by a hub that says it has none.
    if (!this.#held) return this.#hasHubNone && this.#newest === 0 ? 'none' : undefined;
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
    if (state.sequence < this.#newest) {
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
    this.#newest = state.sequence;
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
    verifyManifest(bytes, signature, this.keys);
    return decodeManifest(killStateSchema, bytes);
  }
}

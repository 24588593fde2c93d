/**
 * SwappableChannel: one gRPC channel for the stages, whose connection can be replaced under them.
 * Decides that a new call goes by the newest credentials, that a call goes on where it began, and
 * that what is left of an old connection a day later is ended, because the hub takes an old
 * certificate for a week only. Invariants: a swap ends no call, a redial ends those of the newest
 * connection; a stage sees neither; at most the connections of a few swaps are open.
 * Source: grpc-js ClientOptions.channelOverride.
 */
import {
  Channel,
  connectivityState,
  status,
  type ChannelCredentials,
  type ChannelInterface,
  type ChannelOptions,
} from '@grpc/grpc-js';
import type { Clock } from '@aifi/shared-kernel';

type CreateCall = ChannelInterface['createCall'];
type Call = ReturnType<CreateCall>;

/** How long a call may stay on the connection of an old certificate. @unit ms */
const OLD_CALLS_MS_MAX = 24 * 3_600_000;

/** Whether the hub takes the certificate of a connection. */
export type HubVerdict = 'accepted' | 'refused';

/** One connection with its calls. */
class Generation {
  readonly #calls = new Set<Call>();
  readonly channel: Channel;
  #isRetired = false;

  constructor(
    { target, credentials, options }: ChannelParts,
    private readonly onVerdict: (verdict: HubVerdict) => void,
  ) {
    // Of its own: a connection that hangs must not be found again in a pool that all share.
    const own = { ...options, 'grpc.use_local_subchannel_pool': 1 };
    this.channel = new Channel(target, credentials, own);
  }

  createCall(...args: Parameters<CreateCall>): Call {
    const call = this.channel.createCall(...args);
    const start = call.start.bind(call);
    this.#calls.add(call);
    call.start = (metadata, listener) =>
      start(metadata, {
        onReceiveMetadata: (received) => listener.onReceiveMetadata(received),
        onReceiveMessage: (message) => {
          this.#tell('accepted');
          listener.onReceiveMessage(message);
        },
        onReceiveStatus: (received) => {
          this.#calls.delete(call);
          if (received.code === status.UNAUTHENTICATED) this.#tell('refused');
          listener.onReceiveStatus(received);
          this.#closeWhenIdle();
        },
      });
    return call;
  }

  /** What an old certificate is told says nothing about the one in force. */
  #tell(verdict: HubVerdict): void {
    if (!this.#isRetired) this.onVerdict(verdict);
  }

  get calls(): number {
    return this.#calls.size;
  }
  /** No new calls come; closed when the last one has ended. */
  retire(): void {
    this.#isRetired = true;
    this.#closeWhenIdle();
  }
  close(): void {
    for (const call of this.#calls) {
      call.cancelWithStatus(status.UNAVAILABLE, 'the connection is replaced');
    }
    this.channel.close();
  }
  #closeWhenIdle(): void {
    if (this.#isRetired && this.#calls.size === 0) this.channel.close();
  }
}

export interface ChannelParts {
  readonly target: string;
  readonly credentials: ChannelCredentials;
  readonly options: ChannelOptions;
}

export class SwappableChannel implements ChannelInterface {
  #current: Generation;
  #parts: ChannelParts;
  readonly #old = new Set<Generation>();
  readonly #closed = new AbortController();

  constructor(
    parts: ChannelParts,
    private readonly clock: Clock,
    private readonly onVerdict: (verdict: HubVerdict) => void = () => undefined,
  ) {
    this.#parts = parts;
    this.#current = new Generation(parts, onVerdict);
  }

  /** New calls go this way from now on. */
  swap(parts: ChannelParts): void {
    const before = this.#current;
    this.#parts = parts;
    this.#current = new Generation(parts, this.onVerdict);
    before.retire();
    if (before.calls === 0) return;
    this.#old.add(before);
    void this.clock.sleep(OLD_CALLS_MS_MAX, this.#closed.signal).then(() => {
      if (this.#old.delete(before)) before.close();
    });
  }

  /** Gives the connection up with its calls, and dials at once; see DialWatch. */
  redial(): void {
    const before = this.#current;
    this.#current = new Generation(this.#parts, this.onVerdict);
    before.close();
    this.getConnectivityState(true);
  }

  /** Calls on connections that no new call takes. */
  get oldCalls(): number {
    return [...this.#old].reduce((sum, { calls }) => sum + calls, 0);
  }
  isUp(): boolean {
    return this.getConnectivityState(false) === connectivityState.READY;
  }

  createCall(...args: Parameters<CreateCall>): Call {
    return this.#current.createCall(...args);
  }
  getTarget(): string {
    return this.#current.channel.getTarget();
  }
  getConnectivityState(tryToConnect: boolean): connectivityState {
    return this.#current.channel.getConnectivityState(tryToConnect);
  }
  watchConnectivityState(...args: Parameters<ChannelInterface['watchConnectivityState']>): void {
    this.#current.channel.watchConnectivityState(...args);
  }
  getChannelzRef(): ReturnType<ChannelInterface['getChannelzRef']> {
    return this.#current.channel.getChannelzRef();
  }
  close(): void {
    this.#closed.abort();
    for (const generation of [...this.#old, this.#current]) generation.close();
    this.#old.clear();
  }
}

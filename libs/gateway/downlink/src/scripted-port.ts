/**
 * ScriptedPort: a hub of the test behind the downlink port; not exported.
 * Decides nothing: each stream that is opened is kept, and the test says what comes down on it.
 */
import type { downlink } from '@aifi/contracts-proto';
import { AifiError } from '@aifi/shared-kernel';
import type { ControlStream, DownlinkPort, OutcomeStream } from './downlink-port.js';

/** Messages of one stream, in order; ends or breaks when the test says so. */
export class Script<T> implements AsyncIterable<T> {
  readonly #messages: T[] = [];
  #end: 'open' | 'ended' | AifiError = 'open';
  #bell: (() => void) | undefined;
  isClosed = false;

  tell(...messages: readonly T[]): void {
    this.#messages.push(...messages);
    this.#bell?.();
  }
  finish(fault?: AifiError): void {
    if (this.#end === 'open') this.#end = fault ?? 'ended';
    this.#bell?.();
  }
  close(): void {
    this.isClosed = true;
    this.finish(new AifiError('PEER_UNAVAILABLE', 'closed here'));
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) yield message;
      else if (this.#end === 'ended') return;
      else if (this.#end !== 'open') throw this.#end;
      else await new Promise<void>((resolve) => (this.#bell = resolve));
    }
  }
}

export class ScriptedPort implements DownlinkPort {
  readonly outcomes: Script<downlink.StreamOutcomesResponse>[] = [];
  readonly said: downlink.StreamOutcomesRequest[] = [];
  readonly controls: Script<downlink.StreamControlResponse>[] = [];
  readonly held: downlink.StreamControlRequest[] = [];
  /** What a control stream ends with at once; undefined: it stays open. */
  controlFault: AifiError | undefined;
  polls = 0;

  async routingRules(): Promise<downlink.GetRoutingRulesResponse> {
    this.polls += 1;
    return { rules: Buffer.alloc(0), signature: Buffer.alloc(0) };
  }
  async auditAnchors(): Promise<readonly Uint8Array[]> {
    return [];
  }
  openOutcomes(): OutcomeStream {
    const script = new Script<downlink.StreamOutcomesResponse>();
    this.outcomes.push(script);
    return {
      responses: script,
      send: (request) => void this.said.push(request),
      close: () => script.close(),
    };
  }
  openControl(held: downlink.StreamControlRequest): ControlStream {
    const script = new Script<downlink.StreamControlResponse>();
    this.controls.push(script);
    this.held.push(held);
    if (this.controlFault) script.finish(this.controlFault);
    return { responses: script, close: () => script.close() };
  }
}

/** Lets everything that waits for nothing but its turn happen, commits of the database included. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 12; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

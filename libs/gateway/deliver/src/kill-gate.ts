/**
 * KillGate: may this result go into the PACS, as far as the kill switches are known.
 * Decides what a gateway does that has not heard of its hub for longer than the hub allowed: a
 * result of a kill-relevant product waits, any other one that was complete before contact was lost
 * goes, acute or not, and what was completed afterwards waits. A stop that was heard holds whatever
 * happens. Invariants: pure; that nothing is known does not mean "allowed".
 * Source: governance specification 1 (kill switch); docs/adr/0023-control-stream.md.
 */
import { stopOf, type KillState, type StopCode } from '@aifi/contracts-manifests';

/** What is known of the kill switches at one moment. */
export interface KillKnowledge {
  readonly state: KillState;
  /** Since it came. @unit ms */
  readonly ageMs: number;
  /** When the hub was last heard, by our wall clock. */
  readonly contactMs: number;
}
/** 'none': the hub has no kill switches. Undefined: it has told nothing yet. */
export type KnowKill = () => KillKnowledge | 'none' | undefined;

export interface GatedResult {
  readonly product: string;
  readonly version: string;
  /** When it was whole and durable at the gateway, by our wall clock. */
  readonly completedAtMs: number;
}
export type KillVerdict =
  | { readonly kind: 'deliver' }
  /** The state is too old, or there is none: it goes when the hub is heard again. */
  | { readonly kind: 'hold'; readonly code: StopCode; readonly reason: string }
  /** The product is stopped: it goes when the hub lifts the stop. */
  | { readonly kind: 'stop'; readonly code: StopCode; readonly reason: string };

const DELIVER: KillVerdict = { kind: 'deliver' };
const hold = (reason: string): KillVerdict => ({ kind: 'hold', code: 'SUSPENDED', reason });
const TOO_OLD = 'the hub has not confirmed for too long that the product may be used';

export function decideDelivery(result: GatedResult, knowledge: ReturnType<KnowKill>): KillVerdict {
  if (knowledge === 'none') return DELIVER;
  if (!knowledge) return hold('the hub has not told yet which products may be used');
  const { state, ageMs, contactMs } = knowledge;
  const stop = stopOf(state, result);
  if (stop) return { kind: 'stop', code: stop.code, reason: 'the hub has stopped the product' };
  if (ageMs <= state.validForMs) return DELIVER;
  if (state.killRelevant.includes(result.product)) return hold(TOO_OLD);
  const wasComplete = result.completedAtMs <= contactMs;
  return wasComplete ? DELIVER : hold(TOO_OLD);
}

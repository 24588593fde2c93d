/**
 * Read model of images that wait for a person: one as it is shown, and its place in the list.
 * Decides when it is late, by the deadline of its lane. Invariant: no patient attribute; the
 * study's UID is left out unless it is asked for.
 */
import type { PixelHoldView } from '@aifi/contracts-rest';
import { cursorOf, placeOf } from '@aifi/gateway-access';
import { AifiError } from '@aifi/shared-kernel';
import type { GatewaySources } from './gateway-sources.js';
import type { HoldPlace, PixelHold } from './pixel-hold.store.js';

export interface HoldViewOptions {
  readonly withStudy: boolean;
  readonly asksReason: boolean;
  readonly sources: Pick<GatewaySources, 'config'>;
}

export function pixelHoldView(
  hold: PixelHold,
  { withStudy, asksReason, sources }: HoldViewOptions,
): PixelHoldView {
  const { id, jobId, product, lane, reason, sha256, files, findings } = hold;
  const { acuteMs, routineMs } = sources.config.deadlines;
  return {
    ...{ id, jobId, product, lane, reason, sha256, files, asksReason },
    ...{ findings: [...findings], heldAtMs: hold.heldMs },
    studyInstanceUid: withStudy ? hold.studyUid : null,
    deadlineAtMs: hold.sinceMs + (lane === 'acute' ? acuteMs : routineMs),
    // The watch has ended it: its clock decides, not the reader's.
    isLate: hold.jobState !== 'QUARANTINED',
  };
}

export const cursorOfHold = ({ lane, heldMs, id }: HoldPlace): string =>
  cursorOf({ atMs: heldMs, id: `${lane}:${id}` });

/** The one after which a page begins; INVALID_ARGUMENT for a cursor of another list. */
export function placeOfHold(cursor: string | undefined): HoldPlace | undefined {
  if (cursor === undefined) return undefined;
  const { atMs, id } = placeOf(cursor);
  const [, lane, hold] = /^(acute|routine):([1-9]\d{0,14})$/.exec(String(id)) ?? [];
  if (hold === undefined) {
    throw new AifiError('INVALID_ARGUMENT', 'the request does not match: cursor');
  }
  return { heldMs: atMs, id: hold, lane: lane as HoldPlace['lane'] };
}

/**
 * Frames check: every frame of a received file decodes, so none can be other than it looks.
 * Decides what may be released: what nobody can be shown cannot have been seen. Invariants: one
 * frame is in memory at a time; no text of the file leaves.
 * Source: pseudonymisation specification 1.5 (human release, fail closed).
 */
import { openFrames } from '@aifi/dicom-pixels';
import { AifiError } from '@aifi/shared-kernel';

export interface CheckOrder {
  readonly path: string;
  /** As many as were offered one by one. */
  readonly frames: number;
}

/** STATE_CONFLICT when a frame does not decode, or there are more or fewer than were offered. */
export async function checkFrames({ path, frames }: CheckOrder): Promise<void> {
  const opened = await openFrames(path);
  if (!opened.ok || opened.value.frames !== frames) throw notWhole();
  const reader = opened.value;
  try {
    for (let index = 0; index < frames; index += 1) await reader.frame(index);
  } catch (error) {
    const { code } = AifiError.from(error);
    throw code === 'DICOM_MALFORMED' || code === 'LIMIT_EXCEEDED' ? notWhole(error) : error;
  } finally {
    await reader.close();
  }
}

const notWhole = (cause?: unknown): AifiError =>
  new AifiError('STATE_CONFLICT', 'a frame of these images cannot be shown: reject them', {
    cause,
  });

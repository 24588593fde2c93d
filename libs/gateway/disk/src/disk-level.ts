/**
 * Disk level: how much new input a gateway takes, from how full its disk is.
 * Decides the steps and that each is left lower than it was entered, so that a disk that is filled
 * and drained around one mark does not open and close the door again and again.
 * Invariants: at or above a mark the level is never below it; inside a band the level stays.
 * Pure. Source: reliability specification 2 ("Disk").
 */

/** In rising order. */
export const DISK_LEVELS = ['normal', 'warning', 'refuse-routine', 'refuse-all'] as const;
export type DiskLevel = (typeof DISK_LEVELS)[number];

/** Shares of the disk in use. Each level is entered at its mark and left below its end. @unit % */
export interface Watermarks {
  readonly warningPercent: number;
  readonly warningEndPercent: number;
  readonly refuseRoutinePercent: number;
  readonly refuseRoutineEndPercent: number;
  readonly refuseAllPercent: number;
  readonly refuseAllEndPercent: number;
}

interface Step {
  readonly mark: number;
  readonly end: number;
}

/** The step between level i and level i + 1. */
function stepsOf(marks: Watermarks): readonly Step[] {
  return [
    { mark: marks.warningPercent, end: marks.warningEndPercent },
    { mark: marks.refuseRoutinePercent, end: marks.refuseRoutineEndPercent },
    { mark: marks.refuseAllPercent, end: marks.refuseAllEndPercent },
  ];
}

/** The level at this use, coming from `level`. */
export function nextLevel(level: DiskLevel, usedPercent: number, marks: Watermarks): DiskLevel {
  const steps = stepsOf(marks);
  let index = DISK_LEVELS.indexOf(level);
  while (index < steps.length && usedPercent >= steps[index]!.mark) index += 1;
  while (index > 0 && usedPercent < steps[index - 1]!.end) index -= 1;
  return DISK_LEVELS[index]!;
}

/** The next mark above this use; 100 when all are passed. @unit % */
export function markAbove(usedPercent: number, marks: Watermarks): number {
  return stepsOf(marks).find(({ mark }) => mark > usedPercent)?.mark ?? 100;
}

/**
 * Settings of the disk watch and of retention.
 * Decides the defaults of the specification and that marks rise and no two bands overlap.
 * Source: reliability specification 2 ("Disk", "Deletion rules").
 */
import { z } from 'zod';

const GIB = 1024 ** 3;
const percent = z.number().gt(0).lt(100);

export const diskConfigSchema = z
  .strictObject({
    warningPercent: percent.default(70).describe('use of the disk that is warned of'),
    warningEndPercent: percent.default(65).describe('the warning ends below this'),
    refuseRoutinePercent: percent.default(85).describe('routine callers get A700 from here'),
    refuseRoutineEndPercent: percent.default(80).describe('routine is taken again below this'),
    refuseAllPercent: percent.default(95).describe('every caller gets A700 from here'),
    refuseAllEndPercent: percent.default(90).describe('the acute lane is taken again below this'),
    reserveBytes: z
      .int()
      .positive()
      .default(GIB)
      .describe('kept for results, WAL and audit; at most a twentieth of the disk'),
    keepHours: z
      .number()
      .positive()
      .default(24)
      .describe('how long files of a finished study stay after the last thing that happened to it'),
    deadLetterAlarmDays: z
      .number()
      .positive()
      .default(7)
      .describe('age of a dead letter that people are told of; it is never removed by itself'),
  })
  .refine(
    (marks) =>
      isRising([
        marks.warningEndPercent,
        marks.warningPercent,
        marks.refuseRoutinePercent,
        marks.refuseAllPercent,
      ]) &&
      marks.warningPercent <= marks.refuseRoutineEndPercent &&
      marks.refuseRoutineEndPercent < marks.refuseRoutinePercent &&
      marks.refuseRoutinePercent <= marks.refuseAllEndPercent &&
      marks.refuseAllEndPercent < marks.refuseAllPercent,
    {
      path: ['refuseRoutinePercent'],
      message: 'the marks must rise, and each level must end between its mark and the one below',
    },
  )
  .prefault({});
export type DiskConfig = z.output<typeof diskConfigSchema>;

const isRising = (values: readonly number[]): boolean =>
  values.every((value, i) => i === 0 || value > values[i - 1]!);

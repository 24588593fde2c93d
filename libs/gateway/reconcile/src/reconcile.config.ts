/**
 * Settings of reconciliation, of the nightly check of digests and of the clock watch.
 * Decides the defaults of the specification. Invariants: everything that is asked of the PACS or
 * read from the disk has a bound. Source: reliability specification 2 (T-REC, digests, clock).
 */
import { z } from 'zod';

const missedStudies = z
  .strictObject({
    isOn: z.boolean().default(true).describe('asks the PACS each hour what should have come'),
    settleMinutes: z
      .int()
      .min(0)
      .max(720)
      .default(60)
      .describe('a study younger than this may still be on its way'),
    matchesMax: z
      .int()
      .min(10)
      .max(10_000)
      .default(1_000)
      .describe('answers taken to one query; more of an hour are asked for in shorter spans'),
    seriesQueriesMax: z
      .int()
      .min(1)
      .max(10_000)
      .default(500)
      .describe('studies of one run whose series are asked for'),
  })
  .prefault({});

export const reconcileConfigSchema = z
  .strictObject({
    missedStudies,
    digests: z
      .strictObject({
        startHourUtc: z.int().min(0).max(23).default(1).describe('hour of the day it begins'),
        megabytesPerSecond: z.number().positive().max(10_000).default(20).describe('read at most'),
      })
      .prefault({})
      .describe('nightly check of all files that are still owed'),
    clock: z
      .strictObject({
        alarmMs: z.int().positive().default(2_000).describe('difference that is told, ms'),
        holdMs: z.int().positive().default(60_000).describe('difference that holds results, ms'),
      })
      .refine(({ alarmMs, holdMs }) => alarmMs < holdMs, 'the alarm comes before the hold')
      .prefault({})
      .describe('clock of this machine against that of the hub'),
  })
  .prefault({});
export type ReconcileConfig = z.output<typeof reconcileConfigSchema>;

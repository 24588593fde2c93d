/**
 * Gateway status: what hospital IT must see to know whether the gateway works.
 * Decides the facts: link, PACS, disk, jobs, spool, what the PACS would not take, and what was
 * refused at the door. A refusal has no study row, so this is the only place where it shows.
 * Parts that came later are optional: an older gateway is still understood.
 * Invariant: no UID and no patient attribute. Source: architecture 1 (hospital IT); issue 3 item 5.
 */
import { z } from 'zod';
import { epochMsSchema } from '@aifi/contracts-manifests';

/** What was refused: an association, one offered kind of object, one object, a byte stream. */
export const REFUSED_THINGS = ['association', 'context', 'object', 'stream'] as const;
export type RefusedThing = (typeof REFUSED_THINGS)[number];

export const refusalSchema = z.object({
  /** Start of the minute that is counted. */
  atMs: epochMsSchema,
  /** As the sender named itself; empty when it did not get that far or the name is not one. */
  callingAeTitle: z.string().max(16),
  what: z.string(),
  /** Code of the kernel's error catalogue. */
  code: z.string(),
  /** C-STORE status that the sender got; null where the protocol has none. */
  dimseStatus: z.int().nullable(),
  /** What was wrong with an object, in fixed English words; null for everything else. */
  reason: z.string().nullish(),
  count: z.int().positive(),
});
export type RefusalView = z.infer<typeof refusalSchema>;

/** In rising order: what is refused at each is in reliability specification 2 ("Disk"). */
export const DISK_LEVELS = ['normal', 'warning', 'refuse-routine', 'refuse-all'] as const;
export type DiskLevelName = (typeof DISK_LEVELS)[number];

export const gatewayStatusSchema = z.object({
  siteId: z.string(),
  purpose: z.string(),
  version: z.string(),
  atMs: epochMsSchema,
  /** Routing rules in force; null until the first ones have arrived. */
  rules: z.object({ sequence: z.int(), issuedAtMs: epochMsSchema }).nullable(),
  /** Connection to the hub. */
  link: z.enum(['up', 'connecting', 'down']),
  uplink: z
    .object({
      /** Studies on their way to the hub, and streams of their bytes. */
      uploads: z.int().nonnegative(),
      streams: z.int().nonnegative(),
      /** Rounds in which the hub did not answer since it last did. */
      linkFailures: z.int().nonnegative(),
      /** Code with which the hub refuses this gateway; null: it does not. */
      refusedBy: z.string().nullable(),
    })
    .optional(),
  /** Kill switches as the hub told them last; null: it has none, or has told nothing yet. */
  killState: z
    .object({
      sequence: z.int().nonnegative(),
      /** Null: unknown, as the clock was set back. @unit ms */
      ageMs: z.int().nonnegative().nullable(),
      /** Too old: results of products that may be stopped are held. */
      isStale: z.boolean(),
    })
    .nullish(),
  /** closed: the PACS is asked; open: it is left alone; probe: one C-ECHO is due. */
  pacsBreaker: z.enum(['closed', 'open', 'probe']),
  delivery: z
    .object({
      /** As pacsBreaker. */
      breaker: z.enum(['closed', 'open', 'probe']),
      /** Storage commitments that the PACS has not reported on yet. */
      openCommitments: z.int().nonnegative(),
    })
    .optional(),
  /** What the PACS would not take; oldestMs null: nothing. */
  deadLetters: z
    .object({ count: z.int().nonnegative(), oldestMs: epochMsSchema.nullable() })
    .optional(),
  /** Images that wait for a person; oldestMs null: none. */
  pixelHolds: z
    .object({ count: z.int().nonnegative(), oldestMs: epochMsSchema.nullable() })
    .optional(),
  diskFreeBytes: z.int().nonnegative(),
  disk: z
    .object({
      /** What is refused for lack of room. */
      level: z.enum(DISK_LEVELS),
      /** The reserve counts as used. */
      usedPercent: z.number().min(0).max(100),
      freeBytes: z.int().nonnegative(),
    })
    .optional(),
  /** Batches of files that people put into a folder; absent: none is configured. */
  folderIntake: z
    .object({
      isReachable: z.boolean(),
      waiting: z.int().nonnegative(),
      /** The batch in hand; its number is in its report and in the log. */
      batch: z
        .object({
          number: z.int().nonnegative(),
          files: z.int().nonnegative(),
          handled: z.int().nonnegative(),
        })
        .nullable(),
      heldBy: z.enum(['no-room', 'no-listener']).nullable(),
      /** Since the gateway started. */
      done: z.int().nonnegative(),
      failed: z.int().nonnegative(),
    })
    .optional(),
  studies: z.int().nonnegative(),
  /** Jobs by state. */
  jobs: z.record(z.string(), z.int()),
  /** What still has to go to the hub. */
  spool: z.object({
    jobs: z.int().nonnegative(),
    objects: z.int().nonnegative(),
    bytes: z.int().nonnegative(),
  }),
  /** Ends of the hub's audit chain that are kept here; a contradiction is a hub that edits. */
  hubAnchors: z
    .object({ lastDay: z.iso.date().nullable(), contradictions: z.int().nonnegative() })
    .optional(),
  /** Systems that send HL7 messages, as the configuration names them; absent: none has yet. */
  hl7: z
    .array(
      z.object({
        sender: z.string(),
        lastMs: epochMsSchema,
        /** Messages answered AA, AE and AR, and connections that were closed. */
        taken: z.int().nonnegative(),
        wrong: z.int().nonnegative(),
        rejected: z.int().nonnegative(),
        closed: z.int().nonnegative(),
      }),
    )
    .optional(),
  /** Newest first, bounded. */
  refusals: z.array(refusalSchema),
});
export type GatewayStatus = z.infer<typeof gatewayStatusSchema>;

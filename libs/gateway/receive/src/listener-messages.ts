/**
 * Messages between the gateway and its DIMSE listener child.
 * Decides what the child can say: it parses foreign bytes, so the parent checks all of it.
 * Invariants: a file is named by a UUID without a path, so a message can point at nothing else;
 * every list is bounded.
 * Source: reliability specification H13, P0.
 */
import { z } from 'zod';
import type { InstanceHeader, IntakeWay } from '@aifi/gateway-database';
import { ERROR_CATALOGUE, isUid, LIMITS, type ErrorCode } from '@aifi/shared-kernel';
import type { ReceiveConfig } from './receive.config.js';
import type { WebCaller } from './web-caller.js';

const uidSchema = z.string().refine(isUid, 'not a UID');
const HEADER_BYTES_MAX = 64 * 1024;
const titleSchema = z.string().max(16);

// The child loads this file, and no database: of that it has types only.
const INTAKE_WAYS = ['dimse', 'web', 'folder', 'retrieved'] as const satisfies IntakeWay[];
const shortText = z.string().max(256).optional();
/** What no row may hold: the parent makes an age and keys of it and forgets it. */
export const patientWordsSchema = z.strictObject({
  patientId: shortText,
  issuer: shortText,
  accessionNumber: shortText,
  birthDate: shortText,
  patientAge: shortText,
  /** DA, TM and offset of the study, else of the series or the acquisition. */
  date: shortText,
  time: shortText,
  zone: shortText,
});
export type PatientWords = z.output<typeof patientWordsSchema>;

/** One instance on disk that has no row yet. */
export const receivedInstanceSchema = z.strictObject({
  fileName: z.string().regex(/^[0-9a-f-]{36}\.dcm$/),
  sizeBytes: z.int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  studyInstanceUid: uidSchema,
  seriesInstanceUid: uidSchema,
  sopInstanceUid: uidSchema,
  sopClassUid: uidSchema,
  transferSyntaxUid: uidSchema,
  callingAeTitle: titleSchema,
  /** '' where none is called, as over the web. */
  calledAeTitle: titleSchema,
  way: z.enum(INTAKE_WAYS),
  /** One that we made ourselves. */
  isOwn: z.boolean(),
  patient: patientWordsSchema,
  /** The child made it, so its shape is known and only its size is checked. */
  header: z
    .custom<InstanceHeader>((value) => typeof value === 'object' && value !== null)
    .refine((header) => JSON.stringify(header).length <= HEADER_BYTES_MAX, 'header is too long'),
});
/** As the child tells it. */
export type ReceivedInstance = z.input<typeof receivedInstanceSchema>;
/** As the parent believes it. */
export type CheckedInstance = z.output<typeof receivedInstanceSchema>;

/** Something that the child did not take. */
export const refusalSchema = z.strictObject({
  what: z.enum(['association', 'context', 'object', 'stream']),
  code: z.custom<ErrorCode>(
    (value) => typeof value === 'string' && Object.hasOwn(ERROR_CATALOGUE, value),
  ),
  /** As sent, so not yet known to be an AE title. */
  callingAeTitle: titleSchema,
  dimseStatus: z.int().min(0).max(0xffff).optional(),
  /** Fixed words of ours, letters and little else; anything else is left out. */
  reason: z
    .string()
    .regex(/^[\w ,.:;()/-]{1,100}$/)
    .optional()
    .catch(undefined),
});
export type ReceiveRefusal = z.output<typeof refusalSchema>;

const referenceSchema = z.strictObject({ sopClassUid: uidSchema, sopInstanceUid: uidSchema });
/** What a PACS says it keeps (PS3.4 J.3.3). */
export const commitmentReportSchema = z.strictObject({
  transactionUid: uidSchema,
  committed: z.array(referenceSchema).max(LIMITS.instancesPerStudyMax),
  failed: z
    .array(referenceSchema.extend({ reason: z.int().min(0).max(0xffff) }))
    .max(LIMITS.instancesPerStudyMax),
});

const id = z.int().positive();
const portNumber = z.int().min(0).max(65535);
export const childMessageSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('listening'),
    port: portNumber,
    tlsPort: portNumber,
    webPort: portNumber,
    webTlsPort: portNumber,
  }),
  z.strictObject({
    kind: z.literal('received'),
    instances: z
      .array(z.strictObject({ id, instance: receivedInstanceSchema }))
      .min(1)
      // One of each association and of each connection of the web listener.
      .max(2 * LIMITS.associationsMax),
  }),
  z.strictObject({ kind: z.literal('refused'), refusal: refusalSchema }),
  z.strictObject({ kind: z.literal('admitted'), callingAeTitle: titleSchema }),
  z.strictObject({
    kind: z.literal('commitment'),
    id,
    report: commitmentReportSchema,
    callingAeTitle: titleSchema,
  }),
]);
export type ChildMessage = z.input<typeof childMessageSchema>;
export type CheckedChildMessage = z.output<typeof childMessageSchema>;

/** How full the disk is, as far as the door is concerned. */
export type DiskLevel = 'normal' | 'warning' | 'refuse-routine' | 'refuse-all';

/** PEM: the child cannot read the files. */
export interface ListenerTls {
  readonly port: number;
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
}
/** Where STOW-RS is served, and to whom. */
export interface WebStart {
  readonly port: number | undefined;
  readonly tls: ListenerTls | undefined;
  readonly callers: readonly WebCaller[];
}
export interface StartMessage {
  readonly kind: 'start';
  readonly config: Omit<ReceiveConfig, 'tls' | 'web'>;
  readonly tls: ListenerTls | undefined;
  readonly web: WebStart | undefined;
  /** Where the gateway's own parts store; absent: nowhere. */
  readonly intakeSocket: string | undefined;
  readonly incomingFolder: string;
  /** 0 at the first start of the child. */
  readonly restarts: number;
  readonly diskLevel: DiskLevel;
  /** SOP Instance UIDs that ended the child too often: refused without a look. */
  readonly poison: readonly string[];
  /** AE titles whose reports of storage commitment are taken; absent: nobody's. */
  readonly commitmentFrom: readonly string[] | undefined;
  /** For tests. */
  readonly crashAt: string | undefined;
}
export type ParentMessage =
  | StartMessage
  /** Answers to `received` (a DIMSE status) and to `commitment` (0: durable). */
  | { readonly kind: 'verdicts'; readonly verdicts: readonly Verdict[] }
  | { readonly kind: 'disk'; readonly level: DiskLevel }
  | { readonly kind: 'stop' };
export interface Verdict {
  readonly id: number;
  readonly status: number;
}

/** Exit status of a child whose disk failed to sync: no object is to blame (EX_IOERR). */
export const EXIT_DISK_FAULT = 74;

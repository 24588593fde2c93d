/**
 * Pixel holds over REST: images that a person has to look at before they may leave the hospital.
 * Decides that a look is opened first (by whom, why), that a picture is rendered by the server in
 * one of three views, and that a decision names the file's digest and a reason.
 * Invariants: no patient attribute in a list; the study's UID only for who may see the list of
 * studies; findings say where something was seen, never what it says.
 * Source: pseudonymisation specification 1.5 (human release), 1.6; security specification 5.
 */
import { z } from 'zod';
import { epochMsSchema } from '@aifi/contracts-manifests';
import { pageOf, pageQuery, reasonSchema } from './route.js';

export const pixelHoldIdSchema = z.string().regex(/^[1-9]\d{0,14}$/);
const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

/** In pixels of the image from its upper left corner; frames count from 0. */
export const pixelFindingSchema = z.object({
  frame: z.int().nonnegative(),
  x: z.number(),
  y: z.number(),
  width: z.number(),
  height: z.number(),
});

export const pixelHoldSchema = z.object({
  id: pixelHoldIdSchema,
  heldAtMs: epochMsSchema,
  jobId: z.string(),
  product: z.string(),
  /** Null: not for this role. */
  studyInstanceUid: z.string().nullable(),
  lane: z.string(),
  /** When the study is reported as not analysed, or was. */
  deadlineAtMs: epochMsSchema,
  /** The deadline has passed; a release has the study analysed after all. */
  isLate: z.boolean(),
  /** Fixed words of the gate. */
  reason: z.string(),
  /** Digest of the file that the decision is about. */
  sha256: z.string(),
  /** Files of the same job that wait, this one among them. */
  files: z.int().positive(),
  findings: z.array(pixelFindingSchema),
  /** A look needs a reason, of this caller for this patient. */
  asksReason: z.boolean(),
});
export type PixelHoldView = z.infer<typeof pixelHoldSchema>;

/**
 * How a picture is shown: the window that the object asks for, everything between its lowest and
 * highest value, and local contrast. Text that one hides may show in another, so a release comes
 * after all of them.
 */
export const PIXEL_VIEWS = ['window', 'full', 'detail'] as const;
export type PixelView = (typeof PIXEL_VIEWS)[number];

/** What a person who opened the images may ask for, and until when. */
export const pixelOpeningSchema = z.object({
  id: pixelHoldIdSchema,
  sha256: z.string(),
  frames: z.int().positive(),
  rows: z.int().positive(),
  columns: z.int().positive(),
  untilMs: epochMsSchema,
});
export type PixelOpening = z.infer<typeof pixelOpeningSchema>;

export const pixelDecisionSchema = z.object({
  id: pixelHoldIdSchema,
  /** RELEASED or REJECTED: as it is now. */
  state: z.string(),
  /** False: somebody had decided before, and nothing has changed. */
  isDecided: z.boolean(),
  /** Files of the job that still wait. */
  waiting: z.int().nonnegative(),
  /** All files are released and the study goes on to analysis. */
  isTakenUp: z.boolean(),
});
export type PixelDecisionView = z.infer<typeof pixelDecisionSchema>;

export const jobRetrySchema = z.object({
  jobId: z.string(),
  /** False: it was not stopped for its pixels or its identity, still waits, or was overtaken. */
  isTakenUp: z.boolean(),
  state: z.string(),
});
export type JobRetry = z.infer<typeof jobRetrySchema>;

const holdParams = z.strictObject({ holdId: pixelHoldIdSchema });
const decisionBody = z.strictObject({ sha256: sha256Schema, reason: reasonSchema });

export const pixelHoldRoutes = {
  pixelHolds: {
    method: 'GET',
    path: '/api/v1/pixel-holds',
    summary: 'Images that wait for a person, acute ones first, then the oldest',
    query: z.strictObject({
      ...pageQuery,
      jobId: z.string().max(64).optional(),
      /** Only this one. */
      holdId: pixelHoldIdSchema.optional(),
    }),
    /** total: how many there are of what is asked for, on all pages. */
    response: pageOf(pixelHoldSchema).extend({ total: z.int().nonnegative() }),
  },
  openPixelHold: {
    method: 'POST',
    path: '/api/v1/pixel-holds/:holdId/opening',
    summary: 'Look at the images of one of them',
    params: holdParams,
    body: z.strictObject({ reason: reasonSchema.nullable().default(null) }),
    response: pixelOpeningSchema,
  },
  pixelHoldPreview: {
    method: 'GET',
    path: '/api/v1/pixel-holds/:holdId/preview',
    summary: 'One frame as a picture of 8 bits in one of the views, for who has opened it',
    params: holdParams,
    query: z.strictObject({
      frame: z.coerce.number().int().min(0).max(99_999).default(0),
      view: z.enum(PIXEL_VIEWS).default('window'),
    }),
    media: 'image/png',
  },
  releasePixelHold: {
    method: 'POST',
    path: '/api/v1/pixel-holds/:holdId/release',
    summary: 'The images that were looked at, in every view, may leave',
    params: holdParams,
    body: decisionBody,
    response: pixelDecisionSchema,
  },
  rejectPixelHold: {
    method: 'POST',
    path: '/api/v1/pixel-holds/:holdId/rejection',
    summary: 'They may not: the study is not analysed',
    params: holdParams,
    body: decisionBody,
    response: pixelDecisionSchema,
  },
  retryJob: {
    method: 'POST',
    path: '/api/v1/jobs/:jobId/retry',
    summary: 'Try a job again that was stopped for its pixels or its identity',
    params: z.strictObject({ jobId: z.string().regex(/^[0-9a-f]{32}$/) }),
    body: z.strictObject({ reason: reasonSchema }),
    response: jobRetrySchema,
  },
} as const;

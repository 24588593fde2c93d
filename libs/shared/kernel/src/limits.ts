/**
 * Limits: every queue, size, count and time of the platform that is not a site's own setting.
 * Decides the numbers; relations between them are asserted below at load.
 * Source: reliability specification 0 (F3, F4, F7) and 2 (P0-P6).
 */
import { invariant } from './aifi-error.js';

export const LIMITS = {
  /**
   * Chunk of a gRPC stream: 256 KiB was as fast as 32 KiB, 1 MiB was slower (measured). @unit bytes
   */
  linkChunkBytesMax: 256 * 1024,
  /** A gRPC message: a chunk, or the manifest of the largest study. @unit bytes */
  linkMessageBytesMax: 16 * 1024 * 1024,
  /** Largest single object on the link. @unit bytes */
  objectBytesMax: 4 * 1024 ** 3,
  /** Instances of one study revision: the largest seen in practice is about 10,000. */
  instancesPerStudyMax: 50_000,
  /** One object in a study manifest: four UIDs of 64, a digest, names and numbers. @unit bytes */
  manifestObjectBytesMax: 330,
  /**
   * Largest header element value kept in memory; longer ones other than pixel data are refused.
   * @unit bytes
   */
  headerValueBytesMax: 1024 * 1024,
  /** All header values of one instance together. @unit bytes */
  headerBytesMax: 16 * 1024 * 1024,
  /** Nesting of sequences, each with its item; deeper is an attack, real objects stay under 20. */
  sequenceDepthMax: 64,
  /** A-ASSOCIATE-RQ (F3). @unit bytes */
  associateRequestBytesMax: 64 * 1024,
  /** P-DATA-TF that we offer to receive; it streams, so its length costs no memory. @unit bytes */
  pduReceiveBytesMax: 1024 * 1024,
  /** P-DATA-TF that we send at most: it is queued for the socket as a whole. @unit bytes */
  pduSendBytesMax: 128 * 1024,
  /** Associations in all and per peer address (F4). */
  associationsMax: 64,
  associationsPerPeerMax: 8,
  /** ARTIM timer, PS3.8 9.1.5 (F4). @unit ms */
  artimMs: 10_000,
  /** Time between a polite end and destroying the socket (F4). @unit ms */
  socketGraceMs: 2_000,
  /** Lease of an inference job (P3). @unit ms */
  leaseMs: 60_000,
  /** Attempts of a job whose child crashed before it is poison (P4). */
  inferenceAttemptsMax: 3,
  /** Attempts of storing one received object that kills the process (P0). */
  receiveAttemptsMax: 3,
  /** Attempts of parsing the input of a job that kills the process (P0, at every later hop). */
  parseAttemptsMax: 3,
} as const;

invariant(LIMITS.linkChunkBytesMax * 2 <= LIMITS.linkMessageBytesMax, 'chunk fits its message');
invariant(
  LIMITS.instancesPerStudyMax * LIMITS.manifestObjectBytesMax <= LIMITS.linkMessageBytesMax,
  'the largest manifest fits a message',
);
invariant(LIMITS.headerValueBytesMax <= LIMITS.headerBytesMax, 'a value fits the header');
invariant(LIMITS.associationsPerPeerMax <= LIMITS.associationsMax, 'peer limit within the total');
invariant(LIMITS.socketGraceMs < LIMITS.artimMs, 'grace shorter than ARTIM');

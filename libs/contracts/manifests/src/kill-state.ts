/**
 * Kill state: which products may not be used, signed by the hub, repeated as a heartbeat.
 * Decides how a gateway knows that a product is stopped, and for how long it may go on without
 * hearing. Invariants: the sequence rises with every signature, heartbeats included, so an old
 * state can never pass for a new one; nothing here names who stopped what, or why in free words.
 * Source: governance specification 1 (kill switch, 15 minutes); docs/adr/0023-control-stream.md.
 */
import { z } from 'zod';
import { epochMsSchema, productIdSchema, semverSchema, sha256Schema } from './primitives.js';

/** Every version of a product. */
export const EVERY_VERSION = '*';

/** Why a product is stopped: the codes of "was deployed, may not run now". */
export const STOP_CODES = ['SUSPENDED', 'CERTIFICATE_INVALID', 'AGREEMENT_MISSING'] as const;
export const stopCodeSchema = z.enum(STOP_CODES);
export type StopCode = z.infer<typeof stopCodeSchema>;

export const stoppedVersionSchema = z.union([semverSchema, z.literal(EVERY_VERSION)]);
export const productStopSchema = z.strictObject({
  product: productIdSchema,
  version: stoppedVersionSchema,
  code: stopCodeSchema,
  sinceMs: epochMsSchema,
});
export type ProductStop = z.infer<typeof productStopSchema>;

/** Far above the number of products; a state is one message. */
const PRODUCTS_MAX = 2_000;

export const killStateSchema = z.strictObject({
  schema: z.literal('aifi.kill-state.v1'),
  /** Rises with every signature. */
  sequence: z.int().positive(),
  issuedAtMs: epochMsSchema,
  /** How long a gateway may go by it without hearing of the hub. @unit ms */
  validForMs: z.int().positive(),
  stopped: z.array(productStopSchema).max(PRODUCTS_MAX),
  /** Products whose results are held as soon as the state is older than that. */
  killRelevant: z.array(productIdSchema).max(PRODUCTS_MAX),
});
export type KillState = z.infer<typeof killStateSchema>;

/** The stop that applies to this version; undefined when there is none. */
export function stopOf(
  { stopped }: Pick<KillState, 'stopped'>,
  { product, version }: { readonly product: string; readonly version: string },
): ProductStop | undefined {
  return stopped.find(
    (stop) =>
      stop.product === product && (stop.version === EVERY_VERSION || stop.version === version),
  );
}

/** Which signed configuration of a gateway is in force; the document itself is fetched. */
export const configurationReferenceSchema = z.strictObject({
  schema: z.literal('aifi.configuration-reference.v1'),
  /** Rises with every change. */
  sequence: z.int().positive(),
  /** `configurationDigest` of it: the same for each time that it is issued anew. */
  sha256: sha256Schema,
  issuedAtMs: epochMsSchema,
});
export type ConfigurationReference = z.infer<typeof configurationReferenceSchema>;

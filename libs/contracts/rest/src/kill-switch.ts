/**
 * Kill switches and take-overs over REST: what stops a product, and who follows a lost gateway.
 * Decides that a stop is done at once by one person, and that lifting it, like giving the results
 * of a gateway to another one, takes two. Invariant: a stop names a product of this hub.
 * Source: governance specification 1 (kill switch); reliability specification H17, P5.
 */
import { z } from 'zod';
import {
  epochMsSchema,
  productIdSchema,
  stopCodeSchema,
  stoppedVersionSchema,
} from '@aifi/contracts-manifests';
import { reasonSchema } from './route.js';

const siteId = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/);
const gatewayNumber = z.int().min(1).max(9_999);

export const productStopViewSchema = z.object({
  product: z.string(),
  /** '*': every version. */
  version: z.string(),
  /** Null: at every site. */
  siteId: z.string().nullable(),
  code: stopCodeSchema,
  reason: z.string(),
  stoppedBy: z.string(),
  stoppedAtMs: epochMsSchema,
});
export type ProductStopView = z.infer<typeof productStopViewSchema>;

/** What is stopped: one version or all, one site or all. */
const scope = {
  version: stoppedVersionSchema.default('*'),
  siteId: siteId.optional(),
};
const productParams = z.strictObject({ productId: productIdSchema });
const stopScopeSchema = z.object({
  product: z.string(),
  version: z.string(),
  siteId: z.string().nullable(),
});

export const killSwitchRoutes = {
  productStops: {
    method: 'GET',
    path: '/api/v1/product-stops',
    summary: 'Products that are stopped now, newest first',
    response: z.object({ stops: z.array(productStopViewSchema) }),
  },
  stopProduct: {
    method: 'POST',
    path: '/api/v1/products/:productId/stop',
    summary: 'Stop a product at once: what runs ends, what is made is withheld',
    params: productParams,
    body: z.strictObject({
      ...scope,
      code: stopCodeSchema.default('SUSPENDED'),
      reason: reasonSchema,
    }),
    response: stopScopeSchema.extend({
      /** False: it was stopped before, nothing has changed. */
      isNew: z.boolean(),
    }),
  },
  resumeProduct: {
    method: 'POST',
    path: '/api/v1/products/:productId/resume',
    summary: 'Lift a stop that another person made',
    params: productParams,
    body: z.strictObject({ ...scope, reason: reasonSchema }),
    response: stopScopeSchema,
  },
  takeOverGateway: {
    method: 'POST',
    path: '/api/v1/sites/:siteId/take-overs',
    summary: 'Give everything that a gateway is owed to its successor, for good (by two persons)',
    params: z.strictObject({ siteId }),
    body: z.strictObject({ gateway: gatewayNumber, successor: gatewayNumber }),
    response: z.object({ siteId: z.string(), gateway: z.int(), successor: z.int() }),
  },
} as const;

/** What a request for a second person names for a take-over. */
export const takeOverObjectId = (gateway: number, successor: number): string =>
  `gateway ${gateway} to ${successor}`;

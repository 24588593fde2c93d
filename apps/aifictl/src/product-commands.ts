/**
 * product: what is stopped at the hub, a stop, and its end by another person.
 * Decides the columns and how a stop is read back: what, which version, where, by whom. Invariants:
 * each order carries a key of its own, so that an answer that was lost on its way is not a second
 * order; without --version every version is meant, without --site every site.
 */
import { z } from 'zod';
import { killSwitchRoutes, productStopViewSchema } from '@aifi/contracts-rest';
import { ask, tell } from './api-client.js';
import type { Command } from './command-line.js';
import { columns, Times } from './plain-values.js';
import { faultOf } from './server-fault.js';
import type { Terminal } from './terminal.js';

const { productStops, stopProduct, resumeProduct } = killSwitchRoutes;

export const productStopsDocumentSchema = z.object({
  schema: z.literal('aifictl.product-stops.v1'),
  hub: z.string(),
  /** Newest first; with an argument, those of that product. */
  stops: z.array(productStopViewSchema),
  /** In plain words; null: there is none. */
  fault: z.string().nullable(),
});
export type ProductStopsDocument = z.infer<typeof productStopsDocumentSchema>;

export const productSwitchDocumentSchema = z.object({
  schema: z.literal('aifictl.product-switch.v1'),
  hub: z.string(),
  verb: z.enum(['stop', 'resume']),
  product: z.string(),
  version: z.string(),
  /** Null: every site. */
  siteId: z.string().nullable(),
  /** False: it was stopped before. */
  isNew: z.boolean(),
  fault: z.string().nullable(),
});
export type ProductSwitchDocument = z.infer<typeof productSwitchDocumentSchema>;

export async function stopsDocument(
  { hub = '' }: Command,
  { fetch }: Terminal,
): Promise<ProductStopsDocument> {
  const address = { url: hub, path: productStops.path.slice(1) };
  const answer = await ask(fetch, address, productStops.response);
  const stops = answer.kind === 'found' ? answer.document.stops : [];
  return { schema: 'aifictl.product-stops.v1', hub, stops, fault: faultOf(answer) };
}

export async function switchDocument(
  { hub = '', id: product, options }: Command,
  terminal: Terminal,
  verb: 'stop' | 'resume',
): Promise<ProductSwitchDocument> {
  const { version, site: siteId, reason, code } = options;
  const body = {
    reason,
    ...(version !== undefined && { version }),
    ...(siteId !== undefined && { siteId }),
    ...(code !== undefined && { code }),
  };
  const path = `api/v1/products/${encodeURIComponent(product)}/${verb}`;
  const response = verb === 'stop' ? stopProduct.response : resumeProduct.response;
  const order = { body, key: terminal.newKey() };
  const answer = await tell(terminal.fetch, { url: hub, path }, order, response);
  const done = answer.kind === 'found' ? answer.document : undefined;
  return {
    ...{ schema: 'aifictl.product-switch.v1', hub, verb, product },
    ...{ version: done?.version ?? version ?? '*', siteId: done?.siteId ?? siteId ?? null },
    isNew: done === undefined ? false : !('isNew' in done) || done.isNew === true,
    fault: faultOf(answer),
  };
}

export function renderStops(document: ProductStopsDocument, timeZone: string): string {
  const { hub, stops, fault } = document;
  if (fault !== null) return `! ${hub} ${fault}\n`;
  if (stops.length === 0) return 'nothing is stopped\n';
  const times = new Times(timeZone, 0);
  const rows = stops.map((stop) => [
    ...[stop.product, versionWords(stop.version), siteWords(stop.siteId), stop.code],
    ...[times.dated(stop.stoppedAtMs), stop.stoppedBy, stop.reason],
  ]);
  const titles = ['product', 'version', 'site', 'code', `since (${timeZone})`, 'by', 'reason'];
  return `${columns([titles, ...rows]).join('\n')}\n`;
}

export function renderSwitch(document: ProductSwitchDocument): string {
  const { hub, verb, product, version, siteId, isNew, fault } = document;
  if (fault !== null) return `! ${hub} ${fault}\n`;
  const what = `${product}, ${versionWords(version)}, ${siteWords(siteId)}`;
  if (verb === 'resume') return `${what}: may be used again\n`;
  return isNew ? `${what}: is stopped\n` : `${what}: was stopped before\n`;
}

const versionWords = (version: string): string => (version === '*' ? 'every version' : version);
const siteWords = (siteId: string | null): string => siteId ?? 'every site';

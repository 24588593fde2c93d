/**
 * sites and models: the hub's overviews, as documents and as tables.
 * Decides the columns. Invariant: the text is made from the document of `--json` alone.
 */
import { modelsSchema, sitesSchema } from '@aifi/contracts-rest';
import { ask, type Answer } from './api-client.js';
import type { ModelsDocument, PeerFault, SitesDocument } from './documents.js';
import { columns, shortDigest, Times } from './plain-values.js';
import type { Terminal } from './terminal.js';

export async function sitesDocument(url: string, { fetch }: Terminal): Promise<SitesDocument> {
  const answer = await ask(fetch, { url, path: 'api/v1/sites' }, sitesSchema);
  const sites = answer.kind === 'found' ? answer.document.sites : [];
  return { schema: 'aifictl.sites.v1', hub: url, sites, unreachable: faults(url, answer) };
}

export async function modelsDocument(url: string, { fetch }: Terminal): Promise<ModelsDocument> {
  const answer = await ask(fetch, { url, path: 'api/v1/models' }, modelsSchema);
  const models = answer.kind === 'found' ? answer.document.models : [];
  return { schema: 'aifictl.models.v1', hub: url, models, unreachable: faults(url, answer) };
}

function faults(url: string, answer: Answer<unknown>): PeerFault[] {
  if (answer.kind === 'found') return [];
  const why = answer.kind === 'absent' ? 'is not a hub of this version' : answer.why;
  return [{ role: 'hub', url, why }];
}

export function renderSites({ sites, unreachable }: SitesDocument, timeZone: string): string {
  const times = new Times(timeZone, 0);
  const rows = sites.map((site) => [
    site.siteId,
    site.state,
    site.purpose,
    site.lastSeenAtMs === null ? 'never' : times.dated(site.lastSeenAtMs),
    String(site.openJobs),
    String(site.waitingOutcomes),
    site.rulesSequence === null ? 'none' : String(site.rulesSequence),
    site.deployments
      .filter(({ state }) => state !== 'retired')
      .map(({ product, version, state }) => `${product} ${version} ${state}`)
      .join(', '),
  ]);
  const titles = ['site', 'state', 'purpose', `last seen (${timeZone})`, 'open jobs'];
  return table([...titles, 'outcomes to fetch', 'rules', 'deployments'], rows, unreachable);
}

export function renderModels({ models, unreachable }: ModelsDocument): string {
  const rows = models.map((model) => [
    model.product,
    model.version,
    model.vendor,
    model.purpose,
    shortDigest(model.modelDigest),
    model.sites.map(({ siteId, state }) => `${siteId} ${state}`).join(', '),
    model.label,
  ]);
  const titles = ['product', 'version', 'vendor', 'purpose', 'digest', 'sites', 'label'];
  return table(titles, rows, unreachable);
}

function table(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  unreachable: readonly PeerFault[],
): string {
  const lines = rows.length === 0 ? ['none'] : columns([titles, ...rows]);
  const notes = unreachable.map(({ role, url, why }) => `! the ${role} at ${url} ${why}`);
  return `${(notes.length > 0 ? notes : lines).join('\n')}\n`;
}

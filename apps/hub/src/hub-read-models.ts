/**
 * Read models of the hub that join the database with what the process itself knows.
 * Decides what an operator sees of the hub and of the models that it holds.
 * Invariant: names of sites and products, counts and digests only.
 */
import type { HubStatus, Models } from '@aifi/contracts-rest';
import { countJobs, listSites } from '@aifi/hub-database';
import type { HubParts } from './hub-parts.js';
import { PLATFORM_VERSION } from './hub-stages.js';

export async function readHubStatus({ config, clock, database }: HubParts): Promise<HubStatus> {
  return {
    purpose: config.purpose,
    version: PLATFORM_VERSION,
    roles: config.roles,
    atMs: clock.nowMs(),
    jobs: Object.fromEntries(await countJobs(database)),
  };
}

/** Every package of the hub with the sites that have it; a retired deployment is none. */
export async function readModels({ models, database }: HubParts): Promise<Models> {
  const sites = await listSites(database);
  return {
    models: models.all.map(
      ({ product, name, version, vendor, purpose, label, lane, artefact }) => ({
        ...{ product, name, version, vendor, purpose, label, lane, modelDigest: artefact.sha256 },
        sites: sites.flatMap(({ siteId, deployments }) =>
          deployments
            .filter((d) => d.product === product && d.version === version && d.state !== 'retired')
            .map(({ state }) => ({ siteId, state })),
        ),
      }),
    ),
  };
}

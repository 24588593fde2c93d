/**
 * OverviewService: status, sites, their activity, and models, within the caller's reach.
 * Decides what an operator sees of the hub, and that a hospital's own people see their part of it:
 * own sites, own counts, own deployments.
 * Invariant: names of sites and products, counts and digests only.
 */
import { Inject, Injectable } from '@nestjs/common';
import type { Caller } from '@aifi/access-web';
import type { HubStatus, Models, Sites } from '@aifi/contracts-rest';
import { listSites, siteActivity, type SiteActivity } from '@aifi/hub-database';
import { countJobsOf, knownSite } from './hub-queries.js';
import { HUB_PARTS, type HubParts } from './hub-parts.js';
import { PLATFORM_VERSION } from './hub-stages.js';

@Injectable()
export class OverviewService {
  constructor(@Inject(HUB_PARTS) private readonly parts: HubParts) {}

  async status(caller: Caller): Promise<HubStatus> {
    const { config, clock, database } = this.parts;
    const jobs = await countJobsOf(database, caller.sites());
    const { purpose, roles } = config;
    return { purpose, version: PLATFORM_VERSION, roles, atMs: clock.nowMs(), jobs };
  }

  async sites(caller: Caller): Promise<Sites> {
    const own = caller.sites();
    const sites = await listSites(this.parts.database);
    return { sites: sites.filter(({ siteId }) => !own || own.includes(siteId)) };
  }

  async activity(caller: Caller, name: string): Promise<SiteActivity> {
    caller.requireSite(name);
    const { database, clock } = this.parts;
    return siteActivity(database, await knownSite(database, name), clock.nowMs());
  }

  /** Every package of the hub with the sites that have it; a retired deployment is none. */
  async models(caller: Caller): Promise<Models> {
    const { models } = this.parts;
    const { sites } = await this.sites(caller);
    const isNational = caller.sites() === undefined;
    const views = models.all.map(
      ({ product, name, version, vendor, purpose, label, lane, artefact }) => ({
        ...{ product, name, version, vendor, purpose, label, lane, modelDigest: artefact.sha256 },
        sites: sites.flatMap(({ siteId, deployments }) =>
          deployments
            .filter((d) => d.product === product && d.version === version && d.state !== 'retired')
            .map(({ state }) => ({ siteId, state })),
        ),
      }),
    );
    // A hospital sees what it has; what others bought is not its business.
    return { models: views.filter(({ sites: having }) => isNational || having.length > 0) };
  }
}

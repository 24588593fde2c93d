/**
 * StudiesService: pseudonymous studies and the hops of their jobs, within the caller's reach.
 * Decides that an object of another site does not exist for who may not see that site, in the same
 * words as one that exists nowhere. Invariant: what was looked at is in the record.
 */
import { Inject, Injectable } from '@nestjs/common';
import { covers } from '@aifi/access-authorisation';
import type { Caller } from '@aifi/access-web';
import type { HubJobs, hubRoutes, RouteInput, RouteOutput } from '@aifi/contracts-rest';
import { listStudies, readHubJobs, readStudyHops } from '@aifi/hub-database';
import { AifiError } from '@aifi/shared-kernel';
import { recordSite } from './audit.service.js';
import { HUB_PARTS, type HubParts } from './hub-parts.js';

type Routes = typeof hubRoutes;

@Injectable()
export class StudiesService {
  constructor(@Inject(HUB_PARTS) private readonly parts: HubParts) {}

  list(
    caller: Caller,
    { query }: RouteInput<Routes['listStudies']>,
  ): Promise<RouteOutput<Routes['listStudies']>> {
    const { siteId, ...filter } = query;
    const siteIds = caller.sites(siteId);
    const objectId = filter.studyPseudonym ?? siteId ?? 'all';
    caller.about({ objectType: 'study-list', objectId, ...recordSite(siteIds) });
    return listStudies(this.parts.database, { ...filter, siteIds });
  }

  study(
    caller: Caller,
    { params }: RouteInput<Routes['study']>,
  ): Promise<RouteOutput<Routes['study']>> {
    const { siteId, studyPseudonym } = params;
    caller.requireSite(siteId);
    caller.about({ objectType: 'study', objectId: studyPseudonym, siteId });
    return readStudyHops(this.parts.database, siteId, studyPseudonym);
  }

  async job(caller: Caller, { params }: RouteInput<Routes['job']>): Promise<HubJobs> {
    const { jobId } = params;
    caller.about({ objectType: 'job', objectId: jobId });
    const all = await readHubJobs(this.parts.database, jobId);
    const jobs = all.filter(({ siteId }) => covers(caller.allowed.reach, siteId));
    if (jobs.length === 0) throw new AifiError('NOT_FOUND', 'no such job at this hub');
    const siteIds = jobs.map(({ siteId }) => siteId);
    caller.about({ objectType: 'job', objectId: jobId, ...recordSite(siteIds) });
    return { jobs };
  }
}

/**
 * PixelsService: break-glass to the pixels of one pseudonymous study.
 * Decides that nothing of a study's instances is told without a grant in force: two persons, this
 * study, this caller, not ended. Invariant: each look is one record that names the pseudonym, the
 * grant, its reason and who agreed to it. Source: security specification 5 (pixels at the hub).
 */
import { Inject, Injectable } from '@nestjs/common';
import type { Approval } from '@aifi/access-approvals';
import type { Caller } from '@aifi/access-web';
import type { hubRoutes, RouteInput, RouteOutput } from '@aifi/contracts-rest';
import { AifiError } from '@aifi/shared-kernel';
import { HUB_PARTS, type HubParts } from '../hub-parts.js';
import { knownSite } from '../hub-queries.js';
import { PreviewRenderer } from './preview-renderer.js';
import { listStudyInstances, studyInstanceAt } from './study-instances.js';

type Routes = typeof hubRoutes;
type StudyParams = RouteInput<Routes['studyInstances']>['params'];

@Injectable()
export class PixelsService {
  constructor(
    @Inject(HUB_PARTS) private readonly parts: HubParts,
    @Inject(PreviewRenderer) private readonly renderer: PreviewRenderer,
  ) {}

  async instances(
    caller: Caller,
    { params }: RouteInput<Routes['studyInstances']>,
  ): Promise<RouteOutput<Routes['studyInstances']>> {
    const grant = await this.#requireGrant(caller, params, {});
    const { database } = this.parts;
    const siteId = await knownSite(database, params.siteId);
    const instances = await listStudyInstances(database, siteId, params.studyPseudonym);
    return { grantedUntilMs: grant.grantedUntilMs ?? 0, instances };
  }

  /** One instance as PNG. */
  async preview(
    caller: Caller,
    { params }: RouteInput<Routes['instancePreview']>,
  ): Promise<Buffer> {
    const { siteId: name, studyPseudonym, index } = params;
    await this.#requireGrant(caller, params, { instance: index });
    const { database, store } = this.parts;
    const siteId = await knownSite(database, name);
    const { sha256 } = await studyInstanceAt(database, siteId, { studyPseudonym, index });
    return this.renderer.render({ path: store.path(siteId, sha256), sha256 });
  }

  async #requireGrant(
    caller: Caller,
    { siteId, studyPseudonym }: StudyParams,
    detail: Record<string, number>,
  ): Promise<Approval> {
    caller.requireSite(siteId);
    const subject = { objectType: 'study', objectId: studyPseudonym, siteId };
    caller.about({ ...subject, detail });
    const { access, clock } = this.parts;
    const grant = await access.approvals.findGrant({
      ...{ act: caller.act, siteId, objectId: studyPseudonym },
      ...{ userId: caller.userId, nowMs: clock.nowMs() },
    });
    if (!grant) {
      throw new AifiError('APPROVAL_REQUIRED', 'a second person has not agreed to this');
    }
    const { id: approval, reason, decidedBy } = grant;
    const responsibleUserId = decidedBy?.id ?? null;
    caller.about({ ...subject, reason, responsibleUserId, detail: { ...detail, approval } });
    return grant;
  }
}

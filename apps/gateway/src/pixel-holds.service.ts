/**
 * PixelHoldsService: images that wait for a person, the person's decision, and stopped jobs.
 * Decides the order of two databases, as for dead letters: record and order are committed in
 * access.db first, then the decision in gateway.db, then the answer is kept. Killed in between, the
 * record stands and says what was ordered, the images still wait, and who asks again with the same
 * key has the same order carried out.
 * Invariants: no image is released without a record, nor by somebody who has not seen it; an order
 * has its effect once; no patient attribute leaves in a list.
 * Source: pseudonymisation specification 1.5, 1.6 (retry after fix); security specification 5.
 */
import { Inject, Injectable } from '@nestjs/common';
import { covers, decide } from '@aifi/access-authorisation';
import type { AuditSubject, Caller } from '@aifi/access-web';
import type {
  gatewayRoutes,
  JobRetry,
  PixelDecisionView,
  RouteInput,
  RouteOutput,
} from '@aifi/contracts-rest';
import { AifiError } from '@aifi/shared-kernel';
import { SOURCES, type GatewaySources } from './gateway-sources.js';
import { sightOf, type Sight } from './masking.js';
import { PixelHoldStore, type HoldDecision, type PixelHold } from './pixel-hold.store.js';
import { cursorOfHold, pixelHoldView, placeOfHold } from './pixel-hold-read-model.js';
import { PixelViewsService } from './pixel-views.service.js';

type Routes = typeof gatewayRoutes;
type DecisionInput = Pick<RouteInput<Routes['releasePixelHold']>, 'params' | 'body'>;

@Injectable()
export class PixelHoldsService {
  readonly #holds: PixelHoldStore;

  constructor(
    @Inject(SOURCES) private readonly sources: GatewaySources,
    @Inject(PixelViewsService) private readonly views: PixelViewsService,
  ) {
    this.#holds = new PixelHoldStore(sources.database);
  }

  async list(
    caller: Caller,
    { query }: RouteInput<Routes['pixelHolds']>,
  ): Promise<RouteOutput<Routes['pixelHolds']>> {
    const { config } = this.sources;
    const { cursor, limit, ...filter } = query;
    caller.requireSite(config.siteId);
    const after = placeOfHold(cursor);
    const holds = this.#holds.list({ limit: limit + 1, after, ...filter });
    const withStudy = this.#maySeeStudies(caller);
    const sight = sightOf(caller, this.sources);
    const items = [];
    // One after the other: an answer never opens many files at once.
    for (const hold of holds.slice(0, limit)) {
      const asksReason = await this.#asksReason(hold, sight);
      items.push(pixelHoldView(hold, { withStudy, asksReason, sources: this.sources }));
    }
    const { jobId, holdId = '*' } = filter;
    const detail = { images: items.length, ...(jobId !== undefined && { jobId }) };
    caller.about({ objectType: 'pixel-hold', objectId: holdId, detail });
    const last = holds.length > limit ? holds[limit - 1] : undefined;
    const { count: total } = this.#holds.totals(filter);
    return { items, nextCursor: last ? cursorOfHold(last) : null, total };
  }

  async release(caller: Caller, input: DecisionInput): Promise<PixelDecisionView> {
    const { holdId } = input.params;
    const hold = this.#holds.waiting(holdId);
    caller.requireSite(this.sources.config.siteId);
    caller.about({ objectType: 'pixel-hold', objectId: holdId });
    // Nobody can have seen what is gone.
    if (!hold && this.#holds.subject(holdId)?.state === 'WAITING') throw notKept();
    // One that is decided was looked at; whoever asks again gets the answer of then.
    const seen = hold && (await this.views.requireSeen(caller, hold));
    const detail = seen && { framesSeen: seen.seen, frames: seen.frames, views: seen.views };
    const answer = await this.#decide(caller, input, 'RELEASED', detail ?? {});
    this.sources.ringPseudonymise?.();
    return answer;
  }

  reject(caller: Caller, input: DecisionInput): Promise<PixelDecisionView> {
    return this.#decide(caller, input, 'REJECTED', {});
  }

  async retry(caller: Caller, input: RouteInput<Routes['retryJob']>): Promise<JobRetry> {
    const { access, config, clock, patients, database, changes } = this.sources;
    const { jobId: objectId } = input.params;
    caller.requireSite(config.siteId);
    caller.about({ objectType: 'job', objectId });
    const job = database.read((sql) =>
      sql.get<{ study: string; state: string; code: string | null }>(
        `SELECT study_uid AS study, state, code FROM job JOIN study USING (study_id)
          WHERE job_id = ?`,
        objectId,
      ),
    );
    if (!job) throw new AifiError('NOT_FOUND', 'no such job at this gateway');
    const { study, state, code } = job;
    const answer = await access.acts.order(caller, input, {
      order: { atMs: clock.nowMs() },
      subject: {
        ...{ objectType: 'job', objectId, reason: input.body.reason },
        patientId: await patients.numberOf(study),
        detail: { study, state, ...(code !== null && { code }) },
      },
      carryOut: async ({ atMs }: { atMs: number }) => ({
        jobId: objectId,
        ...(await this.#holds.retry(objectId, atMs)),
      }),
    });
    this.sources.ringPseudonymise?.();
    changes.notify('studies');
    changes.notify('status');
    return answer;
  }

  async #decide(
    caller: Caller,
    input: DecisionInput,
    state: HoldDecision['state'],
    seen: NonNullable<AuditSubject['detail']>,
  ): Promise<PixelDecisionView> {
    const { access, config, clock, patients, changes } = this.sources;
    const { params, body } = input;
    const { holdId: id } = params;
    caller.requireSite(config.siteId);
    caller.about({ objectType: 'pixel-hold', objectId: id });
    const found = this.#holds.subject(id);
    if (!found) throw new AifiError('NOT_FOUND', 'there are no such images at this gateway');
    const { studyUid, jobId, sha256 } = found;
    if (sha256 !== body.sha256) {
      throw new AifiError('STATE_CONFLICT', 'these are other images than those that were shown');
    }
    const order: HoldDecision = { id, sha256, state, atMs: clock.nowMs() };
    const answer = await access.acts.order(caller, input, {
      order,
      subject: {
        ...{ objectType: 'pixel-hold', objectId: id, reason: body.reason },
        patientId: await patients.numberOf(studyUid),
        detail: { study: studyUid, jobId, sha256, ...seen },
      },
      carryOut: async (decision: HoldDecision) => ({ id, ...(await this.#holds.decide(decision)) }),
    });
    changes.notify('studies');
    changes.notify('status');
    return answer;
  }

  async #asksReason({ studyUid }: PixelHold, sight: Sight): Promise<boolean> {
    if (sight !== 'open') return sight === 'with-reason';
    const found = await this.sources.patients.of(studyUid);
    return found !== undefined && this.sources.access.flags.maskOf(found.patient) !== null;
  }

  /** The UID of a study is an original one: for who may see the gateway's list of studies. */
  #maySeeStudies({ principal }: Caller): boolean {
    const { config, clock } = this.sources;
    const decision = decide(principal, 'hospital-study-list.read', clock.nowMs());
    return decision.ok && covers(decision.value.reach, config.siteId);
  }
}

const notKept = (): AifiError => new AifiError('NOT_FOUND', 'the images are no longer kept');

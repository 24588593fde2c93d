/**
 * ReconcileService: what should have come and did not, and how well the gateway is.
 * Decides the order of a dismissal, as for dead letters: record and order in access.db first, then
 * the row. Invariants: studies by their UIDs only for who may see the hospital's studies, which is
 * the access table's row; no patient attribute.
 * Source: reliability specification 2 (T-REC); security specification 5.
 */
import { Inject, Injectable } from '@nestjs/common';
import type { AuditSubject, Caller } from '@aifi/access-web';
import type { AssuranceView, gatewayRoutes, RouteInput, RouteOutput } from '@aifi/contracts-rest';
import { cursorOf, placeOf } from '@aifi/gateway-access';
import type { MissedStudy } from '@aifi/gateway-reconcile';
import { AifiError } from '@aifi/shared-kernel';
import { SOURCES, type GatewaySources } from './gateway-sources.js';

type Routes = typeof gatewayRoutes;
interface Dismissal {
  readonly id: number;
  readonly atMs: number;
}

@Injectable()
export class ReconcileService {
  constructor(@Inject(SOURCES) private readonly sources: GatewaySources) {}

  list(
    caller: Caller,
    { query }: RouteInput<Routes['reconciliation']>,
  ): RouteOutput<Routes['reconciliation']> {
    const { config, reconcile } = this.sources;
    const { cursor, limit } = query;
    caller.requireSite(config.siteId);
    const { store } = reconcile.reconciliation;
    const before = cursor === undefined ? undefined : idOf(cursor);
    const rows = store.list({ limit: limit + 1, before });
    const items = rows.slice(0, limit).map(viewOf);
    caller.about({
      ...{ objectType: 'missed-study', objectId: '*', detail: { studies: items.length } },
    });
    const last = rows.length > limit ? items.at(-1) : undefined;
    const run = reconcile.reconciliation.lastRun();
    return {
      items,
      nextCursor: last ? cursorOf({ atMs: last.foundAtMs, id: last.id }) : null,
      total: store.count(),
      lastRun: run
        ? { atMs: run.atMs, state: run.state, studies: run.studies, doneAtMs: run.doneMs }
        : null,
      isOn: reconcile.isOn,
      assurance: this.#assurance(),
    };
  }

  async dismiss(
    caller: Caller,
    input: RouteInput<Routes['dismissMissedStudy']>,
  ): Promise<RouteOutput<Routes['dismissMissedStudy']>> {
    const { access, config, clock, reconcile } = this.sources;
    const { missedStudyId: id } = input.params;
    const { reason } = input.body;
    caller.requireSite(config.siteId);
    const { store } = reconcile.reconciliation;
    const study = store.find(id);
    const subject: AuditSubject = {
      ...{ objectType: 'missed-study', objectId: String(id), reason },
      detail: study === undefined ? {} : { study },
    };
    caller.about(subject);
    const answer = await access.acts.order(caller, input, {
      ...{ order: { id, atMs: clock.nowMs() }, subject },
      carryOut: async (order: Dismissal) => {
        if (study === undefined) throw new AifiError('NOT_FOUND', 'no such study on the list');
        return { dismissed: await store.dismiss(order.id, order.atMs) };
      },
    });
    this.sources.changes.notify('status');
    return answer;
  }

  #assurance(): AssuranceView {
    const { clockWatch, digests, invariants } = this.sources.reconcile;
    const { level, offsetMs } = clockWatch.state();
    const { startedMs, finishedMs, files, damaged } = digests.state();
    const { violations } = invariants.state();
    return {
      clock: { level, offsetMs },
      digests: { startedAtMs: startedMs, finishedAtMs: finishedMs, files, damaged },
      violations: Object.values(violations).reduce((sum, count) => sum + count, 0),
    };
  }
}

/** The row that the page before ended with; INVALID_ARGUMENT for a cursor of another list. */
function idOf(cursor: string): number {
  const { id } = placeOf(cursor);
  if (typeof id !== 'number') {
    throw new AifiError('INVALID_ARGUMENT', 'the request does not match: cursor');
  }
  return id;
}

function viewOf(study: MissedStudy): RouteOutput<Routes['reconciliation']>['items'][number] {
  const { id, studyUid, kind, modalities, products } = study;
  return {
    ...{ id, studyInstanceUid: studyUid, kind },
    ...{ modalities: [...modalities], products: [...products] },
    ...{ studyAtMs: study.studyMs, foundAtMs: study.foundMs },
    ...{ expectedInstances: study.expected, receivedInstances: study.received },
  };
}

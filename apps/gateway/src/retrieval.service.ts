/**
 * RetrievalService: studies that people have fetched from the PACS.
 * Decides the order, as for dead letters: record and order in access.db first, then the row. An
 * accession number is asked of the PACS before anything is written, and then forgotten.
 * Invariants: no accession number in an order, a record, a digest of a request or a log; studies by
 * their UIDs only for who may see the hospital's studies, which is the access table's row.
 * Source: features 4 and 37; security specification 5.
 */
import { Inject, Injectable } from '@nestjs/common';
import type { AuditSubject, Caller } from '@aifi/access-web';
import {
  retrievalWords,
  type gatewayRoutes,
  type RetrievalView,
  type RouteInput,
  type RouteOutput,
} from '@aifi/contracts-rest';
import { cursorOf, placeOf } from '@aifi/gateway-access';
import type { Retrieval, RetrievalRequest } from '@aifi/gateway-retrieve';
import { AifiError } from '@aifi/shared-kernel';
import { SOURCES, type GatewaySources } from './gateway-sources.js';

type Routes = typeof gatewayRoutes;
interface FetchOrder {
  readonly requests: readonly RetrievalRequest[];
}

@Injectable()
export class RetrievalService {
  constructor(@Inject(SOURCES) private readonly sources: GatewaySources) {}

  list(
    caller: Caller,
    { query }: RouteInput<Routes['retrievals']>,
  ): RouteOutput<Routes['retrievals']> {
    const { config, retrieval } = this.sources;
    const { cursor, limit, state } = query;
    caller.requireSite(config.siteId);
    const before = cursor === undefined ? undefined : idOf(cursor);
    const rows = retrieval.store.list({ limit: limit + 1, before, state });
    const items = rows.slice(0, limit).map(viewOf);
    const detail = { retrievals: items.length };
    caller.about({ objectType: 'retrieval', objectId: '*', detail });
    const last = rows.length > limit ? items.at(-1) : undefined;
    const nextCursor = last ? cursorOf({ atMs: last.createdAtMs, id: last.id }) : null;
    return { items, nextCursor, waiting: retrieval.store.countOpen() };
  }

  async request(
    caller: Caller,
    { body }: RouteInput<Routes['requestRetrieval']>,
  ): Promise<RouteOutput<Routes['requestRetrieval']>> {
    const { config, retrieval } = this.sources;
    const { studyInstanceUid, accessionNumber, product, from: source } = body;
    caller.requireSite(config.siteId);
    caller.about({ objectType: 'retrieval', objectId: '*' });
    this.#requireProduct(product);
    const studies =
      studyInstanceUid === undefined
        ? await retrieval.studiesOf(accessionNumber ?? '')
        : [studyInstanceUid];
    if (studies.length === 0) throw new AifiError('NOT_FOUND', 'the PACS has no such study');
    const requests = studies.map((studyUid): RetrievalRequest => {
      return { studyUid, cause: 'by-hand', ...(product !== undefined && { product, source }) };
    });
    const subject: AuditSubject = {
      ...{ objectType: 'retrieval', objectId: studies.length === 1 ? studies[0]! : '*' },
      detail: { studies: studies.length, ...(product !== undefined && { product }) },
    };
    return { retrievals: await this.#order(caller, requests, subject) };
  }

  async fetchMissed(
    caller: Caller,
    { params }: RouteInput<Routes['fetchMissedStudy']>,
  ): Promise<RetrievalView> {
    const { config, reconcile } = this.sources;
    const { missedStudyId: id } = params;
    caller.requireSite(config.siteId);
    const study = reconcile.reconciliation.store.find(id);
    const subject: AuditSubject = {
      ...{ objectType: 'missed-study', objectId: String(id) },
      detail: study === undefined ? {} : { study },
    };
    caller.about(subject);
    if (study === undefined) throw new AifiError('NOT_FOUND', 'no such study on the list');
    const [view] = await this.#order(caller, [{ studyUid: study, cause: 'missed' }], subject);
    return view!;
  }

  async withdraw(
    caller: Caller,
    input: RouteInput<Routes['withdrawRetrieval']>,
  ): Promise<RouteOutput<Routes['withdrawRetrieval']>> {
    const { access, config, retrieval } = this.sources;
    const { retrievalId: id } = input.params;
    caller.requireSite(config.siteId);
    const row = retrieval.store.get(id);
    const subject: AuditSubject = {
      ...{ objectType: 'retrieval', objectId: String(id) },
      detail: row === undefined ? {} : { study: row.study_uid },
    };
    caller.about(subject);
    const answer = await access.acts.order(caller, input, {
      ...{ order: { id }, subject },
      carryOut: async (order: { readonly id: number }) => {
        if (row === undefined) throw new AifiError('NOT_FOUND', 'no such retrieval');
        return { withdrawn: await retrieval.withdraw(order.id) };
      },
    });
    this.sources.changes.notify('status');
    return answer;
  }

  async #order(
    caller: Caller,
    requests: readonly RetrievalRequest[],
    subject: AuditSubject,
  ): Promise<RetrievalView[]> {
    const { access, retrieval } = this.sources;
    caller.about(subject);
    // The order stands for the request: of its body nothing is kept, not even a digest.
    const answer = await access.acts.order(
      caller,
      { requests },
      {
        ...{ order: { requests }, subject },
        carryOut: async (order: FetchOrder) => {
          const ids = await retrieval.queue(order.requests);
          return ids.map((id) => viewOf(retrieval.store.get(id)!));
        },
      },
    );
    this.sources.changes.notify('status');
    return answer;
  }

  /** A name that the hub's rules do not have would be waited for in vain. */
  #requireProduct(product: string | undefined): void {
    const products = this.sources.currentRules()?.rules.products;
    const isKnown = products?.some((one) => one.product === product) ?? true;
    if (product !== undefined && !isKnown) {
      throw new AifiError('INVALID_ARGUMENT', 'no product of this site has that name');
    }
  }
}

/** The row that the page before ended with; INVALID_ARGUMENT for a cursor of another list. */
function idOf(cursor: string): number {
  const { id } = placeOf(cursor);
  if (typeof id === 'number') return id;
  throw new AifiError('INVALID_ARGUMENT', 'the request does not match: cursor');
}

function viewOf(row: Retrieval): RetrievalView {
  const { reason } = row;
  return {
    ...{ id: row.retrieval_id, studyInstanceUid: row.study_uid, seriesInstanceUid: row.series_uid },
    ...{ cause: row.cause, product: row.product, state: row.state, reason, code: row.code },
    words: (reason === null ? undefined : retrievalWords(reason)) ?? null,
    attempts: row.attempts,
    nextAttemptAtMs: row.state === 'QUEUED' ? row.next_attempt_ms : null,
    ...{ expectedInstances: row.expected, receivedInstances: row.received },
    ...{ createdAtMs: row.created_ms, endedAtMs: row.ended_ms },
  };
}

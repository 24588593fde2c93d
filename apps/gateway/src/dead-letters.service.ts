/**
 * DeadLettersService: what the PACS would not take, seen and sent again by hospital IT.
 * Decides the order of two databases. A letter lies in gateway.db, its record in access.db: record
 * and order are committed first, then the letters are queued, then the answer is kept. Killed in
 * between, the record stands and says what was ordered, and the letters stay where a person sees
 * them; who asks again with the same key has the same order carried out. A fault of the second
 * step is a record of its own, as failed.
 * Invariants: no letter is queued without a record; an order takes letters that died before it
 * only, so that carrying it out twice is once; no patient attribute leaves, and a study's UID only
 * to who may see the list of studies.
 * Source: security specification 5 ("replay dead letter"); reliability specification P6, P7.
 */
import { Inject, Injectable } from '@nestjs/common';
import { covers, decide } from '@aifi/access-authorisation';
import type { AuditSubject, Caller } from '@aifi/access-web';
import type { gatewayRoutes, ReplayCount, RouteInput, RouteOutput } from '@aifi/contracts-rest';
import { cursorOf } from '@aifi/gateway-access';
import type { DeadLetterFilter, DeadLetterId } from '@aifi/gateway-deliver';
import { deadLetterView, findDeadLetter, placeOfLetter } from './dead-letter-read-model.js';
import { SOURCES, type GatewaySources } from './gateway-sources.js';

type Routes = typeof gatewayRoutes;
/** One letter; null: it is none any more. */
interface OneOrder {
  readonly id: DeadLetterId | null;
  readonly atMs: number;
}
interface BulkOrder extends DeadLetterFilter {
  readonly atMs: number;
}

@Injectable()
export class DeadLettersService {
  constructor(@Inject(SOURCES) private readonly sources: GatewaySources) {}

  list(
    caller: Caller,
    { query }: RouteInput<Routes['deadLetters']>,
  ): RouteOutput<Routes['deadLetters']> {
    const { config, deadLetters } = this.sources;
    const { cursor, limit, code } = query;
    caller.requireSite(config.siteId);
    const before = placeOfLetter(cursor);
    const letters = deadLetters.list({ limit: limit + 1, code, before });
    const mayName = this.#maySeeStudies(caller);
    const items = letters.slice(0, limit).map((letter) => deadLetterView(letter, mayName));
    const last = letters.length > limit ? items.at(-1) : undefined;
    const detail = { deadLetters: items.length, ...(code !== undefined && { code }) };
    caller.about({ objectType: 'dead-letter', objectId: '*', detail });
    const nextCursor = last ? cursorOf({ atMs: last.sinceMs, id: last.id }) : null;
    return { items, nextCursor, total: deadLetters.count({ code }) };
  }

  async replay(
    caller: Caller,
    input: RouteInput<Routes['replayDeadLetter']>,
  ): Promise<ReplayCount> {
    const { access, config, clock, database, deadLetters, patients } = this.sources;
    const objectId = input.params.deadLetterId;
    caller.requireSite(config.siteId);
    caller.about({ objectType: 'dead-letter', objectId });
    const atMs = clock.nowMs();
    const letter = findDeadLetter(database, objectId);
    const subject: AuditSubject = {
      ...{ objectType: 'dead-letter', objectId },
      patientId: letter ? await patients.numberOf(letter.studyUid) : null,
      detail: letter ? { study: letter.studyUid, jobId: letter.jobId, code: letter.code } : {},
    };
    const answer = await access.acts.order(caller, input, {
      ...{ order: { id: letter?.id ?? null, atMs }, subject },
      carryOut: async (order: OneOrder) => {
        const found = order.id === null ? undefined : findDeadLetter(database, order.id);
        // It was sent again since and died again: another order.
        if (!found || found.deadMs > order.atMs) return { replayed: 0, skipped: 1 };
        return deadLetters.replay([found.id], order.atMs);
      },
    });
    this.#tell();
    return answer;
  }

  async replayAll(
    caller: Caller,
    input: RouteInput<Routes['replayDeadLetters']>,
  ): Promise<ReplayCount> {
    const { access, config, clock, deadLetters } = this.sources;
    const { code, olderThanMs = 0, all } = input.body;
    caller.requireSite(config.siteId);
    const atMs = clock.nowMs();
    // Those of this very millisecond too.
    const filter: DeadLetterFilter = { code, beforeMs: atMs - olderThanMs + 1 };
    const subject: AuditSubject = {
      ...{ objectType: 'dead-letter', objectId: '*' },
      detail: {
        deadLetters: deadLetters.count(filter),
        ...(all ? { all } : { olderThanMs, ...(code !== undefined && { code }) }),
      },
    };
    const answer = await access.acts.order(caller, input, {
      ...{ order: { ...filter, atMs }, subject },
      carryOut: (order: BulkOrder) => deadLetters.replayAll(order, order.atMs),
    });
    this.#tell();
    return answer;
  }

  /** The UID of a study is an original one: for who may see the gateway's list of studies. */
  #maySeeStudies({ principal }: Caller): boolean {
    const { config, clock } = this.sources;
    const decision = decide(principal, 'hospital-study-list.read', clock.nowMs());
    return decision.ok && covers(decision.value.reach, config.siteId);
  }

  #tell(): void {
    this.sources.ringDeliver();
    this.sources.changes.notify('status');
    this.sources.changes.notify('studies');
  }
}

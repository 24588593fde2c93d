/**
 * ConsentService: objections of patients, for people, lists and FHIR.
 * Decides the order of a change, as for dead letters: record and order in access.db first, then the
 * objection. The record names the patient, as a flag's does; the order that is kept has keyed
 * digests alone. Invariants: a number is in a body only; a list's record has numbers of lines; an
 * answer never has an objection of somebody who was not asked for.
 * Source: governance specification 4.3 (OBJECTION); security specification 5; GDPR Art. 21.
 */
import { Inject, Injectable } from '@nestjs/common';
import type { Caller } from '@aifi/access-web';
import type { gatewayRoutes, RouteInput, RouteOutput } from '@aifi/contracts-rest';
import { unpackFile } from '@aifi/gateway-catalogue';
import { readConsent, type NumberedPerson, type ObjectionOrder } from '@aifi/gateway-consent';
import { AifiError, sha256Hex } from '@aifi/shared-kernel';
import { SOURCES, type GatewaySources } from './gateway-sources.js';

type Routes = typeof gatewayRoutes;
type State = RouteOutput<Routes['setObjection']>;
type NewOrder = Omit<ObjectionOrder, 'keys' | 'atMs'>;
interface ObjectionAct {
  readonly patient: NumberedPerson;
  readonly order: NewOrder;
  readonly reason?: string;
}

@Injectable()
export class ConsentService {
  constructor(@Inject(SOURCES) private readonly sources: GatewaySources) {}

  find(
    caller: Caller,
    { body }: RouteInput<Routes['findObjections']>,
  ): RouteOutput<Routes['findObjections']> {
    const { config, objections, clock } = this.sources;
    caller.requireSite(config.siteId);
    const { patientId } = body;
    caller.about({ objectType: 'objection', objectId: '*', patientId });
    return viewOf(objections.stateOf(objections.keysOf(personOf(body)), clock.nowMs()));
  }

  set(caller: Caller, input: RouteInput<Routes['setObjection']>): Promise<State> {
    const { kinds, sinceMs, untilMs } = input.body;
    const beginMs = sinceMs ?? this.sources.clock.nowMs();
    if (untilMs !== undefined && untilMs <= beginMs) {
      throw new AifiError('INVALID_ARGUMENT', 'the request does not match: untilMs');
    }
    return this.#change(caller, input, {
      patient: personOf(input.body),
      order: { kinds, event: 'set', source: 'person', sinceMs, untilMs },
    });
  }

  withdraw(caller: Caller, input: RouteInput<Routes['withdrawObjection']>): Promise<State> {
    const { kinds, reason } = input.body;
    return this.#change(caller, input, {
      ...{ patient: personOf(input.body), reason },
      order: { kinds, event: 'withdrawn', source: 'person' },
    });
  }

  async receive(
    caller: Caller,
    input: RouteInput<Routes['receiveConsent']>,
  ): Promise<RouteOutput<Routes['receiveConsent']>> {
    caller.requireSite(this.sources.config.siteId);
    const { patient, kind, event, sinceMs, untilMs } = readConsent(input.body);
    const { inForce, jobsEnded, jobsAtHub } = await this.#change(caller, input, {
      patient,
      order: { kinds: [kind], event, source: 'fhir', sinceMs, untilMs },
    });
    return { inForce, jobsEnded, jobsAtHub };
  }

  check(
    caller: Caller,
    { body }: RouteInput<Routes['checkObjectionList']>,
  ): RouteOutput<Routes['checkObjectionList']> {
    const { config, objections, clock } = this.sources;
    caller.requireSite(config.siteId);
    return objections.checkList(unpackFile(body.file), clock.nowMs());
  }

  async import(
    caller: Caller,
    input: RouteInput<Routes['importObjectionList']>,
  ): Promise<RouteOutput<Routes['importObjectionList']>> {
    const { access, config, objections, clock, changes } = this.sources;
    caller.requireSite(config.siteId);
    const { file, skipBadLines } = input.body;
    const bytes = unpackFile(file);
    const atMs = clock.nowMs();
    const { lines, bad, added } = objections.checkList(bytes, atMs);
    const detail = { file: sha256Hex(bytes), lines, bad, added };
    const subject = { objectType: 'objection', objectId: '*', detail };
    caller.about(subject);
    const answer = await access.acts.order(caller, input, {
      ...{ order: { atMs }, subject },
      carryOut: (order: { readonly atMs: number }) =>
        objections.importList(bytes, { ...order, skipBadLines }),
    });
    changes.notify('studies');
    return answer;
  }

  async #change(
    caller: Caller,
    input: object,
    { patient, order, reason }: ObjectionAct,
  ): Promise<State> {
    const { access, config, objections, clock, changes } = this.sources;
    caller.requireSite(config.siteId);
    const keys = objections.keysOf(patient);
    const { event, kinds, source } = order;
    const subject = {
      ...{ objectType: 'objection', objectId: '*', patientId: patient.patientId },
      ...(reason !== undefined && { reason }),
      detail: { event, kinds: kinds.join(' '), source },
    };
    caller.about(subject);
    const answer = await access.acts.order(caller, input, {
      ...{ order: { ...order, keys, atMs: clock.nowMs() }, subject },
      carryOut: async (kept: ObjectionOrder): Promise<State> => {
        const { ended, atHub } = await objections.carryOut(kept);
        const state = viewOf(objections.stateOf(kept.keys, kept.atMs));
        return { ...state, jobsEnded: ended, jobsAtHub: atHub };
      },
    });
    changes.notify('studies');
    return answer;
  }
}

const personOf = ({ patientId, issuer }: { patientId: string; issuer: string | null }) => ({
  ...{ patientId, issuer: issuer ?? '' },
});

type Found = ReturnType<GatewaySources['objections']['stateOf']>;
const viewOf = ({ inForce, history }: Found): RouteOutput<Routes['findObjections']> => ({
  inForce: [...inForce],
  history: history.map(({ recordedMs, ...entry }) => ({ ...entry, recordedAtMs: recordedMs })),
});

/**
 * PrivacyService: which patients are masked, and the alerts about openings.
 * Decides nothing of who may: the access table does. Invariant: setting, removing and acknowledging
 * are each one transaction with their record; a record names the patient, an address never does.
 * Source: security specification 5 (privacy officer).
 */
import { Inject, Injectable } from '@nestjs/common';
import type { Caller } from '@aifi/access-web';
import type {
  AlertView,
  gatewayRoutes,
  PatientFlag,
  RouteInput,
  RouteOutput,
} from '@aifi/contracts-rest';
import { SOURCES, type GatewaySources } from './gateway-sources.js';

type Routes = typeof gatewayRoutes;

@Injectable()
export class PrivacyService {
  constructor(@Inject(SOURCES) private readonly sources: GatewaySources) {}

  flags(
    caller: Caller,
    { query }: RouteInput<Routes['patientFlags']>,
  ): RouteOutput<Routes['patientFlags']> {
    caller.requireSite(this.sources.config.siteId);
    caller.about({ objectType: 'patient-flag', objectId: '*' });
    return this.sources.access.flags.list(query);
  }

  async setFlag(caller: Caller, input: RouteInput<Routes['setPatientFlag']>): Promise<PatientFlag> {
    const { access, clock, config, changes } = this.sources;
    caller.requireSite(config.siteId);
    const answer = await access.acts.perform(caller, input, (tx) => {
      const setBy = caller.userId;
      const flag = access.flags.set(tx, { ...input.body, setBy, atMs: clock.nowMs() });
      const { id: objectId, patientId, kind } = flag;
      const subject = { objectType: 'patient-flag', objectId, patientId, detail: { kind } };
      return { answer: flag, subject };
    });
    changes.notify('studies');
    return answer;
  }

  async removeFlag(
    caller: Caller,
    input: RouteInput<Routes['removePatientFlag']>,
  ): Promise<PatientFlag> {
    const { access, clock, config, changes } = this.sources;
    const { flagId: objectId } = input.params;
    const { reason } = input.body;
    caller.requireSite(config.siteId);
    caller.about({ objectType: 'patient-flag', objectId, reason });
    const answer = await access.acts.perform(caller, input, (tx) => {
      const by = { userId: caller.userId, atMs: clock.nowMs() };
      const flag = access.flags.remove(tx, objectId, by);
      const { patientId, kind } = flag;
      const detail = { kind };
      return {
        answer: flag,
        subject: { objectType: 'patient-flag', objectId, patientId, reason, detail },
      };
    });
    changes.notify('studies');
    return answer;
  }

  alerts(caller: Caller, { query }: RouteInput<Routes['alerts']>): RouteOutput<Routes['alerts']> {
    caller.requireSite(this.sources.config.siteId);
    caller.about({ objectType: 'alert', objectId: '*' });
    return this.sources.access.alerts.list(query);
  }

  async acknowledge(
    caller: Caller,
    input: RouteInput<Routes['acknowledgeAlert']>,
  ): Promise<AlertView> {
    const { access, clock, config, changes } = this.sources;
    const { alertId: objectId } = input.params;
    caller.requireSite(config.siteId);
    caller.about({ objectType: 'alert', objectId });
    const answer = await access.acts.perform(caller, input, (tx) => {
      const by = { userId: caller.userId, atMs: clock.nowMs() };
      const alert = access.alerts.acknowledge(tx, objectId, by);
      return { answer: alert, subject: { objectType: 'alert', objectId } };
    });
    changes.notify('alerts');
    return answer;
  }
}
